import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { proveWeights, type Proof } from '../../src/engine/weights/attentionProof';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import type { WeightedValues } from '../../src/onnx/name/site';
import { readFixture } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const inside = [
  'craft.attention_mask1d_full',
  'craft.gqa_plain',
  'craft.mha_keymask',
  'craft.onnx_attention_causal',
  'craft.qattention',
  'llama.sdpa.op23',
];

describe('the proof that weights are those that an attention used', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const proofsOf = async (name: string, proves: 'inside' | 'all'): Promise<readonly Proof[]> => {
    const folder = name.includes('/') ? name : `zoo/${name}`;
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), name);
    const files = await readModelFiles(
      fixtureAccess,
      `${folder}/model.onnx`,
      (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
    );
    const session = await AttentionSession.create({ ort, files, proves });
    const { failed } = await session.run(toModelInputs(files.analysis.index, expected));
    await session.release();
    expect(failed).to.deep.equal([]);
    return [...session.proofs.values()];
  };

  it('holds of operators that keep their attention inside, at the first run of a model', async () => {
    for (const name of inside) {
      const proofs = await proofsOf(name, 'inside');
      expect(proofs, name).to.not.be.empty;
      for (const proof of proofs)
        expect('difference' in proof && proof.difference < 1e-6, `${name}: ${JSON.stringify(proof)}`).to.equal(true);
    }
    // What the graph itself multiplies needs no proof in a run.
    expect(await proofsOf('bert.sdpa.legacy', 'inside')).to.deep.equal([]);
  });

  it('holds of every product where all are to be proven, or says why it cannot be made', async () => {
    for (const name of [
      'bert.sdpa.legacy.fp16',
      'bert.sdpa.legacy.qdq',
      'craft.learned_queries.legacy',
      't5.eager.legacy',
      'pooled/learned.legacy',
      'pooled/repeated.dynamo',
      'pooled/dotted.dynamo',
    ]) {
      const proofs = await proofsOf(name, 'all');
      expect(proofs, name).to.not.be.empty;
      for (const proof of proofs) expect('failure' in proof ? proof.failure : proof.unproven, name).to.equal('');
    }
    expect(await proofsOf('craft.linear.legacy', 'all')).to.deep.equal([
      { unproven: 'the graph holds no such matrix' },
    ]);
    expect(await proofsOf('pooled/several.legacy', 'all')).to.deep.equal([{ unproven: 'its product is a ReduceSum' }]);
    expect((await proofsOf('real.qoperator_s8s8', 'all'))[0]).to.deep.equal({
      unproven: 'its product is a QLinearMatMul',
    });
  });

  it('fails where the runtime gives other weights than it uses: the site is named and not drawn, then and later', async () => {
    const name = 'craft.mha_plain';
    const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
    const files = await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`);
    const InferenceSession = {
      create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...args);
        const run = session.run.bind(session);
        session.run = async (feeds: Ort.InferenceSession.FeedsType, fetches: unknown) => {
          const results = await run(feeds, fetches as Ort.InferenceSession.FetchesType); // sessions are run in no other way here
          const weights = results[files.analysis.sites[0].tensor].data as Float32Array; // floats, as those of every site
          weights.reverse();
          return results;
        };
        return session;
      },
    } as unknown as typeof ort.InferenceSession; // all of it that a session is made with
    const session = await AttentionSession.create({ ort: { ...ort, InferenceSession }, files });
    for (let i = 0; i < 2; i++) {
      const { layers, failed } = await session.run(toModelInputs(files.analysis.index, expected));
      expect(layers).to.deep.equal([]);
      expect(failed.map(({ reason }) => reason).join()).to.match(
        /^values weighted by it differ by .* of the largest from what the attention gives$/,
      );
    }
    await session.release();
  });

  it('costs later runs nothing', async () => {
    const name = 'craft.mha_plain';
    const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
    const files = await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`);
    const fetched: number[] = [];
    const InferenceSession = {
      create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...args);
        const run = session.run.bind(session);
        session.run = (feeds: Ort.InferenceSession.FeedsType, fetches: unknown) => {
          fetched.push((fetches as readonly string[]).length); // names, as this backend is asked
          return run(feeds, fetches as Ort.InferenceSession.FetchesType); // as above
        };
        return session;
      },
    } as unknown as typeof ort.InferenceSession; // as above
    const session = await AttentionSession.create({ ort: { ...ort, InferenceSession }, files });
    for (let i = 0; i < 3; i++) await session.run(toModelInputs(files.analysis.index, expected));
    await session.release();
    expect(fetched).to.deep.equal([3, 1, 1]);
  });

  it('tells swapped axes and swapped heads, knows shared values and what is added to all of them, and passes over queries without a key', () => {
    const how: WeightedValues = {
      values: 'v',
      layout: 'plain',
      numValueHeads: undefined,
      from: 0,
      result: 'y',
      resultLayout: 'merged',
      hasBias: false,
    };
    // Two heads share values [[1, 2], [3, 5]]; what comes out has both heads side by side.
    const values = { type: 'float32', dims: [1, 1, 2, 2], data: Float32Array.of(1, 2, 3, 5) };
    const weights = Float32Array.of(1, 0, 0.25, 0.75, 0.5, 0.5, 0, 1);
    const result = (shift: number, silent?: number) => ({
      type: 'float32',
      dims: [1, 2, 4],
      data: Float32Array.of(1, 2, 2, 3.5, 2.5, 4.25, 3, 5).map((value, i) => (i === silent ? NaN : value + shift)),
    });
    const prove = (own: Float32Array, shift = 0, more: Partial<WeightedValues> = {}, silent?: number): Proof =>
      proveWeights(
        { batch: 1, numHeads: 2, numQueries: 2, numKeys: 2, weights: own },
        { ...how, ...more },
        { values, result: result(shift, silent) },
        false,
      );
    expect(prove(weights)).to.deep.equal({ difference: 0, failure: '' });
    expect(prove(weights, 7, { hasBias: true })).to.deep.equal({ difference: 0, failure: '' });
    for (const wrong of [
      prove(weights, 7),
      prove(Float32Array.of(1, 0.25, 0, 0.75, 0.5, 0, 0.5, 1)),
      prove(Float32Array.of(0.5, 0.5, 0, 1, 1, 0, 0.25, 0.75)),
      prove(weights, 0, {}, 3),
    ])
      expect('failure' in wrong && wrong.failure).to.match(/^values weighted by it (?:differ|are numbers)/);
    expect(prove(Float32Array.of(1, 0, 0.25, 0.75, 0, 0, 0, 1), 0, {}, 3)).to.deep.equal({
      difference: 0,
      failure: '',
    });
    // Of one query an item has one vector: here of three keys, in a batch of two.
    const pooled = (second: number): Proof =>
      proveWeights(
        { batch: 2, numHeads: 1, numQueries: 1, numKeys: 3, weights: Float32Array.of(1, 0, 0, 0.5, 0.25, 0.25) },
        { ...how, resultLayout: 'single' },
        {
          values: { type: 'float32', dims: [2, 3, 1], data: Float32Array.of(1, 2, 3, 4, 8, 12) },
          result: { type: 'float32', dims: [2, 1], data: Float32Array.of(1, second) },
        },
        false,
      );
    expect(pooled(7)).to.deep.equal({ difference: 0, failure: '' });
    expect(pooled(8)).to.have.property('failure').that.is.not.empty;
    expect(prove(weights, 0, { layout: 'merged' })).to.deep.equal({
      unproven: 'values and result are not laid out in a way that is known',
    });
  });
});
