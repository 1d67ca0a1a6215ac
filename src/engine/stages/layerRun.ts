import type { Component } from '../../model/head';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import type { ExtractionReport } from '../../onnx/report/report';
import type { ReadPositions } from '../weights/extents';
import type { OutputTensor } from '../runtime/feeds';
import type { HeldLayer } from '../weights/heldLayer';
import type { SiteWeights } from '../weights/layerWeights';
import type { ReusedArrays } from '../runtime/reusedArrays';
import type { StageInputs } from './stageInputs';

/** The attention of one layer, for every head. */
export interface LayerWeights extends SiteWeights {
  readonly component: Component;
  readonly layer: number;
  /** The number that the model's own path gives the layer, where it does. */
  readonly modelLayer: number | undefined;
  readonly path: string;
  readonly rowSum: PlacedSite['rowSum'];
  readonly method: PlacedSite['method'];
  readonly isCausal: boolean;
  readonly numKeyValueHeads: number;
  /** The largest share of a row that padding has, which is not shown. */
  readonly paddingShare?: number;
  /** The largest share of a row that tokens of the model's own have, which are not shown. */
  readonly ownShare?: number;
  /** The layer where not all of its weights are here; `weights` is empty then. */
  readonly inParts?: HeldLayer;
  /** Whether it is still to come: its number of heads is what is to be expected. */
  readonly isComing?: true;
}

/** What a run gives. */
export interface AttentionResult {
  /** Sites whose checks pass, in the model's order. */
  readonly layers: readonly LayerWeights[];
  /** Sites whose checks do not pass, with the reason. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** The model's own outputs that were asked for, in its order; empty unless the session computes them. */
  readonly outputs: ReadonlyMap<string, OutputTensor>;
  /** Tensors of sites that come with their weights; missing where none were asked for. */
  readonly extras?: ReadonlyMap<string, OutputTensor>;
  /** The extraction report with this run's checks. */
  readonly report: ExtractionReport;
}

/** What is wanted of a layer of a run that is run again, and what is other than it was. */
export interface LayerRerun {
  /** What the run kept. */
  readonly kept: StageInputs;
  /** Other values for what the model or its taps are fed. */
  readonly fed: readonly ModelInput[];
  /** Tensors of the layer's stage, by their names in the graph. */
  readonly tensors: readonly string[];
}

/** What a run is told beside its inputs. */
export interface RunOptions extends ReadPositions {
  /** Items of the batch that are all wanted; where it is missing, the first of those that the file takes. */
  readonly batch?: number;
  /** Whether attention within windows is given too, each window as an item of the batch. */
  readonly hasWindows?: boolean;
  /** The model's own outputs that are wanted; all where it is missing. */
  readonly outputs?: readonly string[];
  /** Called between stages: lets messages in, and throws where the run is no longer wanted. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Given each layer as soon as it is there, and what shows that it is attention: of a model in stages while the others are yet to come. */
  onLayer?(this: void, layer: LayerWeights): void;
  /** What weights are written into, where the runtime can; arrays of their own where it is missing. */
  readonly arrays?: ReusedArrays | undefined;
  /** Remembers what each stage is given, for {@link AttentionSession.rerun}. */
  readonly keeps?: StageInputs | undefined;
}
