import type { Sampling } from '../../model/continuation';
import { generator } from './randomText';

/** A token that was written, and what it was drawn with. */
interface Chosen {
  readonly id: number;
  readonly share: number;
}

/**
 * The distribution that tokens are drawn from, over all ids: scores divided by the temperature, then only the most probable ids whose shares
 * come to `topP`, at least one (nucleus sampling: Holtzman et al. 2020, arXiv 1904.09751; as transformers' TemperatureLogitsWarper and
 * TopPLogitsWarper have it).
 */
export function drawnFrom(
  scores: Float32Array,
  { temperature, topP }: Pick<Sampling, 'temperature' | 'topP'>,
): Float64Array {
  const shares = softmax(Float64Array.from(scores, (score) => score / temperature));
  if (topP >= 1) return shares;
  const order = Array.from(shares, (_, id) => id).sort((a, b) => shares[a] - shares[b]);
  let below = 0;
  for (const id of order.slice(0, -1)) {
    below += shares[id];
    if (below > 1 - topP) break;
    shares[id] = 0;
  }
  const left = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / left);
}

function softmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const shares = scores.map((score) => Math.exp(score - largest));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** Writes on: the most probable token each time, or one that is drawn. The number that draws at a place depends on the seed and that place alone. */
export class TokenChoice {
  readonly #sampling: Sampling | undefined;
  readonly #next: () => number;

  /** @param first how many tokens were written before. */
  constructor(sampling: Sampling | undefined, first: number) {
    this.#sampling = sampling;
    this.#next = generator(sampling?.seed ?? 0);
    for (let i = 0; i < first; i++) this.#next();
  }

  choose(scores: Float32Array): Chosen {
    if (this.#sampling === undefined) {
      const id = scores.reduce((best, score, each) => (score > scores[best] ? each : best), 0);
      return { id, share: softmax(Float64Array.from(scores))[id] };
    }
    const shares = drawnFrom(scores, this.#sampling);
    let left = this.#next();
    let id = -1;
    for (let each = 0; each < shares.length; each++) {
      if (shares[each] === 0) continue;
      id = each;
      left -= shares[each];
      if (left < 0) break;
    }
    return { id, share: shares[id] };
  }
}
