import type { WeightedPosition } from '../../src/model/pattern';
import type { Ramp, Rgb } from '../../src/model/ramp';
import { cssColour } from '../../src/model/ramp';
import { patchPositions } from '../../src/model/patchGrid';
import type { PatchGrid } from '../../src/model/token';
import type { PictureView } from '../../src/protocol';
import { patchRect, type PictureLayout } from '../layout/pictureLayout';
import type { TokenLights } from '../state/tokenLights';
import { numLevels } from '../theme/palette';
import type { Theme } from '../theme/theme';
import { canvasOf, prepareCanvas } from './canvas';
import { mark } from './tokenPainter';

/** How much of the editor's background lies over what is not lit, and how much of the ramp's colour over what is. */
const veilOpacity = 0.66;
const lightOpacity = 0.55;
/** Patches narrower than this, in CSS pixels, have no room for a number. */
const labelWidth = 24;

/** The picture itself as a canvas of its own pixels. */
export function pictureCanvas({ width, height, pixels }: PictureView): HTMLCanvasElement {
  const image = new ImageData(width, height);
  image.data.set(pixels);
  return canvasOf(image);
}

/** What is drawn over the picture. */
export interface PictureLights {
  readonly grid: PatchGrid;
  readonly lights: TokenLights;
  /** Whether anything is looked at: then what is not lit is veiled. */
  readonly isLit: boolean;
  readonly ramp: Ramp;
  readonly theme: Theme;
  /** The strongest patches, which get their numbers. */
  readonly labels: readonly (WeightedPosition & { readonly text: string })[];
}

/** Draws the picture with its patches lit. In high contrast the thickness of an outline carries the weight too. */
export function drawPicture(
  canvas: HTMLCanvasElement,
  source: HTMLCanvasElement,
  layout: PictureLayout,
  { grid, lights, isLit, ramp, theme, labels }: PictureLights,
): void {
  const context = prepareCanvas(canvas, layout.width, layout.height);
  if (context === undefined) return;
  // Pixels that are blown up stay what the model sees: squares.
  context.imageSmoothingEnabled = layout.scale < 2;
  context.drawImage(source, 0, 0, layout.width, layout.height);
  if (isLit) {
    context.fillStyle = withOpacity(theme.background, veilOpacity);
    // The margin that belongs to no patch is never read.
    context.beginPath();
    context.rect(0, 0, layout.width, layout.height);
    forPatches(grid, lights, layout, ({ x, y, width, height }, level) => {
      if (level > 0) context.rect(x, y, width, height);
    });
    context.fill('evenodd');
    forPatches(grid, lights, layout, ({ x, y, width, height }, level) => {
      if (level === 0) return;
      const isBelow = level > numLevels;
      const depth = (isBelow ? level - numLevels : level) / numLevels;
      context.fillStyle = withOpacity(theme.background, veilOpacity * (1 - depth));
      context.fillRect(x, y, width, height);
      context.fillStyle = withOpacity(ramp.colour(isBelow ? -1 : 1), lightOpacity * depth);
      context.fillRect(x, y, width, height);
      if (!theme.isHighContrast) return;
      const thickness = Math.min(0.5 + 2.5 * depth, Math.min(width, height) / 3);
      context.strokeStyle = cssColour(theme.outline);
      context.lineWidth = thickness;
      context.strokeRect(x + thickness / 2, y + thickness / 2, width - thickness, height - thickness);
    });
  } else if (theme.isHighContrast || grid.patchWidth * layout.scale >= 12) drawGridLines(context, grid, layout, theme);
  forPatches(grid, lights, layout, (rect, _level, marks) => drawMarks(context, rect, marks, theme));
  for (const { position, text } of labels) drawLabel(context, patchRect(grid, position, layout), text, theme);
}

function forPatches(
  grid: PatchGrid,
  { levels, marks }: TokenLights,
  layout: PictureLayout,
  visit: (rect: { x: number; y: number; width: number; height: number }, level: number, marks: number) => void,
): void {
  for (const position of patchPositions(grid)) {
    const rect = patchRect(grid, position, layout);
    if (rect !== undefined) visit(rect, levels[position] ?? 0, marks[position] ?? 0);
  }
}

/** Hairlines that show what can be hovered, dark and light side by side so that they are seen on anything. */
function drawGridLines(
  context: CanvasRenderingContext2D,
  grid: PatchGrid,
  { scale }: PictureLayout,
  { background, foreground }: Theme,
): void {
  const width = grid.columns * grid.patchWidth * scale;
  const height = grid.rows * grid.patchHeight * scale;
  for (const [colour, shift] of [
    [background, 0],
    [foreground, 1],
  ] as const) {
    context.strokeStyle = withOpacity(colour, 0.18);
    context.lineWidth = 1;
    context.beginPath();
    for (let column = 1; column < grid.columns; column++) {
      const x = Math.round(column * grid.patchWidth * scale) - 0.5 + shift;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    for (let row = 1; row < grid.rows; row++) {
      const y = Math.round(row * grid.patchHeight * scale) - 0.5 + shift;
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.stroke();
  }
}

/** Outlines by what a patch is: pinned, looked at, under the keyboard, the crosshair or a list's pointer, a sink, found. */
function drawMarks(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  marks: number,
  { background, foreground, canvas }: Theme,
): void {
  if (marks === 0) return;
  const outline = (colour: string, lineWidth: number, dash: readonly number[] = []): void => {
    // On a picture no colour is sure to be seen: every outline has another one around it.
    context.setLineDash([]);
    context.strokeStyle = withOpacity(background, 0.85);
    context.lineWidth = lineWidth + 2;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    context.setLineDash([...dash]);
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    context.setLineDash([]);
  };
  const front = cssColour(foreground);
  if ((marks & mark.sink) !== 0) {
    context.setLineDash([2, 2]);
    context.strokeStyle = front;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x + 1, y + height - 2);
    context.lineTo(x + width - 1, y + height - 2);
    context.stroke();
    context.setLineDash([]);
  }
  if ((marks & (mark.pointed | mark.found)) !== 0) outline(front, 1);
  if ((marks & mark.looking) !== 0) outline(canvas.accent, 2);
  if ((marks & (mark.pinned | mark.crossQuery)) !== 0) outline(front, 2);
  if ((marks & mark.crossKey) !== 0) outline(front, 2, [2, 2]);
  if ((marks & mark.cursor) !== 0) outline(front, 2, [5, 3]);
}

function drawLabel(
  context: CanvasRenderingContext2D,
  rect: { x: number; y: number; width: number; height: number } | undefined,
  text: string,
  { canvas }: Theme,
): void {
  if (rect === undefined || rect.width < labelWidth || rect.height < 12) return;
  context.font = `9px ${getComputedStyle(document.documentElement).getPropertyValue('--vscode-font-family') || 'sans-serif'}`;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const width = context.measureText(text).width + 4;
  context.fillStyle = canvas.background;
  context.fillRect(rect.x + 2, rect.y + 2, width, 11);
  context.fillStyle = canvas.foreground;
  context.fillText(text, rect.x + 4, rect.y + 8);
}

function withOpacity({ r, g, b }: Rgb, a: number): string {
  return cssColour({ r, g, b, a });
}
