import { signal, type Signal } from '@preact/signals';
import type { KeptPanel } from '../../src/protocol';
import type { VsCodeApi } from '../windowChannel';

/** Where the splitters stand: shares of the panel in [0, 1]. */
export interface PanelLayout {
  /** The grid's share of the width. */
  readonly heads: number;
  /** The same where the source stands above. */
  readonly mediumHeads: number;
  /** The matrix and list's share of the width. */
  readonly detail: number;
  /** The matrix's share of its column's height. */
  readonly matrix: number;
  /** Its share of what is below the source, where the source stands above. */
  readonly mediumMatrix: number;
  /** The source's share of the height where it stands above the rest. */
  readonly source: number;
  /** The same for a picture, which needs more of it. */
  readonly picture: number;
  /** Its share of the width, and the matrix's below it, where the heads stand beside it. */
  readonly besideHeads: number;
}

/** The splitters' places until someone moves them. */
export const initialLayout: PanelLayout = { heads: 0.22, mediumHeads: 0.38, detail: 0.34, matrix: 0.58, mediumMatrix: 0.74, source: 0.3, picture: 0.52, besideHeads: 0.57 };

/** What the webview keeps between reloads: what the host asked to keep, and its own layout. */
interface KeptState {
  readonly persist?: KeptPanel;
  readonly layout?: PanelLayout;
}

function keptState(api: VsCodeApi): KeptState {
  const state = api.getState();
  return typeof state === 'object' && state !== null ? state : {};
}

function validLayout(value: unknown): PanelLayout {
  const layout: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const share = (name: keyof PanelLayout): number => {
    const kept = layout[name];
    return typeof kept === 'number' && kept > 0 && kept < 1 ? kept : initialLayout[name];
  };
  return { heads: share('heads'), mediumHeads: share('mediumHeads'), detail: share('detail'), matrix: share('matrix'), mediumMatrix: share('mediumMatrix'), source: share('source'), picture: share('picture'), besideHeads: share('besideHeads') };
}

/** Keeps the host's state and the splitters' places in `vscode.setState`, side by side. */
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

  /** Moves a splitter. */
  move(change: Partial<PanelLayout>): void {
    this.layout.value = validLayout({ ...this.layout.peek(), ...change });
    this.#api.setState({ ...keptState(this.#api), layout: this.layout.peek() });
  }
}
