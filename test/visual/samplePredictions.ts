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
