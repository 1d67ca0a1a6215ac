import { expect } from 'chai';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { backendTraits, runtimeBuilds } from '../../../../src/engine/runtime/backends';
import { Runtime, type OrtModule } from '../../../../src/engine/runtime/runtime';
import { warmUpModel } from '../../../../src/engine/runtime/warmUpModel';
import { backends } from '../../../../src/model/modelInfo';

describe('what backends are like', () => {
  const builds: readonly (readonly [OrtModule, keyof typeof runtimeBuilds])[] = [
    [native, 'native'],
    [web, 'web'],
  ];

  it('ends, whatever is tried, with one that every package carries', () => {
    for (const backend of backends) {
      const tried = [backend, ...backendTraits[backend].instead];
      expect(tried.at(-1)).to.equal('wasm');
      expect(new Set(tried).size).to.equal(tried.length);
    }
  });

  for (const [ort, build] of builds)
    it(`leaves what is small or must be sure to the processor, by the same build of the runtime (${build})`, async () => {
      const runtime = new Runtime(ort, 1, 'webgpu');
      expect(runtime.build).to.equal(runtimeBuilds[build]);
      const { onProcessor } = runtime;
      expect(onProcessor.traits.isOnDevice).to.equal(false);
      expect(onProcessor.build).to.equal(runtime.build);
      const session = await ort.InferenceSession.create(warmUpModel, onProcessor.sessionOptions);
      const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array([7]), [1]) });
      expect(y.data[0]).to.equal(7);
      await session.release();
    });

  it('computes there itself where it is the processor', () => {
    for (const backend of ['native', 'wasm'] as const) {
      const runtime = new Runtime(web, 1, backend);
      expect(runtime.onProcessor).to.equal(runtime);
    }
  });
});
