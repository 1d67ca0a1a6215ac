import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession, type LayerWeights } from '../../src/engine/session/attentionSession';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { loadOnBackend } from '../../src/engine/runtime/loadOnBackend';
import { LeanSession } from '../../src/engine/long/leanSession';
import { planLean } from '../../src/onnx/rewrite/leanPlan';
import { leanDifferences } from './leanDifferences';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { planInputs, withCaches } from '../../src/onnx/inputs/inputs';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { Runtime } from '../../src/engine/runtime/runtime';
import { Runtimes, type LoadRuntime } from '../../src/engine/runtime/runtimes';
import { readFixture, readFixtureText } from '../harness/fixtures';

const loadNative: LoadRuntime = () => Promise.resolve(native);
const loadWasm: LoadRuntime = () => Promise.resolve(web);

function largestDifference(a: readonly LayerWeights[], b: readonly LayerWeights[]): number {
  expect(
    a.map(({ component, layer, numHeads, numQueries, numKeys }) => [component, layer, numHeads, numQueries, numKeys]),
  ).to.deep.equal(
    b.map(({ component, layer, numHeads, numQueries, numKeys }) => [component, layer, numHeads, numQueries, numKeys]),
  );
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
  const cases = readdirSync('test/fixtures/zoo').filter(
    (name) => !name.startsWith('tokenizer.') && name !== 'README.md',
  );

  for (const name of cases) {
    it(`gives the attention of WebAssembly: ${name}`, async () => {
      const folder = `test/fixtures/zoo/${name}`;
      const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
      const { tolerance } = JSON.parse(await readFixtureText(`zoo/${name}/meta.json`)) as {
        readonly tolerance: number;
      };
      // With its own file access, so that the runtime maps weights that lie in other files by itself.
      const files = await readModelFiles(
        nodeFileAccess,
        `${folder}/model.onnx`,
        (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
      );
      const layersOn = async (backend: 'native' | 'wasm'): Promise<readonly LayerWeights[]> => {
        const { runtime } = await new Runtimes({ native: loadNative, wasm: loadWasm }, 1).choose(backend, 1);
        const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
        const inputs = toModelInputs(files.analysis.index, expected);
        const { layers, failed } = await session.run(inputs);
        expect(failed).to.deep.equal([]);
        // With the number of positions told, the native runtime writes into arrays of ours where it can.
        const [{ batch, numQueries }] = layers;
        if (
          backend === 'native' &&
          batch === 1 &&
          layers.every((layer) => layer.numQueries === numQueries && layer.numKeys === numQueries)
        ) {
          expect(largestDifference((await session.run(inputs, { numPositions: numQueries })).layers, layers)).to.equal(
            0,
          );
        }
        await session.release();
        if (backend === 'native') {
          const staged = await AttentionSession.create({ ort: runtime.ort, runtime, files, isStaged: true });
          const again = await staged.run(inputs);
          await staged.release();
          expect(staged.report.stages?.failure).to.equal('');
          expect(largestDifference(again.layers, layers)).to.be.at.most(1e-6);
        }
        return layers;
      };
      let layers: readonly LayerWeights[];
      try {
        layers = await layersOn('native');
      } catch (error) {
        // On processors without 8-bit dot products the exact mode does not load these: loadModel then takes WebAssembly.
        expect(name).to.be.oneOf(['craft.qattention', 'bert.sdpa.legacy.qdq', 'real.qoperator_s8s8']);
        expect(error).to.have.property('code', 'runtimeFailed');
        return;
      }
      expect(largestDifference(layers, await layersOn('wasm'))).to.be.at.most(2 * tolerance);
    });
  }

  for (const held of ['recomputed', 'rerun'] as const)
    it(`reads long texts, their layers ${held}`, async () => {
      const { runtime } = await new Runtimes({ native: loadNative, wasm: loadWasm }, 1).choose('native', 1);
      const files = await readModelFiles(nodeFileAccess, 'media/models/code-decoder/model.onnx');
      const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
      const needed = withCaches(files.analysis.index, session.inputNames);
      const { inputs, ...made } = planInputs(files.analysis.index, needed).make({
        ids: Array.from({ length: 40 }, (_, i) => i),
      });
      const whole = await session.run(inputs, made);
      const { index, sites } = files.analysis;
      const plans = sites.map((site) => [site, planLean(index, site)] as const);
      const lean = await LeanSession.create(
        { ort: runtime.ort, runtime, files, isStaged: true },
        { source: 0, target: 0 },
        new Map(plans.map(([site, plan]) => [site, held === 'rerun' ? { held, reason: '' } : plan])),
      );
      const { layers } = await lean.run(inputs, made);
      expect(layers.length).to.equal(whole.layers.length);
      for (const [i, layer] of layers.entries()) {
        expect((await leanDifferences(layer, whole.layers[i])).rows).to.be.at.most(1e-6);
        layer.inParts?.release?.();
      }
      await lean.release();
      await session.release();
    });

  it('writes weights into arrays of ours, and is asked in the ordinary way where their shapes are not as foreseen', async () => {
    const asked: string[] = [];
    const ort = {
      ...native,
      InferenceSession: {
        create: async (...args: Parameters<typeof native.InferenceSession.create>) => {
          const session = await native.InferenceSession.create(...args);
          const run = session.run.bind(session);
          session.run = (
            feeds: native.InferenceSession.FeedsType,
            fetches?: native.InferenceSession.FetchesType | native.InferenceSession.RunOptions,
          ) => {
            const running = run(feeds, fetches as native.InferenceSession.FetchesType); // sessions are run in no other way here
            if (Array.isArray(fetches)) asked.push('ordinary');
            else
              running.then(
                () => asked.push('copied'),
                (error: unknown) => asked.push(/Non tensor/.test(String(error)) ? 'placed' : 'refused'),
              );
            return running;
          };
          return session;
        },
      } as unknown as typeof native.InferenceSession, // all of it that a session is made with
    };
    const files = await readModelFiles(nodeFileAccess, 'media/models/code-decoder/model.onnx');
    const session = await AttentionSession.create({ ort, runtime: new Runtime(native, 1, 'native'), files });
    const plan = planInputs(files.analysis.index, session.inputNames);
    const read = async (ids: readonly number[], numPositions = ids.length): Promise<readonly LayerWeights[]> =>
      (await session.run(plan.make({ ids }).inputs, { numPositions })).layers;
    const short = await read([1, 2, 3]);
    const long = await read([1, 2, 3, 4, 5, 6, 7]);
    expect(asked.splice(0)).to.deep.equal(['placed', 'placed']);
    // A causal model reads the same of the first tokens, whatever follows.
    short.forEach(({ weights, numHeads }, layer) => {
      for (let head = 0; head < numHeads; head++) {
        for (let query = 0; query < 3; query++)
          for (let key = 0; key < 3; key++)
            expect(weights[(head * 3 + query) * 3 + key]).to.be.closeTo(
              long[layer].weights[(head * 7 + query) * 7 + key],
              1e-6,
            );
      }
    });
    expect(await read([1, 2, 3], 4)).to.deep.equal([]); // told to be of four, they are of three
    expect(asked).to.deep.equal(['refused', 'ordinary']);
    await session.release();
  });

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

  it('reads the bundled model, its weights from their file', async () => {
    const wholeReads: string[] = [];
    const access: FileAccess = {
      ...nodeFileAccess,
      read: (path, kind) => (wholeReads.push(path), nodeFileAccess.read(path, kind)),
    };
    const spec = { path: 'media/models/code-decoder', backend: 'auto', threads: 1 } as const;
    const model = await loadOnBackend(new Runtimes({ native: loadNative, wasm: loadWasm }, 2), spec, (chosen) =>
      LoadedModel.load(chosen, access, spec),
    );
    expect(model.info).to.include({ backend: 'native', backendReason: 'The fastest that this package carries.' });
    expect(wholeReads.filter((path) => path.endsWith('.onnx'))).to.deep.equal([]);
    await model.release();
  });
});
