/** Axes of two tensors before the last two, each of the longer of both. Throws a RangeError where they do not fit. */
export function broadcastAxes(a: readonly number[], b: readonly number[]): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => {
    const [x, y] = [a[a.length - length + i] ?? 1, b[b.length - length + i] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw new RangeError('its queries and keys do not fit each other');
    return Math.max(x, y);
  });
}

/**
 * Which matrix of a tensor belongs to a head, where matrices of all heads stand behind each other. Throws a RangeError where that is not told.
 * @param own the tensor's axes before the last two. @param leading those of the scores.
 */
export function matrixOfHead(own: readonly number[], leading: readonly number[], head: number): number {
  const total = numMatrices(own);
  if (total === 1) return 0;
  const offset = leading.length - own.length;
  if (own.every((dim, axis) => offset + axis >= 0 && (dim === 1 || dim === leading[offset + axis]))) {
    let matrix = 0;
    let rest = head;
    let stride = 1;
    for (let axis = leading.length - 1; axis >= 0; axis--) {
      const at = rest % leading[axis];
      rest = Math.floor(rest / leading[axis]);
      const dim = own[axis - offset] ?? 1;
      if (dim > 1) matrix += at * stride;
      stride *= dim;
    }
    return matrix;
  }
  // The same heads, split into axes otherwise.
  if (total === numMatrices(leading)) return head;
  throw new RangeError('a tensor does not fit its heads');
}

/** How many matrices stand behind each other. */
export function numMatrices(axes: readonly number[]): number {
  return axes.reduce((product, dim) => product * dim, 1);
}
