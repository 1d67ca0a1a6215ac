import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { readGenerationRules, writeGreedily, type GenerationRules } from '../../../../src/engine/text/generation';

const plain: GenerationRules = {
  startId: 0,
  endIds: new Set([1]),
  forcedFirstId: undefined,
  forcedLastIds: [],
  mostTokens: 6,
  fewestTokens: 0,
  suppressedIds: [],
  suppressedFirstIds: [],
  uniqueRun: 0,
  repetitionPenalty: 1,
};

/** Scores of six ids that fall from the one wanted. */
function favour(...order: readonly number[]): Float32Array {
  const scores = new Float32Array(6).fill(-9);
  order.forEach((id, place) => (scores[id] = 5 - place));
  return scores;
}

const write = (rules: Partial<GenerationRules>, scores: (ids: readonly number[]) => Float32Array, most = 100) =>
  writeGreedily({ ...plain, ...rules }, most, (ids) => Promise.resolve(scores(ids)));

describe('greedy writing', () => {
  it('writes the best token until one that ends', async () => {
    expect(await write({}, (ids) => favour(ids.length < 4 ? ids.length + 1 : 1))).to.deep.equal({
      ids: [0, 2, 3, 4],
      endId: 1,
    });
  });

  it('stops at the limit of the settings, where the end can be forced, and at the limit of the caller, where it cannot', async () => {
    expect(await write({ mostTokens: 2 }, () => favour(3))).to.deep.equal({ ids: [0, 3, 3], endId: undefined });
    expect(await write({ mostTokens: 2, forcedLastIds: [1] }, () => favour(3))).to.deep.equal({
      ids: [0, 3],
      endId: 1,
    });
    expect(await write({ forcedLastIds: [1] }, () => favour(3), 2)).to.deep.equal({ ids: [0, 3, 3], endId: undefined });
  });

  it('writes what is forced first, without asking for scores', async () => {
    const asked: number[] = [];
    const { ids } = await write({ forcedFirstId: 5, mostTokens: 2, suppressedFirstIds: [3] }, (read) => {
      asked.push(read.length);
      return favour(3, 4);
    });
    expect(ids).to.deep.equal([0, 5, 4]);
    expect(asked).to.deep.equal([2]);
  });

  it('leaves out what is suppressed, ends no sooner than allowed, and repeats no run', async () => {
    expect((await write({ suppressedIds: [3, 99], mostTokens: 1 }, () => favour(3, 4))).ids).to.deep.equal([0, 4]);
    expect((await write({ fewestTokens: 2 }, () => favour(1, 4))).ids).to.deep.equal([0, 4, 4]);
    expect((await write({ uniqueRun: 2, mostTokens: 5 }, () => favour(3, 4))).ids).to.deep.equal([0, 3, 3, 4, 3, 0]);
    expect((await write({ repetitionPenalty: 2, mostTokens: 2 }, () => favour(3, 4))).ids).to.deep.equal([0, 3, 4]);
  });
});

describe('settings of generation', () => {
  it('are those of generation_config.json, with what begins and ends a target from config.json, also from its decoder', () => {
    const config = {
      decoder: { decoder_start_token_id: 4 },
      eos_token_id: 1,
      forced_bos_token_id: 3,
      bad_words_ids: [[5], [6, 7]],
      no_repeat_ngram_size: 2,
      repetition_penalty: 1.5,
    };
    // As transformers 5.18 has it: these of config.json count where there is no other file.
    expect(readGenerationRules('m', { eos_token_id: [2, 7], max_new_tokens: 9 }, config)).to.deep.equal({
      ...plain,
      startId: 4,
      endIds: new Set([2, 7]),
      mostTokens: 9,
    });
    expect(readGenerationRules('m', config, config)).to.deep.include({
      startId: 4,
      endIds: new Set([1]),
      forcedFirstId: 3,
      suppressedIds: [5],
      uniqueRun: 2,
      repetitionPenalty: 1.5,
    });
    const short = { bos_token_id: 8, max_length: 12, min_length: 4 };
    expect(readGenerationRules('m', short, short)).to.deep.include({ startId: 8, mostTokens: 11, fewestTokens: 3 });
  });

  it('may be nonsense, but must say how a target begins', () => {
    const nonsense = {
      decoder_start_token_id: 0,
      eos_token_id: 'x',
      max_length: NaN,
      suppress_tokens: { a: 1 },
      forced_bos_token_id: -1,
      bad_words_ids: 'no',
      no_repeat_ngram_size: null,
    };
    expect(readGenerationRules('m', nonsense, {})).to.deep.equal({ ...plain, endIds: new Set(), mostTokens: 128 });
    expect(() => readGenerationRules('m', {}, { decoder_start_token_id: '0' }))
      .to.throw(ExplorerError)
      .with.property('code', 'targetStartUnknown');
  });
});
