import type { EngineHostApi } from '../../protocol';
import type { Client } from '../../rpc/connection';
import type { OrtModule } from './runtime';
import type { LoadRuntime } from './runtimes';

/** The build of the runtime with WebGPU, read from the extension's files when it is first wanted: nobody else pays for its 27 MB. */
export function webGpuRuntime(window: Client<EngineHostApi>): LoadRuntime {
  return async () => {
    await requireAdapter();
    const [script, wasm] = await Promise.all([
      window.readAsset({ name: 'ort-webgpu.mjs' }),
      window.readAsset({ name: 'ort-wasm-simd-threaded.asyncify.wasm' }),
    ]);
    const url = URL.createObjectURL(new Blob([bytesOf(script.bytes)], { type: 'text/javascript' }));
    try {
      const ort = (await import(url)) as OrtModule; // the module of that name in onnxruntime-web
      ort.env.wasm.wasmBinary = bytesOf(wasm.bytes);
      return ort;
    } finally {
      URL.revokeObjectURL(url);
    }
  };
}

/** Throws, with the reason, where nothing can compute by WebGPU. */
async function requireAdapter(): Promise<void> {
  const { gpu } = navigator as { readonly gpu?: GPU }; // missing in browsers without WebGPU, and where it is turned off
  if (gpu === undefined) throw new Error('this browser does not offer it');
  if ((await gpu.requestAdapter()) === null) throw new Error('there is no graphics adapter that it can use');
}

function bytesOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>; // what comes in a message lies in memory of its own
}
