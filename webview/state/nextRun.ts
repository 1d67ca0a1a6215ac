import { normalizeSelection, type HeadSelection } from '../../src/model/head';
import { joinedComponent, joinedSelection, joinsHeads } from '../../src/model/methods';
import type { PatternForm } from '../../src/model/patternForm';
import type { PanelRun } from '../../src/panelProtocol';
import type { Thumbnails } from '../../src/protocol';
import type { ShownPattern } from './matrixData';
import type { PatternStore } from './patternStore';

/** What of a run is looked at. */
export interface FetchedRun {
  readonly shown: ShownPattern;
  readonly thumbnails: Thumbnails | undefined;
}

/** What of a run is looked at, and how. */
export interface WantedOfRun {
  readonly selection: HeadSelection;
  readonly form: PatternForm;
  readonly thumbnailSize: number;
}

/** Fetches what of a run is looked at: the selected heads, and thumbnails of a size unless it is 0. Throws what the host says. */
export async function fetchRun(
  store: PatternStore,
  { info, startLine }: PanelRun,
  { selection: wanted, form, thumbnailSize }: WantedOfRun,
  signal: AbortSignal,
): Promise<FetchedRun> {
  const areJoined = joinsHeads(form.method);
  const components = areJoined ? info.components.map(joinedComponent) : info.components;
  const selection = normalizeSelection(areJoined ? joinedSelection(wanted) : wanted, components);
  const component = components.find((each) => each.component === selection.component);
  if (component === undefined) throw new RangeError('There is nothing to look at.');
  const [shown, thumbnails] = await Promise.all([
    store.shown({ info, selection, component, form, startLine }, signal),
    thumbnailSize === 0 ? undefined : store.thumbnails(info.runId, component, { size: thumbnailSize, form }, signal),
  ]);
  return { shown, thumbnails };
}

const longestWait = 200;

/** Resolves when the page has nothing else to do, or after a fifth of a second. */
export function idle(): Promise<void> {
  // Not every browser has it.
  if (!('requestIdleCallback' in window)) return Promise.resolve();
  return new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout: longestWait }));
}

/** Whether two runs are the same, perhaps with their text in another place. */
export function isSameRun({ info: one }: PanelRun, shown: PanelRun | null): boolean {
  if (shown === null) return false;
  const { info: other } = shown;
  return (
    one.runId === other.runId &&
    one.model.path === other.model.path &&
    one.streams.length === other.streams.length &&
    one.streams.every(({ text }, i) => text === other.streams[i].text)
  );
}
