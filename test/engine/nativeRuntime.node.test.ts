import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession, type LayerWeights } from '../../src/engine/attentionSession';
import { LoadedModel } from '../../src/engine/loadedModel';
import { loadOnBackend } from '../../src/engine/loadOnBackend';
import { readModelFiles } from '../../src/engine/modelFiles';
import { nodeFileAccess } from '../../src/engine/nodeFileAccess.node';
import { Runtimes, type LoadRuntime } from '../../src/engine/runtimes';
import { readFixture, readFixtureText } from '../harness/fixtures';

const loadNative: LoadRuntime = () => Promise.resolve(native);
const loadWasm: LoadRuntime = () => Promise.resolve(web);

function largestDifference(a: readonly LayerWeights[], b: readonly LayerWeights[]): number {
  expect(a.map(({ component, layer, numHeads, numQueries, numKeys }) => [component, layer, numHeads, numQueries, numKeys])).to.deep.equal(b.map(({ component, layer, numHeads, numQueries, numKeys }) => [component, layer, numHeads, numQueries, numKeys]));
  let largest = 0;
  a.forEach(({ weights }, i) => {
    weights.forEach((weight, at) => {
      const difference = Math.abs(weight - b[i].weights[at]);
      if (!(difference <= largest)) largest = difference;
    });
  });
  return largest;
}

describe('the native runtime', function () {
  this.timeout(60_000);
  const cases = readdirSync('test/fixtures/zoo').filter((name) => !name.startsWith('tokenizer.') && name !== 'README.md');

  for (const name of cases) {
    it(`gives the attention of WebAssembly: ${name}`, async () => {
      const folder = `test/fixtures/zoo/${name}`;
      const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
      const { tolerance } = JSON.parse(await readFixtureText(`zoo/${name}/meta.json`)) as { readonly tolerance: number };
      // With its own file access, so that the runtime maps weights that lie in other files by itself.
      const files = await readModelFiles(nodeFileAccess, `${folder}/model.onnx`, (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0);
      const layersOn = async (backend: 'native' | 'wasm'): Promise<readonly LayerWeights[]> => {
        const { runtime } = await new Runtimes({ native: loadNative, wasm: loadWasm }, 1).choose(backend, 1);
        const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
        const { layers, failed } = await session.run(toModelInputs(files.analysis.index, expected));
        await session.release();
        expect(failed).to.deep.equal([]);
        return layers;
      };
      let layers: readonly LayerWeights[];
      try {
        layers = await layersOn('native');
      } catch (error) {
        // On processors without 8-bit dot products the exact mode does not load these: loadModel then takes WebAssembly.
        expect(name).to.be.oneOf(['craft.qattention', 'bert.sdpa.legacy.qdq']);
        expect(error).to.have.property('code', 'runtimeFailed');
        return;
      }
      expect(largestDifference(layers, await layersOn('wasm'))).to.be.at.most(2 * tolerance);
    });
  }

  it('is taken where it is there, and WebAssembly with a sentence where it is not', async () => {
    const both = new Runtimes({ native: loadNative, wasm: loadWasm }, 2);
    const auto = await both.choose('auto', 1);
    expect(auto.runtime.backend).to.equal('native');
    expect((await both.choose('wasm', 1)).runtime.backend).to.equal('wasm');
    const one = new Runtimes({ native: () => Promise.reject(new Error('wrong ELF class')), wasm: loadWasm }, 2);
    const { runtime, reason } = await one.choose('native', 1);
    expect(runtime.backend).to.equal('wasm');
    expect(reason).to.equal('The native runtime is not available: wrong ELF class.');
    const universal = await new Runtimes({ wasm: loadWasm }, 2).choose('webgpu', 1);
    expect(universal.runtime.backend).to.equal('wasm');
    expect(universal.reason).to.match(/^WebGPU is not available: .*\. The native runtime is not available: .*\.$/);
  });

  it('reads the bundled model', async () => {
    const spec = { path: 'media/models/code-decoder', backend: 'auto', threads: 1 } as const;
    const model = await loadOnBackend(new Runtimes({ native: loadNative, wasm: loadWasm }, 2), spec, (chosen) => LoadedModel.load(chosen, nodeFileAccess, spec));
    expect(model.info).to.include({ backend: 'native', backendReason: 'The fastest that this package carries.' });
    await model.release();
  });
});
