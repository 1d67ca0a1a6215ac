import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import 'vscode-jsonrpc/node';
import { FramedChannel, type ControlLine } from '../../src/rpc/framedChannel.node';
import { describeChannel } from './channelContract';

/** A control line in memory that clones as IPC with advanced serialization does. */
function controlPair(): readonly [ControlLine, ControlLine, (message: unknown) => void] {
  const ends = [new EventEmitter(), new EventEmitter()] as const;
  const line = (own: EventEmitter, other: EventEmitter): ControlLine => ({
    send: (message) => {
      const copy: unknown = structuredClone(message);
      setImmediate(() => other.emit('message', copy));
    },
    onMessage: (listener) => void own.on('message', listener),
    onClose: (listener) => void own.once('close', () => listener('closed')),
    close: () => void setImmediate(() => other.emit('close')),
  });
  return [
    line(ends[0], ends[1]),
    line(ends[1], ends[0]),
    (message) => void setImmediate(() => ends[1].emit('message', structuredClone(message))),
  ];
}

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1'); // a TCP server has an address with a port
  const server = await accepted;
  listener.close();
  return [client, server];
}

describeChannel('IPC with a pipe for bulk frames', async () => {
  const [clientLine, serverLine, sendRaw] = controlPair();
  const [a, b] = await socketPair();
  return {
    client: new FramedChannel(clientLine, a),
    server: new FramedChannel(serverLine, b),
    sendRaw,
    cut: () => {
      a.destroy();
      b.destroy();
    },
  };
});

describe('FramedChannel', () => {
  it('takes large arrays off the control line', async () => {
    const [clientLine, serverLine] = controlPair();
    const onControl: unknown[] = [];
    const spied: ControlLine = {
      ...clientLine,
      send: (message) => (onControl.push(message), clientLine.send(message)),
    };
    const [a, b] = await socketPair();
    const client = new FramedChannel(spied, a);
    const server = new FramedChannel(serverLine, b);
    const received = new Promise<unknown>((resolve) => server.onMessage(resolve));
    client.send({ small: new Float32Array(4), large: new Float32Array(100_000).fill(3) });
    const message = (await received) as { small: Float32Array; large: Float32Array }; // what was sent, cloned
    expect(message.large.length).to.equal(100_000);
    expect(message.large[99_999]).to.equal(3);
    expect(JSON.stringify(onControl[0])).to.contain('"$frame":1').and.to.have.length.lessThan(200);
    client.dispose();
    server.dispose();
  });

  it('closes on a header of impossible length instead of allocating it', async () => {
    const [, serverLine] = controlPair();
    const [a, b] = await socketPair();
    const server = new FramedChannel(serverLine, b);
    const closed = new Promise<string>((resolve) => server.onClose(resolve));
    a.write(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    expect(await closed).to.contain('impossible length');
    a.destroy();
  });
});
