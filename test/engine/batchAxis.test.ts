import { expect } from 'chai';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { ImageModel } from '../../src/engine/image/imageModel';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { readModel } from '../../src/onnx/file/readModel';
import { analyzeModel } from '../../src/onnx/find/analyzeModel';
import { noAttention } from '../../src/onnx/find/definition';
import type { TokenPredictions } from '../../src/model/predictions';
import { errorOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';
import { tinyTokenizer, tinyVocabulary } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const tolerance = 2e-6;

/** From what PyTorch has, [1, head, query, key], over all of it. */
async function largestDifference(held: HeldLayer, expected: StoredTensor | undefined): Promise<number> {
  const { numHeads, numQueries, numKeys } = held;
  expect(expected?.shape).to.deep.equal([1, numHeads, numQueries, numKeys]);
  const right = new Float32Array(expected?.data.slice().buffer ?? new ArrayBuffer(0));
  const own = await Promise.all(Array.from({ length: numHeads }, (_, head) => held.rows(head, 0, numQueries)));
  return own.flatMap((rows) => [...rows]).reduce((most, weight, i) => Math.max(most, Math.abs(weight - right[i])), 0);
}

/** Rows of 97 scores. */
function logitsOf(expected: ReadonlyMap<string, StoredTensor>, name = 'logits'): readonly Float32Array[] {
  const all = new Float32Array(expected.get(name)?.data.slice().buffer ?? new ArrayBuffer(0));
  return Array.from({ length: all.length / 97 }, (_, row) => all.subarray(row * 97, (row + 1) * 97));
}

function logSoftmax(scores: Float32Array): readonly number[] {
  const most = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
  return Array.from(scores, (score) => score - most - Math.log(sum));
}

/** @param actual the token that stands at the place of a row; undefined where none does. */
function expectPredicted(
  { surprisal, probabilities, ids, count }: TokenPredictions,
  rows: readonly Float32Array[],
  actual: (row: number) => number | undefined,
): void {
  expect(surprisal).to.have.length(rows.length);
  for (const [i, row] of rows.entries()) {
    const logs = logSoftmax(row);
    const token = actual(i);
    if (token === undefined) expect(surprisal[i]).to.be.NaN;
    else expect(surprisal[i]).to.be.closeTo(-logs[token] / Math.LN2, 1e-4);
    expect(ids[i * count]).to.equal(logs.indexOf(Math.max(...logs)));
    expect(probabilities[i * count]).to.be.closeTo(Math.exp(Math.max(...logs)), 1e-5);
  }
}

/** The tests' tokenizer, whose last id is that of a mask. */
function maskedTokenizer(): string {
  const own = JSON.parse(tinyTokenizer([...tinyVocabulary.slice(0, 96), '<mask>'])) as object; // our own
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  return JSON.stringify({ ...own, added_tokens: [{ id: 96, content: '<mask>', ...flags }] });
}

// Models of test/fixtures/batchAxis (scripts/fixtures/batch_axis.py).
describe('attention along the axis that a batch mostly has', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  const filesOf = async (name: string) => ({
    'm/model.onnx': await readFixture(`batchAxis/${name}/model.onnx`),
    'm/tokenizer.json': tinyTokenizer(),
    'm/tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizerFast"}',
  });
  const loadText = async (name: string): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, memoryAccess(await filesOf(name)), {
      path: 'm',
      backend: 'wasm',
      threads: 1,
    });

  /** A text of which PyTorch's predictions are known, read. */
  const readText = async (
    name: string,
    expected: ReadonlyMap<string, StoredTensor>,
    others: Readonly<Record<string, string>> = {},
  ) => {
    const ids = [...new BigInt64Array(expected.get('in.src')?.data.slice().buffer ?? new ArrayBuffer(0))].map(Number);
    const files = memoryAccess({ ...(await filesOf(name)), ...others });
    const model = await LoadedModel.load({ runtime, reason: '' }, files, { path: 'm', backend: 'wasm', threads: 1 });
    const text = String.fromCharCode(...ids.map((id) => 33 + id));
    const { streams, components } = await model.explain({ text, tokenLimit: 0 });
    return { model, ids, run: { streams, components, fed: model.fed } };
  };

  for (const name of ['text.legacy', 'text.dynamo', 'text_fixed.legacy'])
    it(`is a text’s where ids are [position, item], and is drawn as PyTorch has it: ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`batchAxis/${name}/expected.safetensors`), name);
      const ids = new BigInt64Array(expected.get('in.src')?.data.slice().buffer ?? new ArrayBuffer(0));
      const model = await loadText(name);
      const text = [...ids].map((id) => String.fromCharCode(33 + Number(id))).join('');
      const { layers, streams, notices } = await model.explain({ text, tokenLimit: 0 });
      expect(streams[0].tokens.map(({ id }) => BigInt(id))).to.deep.equal([...ids]);
      expect(notices.map(({ code }) => code)).to.deep.equal([]);
      expect(model.fed[0].inputs[0].dims).to.deep.equal([ids.length, 1]);
      expect(layers).to.have.length(2);
      for (const [layer, held] of layers.entries())
        expect(await largestDifference(held, expected.get(`attention.self.${layer}`))).to.be.at.most(tolerance);
      await model.release();
    });

  it('is that of encoder, decoder and between them, and what is written is PyTorch’s', async () => {
    const name = 'translator.dynamo';
    const expected = readSafetensors(await readFixture(`batchAxis/${name}/expected.safetensors`), name);
    const idsOf = (input: string): number[] =>
      [...new BigInt64Array(expected.get(input)?.data.slice().buffer ?? new ArrayBuffer(0))].map(Number);
    const files = {
      ...(await filesOf(name)),
      'm/generation_config.json': await readFixture(`batchAxis/${name}/generation_config.json`),
    };
    const model = await LoadedModel.load({ runtime, reason: '' }, memoryAccess(files), {
      path: 'm',
      backend: 'wasm',
      threads: 1,
    });
    const text = String.fromCharCode(...idsOf('in.src').map((id) => 33 + id));
    const { layers, streams, components } = await model.explain({ text, tokenLimit: 0 });
    expect(streams.map(({ tokens }) => tokens.map(({ id }) => id))).to.deep.equal([idsOf('in.src'), idsOf('in.tgt')]);
    expect(components.map(({ component, isCausal }) => [component, isCausal])).to.deep.equal([
      ['encoder', false],
      ['decoder', true],
      ['cross', false],
    ]);
    for (const held of layers)
      expect(
        await largestDifference(held, expected.get(`attention.${held.component}.0`)),
        held.component,
      ).to.be.at.most(tolerance);
    const predicted = await model.predict({ streams, components, fed: model.fed });
    if (predicted.kind !== 'next') throw new Error(predicted.kind);
    const target = idsOf('in.tgt');
    expect([...predicted.positions]).to.deep.equal(target.map((_, i) => i + 1));
    expectPredicted(predicted, logitsOf(expected), (i) => target[i + 1]);
    await model.release();
  });

  for (const name of ['causal.legacy', 'causal.dynamo'])
    it(`predicts what PyTorch predicts, and heads do to that what they do there: ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`batchAxis/${name}/expected.safetensors`), name);
      const { model, ids, run } = await readText(name, expected);
      const predicted = await model.predict(run);
      if (predicted.kind !== 'next') throw new Error(predicted.kind);
      expectPredicted(predicted, logitsOf(expected), (i) => ids[i + 1]);
      const position = 5;
      const question = { kind: 'token', position, token: ids[position] } as const;
      const lnOf = (rows: readonly Float32Array[]): number => logSoftmax(rows[position - 1])[ids[position]];
      const plain = lnOf(logitsOf(expected));
      const found = await model.effects.headEffects(run, { path: 'total', by: 'zero', question });
      expect(found.plain.value).to.be.closeTo(plain, 1e-4);
      const silenced = logitsOf(expected, 'silenced');
      for (const { layer, effects } of found.layers)
        for (const [head, effect] of effects.entries()) {
          const rows = silenced.slice((layer * 2 + head) * ids.length, (layer * 2 + head + 1) * ids.length);
          expect(effect, `${layer}.${head}`).to.be.closeTo(lnOf(rows) - plain, 1e-4);
        }
      expect(found.layers).to.have.length(2);
      // The cell that the fixture blocks.
      const answer = await model.effects.effect(run, {
        path: 'total',
        question: { ...question, position: 4, token: ids[4] },
        interventions: [
          {
            kind: 'block',
            component: run.components[0].component,
            heads: [{ layer: 0, head: 1 }],
            query: 3,
            key: 1,
            isRenormalized: false,
          },
        ],
      });
      const [without, whole] = ['blocked', 'logits'].map((tensor) => logSoftmax(logitsOf(expected, tensor)[3])[ids[4]]);
      expect(answer.effect).to.be.closeTo(without - whole, 1e-4);
      expect(Math.abs(answer.effect)).to.be.greaterThan(1e-3);
      await model.release();
    });

  it('predicts what PyTorch predicts where each token is masked', async () => {
    const name = 'text.legacy';
    const expected = readSafetensors(await readFixture(`batchAxis/${name}/expected.safetensors`), name);
    const { model, ids, run } = await readText(name, expected, { 'm/tokenizer.json': maskedTokenizer() });
    const predicted = await model.predict(run, 'each');
    if (predicted.kind !== 'masked') throw new Error(predicted.kind);
    expect([...predicted.positions]).to.deep.equal([...ids.keys()]);
    expectPredicted(predicted, logitsOf(expected), (i) => ids[i]);
    await model.release();
  });

  it('is another length’s too', async () => {
    const model = await loadText('text.dynamo');
    const { layers } = await model.explain({ text: 'abcdefghi', tokenLimit: 0 });
    expect(layers.map(({ numQueries, numKeys }) => [numQueries, numKeys])).to.deep.equal([
      [9, 9],
      [9, 9],
    ]);
    await model.release();
  });

  it('is refused with the reason where texts of a batch read one another', async () => {
    const error = await errorOf(loadText('batch.legacy'));
    expect([error.code, error.args[1]]).to.deep.equal(['attentionRefused', noAttention.keysAreItems]);
  });

  for (const name of ['picture.legacy', 'picture.dynamo', 'picture_fixed.legacy'])
    it(`is refused with the reason where pictures read one another: ${name}`, async () => {
      const bytes = await readFixture(`batchAxis/${name}/model.onnx`);
      const { sites, missed } = analyzeModel(readModel(bytes, 'model.onnx'));
      expect([sites.length, missed.map(({ reason }) => reason)]).to.deep.equal([
        0,
        [noAttention.keysAreItems, noAttention.keysAreItems],
      ]);
      const spec = { path: 'm', backend: 'wasm', threads: 1 } as const;
      const error = await errorOf(ImageModel.load({ runtime, reason: '' }, memoryAccess(await filesOf(name)), spec));
      expect([error.code, error.args[1]]).to.deep.equal(['attentionRefused', noAttention.keysAreItems]);
    });
});
