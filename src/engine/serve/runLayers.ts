import type { RunInfo } from '../../model/modelInfo';
import type { HeldLayer } from '../weights/heldLayer';

/** Throws the signal's reason where a run that was cancelled came to its end all the same: nobody would ever let go of its attention. */
export function letGoWhereCancelled(layers: readonly HeldLayer[], signal: AbortSignal): void {
  if (!signal.aborted) return;
  for (const layer of layers) layer.release?.();
  signal.throwIfAborted();
}

/** A run for the log: what it read, how long that took in milliseconds, and what is held now. */
export function describeRun(
  {
    name,
    streams,
    layers,
    heldBytes,
  }: Pick<RunInfo, 'streams'> & {
    readonly name: string;
    readonly layers: readonly HeldLayer[];
    readonly heldBytes: number;
  },
  { load, tokenize, run }: RunInfo['timings'],
  numReused = 0,
): string {
  const isPicture = streams.some(({ grid }) => grid !== undefined);
  const numRecomputed = layers.filter(({ held }) => held === 'recomputed').length;
  const sentences = [
    `${name}: ${streams.map(({ tokens }) => tokens.length).join(' + ')} tokens${isPicture ? ' of a picture' : ''}`,
    `load ${load.toFixed(0)} ms, ${isPicture ? 'picture' : 'tokenize'} ${tokenize.toFixed(0)} ms, run ${run.toFixed(0)} ms`,
    `${(heldBytes / 1e6).toFixed(1)} MB of attention held`,
  ];
  if (numReused > 0) sentences[0] += `, ${numReused} of them as they were`;
  if (numRecomputed > 0) sentences[2] += `, ${numRecomputed} layers recomputed`;
  return sentences.join('; ');
}
