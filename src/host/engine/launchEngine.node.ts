import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants, platform, setPriority } from 'node:os';
import type { Duplex } from 'node:stream';
import 'vscode-jsonrpc/node';
import { Emitter } from '../../base/event';
import type { EngineApi, EngineEvents } from '../../protocol';
import { openConnection } from '../../rpc/connection';
import { engineMethods } from '../../rpc/methods';
import { FramedChannel } from '../../rpc/framedChannel.node';
import type { EngineLauncher, EngineProcess } from './engineLauncher';
import { engineEnvironment } from './engineEnvironment';

/** Starts the engine as a process of its own, from the bundle at `script`; `onOutput` gets what it prints, for the log. */
export function nodeEngineLauncher(script: string, onOutput: (text: string) => void): EngineLauncher {
  return { launch: () => launch(script, onOutput) };
}

function launch(script: string, onOutput: (text: string) => void): EngineProcess {
  const child = fork(script, [], {
    serialization: 'advanced',
    execArgv: [],
    // The engine is no extension host: what configures this process is not meant for it.
    env: { ...process.env, ...engineEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  const exit = new Emitter<string>();
  let isOver = false;
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    connection.dispose();
    exit.fire(why);
    exit.dispose();
  };
  const channel = new FramedChannel(
    {
      send: (message) => {
        // Sending to a process that just died is no error here: its exit is reported by itself.
        if (child.connected) child.send(message as object /* structured clone takes any message */, () => {});
      },
      onMessage: (listener) => child.on('message', listener),
      onClose: (listener) => child.once('disconnect', () => listener('the engine disconnected')),
      close: () => {
        if (child.connected) child.disconnect();
      },
    },
    child.stdio[4] as Duplex /* the fifth entry of stdio is 'pipe' */,
  );
  const connection = openConnection<object, EngineApi, object, EngineEvents>(channel, engineMethods, {}, onOutput);
  child.on('error', (error) => over(error.message));
  child.on('exit', (code, signal) => over(signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`));
  child.stdout?.on('data', (data: Buffer) => onOutput(data.toString()));
  child.stderr?.on('data', (data: Buffer) => onOutput(data.toString()));
  return {
    connection,
    pid: child.pid,
    onExit: exit.event,
    kill: () => child.kill('SIGKILL'),
    setBackground: (isBackground) => {
      if (child.pid !== undefined) giveWay(child.pid, isBackground);
    },
    dispose: () => {
      connection.dispose();
      child.kill('SIGKILL');
    },
  };
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
