import { signal, type Signal } from '@preact/signals';
import type { KeptPanel } from '../../src/protocol';
import { paneNames, splitNames, type PaneName } from '../layout/paneLayout';
import type { VsCodeApi } from '../windowChannel';

/** What a person has arranged in the panel. */
export interface PanelLayout {
  /** Where the lines stand that someone has moved, by their names: shares in (0, 1). */
  readonly shares: Readonly<Record<string, number>>;
  /** The part that is seen where several share one place. */
  readonly tab: PaneName;
  /** Whether the heads of a layer stand in the grid by the metric that the tiles show. */
  readonly isOrdered: boolean;
}

/** What the webview keeps between reloads: what the host asked to keep, and its own layout. */
interface KeptState {
  readonly persist?: KeptPanel;
  readonly layout?: PanelLayout;
}

function keptState(api: VsCodeApi): KeptState {
  const state = api.getState();
  return typeof state === 'object' && state !== null ? state : {};
}

function entriesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What of a kept state is a layout; the rest is as it was before anyone moved anything. */
export function validLayout(value: unknown): PanelLayout {
  const { shares, tab, isOrdered } = entriesOf(value);
  const kept = entriesOf(shares);
  const isShare = (share: unknown): share is number => typeof share === 'number' && share > 0 && share < 1;
  return {
    shares: Object.fromEntries(splitNames.flatMap((name) => (isShare(kept[name]) ? [[name, kept[name]]] : []))),
    tab: paneNames.find((name) => name === tab) ?? 'matrix',
    isOrdered: isOrdered === true,
  };
}

/** Keeps the host's state and the person's layout in `vscode.setState`, side by side. */
export class KeptLayout {
  readonly layout: Signal<PanelLayout>;
  readonly #api: VsCodeApi;

  constructor(api: VsCodeApi) {
    this.#api = api;
    this.layout = signal(validLayout(keptState(api).layout));
  }

  keepPersisted(persist: KeptPanel): void {
    this.#api.setState({ ...keptState(this.#api), persist });
  }

  /** Moves a line. */
  move(name: string, share: number): void {
    this.#keep({ ...this.layout.peek(), shares: { ...this.layout.peek().shares, [name]: share } });
  }

  /** Shows one of the parts that share a place. */
  showTab(tab: PaneName): void {
    this.#keep({ ...this.layout.peek(), tab });
  }

  /** Orders the grid by what the tiles show, or as the model has the heads. */
  order(isOrdered: boolean): void {
    this.#keep({ ...this.layout.peek(), isOrdered });
  }

  #keep(layout: PanelLayout): void {
    this.layout.value = validLayout(layout);
    this.#api.setState({ ...keptState(this.#api), layout: this.layout.peek() });
  }
}
