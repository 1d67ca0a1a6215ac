import { expect } from 'chai';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { ImageModel } from '../../src/engine/image/imageModel';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { readModel } from '../../src/onnx/file/readModel';
import { analyzeModel } from '../../src/onnx/find/analyzeModel';
import { noAttention } from '../../src/onnx/find/definition';
import { errorOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';
import { tinyTokenizer } from '../harness/tinyTokenizer';
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
    // Scores are [position, item, word], which are not read.
    const refused = await errorOf(model.predict({ streams, components, fed: model.fed }));
    expect([refused.code, refused.args[1]]).to.deep.equal([
      'noPredictions',
      'its positions come before the items of a batch, [position, item]',
    ]);
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
