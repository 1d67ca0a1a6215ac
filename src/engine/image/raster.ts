/** A size in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** A part of a picture, in its pixels. */
export interface Region extends PixelSize {
  readonly left: number;
  readonly top: number;
}

/** A picture as rows of RGBA pixels, from the top left. */
export interface Raster extends PixelSize {
  readonly pixels: Uint8Array;
}

/** The picture turned as its EXIF orientation says (1 … 8), as PIL's `exif_transpose` does. */
export function orient(raster: Raster, orientation: number): Raster {
  if (orientation <= 1 || orientation > 8) return raster;
  const { width, height } = raster;
  const isTurned = orientation >= 5;
  const [newWidth, newHeight] = isTurned ? [height, width] : [width, height];
  const from = new Uint32Array(raster.pixels.buffer, raster.pixels.byteOffset, width * height);
  const to = new Uint32Array(newWidth * newHeight);
  const isMirrored = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const isFlipped = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      // Coordinates in the stored picture; where rows became columns they change places first.
      const [column, row] = isTurned ? [y, x] : [x, y];
      to[y * newWidth + x] =
        from[(isFlipped ? height - 1 - row : row) * width + (isMirrored ? width - 1 - column : column)];
    }
  }
  return { width: newWidth, height: newHeight, pixels: new Uint8Array(to.buffer) };
}
