import { ExplorerError } from '../../base/errors';
import { settingIds, settingNumber, type Settings } from '../files/modelSettings';

/** The most tokens that a model writes here, whatever its settings say: the target is there to be looked at. */
export const mostWrittenTokens = 128;

/** How a model writes its target, by its own settings. */
export interface GenerationRules {
  /** What the decoder reads first. */
  readonly startId: number;
  readonly endIds: ReadonlySet<number>;
  /** Written first, whatever the scores say. */
  readonly forcedFirstId: number | undefined;
  /** Written at the length limit. */
  readonly forcedLastIds: readonly number[];
  /** The most tokens that are written, and the fewest before an end. */
  readonly mostTokens: number;
  readonly fewestTokens: number;
  readonly suppressedIds: readonly number[];
  /** Never written first. */
  readonly suppressedFirstIds: readonly number[];
  /** No run of so many tokens is written twice; 0: any may be. */
  readonly uniqueRun: number;
  readonly repetitionPenalty: number;
}

/**
 * Reads the rules from the settings of generation, by the names of transformers' GenerationConfig. What begins and ends a target is also taken
 * from config.json, without which that library would not write; its other rules count only where there is no generation_config.json.
 * Throws `targetStartUnknown` where neither says what the decoder reads first.
 */
export function readGenerationRules(modelName: string, generation: Settings, config: Settings): GenerationRules {
  const number = (name: string): number | undefined => settingNumber(generation, name);
  const ids = (name: string): readonly number[] => settingIds(generation, name);
  const [startId] = ['decoder_start_token_id', 'bos_token_id'].flatMap((name) => [
    ...ids(name),
    ...settingIds(config, name),
  ]);
  if (startId === undefined) throw new ExplorerError('targetStartUnknown', [modelName]);
  const mostNew = number('max_new_tokens');
  const mostInAll = number('max_length');
  const most = mostNew ?? (mostInAll === undefined ? undefined : mostInAll - 1);
  const fewestNew = number('min_new_tokens');
  return {
    startId,
    endIds: endIdsOf(generation, config),
    forcedFirstId: ids('forced_bos_token_id')[0],
    forcedLastIds: ids('forced_eos_token_id'),
    mostTokens: Math.max(1, most ?? mostWrittenTokens),
    fewestTokens: fewestNew ?? Math.max(0, (number('min_length') ?? 0) - 1),
    suppressedIds: [...ids('suppress_tokens'), ...bannedIds(generation['bad_words_ids'])],
    suppressedFirstIds: ids('begin_suppress_tokens'),
    uniqueRun: number('no_repeat_ngram_size') ?? 0,
    repetitionPenalty: number('repetition_penalty') ?? 1,
  };
}

/** Ids that end what a model writes. */
export function endIdsOf(generation: Settings, config: Settings): ReadonlySet<number> {
  const own = settingIds(generation, 'eos_token_id');
  return new Set(own.length > 0 ? own : settingIds(config, 'eos_token_id'));
}

/** Banned words of one token; longer ones are left to chance, as they are rare. */
function bannedIds(value: unknown): number[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((word: unknown) =>
    Array.isArray(word) && word.length === 1 && typeof word[0] === 'number' ? [word[0]] : [],
  );
}

/** What a model wrote. */
export interface WrittenIds {
  /** What the decoder reads: the start first, the end not. */
  readonly ids: readonly number[];
  /** The id that ended it; undefined where it was cut. */
  readonly endId: number | undefined;
}

/**
 * Writes greedily: the best token by the scores, again and again, until one that ends or `mostTokens` are written.
 * @param scoresAfter scores of every id of the vocabulary, given what the decoder has read; may be changed here.
 */
export async function writeGreedily(
  rules: GenerationRules,
  mostTokens: number,
  scoresAfter: (ids: readonly number[]) => Promise<Float32Array>,
): Promise<WrittenIds> {
  const ids = [rules.startId];
  const isForcedEnd = mostTokens >= rules.mostTokens && rules.forcedLastIds.length > 0;
  const most = Math.min(mostTokens, rules.mostTokens);
  for (let written = 0; written < most; written++) {
    let next: number;
    if (written === 0 && rules.forcedFirstId !== undefined) next = rules.forcedFirstId;
    else if (isForcedEnd && written === most - 1) next = rules.forcedLastIds[0];
    else next = bestId(await scoresAfter(ids), ids, written, rules);
    if (rules.endIds.has(next)) return { ids, endId: next };
    ids.push(next);
  }
  return { ids, endId: undefined };
}

function bestId(scores: Float32Array, ids: readonly number[], written: number, rules: GenerationRules): number {
  const { repetitionPenalty } = rules;
  // Keskar et al. 2019 (arXiv 1909.05858), with the sign as transformers has it.
  if (repetitionPenalty !== 1)
    for (const id of new Set(ids))
      scores[id] = scores[id] < 0 ? scores[id] * repetitionPenalty : scores[id] / repetitionPenalty;
  const ban = (id: number): void => {
    if (id < scores.length) scores[id] = -Infinity;
  };
  rules.suppressedIds.forEach(ban);
  if (written === (rules.forcedFirstId === undefined ? 0 : 1)) rules.suppressedFirstIds.forEach(ban);
  if (written < rules.fewestTokens) rules.endIds.forEach(ban);
  if (rules.uniqueRun > 0) followersOf(ids, rules.uniqueRun - 1).forEach(ban);
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id] > scores[best]) best = id;
  return best;
}

/** What followed earlier occurrences of the last `length` ids. */
function followersOf(ids: readonly number[], length: number): number[] {
  const last = ids.slice(ids.length - length);
  return ids.flatMap((id, at) => (at >= length && last.every((each, i) => ids[at - length + i] === each) ? [id] : []));
}
