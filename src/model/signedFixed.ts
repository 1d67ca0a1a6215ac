/** A number with its sign and so many digits behind the point; what rounds to nothing has no sign. */
export function signedFixed(value: number, digits: number): string {
  const size = Math.abs(value).toFixed(digits);
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`;
}
