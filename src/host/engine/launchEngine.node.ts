import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants, platform, setPriority, totalmem } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import 'vscode-jsonrpc/node';
import { changedSince } from '../../base/changedFile.node';
import { Emitter } from '../../base/event';
import { GuardLine } from '../../base/guardLine';
import { memoryBound } from '../../base/memoryBound';
import { explainEnd, type ProcessEnd } from '../../base/processEnd';
import type { EngineEvents } from '../../protocol';
import { FramedChannel } from '../../rpc/framedChannel.node';
import { BoundedOutput } from './boundedOutput';
import type { EngineLauncher, EngineProcess } from './engineLauncher';
import { engineEnvironment } from './engineEnvironment';
import { openEngineConnection } from './openEngineConnection';
import { watchFromOutside } from './outsideWatch.node';

/** How engines are started. */
export interface NodeLauncherOptions {
  /** The most bytes that an engine may hold; what the machine allows where it is missing. */
  readonly limitBytes?: number;
  /** The folder in which the engine keeps what it has proven of models; without one it keeps nothing. */
  readonly storage?: string;
}

/** Messages that have arrived are read within so many milliseconds. */
const lastMessagesMilliseconds = 10;
/** What a process that ended has still to say comes within this many milliseconds. */
const lastWordsMilliseconds = 500;

/** Starts the engine as a process of its own, from the bundle at `script`; `onOutput` gets what it prints, for the log. */
export function nodeEngineLauncher(
  script: string,
  onOutput: (text: string) => void,
  { limitBytes = machineBound(), storage }: NodeLauncherOptions = {},
): EngineLauncher {
  return { launch: () => launch(script, onOutput, { limitBytes, storage }) };
}

function machineBound(): number {
  // Without a limit some versions of Node say 0, others nothing, others more than there is.
  return memoryBound(totalmem(), process.constrainedMemory?.() ?? 0);
}

function launch(
  script: string,
  onOutput: (text: string) => void,
  { limitBytes: mostBytes, storage }: { readonly limitBytes: number; readonly storage: string | undefined },
): EngineProcess {
  const child = fork(script, [String(mostBytes), ...(storage === undefined ? [] : [storage])], {
    serialization: 'advanced',
    execArgv: [],
    // The engine is no extension host: what configures this process is not meant for it.
    env: { ...process.env, ...engineEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe', 'pipe'],
  });
  const exit = new Emitter<ProcessEnd>();
  const beat = new Emitter<undefined>();
  const printed = new BoundedOutput(onOutput);
  let mapped: EngineEvents['mapped'] = { files: [] };
  let limitBytes: number | undefined;
  let isOver = false;
  const over = (end: ProcessEnd): void => {
    if (isOver) return;
    isOver = true;
    connection.dispose();
    exit.fire(end);
    outside.dispose();
    for (const emitter of [exit, beat]) emitter.dispose();
  };
  const channel = new FramedChannel(
    {
      send: (message) => {
        // Sending to a process that just died is no error here: its exit is reported by itself.
        if (child.connected) child.send(message as object /* structured clone takes any message */, () => {});
      },
      onMessage: (listener) => child.on('message', listener),
      // What came before the end is read first: messages are taken in one by one.
      onClose: (listener) =>
        child.once('disconnect', () => setTimeout(() => listener('the engine disconnected'), lastMessagesMilliseconds)),
      close: () => {
        if (child.connected) child.disconnect();
      },
    },
    child.stdio[4] as Duplex /* the fifth entry of stdio is 'pipe' */,
  );
  const connection = openEngineConnection<object>(channel, {}, onOutput);
  connection.on('mapped', (files) => (mapped = files));
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => printed.add(data.toString()));
  const words = new GuardLine();
  const guard = (child.stdio as readonly unknown[])[5] as Readable; // the sixth entry of stdio is 'pipe' as well; the type knows five
  guard.on('error', () => {}); // its end is that of the process
  guard.on('data', (data: Buffer) => {
    for (const word of words.read(data.toString())) {
      if (word.kind === 'limit') limitBytes = word.bytes;
      else if (word.kind === 'beat') {
        outside.dispose();
        beat.fire(undefined);
      } else onOutput('The engine runs without its guard: there was no thread for it.\n');
    }
  });
  const outside = watchFromOutside(child.pid, mostBytes, {
    onBeat: () => beat.fire(undefined),
    onLimit: () => {
      limitBytes = mostBytes;
      child.kill('SIGKILL');
    },
  });
  child.on('error', (error) => over({ kind: 'other', reason: error.message }));
  child.once('exit', (code, signal) => {
    void allSaid(child).then(() =>
      over(explainEnd({ code, signal, printed: printed.last, limitBytes, changedFile: changedSince(mapped.files) })),
    );
  });
  return {
    connection,
    pid: child.pid,
    onExit: exit.event,
    onBeat: beat.event,
    kill: () => child.kill('SIGKILL'),
    setBackground: (isBackground) => {
      if (child.pid !== undefined) giveWay(child.pid, isBackground);
    },
    dispose: () => {
      outside.dispose();
      connection.dispose();
      child.kill('SIGKILL');
    },
  };
}

/** Resolves when a process that ended has nothing more to say on any line, or has had the time to. */
function allSaid(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, lastWordsMilliseconds);
    const disconnected = new Promise<void>((settle) =>
      child.connected ? child.once('disconnect', () => settle()) : settle(),
    );
    const closed = new Promise<void>((settle) => child.once('close', () => settle()));
    void Promise.all([disconnected, closed]).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Lowers the priority of a process, or raises it again where the system lets us, which Linux does not. */
function giveWay(pid: number, isBackground: boolean): void {
  const { PRIORITY_BELOW_NORMAL, PRIORITY_NORMAL } = constants.priority;
  try {
    // On Linux each thread has a priority of its own; threads that come later take that of the one that makes them.
    const threads = platform() === 'linux' ? readdirSync(`/proc/${pid}/task`).map(Number) : [pid];
    for (const thread of threads) setPriority(thread, isBackground ? PRIORITY_BELOW_NORMAL : PRIORITY_NORMAL);
  } catch {
    // It runs on as it did.
  }
}
