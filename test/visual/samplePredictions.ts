import { plain } from '../../src/base/safeText';
import type { TokenPredictions } from '../../src/model/predictions';
import type { Token } from '../../src/model/token';

/** Tokens that a made prediction shares its probability among. */
const vocabularySize = 256;
const shares = [0.5, 0.2, 0.1, 0.05, 0.025] as const;

/** Predictions by rule: the token at position i has i mod 9 bits, and the most probable ones are w(i) … w(i + 4). */
export function samplePredictions(
  tokens: readonly Token[],
  isMaskedModel: boolean,
  mask: number | undefined,
): TokenPredictions {
  const positions = isMaskedModel ? (mask === undefined ? [] : [mask]) : tokens.map((_, i) => i + 1);
  const isActual = (position: number): boolean => position < tokens.length;
  const ids = positions.flatMap((position) => shares.map((_, i) => position + i));
  return {
    kind: isMaskedModel ? 'masked' : 'next',
    stream: 0,
    positions: Int32Array.from(positions),
    surprisal: Float32Array.from(positions, (position) => (isActual(position) ? position % 9 : NaN)),
    ranks: Int32Array.from(positions, (position) => (isActual(position) ? 1 + (position % 9) : 0)),
    entropy: Float32Array.from(positions, (position) => 1 + (position % 4)),
    count: shares.length,
    ids: Int32Array.from(ids),
    probabilities: Float32Array.from(positions.flatMap(() => [...shares])),
    texts: ids.map((id) => plain(`·w${id}`)),
    vocabularySize,
  };
}

/** Labels by rule: the token at position i has label i mod 3, with a probability of 0.75. */
export function sampleLabels(tokens: readonly Token[]): TokenPredictions {
  const positions = tokens.flatMap(({ isSpecial }, i) => (isSpecial ? [] : [i]));
  const ids = positions.flatMap((position) => [0, 1, 2].map((i) => (position + i) % 3));
  return {
    kind: 'tokenLabels',
    stream: 0,
    positions: Int32Array.from(positions),
    surprisal: new Float32Array(positions.length).fill(NaN),
    ranks: new Int32Array(positions.length),
    entropy: new Float32Array(positions.length).fill(1.0613),
    count: 3,
    ids: Int32Array.from(ids),
    probabilities: Float32Array.from(positions.flatMap(() => [0.75, 0.125, 0.125])),
    texts: ids.map((id) => plain(['other', 'name', 'keyword'][id])),
    vocabularySize: 3,
  };
}
