import { hexText } from '../base/hexText';
import * as ort from 'onnxruntime-web/wasm';
import 'vscode-jsonrpc/browser';
import type { Backend } from '../model/modelInfo';
import { joinBytes } from '../base/joinBytes';
import { WorkerChannel } from '../rpc/workerChannel';
import { EngineServer } from './serve/engineServer';
import { hostFileAccess } from './files/hostFileAccess';
import type { LoadRuntime } from './runtime/runtimes';
import { windowSyntaxFiles } from './syntax/syntaxFiles.browser';
import { webGpuRuntime } from './runtime/webGpuRuntime.browser';

declare const self: DedicatedWorkerGlobalScope;

/** Attention that a Worker may hold beside the model. */
const attentionBudgetBytes = 2 ** 29;

/** What the launcher sends first: the runtime's binary, which a Worker made from a blob cannot fetch by itself. */
interface Boot {
  readonly wasmBinary: Uint8Array<ArrayBuffer>;
}

// The runtime starts its threads from this very script; those must not become engines.
if (!self.name.startsWith('em-pthread')) {
  self.addEventListener(
    'message',
    (event: MessageEvent<Boot>) => {
      ort.env.wasm.wasmBinary = event.data.wasmBinary;
      const channel = new WorkerChannel({
        postMessage: (message, transfer) => self.postMessage(message, transfer),
        addEventListener: (type, listener) => self.addEventListener(type, listener),
        removeEventListener: (type, listener) => self.removeEventListener(type, listener),
      });
      new EngineServer({
        channel,
        runtimes: (window) =>
          ({
            native: undefined,
            webgpu: webGpuRuntime(window),
            wasm: () => Promise.resolve(ort),
          }) satisfies Record<Backend, LoadRuntime | undefined>,
        access: hostFileAccess,
        syntax: windowSyntaxFiles,
        // Threads of a bundle in a Worker need a script URL of their own, which a blob does not have.
        numProcessors: 1,
        attentionBudgetBytes,
        residentBytes: () => 0,
        sha256: async (blocks) => {
          const digest = await crypto.subtle.digest('SHA-256', joinBytes([...blocks]));
          return hexText(new Uint8Array(digest));
        },
      });
      self.postMessage('ready', []);
    },
    { once: true },
  );
}
