import type { ComponentInfo } from '../../src/model/head';
import { decodeDifference, decodeThumbnail, noDifference } from '../../src/model/pattern';
import { depthOf, signedDepthOf, type Scale } from '../../src/model/viewState';
import type { Rgb } from '../../src/model/ramp';
import type { Thumbnails } from '../../src/protocol';
import { headLabel } from '../../src/model/head';
import type { HeadGrid } from '../layout/headGrid';
import { placeOfHead, type HeadOrder } from '../layout/headOrder';
import type { Palette } from '../theme/palette';
import { canvasOf, prepareCanvas } from './canvas';
import { depthByte } from './depthPyramid';

/** Colours of the grid's lines. */
interface GridColours {
  readonly edge: string;
  readonly group: string;
  /** Of the marks of sinks, and of the line around them. */
  readonly mark: string;
  readonly background: string;
  readonly fontFamily: string;
}

/** Half the width of a sink's mark, and its height. */
const markHalf = 3;
const markHeight = 4;

/** Every head's thumbnail in its colours, side by side: layers as rows, heads as columns. All are on one scale, absolute, or logarithmic where that is chosen. */
export function paintThumbnails(
  { numHeads, rows, columns, pixels }: Thumbnails,
  palette: Palette,
  scale: Scale,
  isSigned = false,
): HTMLCanvasElement {
  const colours = isSigned ? signedColoursOf(palette, scale) : coloursOf(palette, scale);
  const width = Math.max(1, columns * Math.max(0, ...numHeads));
  const image = new ImageData(width, Math.max(1, rows * numHeads.length));
  const words = new Uint32Array(image.data.buffer);
  let from = 0;
  numHeads.forEach((count, layer) => {
    for (let head = 0; head < count; head++) {
      for (let row = 0; row < rows; row++) {
        const to = (layer * rows + row) * width + head * columns;
        for (let column = 0; column < columns; column++) words[to + column] = colours[pixels[from++]];
      }
    }
  });
  return canvasOf(image);
}

/** One colour for every head, by its share of the largest number in [−1, 1]; nothing where there is none. Layers as rows, heads as columns. */
export function paintShares(
  numHeads: readonly number[],
  shares: Float32Array,
  colourOf: (share: number) => Rgb,
): HTMLCanvasElement {
  const width = Math.max(1, ...numHeads);
  const image = new ImageData(width, Math.max(1, numHeads.length));
  let from = 0;
  numHeads.forEach((count, layer) => {
    for (let head = 0; head < count; head++) {
      const share = shares[from++];
      if (!(Math.abs(share) > 0)) continue;
      const { r, g, b } = colourOf(share);
      image.data.set([r, g, b, 255], (layer * width + head) * 4);
    }
  });
  return canvasOf(image);
}

/** What the tiles of the grid show. */
export interface TileContents {
  readonly component: ComponentInfo;
  readonly thumbnails: Thumbnails | undefined;
  /** The thumbnails in their colours. */
  readonly painted: HTMLCanvasElement | undefined;
  /** Among so many keys sinks are marked. */
  readonly numKeys: number;
  /** What stands in each tile, where there is room, with its colour. */
  readonly labels?: readonly { readonly text: string; readonly colour: string }[] | undefined;
  /** The heads whose number is below zero, which a small tile has no room to say: they have a stroke across a corner. */
  readonly isBelow?: ((index: number) => boolean) | undefined;
  /** In which order the heads stand, where it is not that of their indices: then each tile has its head's name. */
  readonly order?: HeadOrder | undefined;
  readonly colours: GridColours;
}

/** Tiles smaller than this have no room for a number, in CSS pixels. */
const leastLabelled = 22;
/** And smaller than this for a number below a name. */
const leastOfBoth = 34;

/** Draws the grid of heads with their painted thumbnails; a mark below each sink. */
export function drawThumbnails(
  canvas: HTMLCanvasElement,
  grid: HeadGrid,
  { component, thumbnails, painted, numKeys, labels, isBelow, order, colours }: TileContents,
): void {
  const context = prepareCanvas(canvas, grid.width, grid.height);
  if (context === undefined) return;
  context.imageSmoothingEnabled = false;
  context.font = `${Math.min(13, Math.max(9, Math.round(grid.tile * 0.32)))}px ${colours.fontFamily}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  let index = 0;
  let numThere = 0;
  component.layers.forEach(({ numHeads }, layer) => {
    for (let head = 0; head < numHeads; head++, index++) {
      const place = placeOfHead(order, { layer, head });
      const x = grid.columnX[place.head];
      const y = grid.rowY[place.layer];
      const isThere = head < (thumbnails?.numHeads[layer] ?? 0);
      if (thumbnails !== undefined && painted !== undefined && isThere) {
        const { rows, columns } = thumbnails;
        context.drawImage(painted, head * columns, layer * rows, columns, rows, x, y, grid.tile, grid.tile);
      }
      context.strokeStyle = colours.edge;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, grid.tile - 1, grid.tile - 1);
      if (isBelow?.(index) === true) drawStroke(context, { x, y, tile: grid.tile }, colours.mark);
      const own = labels?.[index];
      const name = order === undefined ? [] : [headLabel({ layer, head })];
      const number =
        own !== undefined && grid.tile >= (order === undefined ? leastLabelled : leastOfBoth) ? [own.text] : [];
      context.fillStyle = own?.colour ?? colours.mark;
      [...name, ...number].forEach((text, i, { length }) =>
        context.fillText(text, x + grid.tile / 2, y + (grid.tile * (i + 1)) / (length + 1) + 0.5, grid.tile - 3),
      );
      for (const key of (isThere ? thumbnails?.sinks[numThere++] : undefined) ?? [])
        drawSink(context, { x, y, tile: grid.tile }, (key + 0.5) / Math.max(1, numKeys), colours);
    }
  });
  context.strokeStyle = colours.group;
  context.lineWidth = 1;
  // Heads that share keys need not stand together then.
  for (const { x, y, width, height } of order === undefined ? grid.groups : []) context.strokeRect(x, y, width, height);
}

/** A tile where it stands: its top left corner and its side, in CSS pixels. */
interface PlacedTile {
  readonly x: number;
  readonly y: number;
  readonly tile: number;
}

/** A stroke across the lower right corner. */
function drawStroke(context: CanvasRenderingContext2D, { x, y, tile }: PlacedTile, colour: string): void {
  const size = Math.max(3, Math.min(8, tile / 3));
  context.beginPath();
  context.moveTo(x + tile - size - 1, y + tile - 1);
  context.lineTo(x + tile - 1, y + tile - size - 1);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke();
}

/** A small triangle on the lower edge, so far along it in [0, 1], as the matrix has it below its columns. */
function drawSink(
  context: CanvasRenderingContext2D,
  { x: left, y: top, tile }: PlacedTile,
  along: number,
  colours: GridColours,
): void {
  const x = Math.min(left + tile - markHalf, Math.max(left + markHalf, left + tile * along));
  context.beginPath();
  context.moveTo(x, top + tile - markHeight);
  context.lineTo(x - markHalf, top + tile);
  context.lineTo(x + markHalf, top + tile);
  context.closePath();
  context.strokeStyle = colours.background;
  context.lineWidth = 2;
  context.stroke();
  context.fillStyle = colours.mark;
  context.fill();
}

function signedColoursOf(palette: Palette, scale: Scale): Uint32Array {
  const shared: Scale = scale === 'row' ? 'absolute' : scale;
  return Uint32Array.from(
    { length: 256 },
    (_, byte) => palette[noDifference + Math.round(127 * signedDepthOf(decodeDifference(byte), shared, 1, 1))],
  );
}

function coloursOf(palette: Palette, scale: Scale): Uint32Array {
  const colours = new Uint32Array(256);
  // A scale by row would have a maximum of its own in every row of every head: thumbnails could not be compared.
  const shared: Scale = scale === 'row' ? 'absolute' : scale;
  for (let byte = 1; byte < 256; byte++) colours[byte] = palette[depthByte(depthOf(decodeThumbnail(byte), shared, 1))];
  return colours;
}
