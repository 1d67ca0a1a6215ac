// A program in the engine's place: the process, its lines and its guard are real, and a run is what its text says. It starts in a tenth of the time.
import { Socket } from 'node:net';
import 'vscode-jsonrpc/node';
import { startGuard } from '../../src/engine/serve/startGuard.node';
import type { EngineApi, EngineEvents } from '../../src/protocol';
import { openConnection } from '../../src/rpc/connection';
import { FramedChannel } from '../../src/rpc/framedChannel.node';
import { runInfo } from '../unit/host/fakeEngine';

startGuard({ descriptor: 5, limitBytes: Number(process.argv[2]) }, 500);
const channel = new FramedChannel(
  {
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
    onClose: (listener) => process.once('disconnect', () => listener('the window disconnected')),
    close: () => process.disconnect(),
  },
  new Socket({ fd: 4, readable: true, writable: true }),
);
const held: unknown[] = [];
const begin = (): void => connection.fire('began', {});

/** What the first word of a text makes it do, the second says for how long or how much. */
const runs: Readonly<Record<string, (amount: number) => void>> = {
  block: (milliseconds) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  },
  /** Takes memory, in steps of 16 MB, and goes on for ever. */
  grow: () => {
    for (;;) held.push(new Uint8Array(2 ** 24).fill(1));
  },
  print: (count) => {
    for (let i = 0; i < count; i++) process.stderr.write(`${'x'.repeat(999)}\n`);
  },
  exit: (code) => process.exit(code),
};

const connection = openConnection<Partial<EngineApi>, object, EngineEvents>(channel, [], {
  warmUp: () => {
    begin();
    return { numThreads: 1 };
  },
  explain: ({ text }) => {
    begin();
    const [what, amount] = text.split(' ');
    runs[what]?.(Number(amount));
    return runInfo(1, text);
  },
  release: () => {},
  memory: () => ({ residentBytes: process.memoryUsage.rss(), attentionBytes: 0 }),
});
connection.onClose(() => process.exit(0));
