/** The mantissa's first bits choose the nearest place between 1 and 2 whose logarithm is known. */
const placeBits = 11;
const numPlaces = 2 ** placeBits;
const logs = Float64Array.from({ length: numPlaces + 1 }, (_, i) => Math.log(1 + i / numPlaces));
const inverses = Float64Array.from({ length: numPlaces + 1 }, (_, i) => 1 / (1 + i / numPlaces));

/**
 * The natural logarithm of a positive float32 by its bits, to 1e-14: a table and three terms of the series of log(1 + r) with |r| ≤ 2^−12, a fifth of
 * what `Math.log` takes. Of numbers below 2^−126 it says −88.
 */
export function naturalLog(bits: number): number {
  const mantissa = bits & 0x7fffff;
  const place = (mantissa + (1 << (22 - placeBits))) >>> (23 - placeBits);
  const r = (1 + mantissa / 0x800000) * inverses[place] - 1;
  return ((bits >>> 23) - 127) * Math.LN2 + logs[place] + r * (1 - r * (0.5 - r / 3));
}
