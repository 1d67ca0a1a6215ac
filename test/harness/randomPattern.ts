import type { Pattern } from '../../src/model/pattern';

/** A pattern of numbers that are the same each time, sharp rows and flat ones; rows sum to one unless it is signed. */
export function randomPattern({
  numQueries,
  numKeys,
  isCausal,
  isSigned = false,
}: {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly isCausal: boolean;
  readonly isSigned?: boolean;
}): Pattern & { readonly isCausal: boolean } {
  const weights = new Float32Array(numQueries * numKeys);
  let state = 1 + numQueries + numKeys;
  const next = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let query = 0; query < numQueries; query++) {
    const end = isCausal ? query + numKeys - numQueries + 1 : numKeys;
    const powers = Array.from({ length: end }, () => Math.exp((query % 40) * next()));
    const sum = powers.reduce((total, power) => total + power, 0);
    powers.forEach((power, key) => (weights[query * numKeys + key] = isSigned ? next() - 0.4 : power / sum));
  }
  return { numQueries, numKeys, isCausal, weights };
}
