import { ExplorerError } from '../../base/errors';
import type { EffectAnswer, HeadEffects, LayerEffects } from '../../model/effects/effects';
import type { EffectParams, HeadEffectsParams } from '../../protocol';
import type { PredictedRun, PredictionParts } from '../predict/predictionRuns';

/** An experiment on a run that is known. */
export type AskedEffect = Omit<EffectParams, 'runId'>;
/** A scan over the heads of a run that is known. */
export type AskedHeads = Omit<HeadEffectsParams, 'runId' | 'scan'>;

/** What is done between runs. */
export interface EffectSteps {
  /** Lets messages in, and throws where the answer is no longer wanted. */
  readonly turn?: () => Promise<void>;
  /** Given each layer's heads when they have been silenced. */
  readonly onLayer?: (layer: LayerEffects, counts: { readonly done: number; readonly of: number }) => void;
}

/** Makes experiments on what a model predicts: runs it again from the heads on that are silenced, or whose cells are blocked. */
export class EffectRuns {
  readonly #parts: PredictionParts;

  constructor(parts: PredictionParts) {
    this.#parts = parts;
  }

  effect(_run: PredictedRun, _asked: AskedEffect, _steps: EffectSteps = {}): Promise<EffectAnswer> {
    throw new ExplorerError('noEffects', [this.#parts.name, 'it is not yet done']);
  }

  headEffects(_run: PredictedRun, _asked: AskedHeads, _steps: EffectSteps = {}): Promise<HeadEffects> {
    throw new ExplorerError('noEffects', [this.#parts.name, 'it is not yet done']);
  }

  async release(): Promise<void> {}
}
