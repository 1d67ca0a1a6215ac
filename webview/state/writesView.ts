import { signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { Writes } from '../../src/model/writes';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { WritesParams } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import { settle } from './patternStore';

/** What heads write to a prediction, once someone asks. */
export class WritesView {
  /** The latest that came. */
  readonly told = signal<{ readonly runId: number; readonly value: Writes } | undefined>(undefined);
  readonly error = signal<{ readonly runId: number; readonly error: ExplorerError } | undefined>(undefined);
  readonly isAsking = signal(false);
  readonly #run: ReadonlySignal<PanelRun | null>;
  readonly #remote: Pick<Client<PanelApi>, 'writes'>;
  #controller = new AbortController();

  constructor(run: ReadonlySignal<PanelRun | null>, remote: Pick<Client<PanelApi>, 'writes'>) {
    this.#run = run;
    this.#remote = remote;
  }

  /** Asks about a token where it is predicted, and another that it is compared with. */
  ask(asked: Omit<WritesParams, 'runId'>): void {
    const runId = this.#run.peek()?.info.runId;
    if (runId === undefined) return;
    this.#controller.abort();
    const { signal: aborted } = (this.#controller = new AbortController());
    this.error.value = undefined;
    this.isAsking.value = true;
    const settled = (set: () => void): void => {
      if (aborted.aborted) return;
      this.isAsking.value = false;
      set();
    };
    void settle(
      this.#remote.writes({ runId, ...asked }, aborted),
      (value) => settled(() => (this.told.value = { runId, value })),
      (error) => settled(() => (this.error.value = { runId, error })),
    );
  }
}
