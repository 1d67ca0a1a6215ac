/** Both sequences' lengths multiplied, beyond which what is between their equal ends is not looked through. */
const mostCells = 2 ** 24;

/**
 * A longest common subsequence of two sequences of numbers, as the place in `b` of each entry of `a`, −1 where it has none. Of several that are as long
 * it is the one that drops of `a` first. Equal ends are put together before; where what lies between them is too much for a table, none of it is.
 */
export function longestCommon(a: ArrayLike<number>, b: ArrayLike<number>): Int32Array {
  const places = new Int32Array(a.length).fill(-1);
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) {
    places[start] = start;
    start++;
  }
  let numSame = 0;
  while (numSame < shorter - start && a[a.length - 1 - numSame] === b[b.length - 1 - numSame]) {
    numSame++;
    places[a.length - numSame] = b.length - numSame;
  }
  const rows = a.length - numSame - start;
  const columns = b.length - numSame - start;
  if (rows === 0 || columns === 0 || rows * columns > mostCells) return places;
  const dropsOfA = tableOf(a, b, start, [rows, columns]);
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (a[start + i] === b[start + j]) places[start + i++] = start + j++;
    else if (dropsOfA[i * columns + j] === 1) i++;
    else j++;
  }
  return places;
}

/** For each pair of places of the middle: 1 where a longest common subsequence of what follows does without that entry of `a`. */
function tableOf(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  start: number,
  [rows, columns]: readonly [number, number],
): Uint8Array {
  const dropsOfA = new Uint8Array(rows * columns);
  let below = new Int32Array(columns + 1);
  for (let i = rows - 1; i >= 0; i--) {
    const lengths = new Int32Array(columns + 1);
    for (let j = columns - 1; j >= 0; j--) {
      if (a[start + i] === b[start + j]) lengths[j] = below[j + 1] + 1;
      else {
        const isDropped = below[j] >= lengths[j + 1];
        dropsOfA[i * columns + j] = Number(isDropped);
        lengths[j] = isDropped ? below[j] : lengths[j + 1];
      }
    }
    below = lengths;
  }
  return dropsOfA;
}
