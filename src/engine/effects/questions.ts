import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { AskedChoice, EffectQuestion, EffectSide, ResolvedQuestion } from '../../model/effects/effects';
import { askedToken } from '../predict/askedToken';
import { labelsOf } from '../predict/labelAnswers';
import { maskIdOf, predictsHow, tokenTexts, type PredictedRun, type PredictionParts } from '../predict/predictedFile';

/** A question in the model's own terms. */
export interface Asked {
  readonly resolved: ResolvedQuestion;
  /** Places of the tensor that rows are chosen from, without what stands before the text: of a token −1 where it is the last of whatever there is. */
  readonly rows: readonly number[];
  /** Ids that are asked about, of each row. */
  readonly choices: readonly (readonly number[])[];
  readonly isLoss: boolean;
  /** What stands in the place of what is masked. */
  readonly maskId: number | undefined;
}

/** Of a masked language model's text every so many tokens are masked at once for a mean, about as many as it was trained with (15 %: Devlin et al. 2019). */
const maskedEach = 7;

/**
 * What a question about a vocabulary means in a run. Throws `noSuchToken`, `sameTwice`, `invalidArgument` and `noEffects`.
 * @param numScores scores that the model gives of each place.
 */
export function askVocabulary(
  parts: PredictionParts,
  run: PredictedRun,
  question: EffectQuestion,
  numScores: number,
): Asked {
  if (question.kind === 'label')
    throw new ExplorerError('invalidArgument', [String(question.label), 'the model predicts tokens, and no labels']);
  const { stream, isNext } = predictsHow(parts, run);
  const { tokens } = run.streams[stream];
  const maskId = isNext ? undefined : maskIdOf(parts.tokenizer, parts.maskToken);
  if (!isNext && maskId === undefined)
    throw new ExplorerError('noEffects', [
      parts.name,
      'it reads a text from both sides, and its tokenizer has no mask token to put in the place of one',
    ]);
  const own = tokens.flatMap(({ isSpecial, template }, position) =>
    isSpecial || template !== undefined ? [] : [position],
  );
  const rowOf = (position: number): number => (isNext ? position - 1 : position);
  if (question.kind === 'loss') {
    const positions = isNext ? own.filter((position) => position > 0) : own.filter((_, i) => i % maskedEach === 3);
    const [chosen, masked] =
      isNext || positions.length > 0 ? [positions, positions] : [own.slice(0, 1), own.slice(0, 1)];
    if (chosen.length === 0)
      throw new ExplorerError('noEffects', [parts.name, 'the text has no token of its own that it predicts']);
    return {
      resolved: { kind: 'loss', stream, positions: Int32Array.from(chosen), masked: isNext ? [] : masked },
      rows: chosen.map(rowOf),
      choices: chosen.map((position) => [tokens[position].id]),
      isLoss: true,
      maskId,
    };
  }
  const { position, token, against } = question;
  const [least, most] = isNext ? [1, tokens.length] : [0, tokens.length - 1];
  if (!Number.isInteger(position) || position < least || position > most)
    throw new ExplorerError('invalidArgument', [
      String(position),
      `it is the position of a token that is predicted, from ${least} to ${most}`,
    ]);
  if (!isNext && tokens[position].isSpecial && tokens[position].id !== maskId)
    throw new ExplorerError('invalidArgument', [String(position), 'a special token stands there']);
  const choices = [token, ...(against === undefined ? [] : [against])].map((each) =>
    parts.tokenizer.use(0, (tokenizer) => askedToken(each, { tokenizer, name: parts.name, numScores })),
  );
  refuseSame(choices, (id) => `“${tokenTexts(parts.tokenizer, [id])[0]}”`);
  return {
    resolved: { kind: 'token', stream, positions: Int32Array.of(position), masked: isNext ? [] : [position] },
    rows: [rowOf(position)],
    choices: [choices],
    isLoss: false,
    maskId,
  };
}

/** So many labels are named where one is not among them. */
const mostNamed = 8;

/** What a question about labels means. Throws `invalidArgument` and `sameTwice`. */
export function askLabels({ config }: PredictionParts, question: EffectQuestion): Asked {
  const labels = labelsOf(config['id2label']);
  if (question.kind !== 'label')
    throw new ExplorerError('invalidArgument', [question.kind, 'the model predicts labels, and no tokens']);
  const choices = [question.label, ...(question.against === undefined ? [] : [question.against])].map((choice) => {
    const place = typeof choice === 'string' ? labels.indexOf(choice) : choice;
    if (Number.isInteger(place) && place >= 0 && place < labels.length) return place;
    const named = labels.slice(0, mostNamed).join(', ') + (labels.length > mostNamed ? ', …' : '');
    throw new ExplorerError('invalidArgument', [
      String(choice),
      `it is a label, or its place, from 0 to ${labels.length - 1}: ${named}`,
    ]);
  });
  refuseSame(choices, (place) => `“${labels[place]}”`);
  return {
    resolved: { kind: 'label', stream: 0, positions: new Int32Array(0), masked: [] },
    rows: [],
    choices: [choices],
    isLoss: false,
    maskId: undefined,
  };
}

/** Throws `sameTwice` where something is asked against itself. */
function refuseSame([first, second]: readonly number[], nameOf: (id: number) => string): void {
  if (first === second) throw new ExplorerError('sameTwice', [nameOf(first)]);
}

/** What is given for each item of a batch. */
export interface Answered {
  /** ln p of each row's choices, `[rows, choices]`. */
  readonly logs: Float32Array;
  /** Of the first row: how many scores are larger than each choice's, and the strongest. */
  readonly larger: Float32Array;
  readonly strongest: Float32Array;
  readonly ids: ArrayLike<number | bigint>;
}

/** The measure of a question. */
export function valueOf({ isLoss }: Asked, logs: Float32Array, numChoices: number): number {
  if (isLoss) return -logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return numChoices === 2 ? logs[0] - logs[1] : logs[0];
}

/** A side of an answer. */
export function sideOf(parts: PredictionParts, asked: Asked, answered: Answered): EffectSide {
  const [choices] = asked.choices;
  const value = valueOf(asked, answered.logs, choices.length);
  if (asked.isLoss) return { value, choices: [], alternatives: [] };
  const ids = [...choices, ...Array.from(answered.ids, Number)];
  const texts =
    asked.resolved.kind === 'label'
      ? ids.map((id) => plain(labelsOf(parts.config['id2label'])[id]))
      : tokenTexts(parts.tokenizer, ids);
  const choice = (at: number, log: number, rank: number): AskedChoice => ({
    id: ids[at],
    text: texts[at],
    probability: Math.exp(log),
    rank,
  });
  return {
    value,
    choices: choices.map((_, i) => choice(i, answered.logs[i], answered.larger[i] + 1)),
    alternatives: Array.from(answered.strongest, (log, i) => choice(choices.length + i, log, i + 1)),
  };
}

/** What scores of labels say of choices, as logits of a vocabulary are asked. */
export function answerOfScores(scores: Float32Array, choices: readonly number[], count: number): Answered {
  const largest = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
  const logs = scores.map((score) => score - largest - Math.log(sum));
  const order = Array.from(scores, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, count);
  return {
    logs: Float32Array.from(choices, (choice) => logs[choice]),
    larger: Float32Array.from(choices, (choice) => scores.filter((score) => score > scores[choice]).length),
    strongest: Float32Array.from(order, (i) => logs[i]),
    ids: order,
  };
}
