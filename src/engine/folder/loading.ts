import type { EngineEvents } from '../../protocol';
import type { Deadlines } from '../limits/deadlines';
import type { MemoryLimits } from '../long/memoryPlan';
import type { Staging } from '../session/staging';

/** What bounds a model's memory and time; the usual limits unless told otherwise. */
export interface ModelBounds {
  readonly memory?: MemoryLimits | undefined;
  readonly deadlines?: Deadlines | undefined;
  /** Whether a model of one stack, or of pictures, is run layer by layer, where it can be cut: always, or where that is worth it. */
  readonly staging?: Staging | undefined;
}

/** How a model is loaded: within which bounds, who is told how far that is, and what ends it. */
export interface Loading extends ModelBounds {
  readonly onProgress?: ((progress: EngineEvents['progress']) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
