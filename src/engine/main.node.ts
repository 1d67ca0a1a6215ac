import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import 'vscode-jsonrpc/node';
import { FramedChannel } from '../rpc/framedChannel.node';
import { EngineServer } from './engineServer';
import { nodeFileAccess } from './nodeFileAccess.node';
import { nodeRuntimes } from './nodeRuntimes.node';

// The forked engine: control messages over IPC, bulk frames over the fourth extra pipe that the launcher opened.
const bulkDescriptor = 4;

/** Attention that a process may hold beside the model. */
const attentionBudgetBytes = 2 ** 30;

const bulk = new Socket({ fd: bulkDescriptor, readable: true, writable: true });
const channel = new FramedChannel(
  {
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
    onClose: (listener) => process.once('disconnect', () => listener('the window disconnected')),
    close: () => {
      if (process.connected) process.disconnect();
    },
  },
  bulk,
);
const server = new EngineServer({
  channel,
  runtimes: () => nodeRuntimes,
  access: () => nodeFileAccess,
  numProcessors: availableParallelism(),
  attentionBudgetBytes,
  residentBytes: () => process.memoryUsage.rss(),
});
// Nothing can be saved here: the window that asked is gone.
server.onClose(() => process.exit(0));
