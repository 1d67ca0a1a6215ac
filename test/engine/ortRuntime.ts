// The runtime for tests that run both in Node and in a browser: each has a build of its own.
import type * as Ort from 'onnxruntime-common';

const isNode =
  typeof process !== 'undefined' && process.versions?.node !== undefined && typeof document === 'undefined';

/** Imports the runtime's build for this host. */
export async function importRuntime(): Promise<typeof Ort> {
  if (isNode) return import('onnxruntime-web');
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.wasmPaths = { wasm: new URL('/dist/ort-wasm-simd-threaded.wasm', self.location.origin).href };
  ort.env.wasm.numThreads = 1;
  return ort;
}
