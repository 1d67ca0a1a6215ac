import type { Disposable } from '../../base/disposable';
import type { RunInfo } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import type { PanelNotice } from '../../panelProtocol';
import type { HeldRun } from '../engine/heldRun';
import type { ModelLocation } from '../model/modelLocation';
import { documentSymbols } from './documentSymbols';
import { knownDefinitions } from './knownDefinitions';
import type { TrackedSource } from './trackedPicture';

/** What was selected of the text that a run has read. */
export interface ShownSelection {
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Whether the rest of the text is context; else the selection was read alone, and could be read in context. */
  readonly isInContext: boolean;
}

/** What is to be known of a run beside its attention and its text. */
export interface ShownRunFacts {
  /** Whether nothing was selected; a picture is always explained as a whole. */
  readonly isWholeDocument: boolean;
  readonly notices: readonly PanelNotice[];
  /** The model, where it is not for the settings to say. */
  readonly model?: ModelLocation | undefined;
  /** The person's own target text; undefined where the model wrote it, or there is none. */
  readonly target?: string | undefined;
  /** Whether live mode made it. */
  readonly isLive?: boolean;
  /** Undefined where nothing was selected, or there is nothing around it that could be read. */
  readonly selected?: ShownSelection | undefined;
}

/** A run that the window shows: its attention, and where its text stands. */
export class ShownRun implements Disposable {
  readonly held: HeldRun;
  readonly text: TrackedSource;
  readonly #growing: Disposable;
  #facts: ShownRunFacts;

  /** When the person asked for it, in milliseconds of this process's clock; undefined where nobody did. */
  askedAt: number | undefined;

  /** @param onGrowth is called when more layers are there, or no more will come. */
  constructor(held: HeldRun, text: TrackedSource, facts: ShownRunFacts, onGrowth: (run: ShownRun) => void = () => {}) {
    this.held = held;
    this.text = text;
    this.#facts = facts;
    this.#growing = held.onDidGrow(() => onGrowth(this));
    held.readSymbols = async () => {
      const known = await documentSymbols(text);
      if (known.length > 0) return known;
      const [source] = held.info.streams;
      if (source.role !== 'source' || source.second !== undefined) return [];
      // Lines are there without them.
      return held.codeSymbols({ language: text.document?.languageId ?? '', text: source.text }).catch(() => []);
    };
    held.readProgram = async () => ({
      language: text.document?.languageId ?? '',
      definitions: await knownDefinitions(text),
    });
  }

  /** What is known of it now that all of it is there. */
  complete(facts: ShownRunFacts): void {
    this.#facts = facts;
  }

  get isWholeDocument(): boolean {
    return this.#facts.isWholeDocument;
  }

  get notices(): readonly PanelNotice[] {
    return this.#facts.notices;
  }

  get model(): ModelLocation | undefined {
    return this.#facts.model;
  }

  get target(): string | undefined {
    return this.#facts.target;
  }

  get isLive(): boolean {
    return this.#facts.isLive === true;
  }

  get selected(): ShownSelection | undefined {
    return this.#facts.selected;
  }

  /** What was selected, where the rest of the text is context. */
  get focus(): ShownSelection | undefined {
    return this.selected?.isInContext === true ? this.selected : undefined;
  }

  get info(): RunInfo {
    return this.held.info;
  }

  get runId(): number {
    return this.held.info.runId;
  }

  get isPicture(): boolean {
    return this.info.streams.some(({ role }) => role === 'image');
  }

  /** How many layers there are, and how many of them have come. */
  get numLayers(): { readonly done: number; readonly of: number } {
    const layers = this.info.components.flatMap((component) => component.layers);
    return { done: layers.filter(({ isComing }) => isComing !== true).length, of: layers.length };
  }

  /** Whether the model's chat template stands around the text. */
  get isChatMessage(): boolean {
    return this.info.notices.some(({ code }) => code === 'asChatMessage' || code === 'asConversation');
  }

  /** Index of the stream that stands in the editor. */
  get sourceIndex(): number {
    return Math.max(
      0,
      this.info.streams.findIndex((stream) => stream.role === 'source'),
    );
  }

  /** The stream that stands in the editor. */
  get source(): TokenStream {
    return this.info.streams[this.sourceIndex];
  }

  dispose(): void {
    this.#growing.dispose();
    this.held.release();
    this.text.dispose();
  }
}
