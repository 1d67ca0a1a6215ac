import type { Cell } from '../../model/how/how';
import type { ProjectionNumbers } from '../session/projectionRun';
import type { CellFrame } from './cellTaps';
import type { CellTensors, CellWindow } from './cellTensors';
import type { Checker } from './stepBuilder';

/** A cell of a run, as it is drawn. */
export interface DrawnCell {
  readonly cell: Cell;
  readonly weight: number;
  /** The layer's path in the model's file. */
  readonly path: string;
  readonly numHeads: number;
  readonly numKeys: number;
  /** The text of the query's token. */
  readonly token: string;
  /** The query's weights as they are drawn; not known where it is missing. */
  readonly row?: ArrayLike<number>;
  /** Where it stands in its layer's matrices, where these are those of windows. */
  readonly window?: CellWindow;
}

/** What a cell is, beside its place. */
export interface CellFacts {
  readonly cell: Cell;
  /** As it is drawn. */
  readonly weight: number;
  readonly numHeads: number;
  /** Keys that are drawn. */
  readonly numKeys: number;
  /** Where the text begins, behind the padding before it. */
  readonly first: { readonly query: number; readonly key: number };
  /** The text of the query's token. */
  readonly token: string;
  /** The token of each key of the cell's window, −1 for padding; undefined where the layer is not cut into windows. */
  readonly keys: readonly number[] | undefined;
}

/** What was read, and how. */
export interface CellRead {
  readonly taps: CellFrame;
  readonly tensors: CellTensors;
  readonly facts: CellFacts;
  readonly check: Checker;
  /** The key's place in the tensors, and how many there are, padding among them. */
  readonly key: number;
  readonly numKeys: number;
}

/** Linear maps around an attention, as numbers. */
export interface CellMaps {
  /** That of what all heads give; otherwise, in a clause, why it cannot be had. */
  readonly projection: ProjectionNumbers | string;
  /** Those that make queries and keys, where they can be had. */
  readonly maps: { readonly query: ProjectionNumbers | undefined; readonly key: ProjectionNumbers | undefined };
}
