import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';
import type { Alignment } from '../model/compare/alignTokens';
import { comparePredictions, type ComparedPrediction, type UnitPrediction } from '../model/compare/comparePredictions';
import { meanSurprisal, predictionAt, type Predictions, type TokenPredictions } from '../model/predictions';
import { visibleText, type TokenStream } from '../model/token';
import { counted } from './counted';

/** What one of the two predicts; a sentence where it does not. */
export interface PredictedSide {
  readonly streams: readonly TokenStream[];
  readonly predictions: Predictions | PlainText;
}

/** Places that are listed for people, those that differ most. */
const numListed = 20;

/** What two models predict, side by side, as JSON and as lines. */
export function comparedPredictions(
  [a, b]: readonly [PredictedSide, PredictedSide],
  alignments: readonly Alignment[],
): { readonly json: object; readonly lines: readonly TerminalText[] } {
  const [own, other] = [a.predictions, b.predictions];
  if (typeof own === 'string') return refused(own);
  if (typeof other === 'string') return refused(other);
  if (own.kind === 'labels' && other.kind === 'labels') return ofLabels(own.questions, other.questions);
  if (own.kind === 'labels' || other.kind === 'labels' || own.kind !== other.kind || own.stream !== other.stream)
    return refused('one predicts tokens, and the other labels, or tokens otherwise');
  return ofTokens([a.streams, b.streams], [own, other], alignments[own.stream]);
}

function refused(reason: string): ReturnType<typeof comparedPredictions> {
  return { json: { refused: reason }, lines: [line``, line`predictions: ${plain(reason)}`] };
}

type Labels = Extract<Predictions, { readonly kind: 'labels' }>['questions'];

/** The labels of each question that both answer. */
function ofLabels(a: Labels, b: Labels): ReturnType<typeof comparedPredictions> {
  const rows = a.slice(0, b.length).flatMap((labels, question) =>
    labels.flatMap(({ label, probability }) => {
      const found = b[question].find((each) => each.label === label);
      return found === undefined ? [] : [{ question, label, a: probability, b: found.probability }];
    }),
  );
  return {
    json: { kind: 'labels', labels: rows },
    lines: [
      line``,
      line`      A       B   label`,
      ...rows.map((row) => line`${share(row.a)}  ${share(row.b)}  ${row.label}`),
    ],
  };
}

function ofTokens(
  [streamsA, streamsB]: readonly (readonly TokenStream[])[],
  [a, b]: readonly [TokenPredictions, TokenPredictions],
  alignment: Alignment,
): ReturnType<typeof comparedPredictions> {
  const [streamA, streamB] = [streamsA[a.stream], streamsB[b.stream]];
  const rows = comparePredictions(alignment, a, b);
  const means = [meanSurprisal(a, streamA), meanSurprisal(b, streamB)];
  const next = [predictionAt(a, streamA.tokens.length), predictionAt(b, streamB.tokens.length)];
  const changes = [...rows].sort((x, y) => changeOf(y) - changeOf(x)).slice(0, numListed);
  const best = ({ tokens: [first] }: UnitPrediction): TerminalText => {
    const [top] = first.alternatives;
    return top === undefined ? line`–` : line`"${top.text}" ${share(top.probability)}`;
  };
  const nameOf = (unit: number): TerminalText => line`"${visibleText(streamA, alignment.starts[unit])}"`;
  const bits = (value: number): PlainText => plain(value.toFixed(3).padStart(9));
  return {
    json: {
      kind: a.kind,
      mean: { a: means[0] ?? null, b: means[1] ?? null },
      places: rows.map((row) => ({
        unit: row.unit,
        token: visibleText(streamA, alignment.starts[row.unit]),
        a: unitJson(row.a),
        b: unitJson(row.b),
      })),
      ...(next[0] === undefined || next[1] === undefined
        ? {}
        : { next: { a: next[0].alternatives, b: next[1].alternatives } }),
    },
    lines: [
      line``,
      line`predictions (bits, −log₂ p at temperature 1) of ${counted(rows.length, 'token')} that both predict; those that differ most first`,
      ...means.flatMap((mean, i) =>
        mean === undefined
          ? []
          : [
              line`  mean surprisal ${plain('AB'[i])}: ${plain(mean.surprisal.toFixed(3))} bits over ${counted(mean.numTokens, 'token')}`,
            ],
      ),
      line` place         A         B     B − A  token: most probable in A, in B`,
      ...changes.map(
        (row) =>
          line`${plain(String(row.unit).padStart(6))} ${bits(row.a.surprisal)} ${bits(row.b.surprisal)} ${bits(row.b.surprisal - row.a.surprisal)}  ${nameOf(row.unit)}: ${best(row.a)}, ${best(row.b)}`,
      ),
      ...next.flatMap((each, i) =>
        each === undefined
          ? []
          : [
              line`  what comes next in ${plain('AB'[i])}: ${joinTerminal(
                each.alternatives.map(({ text, probability }) => line`"${text}" ${share(probability)}`),
                ', ',
              )}`,
            ],
      ),
    ],
  };
}

function unitJson({ surprisal, tokens }: UnitPrediction): object {
  return {
    surprisal,
    tokens: tokens.map(({ position, actual, entropy, alternatives }) => ({
      position,
      surprisal: actual?.surprisal ?? null,
      rank: actual?.rank ?? null,
      entropy: Number.isFinite(entropy) ? entropy : null,
      alternatives,
    })),
  };
}

const changeOf = ({ a, b }: ComparedPrediction): number => Math.abs(b.surprisal - a.surprisal);

const share = (probability: number): PlainText => plain(probability.toFixed(4));
