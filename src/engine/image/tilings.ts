import type { Sizing } from './pictureSizes';
import { boxOf, sizeSetting } from './processorSteps';
import type { ProcessorSettings } from './processorSettings';
import type { PixelSize } from './raster';
import type { Tiler } from './shapings';

/** Tiles of one picture. */
const mostTiles = 256;

/** Idefics3, SmolVLM: scaled as a whole picture would be, then both sides grown to whole tiles (`resize_for_vision_encoder`). */
export function byWholeTiles(settings: ProcessorSettings, sizing: Sizing | undefined, side: number): Tiler {
  const resampling = settings.resampling();
  const whole = (length: number): number => Math.ceil(length / side) * side;
  const grown: Sizing = ({ width, height }) => {
    const aspect = width / height;
    return width >= height
      ? { width: whole(width), height: whole(Math.trunc(whole(width) / aspect)) }
      : { width: whole(Math.trunc(whole(height) * aspect)), height: whole(height) };
  };
  return (size) => {
    const scaled = sizing?.(size) ?? size;
    const target = grown(scaled);
    const [columns, rows] = [target.width / side, target.height / side];
    if (rows * columns <= 1) return undefined;
    if (rows * columns > mostTiles) throw settings.unsupported(`${rows} × ${columns} tiles`);
    return {
      rows,
      columns,
      tile: { width: side, height: side },
      shapings: [
        ...(sizing === undefined ? [] : [{ kind: 'resize', size: scaled, resampling } as const]),
        { kind: 'resize', size: target, resampling },
      ],
      isOfSource: false,
      resampling,
    };
  };
}

/** GOT-OCR 2, InternVL: as many tiles as come nearest to the picture's own aspect (`get_optimal_tiled_canvas`). */
export function byAspect(settings: ProcessorSettings): Tiler {
  const tile = boxOf(settings, sizeSetting(settings));
  const resampling = settings.resampling();
  const [least, most] = [settings.number('min_patches') ?? 1, settings.divisor('max_patches') ?? 12];
  if (most > mostTiles) throw settings.unsupported(`more than ${mostTiles} tiles`);
  const canvases = canvasesOf(least, most);
  return (size) => {
    const { rows, columns } = nearestCanvas(size, tile, canvases);
    if (rows * columns <= 1) return undefined;
    const target = { width: columns * tile.width, height: rows * tile.height };
    return {
      rows,
      columns,
      tile,
      shapings: [{ kind: 'resize', size: target, resampling }],
      isOfSource: true,
      resampling,
    };
  };
}

interface Canvas {
  readonly rows: number;
  readonly columns: number;
}

/** All arrangements of so many tiles, of fewer tiles first, of as many those of fewer columns first. */
function canvasesOf(least: number, most: number): readonly Canvas[] {
  const found: Canvas[] = [];
  for (let columns = 1; columns <= most; columns++)
    for (let rows = 1; rows * columns <= most; rows++) if (rows * columns >= least) found.push({ rows, columns });
  return found.sort((a, b) => a.rows * a.columns - b.rows * b.columns);
}

/** The one whose aspect is nearest; of several, the larger as long as half of its area is less than the picture's. */
function nearestCanvas({ width, height }: PixelSize, tile: PixelSize, canvases: readonly Canvas[]): Canvas {
  let best: Canvas = { rows: 1, columns: 1 };
  let least = Infinity;
  for (const canvas of canvases) {
    const difference = Math.abs(width / height - canvas.columns / canvas.rows);
    const isLarger = width * height > 0.5 * tile.height * tile.width * canvas.columns * canvas.rows;
    if (difference < least || (difference === least && isLarger)) best = canvas;
    least = Math.min(least, difference);
  }
  return best;
}
