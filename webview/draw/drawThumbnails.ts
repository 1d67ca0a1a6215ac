import type { ComponentInfo } from '../../src/model/head';
import { decodeThumbnail } from '../../src/model/pattern';
import { depthOf, type Scale } from '../../src/model/viewState';
import type { Thumbnails } from '../../src/protocol';
import type { HeadGrid } from '../layout/headGrid';
import type { Palette } from '../theme/palette';
import { prepareCanvas } from './canvas';
import { depthByte } from './depthPyramid';

/** Colours of the grid's lines. */
export interface GridColours {
  readonly edge: string;
  readonly group: string;
}

/** Draws every head's thumbnail on one canvas, all on one scale: absolute, or logarithmic where that is chosen. */
export function drawThumbnails(canvas: HTMLCanvasElement, grid: HeadGrid, component: ComponentInfo, thumbnails: Thumbnails | undefined, palette: Palette, scale: Scale, colours: GridColours): void {
  const context = prepareCanvas(canvas, grid.width, grid.height);
  if (context === undefined) return;
  context.imageSmoothingEnabled = false;
  const colourOfByte = thumbnails === undefined ? undefined : coloursOf(palette, scale);
  let index = 0;
  component.layers.forEach(({ numHeads }, layer) => {
    for (let head = 0; head < numHeads; head++, index++) {
      const x = grid.columnX[head];
      const y = grid.rowY[layer];
      if (thumbnails !== undefined && colourOfByte !== undefined && layer < thumbnails.numHeads.length) context.drawImage(picture(thumbnails, index, colourOfByte), x, y, grid.tile, grid.tile);
      context.strokeStyle = colours.edge;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, grid.tile - 1, grid.tile - 1);
    }
  });
  context.strokeStyle = colours.group;
  context.lineWidth = 1;
  for (const { x, y, width, height } of grid.groups) context.strokeRect(x, y, width, height);
}

function coloursOf(palette: Palette, scale: Scale): Uint32Array {
  const colours = new Uint32Array(256);
  // A scale by row would have a maximum of its own in every row of every head: thumbnails could not be compared.
  const shared: Scale = scale === 'row' ? 'absolute' : scale;
  for (let byte = 1; byte < 256; byte++) colours[byte] = palette[depthByte(depthOf(decodeThumbnail(byte), shared, 1))];
  return colours;
}

function picture(thumbnails: Thumbnails, index: number, colours: Uint32Array): HTMLCanvasElement {
  const { rows, columns, pixels } = thumbnails;
  const image = new ImageData(Math.max(1, columns), Math.max(1, rows));
  const words = new Uint32Array(image.data.buffer);
  const from = index * rows * columns;
  for (let i = 0; i < rows * columns; i++) words[i] = colours[pixels[from + i]];
  const canvas = document.createElement('canvas');
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
