import { plain } from '../../src/base/safeText';
import type { TokenPredictions } from '../../src/model/predictions';
import type { RunInfo } from '../../src/model/modelInfo';
import type { Writes } from '../../src/model/writes';
import type { WritesParams } from '../../src/protocol';
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

/** What heads write by rule: head h of layer l writes h − 2 l for what it reads two tokens before, and a tenth of that at the beginning. */
export function sampleWrites(
  { components }: RunInfo,
  { position, token, against }: Pick<WritesParams, 'position' | 'token' | 'against'>,
): Writes {
  const [{ component, layers: own }] = components;
  const layers = own.map(({ numHeads }, layer) => {
    const sources = new Float32Array(numHeads * position);
    for (let head = 0; head < numHeads; head++) {
      sources[head * position + position - 2] = head - 2 * layer;
      sources[head * position] = (head - 2 * layer) / 10;
    }
    return { component, layer, numHeads, numKeys: position, sources };
  });
  const named = (id: number) => ({ id, text: plain(`·w${id}`) });
  return {
    stream: 0,
    position,
    token: named(token),
    against: against === undefined ? undefined : named(against),
    logit: 7.25,
    missing: 0,
    behind: 'softCap',
    parts: [
      { kind: 'embedding', value: 0.25 },
      { kind: 'heads', component, layer: 0, value: 9 },
      { kind: 'mlp', layer: 0, value: -1.5 },
      { kind: 'bias', value: -0.5 },
    ],
    layers,
  };
}
