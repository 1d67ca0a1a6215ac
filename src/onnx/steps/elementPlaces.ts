/** A place in a tensor's data as one number for each axis. */
export function placesIn(dims: readonly number[], at: number): number[] {
  const places = new Array<number>(dims.length).fill(0);
  let rest = at;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    places[axis] = rest % dims[axis];
    rest = Math.floor(rest / dims[axis]);
  }
  return places;
}

/** … and back. */
export function placeOf(places: readonly number[], dims: readonly number[]): number {
  return dims.reduce((at, dim, axis) => at * dim + places[axis], 0);
}

/** Where the number stands that is spread to a place of a tensor with more, or longer, axes. */
export function broadcastAt(dims: readonly number[], at: number, own: readonly number[]): number {
  const places = placesIn(dims, at).slice(dims.length - own.length);
  return placeOf(
    places.map((place, axis) => (own[axis] === 1 ? 0 : place)),
    own,
  );
}

/** The pairs of numbers that a product of matrices sums up at a place of its result: rows of the first operand, columns of the second. */
export function matrixTerms(
  dims: readonly number[],
  at: number,
  [first, second]: readonly [readonly number[], readonly number[]],
): readonly (readonly [number, number])[] {
  if (first.length < 2 || second.length < 2) throw new RangeError('its parts are products with single vectors');
  const places = placesIn(dims, at);
  const [row, column] = places.slice(-2);
  const batch = places.slice(0, -2);
  const inBatch = (own: readonly number[]): number => {
    const leading = own.slice(0, -2);
    const mine = batch.slice(batch.length - leading.length);
    return placeOf(
      mine.map((place, axis) => (leading[axis] === 1 ? 0 : place)),
      leading,
    );
  };
  const [summed, columns] = second.slice(-2);
  const one = (inBatch(first) * first[first.length - 2] + row) * summed;
  const other = inBatch(second) * summed * columns + column;
  return Array.from({ length: summed }, (_, i) => [one + i, other + i * columns] as const);
}

/** … of an Einsum of two operands. */
export function einsumTerms(
  equation: string,
  dims: readonly number[],
  at: number,
  operands: readonly [readonly number[], readonly number[]],
): readonly (readonly [number, number])[] {
  const [given, result] = equation.replaceAll(' ', '').split('->');
  const parts = given.split(',');
  if (result === undefined || parts.length !== 2) throw new RangeError('its parts are an Einsum of another form');
  /** Axes that stand for all others are counted from the last one. */
  const labels = (text: string, rank: number): string[] => {
    const [before, after] = text.split('...');
    if (after === undefined) return [...text];
    const count = rank - before.length - after.length;
    return [...before, ...Array.from({ length: count }, (_, i) => `.${count - i}`), ...after];
  };
  const own = parts.map((part, i) => labels(part, operands[i].length));
  const lengths = new Map<string, number>();
  own.forEach((each, i) => {
    each.forEach((label, axis) => lengths.set(label, Math.max(lengths.get(label) ?? 1, operands[i][axis])));
  });
  const fixed = new Map(labels(result, dims.length).map((label, axis) => [label, placesIn(dims, at)[axis]]));
  const summed = [...lengths.keys()].filter((label) => !fixed.has(label));
  const sizes = summed.map((label) => lengths.get(label) ?? 1);
  const count = sizes.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, i) => {
    const inner = placesIn(sizes, i);
    const places = own.map((each, operand) =>
      placeOf(
        each.map((label, axis) =>
          operands[operand][axis] === 1 ? 0 : (fixed.get(label) ?? inner[summed.indexOf(label)]),
        ),
        operands[operand],
      ),
    );
    return [places[0], places[1]] as const;
  });
}
