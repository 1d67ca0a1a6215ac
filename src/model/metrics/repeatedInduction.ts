import { isWithinOneText, meanOver, type HeadMetric } from './metric';
import { leastWeight } from './patternTotals';
import { minRepeated, weightOnWhatFollowed } from './whatFollowed';

/** How much a token that occurred before reads what followed it then. */
export const repeatedInduction = {
  id: 'repeatedInduction',
  title: 'induction (repeated tokens)',
  definition: 'Mean weight, over the tokens that occurred before, on what came next then; weights below 0.01 left out.',
  formula: 'the same mean over the i whose x_i occurred before, of weights from 0.01',
  source: 'HeadVis, Neuronpedia',
  unit: 'share',
  needs: ['ids'],
  isFinding: true,
  applies: isWithinOneText,
  rows: ({ numRepeated }) => numRepeated,
  leastRows: minRepeated,
  compute: (text) =>
    meanOver(
      (rows) => weightOnWhatFollowed(rows, text, leastWeight),
      ({ query }) => text.before[query] >= 0,
    ),
  ofTotals: ({ followedFirmly }, { numRepeated }) => followedFirmly / numRepeated,
} as const satisfies HeadMetric;
