import 'vscode-jsonrpc/browser';
import { WorkerChannel } from '../../src/rpc/workerChannel';
import { describeChannel } from './channelContract';

describeChannel('a message port', () => {
  const { port1, port2 } = new MessageChannel();
  port1.start();
  port2.start();
  return Promise.resolve({
    client: new WorkerChannel(port1 as never), // the DOM's and Node's ports both have the endpoint's three methods
    server: new WorkerChannel(port2 as never), // likewise
    sendRaw: (message) => port1.postMessage(message),
    cut: () => {
      port1.close();
      port2.close();
    },
  });
});
