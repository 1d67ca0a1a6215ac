import 'vscode-jsonrpc/browser';
import { ExplorerError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { saysOutOfMemory } from '../../base/outOfMemory';
import type { ProcessEnd } from '../../base/processEnd';
import type { EngineAsset, EngineHostApi, HostFilesApi } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { WorkerChannel } from '../../rpc/workerChannel';
import { openEngineConnection } from './openEngineConnection';
import type { EngineLauncher, EngineProcess } from './engineLauncher';

/** What every engine needs and a Worker cannot read by itself. */
interface EngineAssets {
  readonly script: string;
  readonly wasmBinary: Uint8Array;
}

/** What else it may ask for. */
const optionalAssets: readonly EngineAsset[] = [
  'ort-webgpu.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
  'web-tree-sitter.mjs',
  'web-tree-sitter.wasm',
];
const grammar = /^tree-sitter-[a-z-]+\.wasm$/;

/** Starts the engine as a Worker; `readAsset` reads a file of dist/: the engine's script and the runtime's binary once, others when the engine wants them. */
export function browserEngineLauncher(
  readAsset: (name: string) => PromiseLike<Uint8Array>,
  modelFiles: Server<HostFilesApi>,
  onOutput: (text: string) => void,
): EngineLauncher {
  let assets: Promise<EngineAssets> | undefined;
  const files: Server<EngineHostApi> = {
    ...modelFiles,
    readAsset: async ({ name }) => {
      if (!optionalAssets.includes(name) && !grammar.test(name))
        throw new ExplorerError('fileUnreadable', [name, 'it is no part of the engine']);
      return { bytes: await readAsset(name) };
    },
  };
  const load = async (): Promise<EngineAssets> => {
    try {
      const [script, wasmBinary] = await Promise.all([
        readAsset('engine.browser.js'),
        readAsset('ort-wasm-simd-threaded.wasm'),
      ]);
      return { script: new TextDecoder().decode(script), wasmBinary };
    } catch (error) {
      assets = undefined; // the next engine tries again
      throw error;
    }
  };
  return { launch: () => launch((assets ??= load()), files, onOutput) };
}

function launch(
  assets: Promise<EngineAssets>,
  files: Server<EngineHostApi>,
  onOutput: (text: string) => void,
): EngineProcess {
  const exit = new Emitter<ProcessEnd>();
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
  const connection = openEngineConnection<EngineHostApi>(channel, files, onOutput);
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    worker?.terminate();
    channel.close(why);
    connection.dispose();
    exit.fire(
      saysOutOfMemory(why)
        ? { kind: 'memory', reason: 'this run, which took more than the engine can hold' }
        : { kind: 'other', reason: why },
    );
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
  return {
    connection,
    pid: undefined,
    onExit: exit.event,
    kill: () => over('killed'),
    dispose: () => over('disposed'),
  };
}
