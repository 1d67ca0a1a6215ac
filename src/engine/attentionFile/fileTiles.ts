import type { PatchGrid, Tiles } from '../../model/token';

/** Tiles of one picture. */
const mostTiles = 4096;

/** How a file's metadata say that patches stand tile by tile, and which tokens show the picture once more; what is of another form fits no tokens. */
export function toldTiles(grid: unknown): Pick<PatchGrid, 'tiles' | 'thumbnail'> {
  const { tiles, thumbnail } = Object(grid) as Readonly<Record<string, unknown>>; // checked below
  return {
    ...(tiles === undefined ? {} : { tiles: toldStarts(tiles) }),
    ...(thumbnail === undefined ? {} : { thumbnail: toldThumbnail(thumbnail) }),
  };
}

function toldStarts(tiles: unknown): Tiles {
  const { rows, columns, starts } = Object(tiles) as Readonly<Record<string, unknown>>; // checked here
  return isPlace(rows) && isPlace(columns) && Array.isArray(starts) && starts.length <= mostTiles
    ? { rows, columns, starts: starts.map((start: unknown) => (isPlace(start) ? start : NaN)) }
    : { rows: 0, columns: 0, starts: [] };
}

function toldThumbnail(thumbnail: unknown): PatchGrid {
  const { rows, columns, first } = Object(thumbnail) as Readonly<Record<string, unknown>>; // checked here
  const [down, across, begin] = [rows, columns, first].map((value) => (isPlace(value) ? value : NaN));
  return { rows: down, columns: across, first: begin, patchWidth: 1, patchHeight: 1 };
}

const isPlace = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Whether all patches of a grid, and of its thumbnail, stand among so many tokens, none in another's place. */
export function fitsTokens({ rows, columns, first, tiles, thumbnail }: PatchGrid, count: number): boolean {
  if (tiles !== undefined && !coverGrid(tiles, { rows, columns, first })) return false;
  const ranges = (tiles?.starts ?? [first]).map((start): readonly [number, number] => [
    start,
    start + (tiles === undefined ? rows * columns : tiles.rows * tiles.columns),
  ]);
  if (thumbnail !== undefined) ranges.push([thumbnail.first, thumbnail.first + thumbnail.rows * thumbnail.columns]);
  if (!ranges.flat().every(isPlace)) return false;
  ranges.sort(([a], [b]) => a - b);
  return ranges.every(([, end], i) => end <= (ranges[i + 1]?.[0] ?? count));
}

function coverGrid(
  { rows: down, columns: across, starts }: Tiles,
  { rows, columns, first }: Pick<PatchGrid, 'rows' | 'columns' | 'first'>,
): boolean {
  return (
    rows % down === 0 &&
    columns % across === 0 &&
    starts.length === (rows / down) * (columns / across) &&
    starts[0] === first &&
    starts.every((start, i) => i === 0 || start > starts[i - 1])
  );
}
