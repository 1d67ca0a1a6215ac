import { expect } from 'chai';
import { Runtimes } from '../../src/engine/runtime/runtimes';
import { webGpuRuntime } from '../../src/engine/runtime/webGpuRuntime.browser';
import { importRuntime } from './ortRuntime';

const unused = (): Promise<never> => Promise.reject(new Error('nothing is read'));

describe('WebGPU where there is none', () => {
  // Chromium without a graphics processor: it offers WebGPU, and has no adapter for it.
  it('falls back to WebAssembly with a sentence, and reads none of its files', async () => {
    const runtimes = new Runtimes(
      {
        webgpu: webGpuRuntime({ readAsset: unused, readFile: unused, listFolder: unused, statFile: unused }),
        wasm: importRuntime,
      },
      1,
    );
    const { runtime, reason } = await runtimes.choose('webgpu', 1);
    expect(runtime.backend).to.equal('wasm');
    expect(reason).to.match(
      /^WebGPU is not available: (there is no graphics adapter that it can use|this browser does not offer it)\. The native runtime is not available: .*\.$/,
    );
  });
});
