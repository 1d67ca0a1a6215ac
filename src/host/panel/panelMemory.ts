import type { Memento } from 'vscode';
import type { KeptPanel, PersistedPanel } from '../../panelProtocol';
import { makeNonce } from './panelHtml';
import { checkKept, checkPersisted } from './panelMessages';

const stateKey = 'shownPanel';

/** What a panel that comes back showed: something, nothing yet, or what this workspace knows nothing of. */
export type Recalled = PersistedPanel | 'nothing' | 'unknown';

/**
 * Remembers in its workspace what the panel shows. The page, which is not trusted, keeps no more than a key over a reload: it can
 * name no document, and a page of another workspace has another key.
 */
export class PanelMemory {
  readonly #memento: Memento;
  readonly #log: (message: string) => void;
  #key: string | undefined;
  #written = '';

  /** @param memento the workspace's own */
  constructor(memento: Memento, log: (message: string) => void) {
    this.#memento = memento;
    this.#log = log;
  }

  /** What the page keeps. */
  get kept(): KeptPanel {
    return { version: 2, key: (this.#key ??= this.#remembered()?.key ?? makeNonce()) };
  }

  /** Remembers what is shown now. */
  remember(state: PersistedPanel): void {
    const entry = { key: this.kept.key, state };
    const written = JSON.stringify(entry);
    if (written === this.#written) return;
    this.#written = written;
    this.#memento
      .update(stateKey, entry)
      .then(undefined, (error: unknown) => this.#log(`What the panel shows could not be remembered: ${String(error)}`));
  }

  /** What the panel showed whose page left this state behind. */
  recall(webviewState: unknown): Recalled {
    const kept = checkKept(webviewState);
    if (kept === 'nothing') return 'nothing';
    const remembered = this.#remembered();
    return kept === undefined || remembered === undefined || kept.key !== remembered.key
      ? 'unknown'
      : (checkPersisted(remembered.state) ?? 'unknown');
  }

  #remembered(): { readonly key: string; readonly state: unknown } | undefined {
    const entry = this.#memento.get<unknown>(stateKey);
    return typeof entry === 'object' &&
      entry !== null &&
      'key' in entry &&
      typeof entry.key === 'string' &&
      'state' in entry
      ? { key: entry.key, state: entry.state }
      : undefined;
  }
}
