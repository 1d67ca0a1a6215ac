import type { HeldLayer } from '../weights/heldLayer';

/** Throws the signal's reason where a run that was cancelled came to its end all the same: nobody would ever let go of its attention. */
export function letGoWhereCancelled(layers: readonly HeldLayer[], signal: AbortSignal): void {
  if (!signal.aborted) return;
  for (const layer of layers) layer.release?.();
  signal.throwIfAborted();
}

/** How many layers are not held whole, for the log. */
export function heldInParts(layers: readonly HeldLayer[]): string {
  const count = layers.filter(({ held }) => held === 'recomputed').length;
  return count > 0 ? `, ${count} layers recomputed` : '';
}
