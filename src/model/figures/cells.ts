import { base64 } from '../../base/base64';
import { cssColour, type Ramp } from '../ramp';
import { palettePng } from './palettePng';
import { mostVectorCells } from './paper';

/** A field of coloured cells, row by row; depths are in [−1, 1], and zero is the paper. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  readonly depths: Float32Array;
  readonly ramp: Pick<Ramp, 'colour'>;
}

/** The cells, each one unit wide and high: shapes while there are few enough, else one picture, which has 255 depths. */
export function cellsSvg({ columns, rows, depths, ramp }: Cells): string {
  const bytes = Int16Array.from(depths, (depth) => Math.round(255 * Math.max(-1, Math.min(1, depth))));
  const isDrawn = bytes.reduce((count, depth) => count + (depth === 0 ? 0 : 1), 0);
  if (isDrawn > mostVectorCells) {
    // A palette has 256 colours: of numbers with signs every other depth is left out.
    const isSigned = bytes.some((depth) => depth < 0);
    const palette = Array.from({ length: 256 }, (_, i) => ramp.colour(isSigned ? (i - 128) / 127 : i / 255));
    const pixels = Uint8Array.from(bytes, (depth) => (isSigned ? 128 + Math.round(depth / 2.01) : depth));
    const png = base64(palettePng(columns, rows, pixels, palette));
    return `<image width="${columns}" height="${rows}" preserveAspectRatio="none" style="image-rendering: pixelated" href="data:image/png;base64,${png}"/>`;
  }
  const shapes: string[] = [];
  for (const [at, depth] of bytes.entries())
    if (depth !== 0)
      shapes.push(
        `<rect x="${at % columns}" y="${Math.floor(at / columns)}" width="1" height="1" fill="${cssColour(ramp.colour(depth / 255))}"/>`,
      );
  return shapes.join('');
}
