import { signal, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PaneProps } from './components/paneProps';

type View<P> = (props: P) => JSX.Element;

/** Views that are only there where someone has opened them: their script (`views.ts`) is another than the page's. */
export interface LaterViews {
  readonly HeadTableView: View<PaneProps>;
  readonly HowPane: View<PaneProps>;
  readonly RelationsView: View<PaneProps>;
  readonly PredictionsPane: View<PaneProps>;
  readonly EffectsPane: View<PaneProps>;
  readonly ComparePane: View<PaneProps>;
  readonly KeysOverlay: View<object>;
}

const views = signal<LaterViews | undefined>(undefined);
const wanted = signal(false);

/** Undefined until their script has run. */
export const laterViews: ReadonlySignal<LaterViews | undefined> = views;
/** Whether their script is to be loaded. */
export const areViewsWanted: ReadonlySignal<boolean> = wanted;

/** Asks for the views, once and for all. */
export function wantViews(): void {
  wanted.value = true;
}

/** Takes the views from their script. */
export function takeViews(all: LaterViews): void {
  views.value = all;
}
