import type { RunInfo } from '../../model/modelInfo';
import type { HeldLayer } from '../weights/heldLayer';

/** Throws the signal's reason where a run that was cancelled came to its end all the same: nobody would ever let go of its attention. */
export function letGoWhereCancelled(layers: readonly HeldLayer[], signal: AbortSignal): void {
  if (!signal.aborted) return;
  for (const layer of layers) layer.release?.();
  signal.throwIfAborted();
}

/** What the log tells of a run; times in milliseconds. */
interface ToldRun extends Pick<RunInfo['timings'], 'load' | 'tokenize' | 'run'> {
  readonly name: string;
  /** Tokens whose rows were kept from the run before. */
  readonly numReused?: number | undefined;
}

/** A run for the log: what it read, how long that took, and how many bytes are held now. */
export function describeRun(
  held: Pick<RunInfo, 'streams'> & { readonly layers: readonly HeldLayer[]; readonly bytes: number },
  { name, load, tokenize, run, numReused = 0 }: ToldRun,
): string {
  const lengths = held.streams.map(({ tokens }) => tokens.length).join(' + ');
  const isPicture = held.streams.some(({ grid }) => grid !== undefined);
  const numRecomputed = held.layers.filter((layer) => layer.held === 'recomputed').length;
  const read = `${lengths} tokens${isPicture ? ' of a picture' : ''}${numReused > 0 ? `, ${numReused} of them as they were` : ''}`;
  const [loaded, prepared, ran] = [load, tokenize, run].map((milliseconds) => `${milliseconds.toFixed(0)} ms`);
  const kept = `${(held.bytes / 1e6).toFixed(1)} MB of attention held${numRecomputed > 0 ? `, ${numRecomputed} layers recomputed` : ''}`;
  return `${name}: ${read}; load ${loaded}, ${isPicture ? 'picture' : 'tokenize'} ${prepared}, run ${ran}; ${kept}`;
}
