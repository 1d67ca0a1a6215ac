import type { PlacedSite } from '../name/describeSites';
import type { Replacements } from './leanNodes';

/** Where the positions of a site's queries and keys are to be had: tensors [windows and heads …, queries] and [windows and heads …, keys]. */
export interface SitePositions {
  readonly rows: string;
  readonly columns: string;
  /** How many of their last axes are of one matrix, one of them perhaps of length one. */
  readonly numOwnAxes: 1 | 2;
}

/** Tensors of one vector a position whose places are asked for, and what parts of attentions come to: that stands where the sum that it is added to does. */
export interface StreamPositions {
  readonly streams: readonly string[];
  readonly joined: readonly string[];
}

/** A graph that does with positions what the model does with values, in the place of its own nodes. */
export interface PositionGraph {
  readonly replacements: Replacements;
  /** Nodes beside those that stand in for the graph's own. */
  readonly added: readonly Uint8Array[];
  /** Tensors that hold positions, in single precision whatever the file says. */
  readonly changed: ReadonlySet<string>;
  readonly sites: ReadonlyMap<PlacedSite, SitePositions | string>;
  /** Of streams that were asked for, the tensor that says where their positions stand: one number for each. */
  readonly streams: ReadonlyMap<string, { readonly places: string } | string>;
  /** The input that positions are given as: the graph's own, or one beside it where that holds ids. */
  readonly input: string;
  /** The inputs that the values themselves are given as, too: one where something compares them. */
  readonly values: readonly string[];
}
