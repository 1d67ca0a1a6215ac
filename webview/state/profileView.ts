import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { ComponentInfo, HeadRef } from '../../src/model/head';
import type { HeadName } from '../../src/model/profile/headNames';
import type { PanelIntents, PanelApi, PanelRun } from '../../src/panelProtocol';
import type { PanelExample, PanelProfile } from '../../src/model/profile/panelProfile';
import type { Client } from '../../src/rpc/connection';
import { OpenedView } from './openedView';
import { settle } from './patternStore';

/** What a profile is of. */
interface ProfileSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly open: (example: PanelIntents['openExample']) => void;
}

/** What the heads do over many texts: asked for only while someone looks at it, or at a head. */
export class ProfileView extends OpenedView {
  /** Whether its columns stand beside those of the text. */
  readonly isOn = signal(true);
  /** Whose columns: metrics, else the relations in a language. */
  readonly group = signal('');
  /** What they are compared with: nothing, `other` for the other profile, else relations in another language. */
  readonly against = signal('');
  /** The column that heads are sorted by, in the place of one of the text's. */
  readonly sort = signal<{ readonly key: string; readonly isAscending: boolean } | undefined>(undefined);
  readonly error = signal<ExplorerError | undefined>(undefined);
  readonly #sources: ProfileSources;
  readonly #remote: Pick<Client<PanelApi>, 'profile'>;
  readonly #held = signal<{ readonly name: string; readonly value: PanelProfile | null } | undefined>(undefined);
  /** Counts the profiles that were chosen. */
  readonly #chosen = signal(0);
  #asked: { readonly name: string; readonly done: Promise<void> } | undefined;
  readonly #name = computed(
    () =>
      `${this.#sources.run.value?.info.runId ?? ''}/${this.#sources.component.value?.component ?? ''}/${this.#chosen.value}`,
  );
  /** Undefined until it has come, `null` where there is none. */
  readonly shown: ReadonlySignal<PanelProfile | null | undefined> = computed(() =>
    this.#held.value?.name === this.#name.value ? this.#held.value?.value : undefined,
  );

  constructor(sources: ProfileSources, remote: Pick<Client<PanelApi>, 'profile'>) {
    super();
    this.#sources = sources;
    this.#remote = remote;
    effect(() => {
      void this.#name.value;
      if (this.isSeen.value && this.isOn.value) void this.want();
    });
  }

  /** Another profile was chosen. */
  choose(): void {
    this.#chosen.value++;
  }

  /** Shows its columns, or hides them. */
  toggle(): void {
    this.isOn.value = !this.isOn.peek();
  }

  /** Shows metrics, or the relations in a language. */
  showGroup(group: string): void {
    this.group.value = group;
    if (this.against.peek() !== 'other') this.against.value = '';
  }

  /** Shows columns less those of the other profile or of another language, or as they are. */
  compareWith(against: string): void {
    this.against.value = against;
  }

  /** Sorts heads by a column, again the other way; by none of them where it is missing. */
  sortBy(key?: string): void {
    const sort = this.sort.peek();
    this.sort.value =
      key === undefined ? undefined : { key, isAscending: key === sort?.key ? !sort.isAscending : false };
  }

  /** Asks for it, once for each component of a run. */
  want(): Promise<void> {
    const name = this.#name.peek();
    const runId = this.#sources.run.peek()?.info.runId;
    const component = this.#sources.component.peek();
    if (runId === undefined || component === undefined || component.areHeadsJoined === true) return Promise.resolve();
    if (this.#asked?.name !== name) {
      this.error.value = undefined;
      const done = settle(
        this.#remote.profile({ runId, component: component.component }),
        (value) => (this.#held.value = { name, value }),
        (error) => (this.error.value = error),
      );
      this.#asked = { name, done };
    }
    return this.#asked.done;
  }

  /** What a head is found to do, where that is here. */
  namesOf({ layer, head }: HeadRef): readonly HeadName[] {
    return this.shown.value?.names.filter((name) => name.layer === layer && name.head === head) ?? [];
  }

  /** Opens an example in the editor. */
  openExample(example: PanelExample): void {
    const runId = this.#sources.run.peek()?.info.runId;
    const component = this.#sources.component.peek()?.component;
    if (runId === undefined || component === undefined) return;
    const { layer, head, metric, rank } = example;
    this.#sources.open({ runId, component, layer, head, metric, rank });
  }
}
