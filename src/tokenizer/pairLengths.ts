/**
 * How many tokens are kept of two texts of so many, where at most `most` are kept of both: the longer one is cut first, and both to halves
 * where even that is too much; of an odd number the longer has one more. As `TruncationStrategy::LongestFirst` of the reference library.
 */
export function pairLengths(
  [first, second]: readonly number[],
  most: number,
): readonly [first: number, second: number] {
  if (first + second <= most) return [first, second];
  const shorter = Math.min(first, second, Math.floor(most / 2));
  return first > second ? [most - shorter, shorter] : [shorter, most - shorter];
}

/** The same as tokenizers that are programs in Python have it (`truncate_sequences` of transformers): token by token, the second text where both are as long. */
export function programPairLengths(
  [first, second]: readonly number[],
  most: number,
): readonly [first: number, second: number] {
  if (first + second <= most) return [first, second];
  const half = Math.ceil(most / 2);
  if (first <= half) return [first, most - first];
  return second <= most - half ? [most - second, second] : [half, most - half];
}
