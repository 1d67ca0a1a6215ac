import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import 'vscode-jsonrpc/node';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { WeighedRuns, type WeighableRun } from '../../src/engine/serve/weighedRuns';
import { arrangeLayers } from '../../src/engine/session/arrangeLayers';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { WeighRuns } from '../../src/engine/session/weighRuns';
import { AttentionStore } from '../../src/engine/weights/attentionStore';
import type { WeightForm } from '../../src/model/weightForm';
import { codeOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';
import { serveEngine } from './servedEngine.node';

const noText = { isCausal: false, ids: new Int32Array(0), delimiters: new Uint8Array(0), isPicture: false };
const form = (method: WeightForm['method']): WeightForm => ({
  method,
  sinks: 'show',
  isRenormalized: false,
  canHaveSinks: false,
  isCausal: false,
});

describe('attention of a run that is weighed when someone asks', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  /** A run of a fixture that is held, as the engine holds it: of a session that was asked for weights alone. */
  const opened = async (folder: string) => {
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), folder);
    const files = await readModelFiles(fixtureAccess, `${folder}/model.onnx`);
    const session = await AttentionSession.create({ ort, files });
    const inputs = toModelInputs(files.analysis.index, expected);
    const result = await session.run(inputs, { hasWindows: true });
    const { layers, components } = arrangeLayers(folder, [result]);
    const store = new AttentionStore(Infinity);
    store.add(1, layers);
    const weighs = new WeighRuns([session]);
    const run: WeighableRun = { components, fed: [{ file: session.fileName, inputs }] };
    let numLoads = 0;
    const weighed = new WeighedRuns({
      store,
      ranOf: () => run,
      loaded: () => ({ weighs, lackOfSurprisal: undefined }),
      withModel: (_, work) => {
        numLoads++;
        return work(weighs);
      },
    });
    return {
      expected,
      store,
      weighed,
      components,
      numLoads: () => numLoads,
      end: async () => {
        await weighs.release();
        await session.release();
      },
    };
  };

  for (const name of ['gpt2.sdpa.legacy', 'qwen2.sdpa.legacy', 'vit.sdpa.legacy', 't5.eager.legacy'])
    it(`has the reference’s norms in every cell of every head: ${name}`, async () => {
      const { expected, store, weighed, components, numLoads, end } = await opened(`headParts/${name}`);
      let numCompared = 0;
      for (const { component, layers } of components) {
        const weighing = await weighed.weigh(1, component, 'norm');
        expect(weighing.difference).to.equal(0);
        let largest = 0;
        const shares = await store.headTable({ runId: 1, component, metrics: ['normShare', 'entropy'], text: noText });
        for (const [layer, { numHeads }] of layers.entries()) {
          const sums: number[] = [];
          const reference = expected.get(`norm.${component}.${layer}`);
          if (reference === undefined) throw new Error(`no norm.${component}.${layer}`);
          const norms = new Float32Array(reference.data.slice().buffer);
          const heads = Array.from({ length: numHeads }, (_, head) => ({ layer, head }));
          for (const head of heads) {
            const selection = { component, heads: [head], aggregation: 'mean' } as const;
            const plain = await store.pattern({ runId: 1, selection });
            const own = await store.pattern({ runId: 1, selection, form: form('norm') });
            const { numKeys } = plain;
            sums.push(
              plain.weights.reduce((sum, weight, i) => sum + weight * norms[head.head * numKeys + (i % numKeys)], 0),
            );
            own.weights.forEach((value, i) => {
              const wanted = plain.weights[i] * norms[head.head * numKeys + (i % numKeys)];
              if (Math.abs(value - wanted) > 1e-4 * Math.max(wanted, 1e-3))
                expect(value, `${component} ${layer}.${head.head} ${i}`).to.be.closeTo(wanted, 1e-6);
              largest = Math.max(largest, value);
              numCompared++;
            });
          }
          // Of all that the layer writes.
          const whole = sums.reduce((sum, length) => sum + length, 0);
          const first = layers.slice(0, layer).reduce((sum, before) => sum + before.numHeads, 0);
          sums.forEach((length, head) =>
            expect(shares.values[(first + head) * 2], `share ${component} ${layer}.${head}`).to.be.closeTo(
              length / whole,
              1e-4,
            ),
          );
        }
        expect(weighing.ceiling).to.be.closeTo(largest, 1e-6 * largest);
        // What is summed over heads is at most as long as all of them one after the other.
        await weighed.weigh(1, component, 'summed');
        const all = { component, heads: [{ layer: 0, head: 1 }], aggregation: 'mean' } as const;
        const summed = await store.pattern({ runId: 1, selection: all, form: form('summed') });
        const each = await Promise.all(
          Array.from({ length: layers[0].numHeads }, (_, head) =>
            store.pattern({ runId: 1, selection: { ...all, heads: [{ layer: 0, head }] }, form: form('norm') }),
          ),
        );
        summed.weights.forEach((value, i) => {
          const most = each.reduce((sum, { weights }) => sum + weights[i], 0);
          expect(value).to.be.at.most(most * (1 + 1e-4) + 1e-6);
        });
      }
      expect(numCompared).to.be.greaterThan(100);
      // Asked again, nothing is run.
      const before = numLoads();
      await weighed.weigh(1, components[0].component, 'norm');
      expect(numLoads()).to.equal(before);
      expect(weighed.reasons(1, components[0].component)['norm']).to.equal(undefined);
      await end();
    });

  it('is refused with the reason that the graph has, and nothing is run for it', async () => {
    const { weighed, components, numLoads, end } = await opened('zoo/craft.sigmoid.legacy');
    const [{ component }] = components;
    const reason = weighed.reasons(1, component)['norm'];
    expect(reason).to.be.a('string');
    expect(await codeOf(weighed.weigh(1, component, 'norm'))).to.equal('methodNotOffered');
    expect(numLoads()).to.equal(0);
    expect(weighed.reasons(1, component)['attention']).to.equal(undefined);
    await end();
  });

  it('comes from the engine as any other pattern, and without a word where nobody asks', async () => {
    const { connection, end } = serveEngine();
    const engine = connection.remote;
    const model = { path: 'media/models/code-decoder', backend: 'auto', threads: 1 } as const;
    const { runId, components } = await engine.explain({ model, text: 'def f(x): return x', tokenLimit: 0 });
    const [{ component }] = components;
    const selection = { component, heads: [{ layer: 1, head: 1 }], aggregation: 'mean' } as const;
    const plain = await engine.pattern({ runId, selection });
    const own = await engine.pattern({ runId, selection, form: form('norm') });
    const { ceiling } = await engine.weighing({ runId, component, method: 'norm' });
    expect(Math.max(...own.weights)).to.be.at.most(ceiling * (1 + 1e-6));
    // One number for each key: all queries that read it have the same ratio.
    const last = plain.numQueries - 1;
    const ratio = (query: number, key: number): number => {
      const at = query * plain.numKeys + key;
      return own.weights[at] / plain.weights[at];
    };
    expect(ratio(last, 0)).to.be.closeTo(ratio(0, 0), 1e-4 * ratio(0, 0));
    // A metric of norms has the model run for it, too.
    const table = await engine.headTable({ runId, component, metrics: ['normShare'], text: noText });
    expect(table.values.slice(0, 8).reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-5);
    const rolled = await engine.thumbnails({ runId, component, size: 16, isCausal: true, form: form('rollout') });
    expect(rolled.numHeads).to.deep.equal(components[0].layers.map(() => 1));
    end();
  });
});
