import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Backend } from '../../model/modelInfo';
import { loadWasm } from './loadWasm.node';
import type { OrtModule } from './runtime';
import type { LoadRuntime } from './runtimes';

/**
 * What the environment of a process must hold before the native runtime is loaded in it. ONNX Runtime's builds for Linux and macOS report what
 * is run to their maker from version 1.29 on (the models' graph names, operators, times, a lasting number of this device), keep it in
 * the person's cache folder until it is sent, and are told not to in no other way that comes early enough. WebAssembly's has no such part;
 * that for Windows hands events to the system's own tracing, and only while something there records them.
 */
const noTelemetry = { ORT_DISABLE_TELEMETRY: '1' } as const;

/** The native build, which only packages for one platform carry (`native/` beside the bundle). */
async function loadNative(): Promise<OrtModule> {
  const file = join(__dirname, 'native', 'ort.cjs');
  const require = createRequire(file);
  Object.assign(process.env, noTelemetry);
  try {
    return require(file) as OrtModule; // the bundle of onnxruntime-node, which has the same interface
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    throw isMissing ? new Error('this package of the extension does not carry it', { cause: error.cause }) : error;
  }
}

/** The builds of the runtime for Node. WebGPU is part of the native one, with its own access to Vulkan, Metal or Direct3D. */
export const nodeRuntimes: Readonly<Record<Backend, LoadRuntime>> = {
  native: loadNative,
  webgpu: loadNative,
  wasm: loadWasm,
};
