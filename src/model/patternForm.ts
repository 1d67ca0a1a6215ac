import type { MethodId } from './methods';

/** What rows and columns of a pattern stand for: tokens, or what several neighbours are together. */
export const levels = ['token', 'word', 'line', 'symbol'] as const;
/** One of these levels. */
export type Level = (typeof levels)[number];

/** What becomes of sinks: they are shown like all other keys; drawn faint and left out of the scale's maximum; or taken out of every row. */
export const sinkModes = ['show', 'fade', 'remove'] as const;
/** One of these ways. */
export type SinkMode = (typeof sinkModes)[number];

/** What is read where two runs are compared: the other run, or how much more it reads than the one that is shown; or the run with interventions in its place. */
export const comparedViews = ['other', 'difference', 'intervened'] as const;
/** One of them. */
export type ComparedView = (typeof comparedViews)[number];

/** In which form weights are looked at. */
export interface PatternForm {
  /** What a number between two tokens is. */
  readonly method: MethodId;
  /** Of attention flow, which tokens it is told of; the last one where none are named. */
  readonly tokens?: readonly number[] | undefined;
  readonly level: Level;
  readonly sinks: SinkMode;
  /** Whether rows whose sinks were removed are divided by what is left of them. */
  readonly isRenormalized: boolean;
  /** Where another run is seen, which; the rest of the form is then plain. */
  readonly compared?: ComparedView | undefined;
}

/** The weights as the model has them. */
export const plainForm: PatternForm = {
  method: 'attention',
  level: 'token',
  sinks: 'show',
  isRenormalized: false,
};

/** Whether a form leaves weights as the model has them. */
export function isPlainForm({ method, level, sinks, compared }: PatternForm): boolean {
  return compared === undefined && method === 'attention' && level === 'token' && sinks === 'show';
}

/** A form's name, the same for forms that give the same weights. */
export function formName({ method, tokens, level, sinks, isRenormalized, compared }: PatternForm): string {
  const ofMethod = method === 'attention' ? '' : `${method} ${method === 'flow' ? `${tokens?.join() ?? ''} ` : ''}`;
  return `${compared === undefined ? '' : `${compared} `}${ofMethod}${level} ${sinks}${sinks === 'remove' && isRenormalized ? ' renormalized' : ''}`;
}

/** Rows of which more was removed are never renormalised: what is left would be blown up to twenty times its weight and more. */
export const mostRemoved = 0.95;

/** The tokens that a method is told of, where it is told of some alone: those that are pinned. */
export function tokensOfMethod(
  method: MethodId,
  pinned: readonly { readonly stream: number; readonly position: number }[],
): Pick<PatternForm, 'tokens'> {
  const own = pinned.filter(({ stream }) => stream === 0);
  return method === 'flow' && own.length > 0 ? { tokens: own.map(({ position }) => position) } : {};
}

/** What a row is multiplied with after its sinks were removed: A'_ij = A_ij / (1 − Σ_{k∈S} A_ik), unless more than {@link mostRemoved} of it was. */
export function renormalizing(removed: number): number {
  return removed > mostRemoved ? 1 : 1 / (1 - removed);
}

/** How much of its weight a faded sink is drawn with; numbers are always the real ones. */
const fadedShare = 0.25;

/**
 * With what weights the keys of a row, from `from` on, are drawn where its sinks are faded: a quarter of theirs, and never more than the strongest
 * other key's, so that sinks do not count for the scale's maximum. Changes the row, which has to be the caller's own.
 */
export function fadeSinks(row: Float32Array, sinks: readonly number[], from = 0, numKeys = row.length - from): void {
  if (sinks.length === 0) return;
  const isSink = new Set(sinks);
  let maximum = 0;
  for (let key = 0; key < numKeys; key++) {
    const weight = row[from + key];
    if (weight > maximum && !isSink.has(key)) maximum = weight;
  }
  for (const key of sinks) {
    const faded = row[from + key] * fadedShare;
    row[from + key] = maximum > 0 ? Math.min(faded, maximum) : faded;
  }
}

/** The weights with which readers of a key are drawn, where that key is a faded sink. */
export function fadeReaders(weights: Float32Array): Float32Array {
  return weights.map((weight) => weight * fadedShare);
}
