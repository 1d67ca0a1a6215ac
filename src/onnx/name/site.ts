import type { SiteComponent } from '../../base/component';
import type { ExtractionMethod } from '../../base/extractionMethod';
import type { GraphIndex } from '../graph/graphIndex';
import type { Normalizer } from '../follow/trace';

/** What the rows of weights sum to by design. */
export type RowSum = 'one' | 'atMostOne' | 'any';

/** What holds for the queries and what for the keys of a component, of what holds for the text and what for a decoder's own. */
export function sidesOf<T>(component: SiteComponent | `stage${number}`, source: T, target: T): readonly [T, T] {
  return [
    component === 'decoder' || component === 'cross' ? target : source,
    component === 'decoder' ? target : source,
  ];
}

/** Nodes and tensors, as protobuf messages, that are added to a graph to get the weights of a site. */
export interface Suffix {
  /** NodeProtos. */
  readonly nodes: readonly Uint8Array[];
  /** TensorProtos. */
  readonly initializers: readonly Uint8Array[];
  /** ValueInfoProtos. */
  readonly valueInfos: readonly Uint8Array[];
}

/** The axes of a tensor: [item and head, position, feature]; [item and head, feature, position]; [item, position, all heads' features]; or [item and head, feature], of one position. */
type ValueLayout = 'plain' | 'turned' | 'merged' | 'single';

/** What a site's weights weight and what comes out, as tensors of the graph or of the site's suffix: the one times the other must give the third. */
export interface WeightedValues {
  readonly values: string;
  readonly layout: ValueLayout;
  /** Where values of all heads are merged: how many heads they have, and the feature that they begin with. */
  readonly numValueHeads: number | undefined;
  readonly from: number;
  readonly result: string;
  readonly resultLayout: ValueLayout;
  /** Whether something is added to the values of all positions alike before they are weighted. */
  readonly hasBias: boolean;
}

/** An attention whose values are weighted in parts: blocks, windows, bands. What each weight belongs to shows in what the values become. */
export interface ValuesInParts {
  /** What the normalisers give. */
  readonly weights: readonly string[];
  /** The values as they were projected, each with what was: one vector a position. */
  readonly sources: readonly { readonly tensor: string; readonly hidden: string }[];
  /** What all parts come to, before it is projected. */
  readonly joined: string;
  /** A product with the values, and its values. */
  readonly first: number;
  readonly firstValues: string;
}

/** A place in the graph where attention is computed, and how its weights are got. */
export interface FoundSite {
  /** The node that weights the values, or the fused operator. */
  readonly node: number;
  readonly method: ExtractionMethod;
  readonly normalizer: Normalizer | 'linear';
  readonly rowSum: RowSum;
  /** The tensor of weights: one of the graph's own, or one that the suffix makes. */
  readonly tensor: string;
  readonly suffix: Suffix | undefined;
  /** Tensors of the graph that the weights are made of: the suffix's inputs, or the tensor of weights itself. */
  readonly needs: readonly string[];
  /** Whether the rows have yet to be divided by their sums. */
  readonly isUndivided: boolean;
  /**
   * The axes of query and key positions, counted from the end (−1 is the last). In the body of a loop the key's may be counted
   * from the start, and the query's is an axis of length one, or 0 where each iteration's query has no axis of its own.
   */
  readonly queryAxis: number;
  readonly keyAxis: number;
  /** What the weights are made of, and what they weight. */
  readonly queries: string;
  readonly keys: string;
  readonly values: string;
  /** The node that names the site best. */
  readonly namedBy: number;
  /** Operators from the scores to the weights, for the report. */
  readonly chain: readonly string[];
  readonly numHeads: number | undefined;
  readonly numKeyValueHeads: number | undefined;
  /** What else the report says of it: window, soft cap, rotary positions. */
  readonly notes: readonly string[];
  /** The heads that it is made of, where each is a module of its own. */
  readonly heads?: readonly FoundSite[];
  /** Whether its queries are the model's own, and stand for nothing that was read. */
  readonly hasLearnedQueries?: boolean;
  /** Whether shapes leave it open what its queries or its keys are: a run of another length tells. Where heads are modules of their own, each has its own. */
  readonly isUntold?: boolean;
  /** What its operator weights, where that computes attention inside itself and tells. */
  readonly weighted?: WeightedValues;
  /** What its values go through, where its weights are no matrix of its queries and keys; `tensor` is only some of them then. */
  readonly inParts?: ValuesInParts;
  /** Whether its queries are beside those of the layer that its module is: it counts behind all layers. */
  readonly isBeside?: boolean;
  /** Where it lies in a loop's body; the site's node is the loop then. */
  readonly loop?: LoopPlace;
}

/** An attention in the body of a loop. */
export interface LoopPlace {
  /** The body. */
  readonly index: GraphIndex;
  /** The attention in the body's own terms. */
  readonly site: FoundSite;
  /** The loop's new output: the weights of all iterations, along a first axis. */
  readonly output: string;
  /** Whether that axis begins with the last iteration. */
  readonly isReversed: boolean;
  /** The iteration that is this layer; undefined where each iteration is a query position. */
  readonly iteration: number | undefined;
  /** Whether what attends is the loop's own state and what it reads is fixed outside. */
  readonly isCross: boolean;
  /** Tensors outside that queries, keys and values are made of. */
  readonly sources: {
    readonly queries: ReadonlySet<string>;
    readonly keys: ReadonlySet<string>;
    readonly values: ReadonlySet<string>;
  };
}

/** Attention that was seen and cannot be got out, with the reason in one clause. */
export interface MissedSite {
  readonly node: number | undefined;
  readonly path: string;
  readonly operator: string;
  readonly reason: string;
  /** Whether it is surely something else than attention: a classifier's softmax, a router's. */
  readonly isOther?: boolean;
}
