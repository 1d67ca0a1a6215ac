import type { TokenStream } from '../../src/model/token';
import type { RelationPairs } from '../../src/model/relations/relation';
import {
  cellAt,
  fitView,
  panView,
  placeMatrix,
  revealCell,
  zoomView,
  type MatrixCell,
  type MatrixFrame,
  type MatrixView,
  type PlacedMatrix,
} from '../layout/matrixView';
import { drawAxes, drawAxisMark, drawMarginals, type AxisScene, type Margins } from './drawAxes';
import {
  drawBands,
  drawBlocked,
  drawCausalMask,
  drawCellLines,
  drawCellOutlines,
  drawCrosshair,
  drawPairs,
  drawRowsWithoutKey,
  type BlockedPlace,
  type MatrixStyle,
} from './drawMatrix';
import type { MatrixPictures } from './matrixTiles';

/** What is drawn of one pattern, wherever one looks. */
export interface MatrixScene {
  readonly pictures: MatrixPictures;
  readonly queries: TokenStream;
  readonly keys: TokenStream;
  readonly isCausal: boolean;
  /** `[query]`; a row that sums to zero is hatched. */
  readonly rowSums: Float32Array;
  /** Sums of rows and means of columns; undefined where they say nothing, as of differences. */
  readonly marginals: Parameters<typeof drawMarginals>[2] | undefined;
  readonly marks: Parameters<typeof drawMarginals>[3];
  readonly colours: MatrixStyle;
  /** Whether cells have outlines. */
  readonly isHighContrast: boolean;
}

/** What follows the pointer and the pins. */
export interface MatrixMarks {
  readonly crosshair: MatrixCell | undefined;
  /** Positions of queries, or of keys. */
  readonly marked: readonly number[];
  readonly areQueries: boolean;
  readonly pairs: RelationPairs | undefined;
  /** What is blocked in the heads that are shown. */
  readonly blocked: readonly BlockedPlace[];
  readonly colours: MatrixStyle;
}

/** Axis labels that are drawn for marked tokens. */
const mostMarks = 8;
const noMargins: Margins = { left: 0, top: 0, right: 0, bottom: 0 };

/** A matrix in its plot: where it is zoomed and moved to, and how it is drawn there; places are CSS pixels. */
export class MatrixSurface {
  #frame: MatrixFrame = { numQueries: 0, numKeys: 0, width: 0, height: 0 };
  #margins = noMargins;
  #view: MatrixView = { cell: 1, x: 0, y: 0 };
  #isFitted = true;

  get view(): MatrixView {
    return this.#view;
  }

  /**
   * Gives it another matrix or another size. A zoomed view stays where it is while matrices of one shape follow each other and the plot is resized; one that
   * shows all goes on showing all.
   * @param keepsZoom also where the matrix has another shape, as it grows while someone types.
   */
  setFrame(frame: MatrixFrame, margins: Margins, keepsZoom: boolean): void {
    const isSameShape = this.#frame.numQueries === frame.numQueries && this.#frame.numKeys === frame.numKeys;
    this.#isFitted ||= !isSameShape && !keepsZoom;
    this.#frame = frame;
    this.#margins = margins;
    this.#view = this.#isFitted ? fitView(frame) : panView(this.#view, frame, 0, 0);
  }

  /** Shows all of it. */
  fit(): void {
    this.#move(fitView(this.#frame));
  }

  /** Zooms about a place of the canvas, or the middle of the plot; false where it cannot go further. */
  zoom(factor: number, at?: { readonly x: number; readonly y: number }): boolean {
    const before = this.#view.cell;
    const { width, height } = this.#frame;
    const [x, y] = at === undefined ? [width / 2, height / 2] : [at.x - this.#margins.left, at.y - this.#margins.top];
    this.#move(zoomView(this.#view, this.#frame, factor, { x, y }));
    return this.#view.cell !== before;
  }

  pan(dx: number, dy: number): void {
    this.#move(panView(this.#view, this.#frame, dx, dy));
  }

  /** Moves as little as makes a cell visible. */
  reveal(cell: MatrixCell): void {
    this.#move(revealCell(this.#view, this.#frame, cell));
  }

  /** The cell at a place of the canvas; undefined outside the matrix. */
  cellAt(x: number, y: number): MatrixCell | undefined {
    return cellAt(this.#view, this.#frame, x - this.#margins.left, y - this.#margins.top);
  }

  /** The cell beside another by whole steps, within the matrix; the first where there is none. */
  cellBeside(cell: MatrixCell | undefined, [right, down]: readonly number[]): MatrixCell {
    const within = (index: number, count: number): number => Math.max(0, Math.min(count - 1, index));
    if (cell === undefined) return { query: 0, key: 0 };
    const { numQueries, numKeys } = this.#frame;
    return { query: within(cell.query + down, numQueries), key: within(cell.key + right, numKeys) };
  }

  /** Draws what stands still: cells, hatching, bars and axes. */
  drawBase(context: CanvasRenderingContext2D, scene: MatrixScene, pixelRatio: number): void {
    const placed = placeMatrix(this.#view, this.#frame);
    context.save();
    this.#clipped(context, 0, () => {
      scene.pictures.draw(context, placed, pixelRatio);
      if (scene.isCausal) drawCausalMask(context, placed, scene.colours.hatch);
      drawRowsWithoutKey(context, placed, {
        rowSums: scene.rowSums,
        isCausal: scene.isCausal,
        colour: scene.colours.hatch,
      });
      if (scene.isHighContrast) drawCellOutlines(context, placed, scene.pictures, scene.colours.line);
      drawCellLines(context, placed, scene.colours);
    });
    const axes = this.#axes(placed, scene.colours);
    if (scene.marginals !== undefined) drawMarginals(context, axes, scene.marginals, scene.marks);
    drawAxes(context, axes, scene.queries, scene.keys);
    context.restore();
  }

  /** Draws what follows the pointer and the pins. */
  drawOverlay(
    context: CanvasRenderingContext2D,
    { queries, keys }: Pick<MatrixScene, 'queries' | 'keys'>,
    { crosshair, marked, areQueries, pairs, blocked, colours }: MatrixMarks,
  ): void {
    const placed = placeMatrix(this.#view, this.#frame);
    const { frame } = placed;
    context.save();
    this.#clipped(context, 2, () => {
      drawBands(context, placed, areQueries ? { rows: marked } : { columns: marked }, colours.accent);
      if (pairs !== undefined) drawPairs(context, placed, pairs, colours.accent);
      drawBlocked(context, placed, blocked, colours.foreground);
      if (crosshair !== undefined && crosshair.query < frame.numQueries && crosshair.key < frame.numKeys)
        drawCrosshair(context, placed, crosshair, colours.foreground);
    });
    const axes = this.#axes(placed, colours);
    const mark = (isQuery: boolean, position: number, edge: string): void =>
      drawAxisMark(context, axes, { stream: isQuery ? queries : keys, position, isQuery, edge });
    for (const position of marked.slice(0, mostMarks)) mark(areQueries, position, colours.accent);
    if (crosshair !== undefined) {
      mark(true, crosshair.query, colours.foreground);
      mark(false, crosshair.key, colours.foreground);
    }
    context.restore();
  }

  #move(view: MatrixView): void {
    this.#view = view;
    this.#isFitted = view.cell <= fitView(this.#frame).cell * 1.0001;
  }

  #axes(placed: PlacedMatrix, colours: MatrixStyle): AxisScene {
    return { placed, margins: this.#margins, colours };
  }

  /** Moves to the plot's corner, and draws within it and so many pixels around. */
  #clipped(context: CanvasRenderingContext2D, around: number, draw: () => void): void {
    const { width, height } = this.#frame;
    context.translate(this.#margins.left, this.#margins.top);
    context.save();
    context.beginPath();
    context.rect(-around, -around, width + 2 * around, height + 2 * around);
    context.clip();
    draw();
    context.restore();
  }
}
