import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { AttentionSession, type LayerWeights } from '../../src/engine/session/attentionSession';
import { ContinuedRuns } from '../../src/engine/session/continuedRuns';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { cacheLinks } from '../../src/onnx/inputs/cacheLinks';
import { planInputs } from '../../src/onnx/inputs/inputs';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** Made by scripts/fixtures/pasts.py: learned positions, turned keys shared by heads, and the fused operator with the cache in it. */
const models = ['gpt2', 'llama', 'fused'];

interface Opened {
  readonly session: AttentionSession;
  readonly continued: ContinuedRuns;
  readonly whole: (ids: readonly number[]) => Promise<readonly LayerWeights[]>;
}

async function open(ort: typeof Ort, path: string): Promise<Opened> {
  const files = await readModelFiles(fixtureAccess, path);
  const { index } = files.analysis;
  const { roles } = planInputs(
    index,
    index.inputs.map(({ name }) => name),
    new Set(index.inputs.map(({ name }) => name)),
  );
  const links = cacheLinks(index, roles);
  const session = await AttentionSession.create({ ort, files, keptOutputs: links.map(({ output }) => output) });
  const plan = planInputs(index, session.inputNames);
  return {
    session,
    continued: new ContinuedRuns(session, plan, 0, links),
    whole: async (ids) => {
      const { inputs, numTokens, numPositions } = plan.make({ ids });
      return (await session.run(inputs, { numTokens, numPositions, outputs: [] })).layers;
    },
  };
}

function expectSame(layers: readonly LayerWeights[], expected: readonly LayerWeights[], what: string): void {
  expect(
    layers.map(({ weights: _, ...facts }) => facts),
    what,
  ).to.deep.equal(expected.map(({ weights: _, ...facts }) => facts));
  let largest = 0;
  layers.forEach(({ weights }, i) => {
    expect(weights.length, what).to.equal(expected[i].weights.length);
    weights.forEach((weight, cell) => (largest = Math.max(largest, Math.abs(weight - expected[i].weights[cell]))));
  });
  expect(largest, what).to.be.below(1e-5);
}

describe('a text that is edited', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const first = Array.from({ length: 24 }, (_, i) => 1 + ((i * 37) % 98));
  const edits: readonly { readonly what: string; readonly ids: readonly number[]; readonly numReused: number }[] = [
    { what: 'one token more', ids: [...first, 5], numReused: 24 },
    { what: 'several more', ids: [...first, 5, 8, 9, 3], numReused: 25 },
    { what: 'nothing changed', ids: [...first, 5, 8, 9, 3], numReused: 28 },
    { what: 'the last ones gone', ids: first.slice(0, 20), numReused: 20 },
    { what: 'a token put in', ids: [...first.slice(0, 9), 77, ...first.slice(9)], numReused: 9 },
    { what: 'two taken out', ids: [...first.slice(0, 5), ...first.slice(7)], numReused: 5 },
    { what: 'one replaced', ids: [...first.slice(0, 12), 2, ...first.slice(13)], numReused: 5 },
    { what: 'all changed', ids: first.map((id) => 1 + (id % 98)), numReused: 0 },
    { what: 'a single token', ids: [first[0] + 1], numReused: 1 },
    { what: 'more after it', ids: [first[0] + 1, 9, 4], numReused: 1 },
  ];

  for (const name of models) {
    it(`has the attention of a whole run, and only what changed is read: ${name}`, async () => {
      const { session, continued, whole } = await open(ort, `pasts/${name}/model.onnx`);
      const begun = await continued.run({ ids: first });
      expect(begun.numReused).to.equal(0);
      expect(continued.isContinuing).to.equal(true);
      expectSame(begun.result.layers, await whole(first), 'the first text');
      for (const { what, ids, numReused } of edits) {
        const { result, numReused: reused } = await continued.run({ ids });
        expectSame(result.layers, await whole(ids), what);
        expect(reused, what).to.equal(numReused);
        expect(result.failed, what).to.deep.equal([]);
      }
      const long = [...first, ...first, 3];
      expect((await continued.run({ ids: long })).numReused, 'twice as long: proven anew').to.equal(0);
      expect((await continued.run({ ids: [...long, 4] })).numReused).to.equal(49);
      continued.forget();
      expect((await continued.run({ ids: edits[9].ids })).numReused).to.equal(0);
      await session.release();
    });
  }

  for (const name of ['zoo/gpt2.sdpa.legacy', 'zoo/bert.sdpa.legacy', 'zoo/gpt2.sdpa.legacy.merged']) {
    it(`is read whole by a model that cannot go on: ${name}`, async () => {
      const { session, continued, whole } = await open(ort, `${name}/model.onnx`);
      for (const ids of [first.slice(0, 8), first.slice(0, 10)]) {
        const { result, numReused } = await continued.run({ ids });
        expect(numReused).to.equal(0);
        expectSame(result.layers, await whole(ids), name);
      }
      expect(continued.isContinuing).to.equal(false);
      await session.release();
    });
  }

  it('is read whole where a model that goes on gives something else', async () => {
    const files = await readModelFiles(fixtureAccess, 'pasts/gpt2/model.onnx');
    const { index } = files.analysis;
    const names = index.inputs.map((input) => input.name);
    const links = cacheLinks(index, planInputs(index, names, new Set(names)).roles);
    // Keys for values: shapes that fit, numbers that do not.
    const crossed = links.map((link, i) => ({ ...link, output: links[i ^ 1].output }));
    const session = await AttentionSession.create({ ort, files, keptOutputs: links.map(({ output }) => output) });
    const plan = planInputs(index, session.inputNames);
    const continued = new ContinuedRuns(session, plan, 0, crossed);
    await continued.run({ ids: first });
    expect(continued.isContinuing).to.equal(false);
    expect((await continued.run({ ids: [...first, 1] })).numReused).to.equal(0);
    await session.release();
  });
});
