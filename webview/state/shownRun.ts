import { signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { Component } from '../../src/model/head';
import type { PanelRun } from '../../src/panelProtocol';
import type { PictureView, Thumbnails } from '../../src/protocol';
import type { ShownPattern } from './matrixData';

/** The small pictures of a component's heads. */
export interface ShownThumbnails {
  readonly component: Component;
  readonly value: Thumbnails;
  /** Whether they are of differences. */
  readonly isSigned?: boolean;
}

/** The run that is shown, and what has come of it. */
export interface ShownRun {
  readonly run: ReadonlySignal<PanelRun | null>;
  /** Counts the runs that do not take the place of the one before without a break. */
  readonly generation: ReadonlySignal<number>;
  readonly selected: ReadonlySignal<ShownPattern | undefined>;
  readonly preview: ReadonlySignal<ShownPattern | undefined>;
  readonly thumbnails: ReadonlySignal<ShownThumbnails | undefined>;
  /** The picture of the run, where it is of one. */
  readonly picture: ReadonlySignal<PictureView | undefined>;
  readonly dataError: ReadonlySignal<ExplorerError | undefined>;
}

/** The same as its loader has it, which alone writes it. */
export class LoadedRun implements ShownRun {
  readonly run = signal<PanelRun | null>(null);
  readonly generation = signal(0);
  readonly selected = signal<ShownPattern | undefined>(undefined);
  readonly preview = signal<ShownPattern | undefined>(undefined);
  readonly thumbnails = signal<ShownThumbnails | undefined>(undefined);
  readonly picture = signal<PictureView | undefined>(undefined);
  readonly dataError = signal<ExplorerError | undefined>(undefined);

  /** Lets go of all that has come of the run before. */
  clear(): void {
    for (const cleared of [this.selected, this.preview, this.thumbnails, this.picture, this.dataError])
      cleared.value = undefined;
  }
}
