/** A weight in little room: `.41`, `<.01`, `0`. */
export function shortWeight(weight: number): string {
  if (!(weight > 0)) return '0';
  if (weight < 0.005) return '<.01';
  // Lengths have no upper end.
  if (weight > 1.005) return weight >= 10 ? weight.toFixed(0) : weight.toFixed(1);
  return weight >= 0.995 ? '1' : weight.toFixed(2).replace(/^0/, '');
}
