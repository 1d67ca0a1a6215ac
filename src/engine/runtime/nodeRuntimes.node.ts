import { createRequire } from 'node:module';
import { join } from 'node:path';
import { noTelemetry } from '../../base/noTelemetry';
import type { Backend } from '../../model/modelInfo';
import { loadWasm } from './loadWasm.node';
import type { OrtModule } from './runtime';
import type { LoadRuntime } from './runtimes';

/** The native build, which only packages for one platform carry (`native/` beside the bundle). */
async function loadNative(): Promise<OrtModule> {
  const file = join(__dirname, 'native', 'ort.cjs');
  const require = createRequire(file);
  Object.assign(process.env, noTelemetry); // whoever started this process
  try {
    return require(file) as OrtModule; // the bundle of onnxruntime-node, which has the same interface
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    throw isMissing ? new Error('this package of the extension does not carry it', { cause: error.cause }) : error;
  }
}

/** The builds of the runtime for Node. WebGPU is part of the native one, with its own access to Vulkan, Metal or Direct3D. */
export const nodeRuntimes: Readonly<Partial<Record<Backend, LoadRuntime>>> = {
  native: loadNative,
  webgpu: loadNative,
  wasm: loadWasm,
};
