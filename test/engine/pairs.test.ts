import { expect } from 'chai';
import { readSafetensors } from '../../src/cli/safetensors';
import type { WholeLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { codeOf } from '../harness/codeOf';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { fixtureAccess, memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers makes of two texts; see scripts/fixtures/pair_model.py. */
interface Expected {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly first: string;
    readonly second: string;
    readonly lengths: readonly [number, number];
    readonly ids: readonly number[];
    readonly types: readonly number[];
    readonly offsets: readonly (readonly [number, number])[];
  }[];
}

describe('two texts as a pair', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  const load = (path: string, access = fixtureAccess): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, access, { path, backend: 'wasm', threads: 1 });
  const bert = async (changes: Readonly<Record<string, string>> = {}): Promise<LoadedModel> => {
    const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.onnx'];
    const files = await Promise.all(
      names.map(async (name) => [`m/${name}`, await readFixture(`pairs/bert/${name}`)] as const),
    );
    return load('m', memoryAccess({ ...Object.fromEntries(files), ...changes }));
  };

  it('are fed with their types, and attended to as transformers does it, also cut', async () => {
    const { tolerance, cases } = JSON.parse(await readFixtureText('pairs/bert/expected.json')) as Expected; // written by our own script
    const expected = readSafetensors(await readFixture('pairs/bert/expected.safetensors'), 'expected');
    const model = await load('pairs/bert');
    for (const [number, { first, second, lengths, ids, types, offsets }] of cases.entries()) {
      const {
        streams: [stream],
        layers,
        notices,
      } = await model.explain({ text: first, second, tokenLimit: 0 });
      expect(stream.tokens.map(({ id }) => id)).to.deep.equal(ids);
      expect(stream.tokens.map(({ typeId = 0 }) => typeId)).to.deep.equal(types);
      expect(model.input().python).to.contain(`"token_type_ids": np.array([${types.join(', ')}]`);
      // Places are those of each text, one after the other.
      const { start, from } = stream.second ?? { start: -1, from: -1 };
      expect([stream.text.slice(0, start), second.startsWith(stream.text.slice(start))]).to.deep.equal([first, true]);
      stream.tokens.forEach((token, i) => {
        const [begin, end] = offsets[i];
        if (end > begin)
          expect([token.start, token.end]).to.deep.equal([
            begin + (i >= from ? start : 0),
            end + (i >= from ? start : 0),
          ]);
        else expect(token.start).to.equal(i === 0 ? 0 : i < from ? start : stream.text.length);
      });
      const kept = [from - 2, ids.length - from - 1];
      expect(notices).to.deep.equal([
        { code: 'asPair', args: ['bert'] },
        ...(kept[1] === lengths[1]
          ? []
          : [
              { code: 'cutToContext', args: [ids.length, lengths[0] + lengths[1] + 3, 'bert'] },
              { code: 'pairCut', args: [kept[0], lengths[0], kept[1], lengths[1]] },
            ]),
      ]);
      for (const [layer, { weights, numHeads, numQueries, numKeys }] of (layers as readonly WholeLayer[]).entries()) {
        const tensor = expected.get(`${number}.${layer}`);
        expect(tensor?.shape).to.deep.equal([1, numHeads, numQueries, numKeys]);
        const right = new Float32Array(tensor?.data.slice().buffer ?? new ArrayBuffer(0));
        expect(weights.reduce((largest, weight, i) => Math.max(largest, Math.abs(weight - right[i])), 0)).to.be.below(
          tolerance,
        );
      }
    }
    await model.release();
  });

  it('have the separators of RoBERTa and T5 before an encoder', async () => {
    for (const [path, pieces] of [
      ['seq2seq/bart.whole', ['</s>', '</s>']],
      ['seq2seq/t5.split', ['</s>']],
    ] as const) {
      const model = await load(path);
      const {
        streams: [stream],
      } = await model.explain({ text: 'a', second: 'May', tokenLimit: 0, target: 'a' });
      const place = stream.tokens.findLastIndex(({ start, end }) => end > start && end === 1) + 1;
      expect(
        stream.tokens.slice(place, place + pieces.length).map(({ piece, isSpecial }) => [piece, isSpecial]),
      ).to.deep.equal(pieces.map((piece) => [piece, true]));
      expect(stream.text).to.equal('aMay');
      await model.release();
    }
  });

  it('are refused where nothing would tell them apart', async () => {
    const config = JSON.parse(await readFixtureText('pairs/bert/tokenizer.json')) as {
      post_processor: { pair: unknown; special_tokens: object };
    };
    const untyped = JSON.stringify({
      ...config,
      post_processor: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false },
    });
    const settings = (more: object): string => JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...more });
    // Types alone are enough for a model that takes them.
    const typed = await bert({ 'm/tokenizer.json': untyped, 'm/tokenizer_config.json': settings({}) });
    expect(
      (await typed.explain({ text: 'the cat', second: 'a dog', tokenLimit: 0 })).streams[0].tokens.map(
        ({ typeId }) => typeId,
      ),
    ).to.deep.equal([undefined, undefined, 1, 1]);
    await typed.release();
    const none = await bert({
      'm/tokenizer.json': untyped,
      'm/tokenizer_config.json': settings({ model_input_names: ['input_ids', 'attention_mask'] }),
    });
    expect(await codeOf(none.explain({ text: 'the cat', second: 'a dog', tokenLimit: 0 }))).to.equal('pairNotRead');
    expect(
      await codeOf(none.explain({ text: 'the cat', second: 'a dog', tokenLimit: 0, isChatMessage: true })),
    ).to.equal('pairNotRead');
    await none.release();
  });

  it('have no types where the settings list the inputs without them', async () => {
    const model = await bert({
      'm/tokenizer_config.json': JSON.stringify({
        tokenizer_class: 'BertTokenizer',
        model_input_names: ['input_ids', 'attention_mask'],
      }),
    });
    await model.explain({ text: 'the cat', second: 'a dog', tokenLimit: 0 });
    expect(model.input().python).to.contain('"token_type_ids": np.zeros((1, 7)');
    expect(model.report().markdown).to.contain('All tokens are of type 0');
    await model.release();
  });

  it('are refused where the types are beyond the model’s, which one text may meet, too', async () => {
    const config = JSON.parse(await readFixtureText('pairs/bert/tokenizer.json')) as {
      post_processor: { single: { SpecialToken?: { type_id: number } }[] };
    };
    for (const piece of config.post_processor.single)
      if (piece.SpecialToken !== undefined) piece.SpecialToken.type_id = 2;
    const model = await bert({
      'm/tokenizer.json': JSON.stringify(config),
      'm/tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
    });
    expect(await codeOf(model.explain({ text: 'the cat', tokenLimit: 0 }))).to.equal('tokenTypeUnknown');
    await model.release();
  });

  it('are refused by a causal model, and where one of them has no tokens', async () => {
    const files = {
      'm/model.onnx': await readFixture('zoo/gpt2.sdpa.legacy/model.onnx'),
      'm/tokenizer.json': await readFixture('pairs/bert/tokenizer.json'),
    };
    const causal = await load('m', memoryAccess(files));
    expect(await codeOf(causal.explain({ text: 'the cat', second: 'sat', tokenLimit: 0 }))).to.equal('pairNotRead');
    expect(await codeOf(causal.explain({ text: 'the cat', second: ' ', tokenLimit: 0 }))).to.equal('noTokens');
    await causal.release();
  });
});
