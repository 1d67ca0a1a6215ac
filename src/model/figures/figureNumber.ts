/** A weight to three significant digits, with a sign where it is a difference. */
export function figureNumber(number: number, isSigned = false): string {
  const size = Math.abs(number);
  const digits = size === 0 ? '0' : size >= 1e-3 ? size.toPrecision(3) : size.toExponential(1);
  return isSigned && size > 0 ? `${number < 0 ? '−' : '+'}${digits}` : digits;
}
