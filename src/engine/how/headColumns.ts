/** What a part of a row may differ by from where it stands in the row, as a part of its largest number. */
const sameness = 1e-5;

/**
 * Where a head's numbers begin in a row of all heads' numbers: as they are, or with those that are rotated first or last. Undefined where they do not stand there.
 * @param rotated what is rotated of them, before.
 */
export function firstColumn(
  row: Float32Array,
  operand: Float32Array,
  rotated: Float32Array | undefined,
): number | undefined {
  if (rotated === undefined) return placeOf(operand, row);
  const rest = operand.length - rotated.length;
  if (rest === 0) return placeOf(rotated, row);
  const first = Float32Array.from([...rotated, ...operand.subarray(rotated.length)]);
  const last = Float32Array.from([...operand.subarray(0, rest), ...rotated]);
  return placeOf(first, row) ?? placeOf(last, row);
}

/** Where numbers stand within a row. */
function placeOf(part: Float32Array, row: Float32Array): number | undefined {
  const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isAt = (from: number): boolean =>
    part.every((value, i) => Math.abs(row[from + i] - value) <= sameness * largest);
  for (let from = 0; from + part.length <= row.length; from++) if (isAt(from)) return from;
  return undefined;
}
