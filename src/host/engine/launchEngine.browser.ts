import 'vscode-jsonrpc/browser';
import { Emitter } from '../../base/event';
import type { EngineApi, EngineEvents, EngineHostApi } from '../../protocol';
import { openConnection, type Server } from '../../rpc/connection';
import { engineMethods } from '../../rpc/methods';
import { WorkerChannel } from '../../rpc/workerChannel';
import type { EngineLauncher, EngineProcess } from './engineLauncher';

/** What a Worker cannot read by itself. */
export interface EngineAssets {
  /** Text of dist/engine.browser.js. */
  readonly script: string;
  /** Bytes of dist/ort-wasm-simd-threaded.wasm. */
  readonly wasmBinary: Uint8Array;
}

/** Starts the engine as a Worker; `loadAssets` reads its script and the runtime's binary, once. */
export function browserEngineLauncher(loadAssets: () => Promise<EngineAssets>, files: Server<EngineHostApi>, onOutput: (text: string) => void): EngineLauncher {
  let assets: Promise<EngineAssets> | undefined;
  const load = async (): Promise<EngineAssets> => {
    try {
      return await loadAssets();
    } catch (error) {
      assets = undefined; // the next engine tries again
      throw error;
    }
  };
  return { launch: () => launch((assets ??= load()), files, onOutput) };
}

function launch(assets: Promise<EngineAssets>, files: Server<EngineHostApi>, onOutput: (text: string) => void): EngineProcess {
  const exit = new Emitter<string>();
  let worker: Worker | undefined;
  let isOver = false;
  const waiting: { readonly message: unknown; readonly transfer: ArrayBuffer[] }[] = [];
  const listeners = new Set<(event: { readonly data: unknown }) => void>();
  let isReady = false;

  const channel = new WorkerChannel({
    postMessage: (message, transfer) => {
      if (isReady) worker?.postMessage(message, transfer);
      else waiting.push({ message, transfer });
    },
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
  });
  const connection = openConnection<EngineHostApi, EngineApi, object, EngineEvents>(channel, engineMethods, files, onOutput);
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    worker?.terminate();
    channel.close(why);
    connection.dispose();
    exit.fire(why);
    exit.dispose();
  };

  void assets.then(
    ({ script, wasmBinary }) => {
      if (isOver) return;
      const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
      worker = new Worker(url, { name: 'attention-explorer-engine' });
      worker.addEventListener('error', (event) => over(event.message));
      worker.addEventListener('message', (event: MessageEvent<unknown>) => {
        if (isReady) {
          for (const listener of [...listeners]) listener(event);
          return;
        }
        isReady = true; // the first message says that the engine listens
        URL.revokeObjectURL(url);
        for (const { message, transfer } of waiting.splice(0)) worker?.postMessage(message, transfer);
      });
      worker.postMessage({ wasmBinary });
    },
    (error: unknown) => over(error instanceof Error ? error.message : String(error)),
  );
  return { connection, pid: undefined, onExit: exit.event, kill: () => over('killed'), dispose: () => over('disposed') };
}
