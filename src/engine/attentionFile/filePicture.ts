import type { PatchGrid, TokenStream } from '../../model/token';
import type { PictureView } from '../../protocol';
import type { FileArrays } from './fileStreams';

/** Pixels of a patch where the file has no picture. */
const blankPatch = 16;
/** The most pixels of a picture. */
export const maxFilePixels = 16e6;

/** The picture that patches are of; a blank one where the file has none. */
export function readPicture({ arrays, invalid }: FileArrays, streams: readonly TokenStream[]): PictureView | undefined {
  const grid = streams.find((stream) => stream.grid !== undefined)?.grid;
  if (grid === undefined) return undefined;
  const array = arrays.get('image') ?? arrays.get('image.pixels');
  const [height, width, depth] = array?.shape ?? [
    Math.max(1, grid.rows) * blankPatch,
    Math.max(1, grid.columns) * blankPatch,
    0,
  ];
  if (
    array !== undefined &&
    (array.type !== 'U8' ||
      array.shape.length !== 3 ||
      (depth !== 3 && depth !== 4) ||
      width === 0 ||
      height === 0 ||
      width * height > maxFilePixels)
  )
    throw invalid(
      `"${array.name}" is no picture: it takes whole bytes of (height, width, 3), at most ${maxFilePixels / 1e6} million pixels`,
    );
  const pixels = new Uint8Array(width * height * 4).fill(255);
  if (array !== undefined) {
    const { data } = array;
    for (let i = 0; i < width * height; i++)
      for (let channel = 0; channel < 3; channel++) pixels[4 * i + channel] = data[depth * i + channel];
  }
  return { width, height, pixels, source: { width, height }, placed: { left: 0, top: 0, width, height } };
}

/** A stream whose patches have the size that they have in the picture. */
export function withPatches(stream: TokenStream, picture: PictureView | undefined): TokenStream {
  const { grid } = stream;
  if (grid === undefined || picture === undefined || grid.rows === 0) return stream;
  return { ...stream, grid: sized(grid, picture) };
}

function sized(grid: PatchGrid, picture: PictureView): PatchGrid {
  return {
    ...grid,
    patchWidth: picture.width / grid.columns,
    patchHeight: picture.height / grid.rows,
    ...(grid.thumbnail === undefined ? {} : { thumbnail: sized(grid.thumbnail, picture) }),
  };
}
