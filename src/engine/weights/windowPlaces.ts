import type { SiteWeights } from './layerWeights';

/** Where rows and columns of a site's matrices stand: `rows[matrix * numQueries + query]`; 0 where that is nowhere, below it where it is not one place. */
export interface SitePlaces {
  readonly rows: Float32Array;
  readonly columns: Float32Array;
  /** How many matrices they are told for: one for each head of each window, or fewer where heads share theirs. */
  readonly numMatrices: number;
}

/** A window by the places of its rows and columns, with the matrix of each head. */
export interface PlacedWindow {
  readonly matrices: readonly number[];
  readonly rows: Float32Array;
  readonly columns: Float32Array;
}

/** Tells a site's windows from its heads: matrices whose rows stand at the same places are heads of one window. Otherwise why they cannot be told, in a clause. */
export function windowsOf(
  { batch, numHeads, numQueries, numKeys }: Omit<SiteWeights, 'weights'>,
  places: SitePlaces,
): readonly PlacedWindow[] | string {
  const count = batch * numHeads;
  const rows = perMatrix(places.rows, numQueries, count, numHeads);
  const columns = perMatrix(places.columns, numKeys, count, numHeads);
  if (rows === undefined || columns === undefined) return 'where its windows lie is not laid out as its weights are';
  const windows: { matrices: number[]; rows: Float32Array; columns: Float32Array }[] = [];
  const byFirst = new Map<number, number>();
  for (let matrix = 0; matrix < count; matrix++) {
    const [ownRows, ownColumns] = [rows(matrix), columns(matrix)];
    if (ownRows.some((place) => place < 0) || ownColumns.some((place) => place < 0))
      return 'its queries or keys are made of several patches each';
    const first = ownRows.find((place) => place > 0);
    // A window of padding alone.
    if (first === undefined) continue;
    const known = byFirst.get(first);
    if (known === undefined)
      byFirst.set(first, windows.push({ matrices: [matrix], rows: ownRows, columns: ownColumns }) - 1);
    else if (isSame(windows[known].rows, ownRows) && isSame(windows[known].columns, ownColumns))
      windows[known].matrices.push(matrix);
    else return 'some of its windows have queries in common';
  }
  if (windows.length === 0) return 'its queries come from no patches of the picture';
  return windows.some(({ matrices }) => matrices.length !== windows[0].matrices.length)
    ? 'its windows have different numbers of heads'
    : windows;
}

/** The part of each matrix, where there is one for each, one for each item, or one for all. */
function perMatrix(
  places: Float32Array,
  length: number,
  count: number,
  numHeads: number,
): ((matrix: number) => Float32Array) | undefined {
  if (length === 0 || places.length % length !== 0) return undefined;
  const numParts = places.length / length;
  const each = numParts === count ? 1 : numParts * numHeads === count ? numHeads : numParts === 1 ? count : 0;
  if (each === 0) return undefined;
  return (matrix) => {
    const start = Math.floor(matrix / each) * length;
    return places.subarray(start, start + length);
  };
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
