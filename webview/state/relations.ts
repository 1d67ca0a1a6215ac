import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { ComponentInfo } from '../../src/model/head';
import type { RelationId, RelationPairs } from '../../src/model/relations/relation';
import type { RelationsResult } from '../../src/model/relations/relationsParams';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';
import { settle } from './patternStore';
import { OpenedView } from './openedView';

/** What relations are of. */
interface RelationSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
}

/** What came of a request. */
interface Arrived {
  readonly name: string;
  readonly value: RelationsResult;
}

/** The relations between the tokens of a program, and what heads read along them: fetched only while someone looks at them. */
export class Relations extends OpenedView {
  readonly error = signal<ExplorerError | undefined>(undefined);
  readonly #chosen = signal<RelationId | undefined>(undefined);
  /** The relation whose pairs are drawn. */
  readonly chosen: ReadonlySignal<RelationId | undefined> = this.#chosen;
  readonly #held = signal<Arrived | undefined>(undefined);
  /** The same of norm-weighted attention. */
  readonly #ofNorms = signal<Arrived | undefined>(undefined);
  readonly #sources: RelationSources;

  /** Undefined until they have come. */
  readonly shown: ReadonlySignal<RelationsResult | undefined> = computed(() =>
    this.#held.value?.name === this.#name.value ? this.#held.value?.value : undefined,
  );
  /** The same of norm-weighted attention, which takes another run of the model; undefined until it has come, and where it cannot be had. */
  readonly norms: ReadonlySignal<RelationsResult | undefined> = computed(() =>
    this.#ofNorms.value?.name === this.#name.value ? this.#ofNorms.value?.value : undefined,
  );
  /** The pairs that are drawn; undefined where none are. */
  readonly pairs: ReadonlySignal<RelationPairs | undefined> = computed(() => {
    const [shown, chosen] = [this.shown.value, this.chosen.value];
    if (!this.isSeen.value || shown === undefined || chosen === undefined) return undefined;
    return shown.pairs[shown.table.relations.indexOf(chosen)];
  });
  readonly #name: ReadonlySignal<string> = computed(
    () => `${this.#sources.run.value?.info.runId ?? ''}/${this.#sources.component.value?.component ?? ''}`,
  );

  constructor(sources: RelationSources, remote: Pick<Client<PanelApi>, 'relations'>) {
    super();
    this.#sources = sources;
    let controller: AbortController | undefined;
    let asked: string | undefined;
    effect(() => {
      const name = this.#name.value;
      const runId = sources.run.value?.info.runId;
      const component = sources.component.value?.component;
      if (!this.isSeen.value || runId === undefined || component === undefined || asked === name) return;
      controller?.abort();
      controller = new AbortController();
      const { signal: aborted } = controller;
      asked = name;
      this.error.value = undefined;
      void settle(
        remote.relations({ runId, component, method: 'attention' }, aborted),
        (value) => {
          this.#held.value = { name, value };
          void settle(
            remote.relations({ runId, component, method: 'norm' }, aborted),
            (own) => (this.#ofNorms.value = { name, value: own }),
            // Why there are no norms is said where their method is chosen.
            (error) => {
              if (error.code !== 'methodNotOffered') this.error.value = error;
            },
          );
        },
        (error) => {
          this.error.value = error;
          asked = undefined;
        },
      );
    });
  }

  /** Draws the pairs of another relation. */
  choose(relation: RelationId): void {
    this.#chosen.value = relation;
  }
}

/** The keys that a query is related with. */
export function keysOf({ queries, ends, keys }: RelationPairs, query: number): Int32Array {
  const at = queries.indexOf(query);
  return at < 0 ? new Int32Array(0) : keys.subarray(at === 0 ? 0 : ends[at - 1], ends[at]);
}
