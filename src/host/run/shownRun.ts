import type { Disposable } from '../../base/disposable';
import type { PlainText } from '../../base/safeText';
import type { RunInfo } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import type { HeldRun } from '../engine/heldRun';
import type { ModelLocation } from '../model/modelLocation';
import type { TrackedSource } from './trackedPicture';

/** A run that the window shows: its attention, and where its text stands. */
export class ShownRun implements Disposable {
  readonly held: HeldRun;
  readonly text: TrackedSource;
  /** Whether nothing was selected; a picture is always explained as a whole. */
  readonly isWholeDocument: boolean;
  /** Localised. */
  readonly notices: readonly PlainText[];

  /** The model, where it is not for the settings to say. */
  readonly model: ModelLocation | undefined;

  /** The person's own target text; undefined where the model wrote it, or there is none. */
  readonly target: string | undefined;

  /** Whether live mode made it. */
  readonly isLive: boolean;

  /** When the person asked for it, in milliseconds of this process's clock; undefined where nobody did. */
  askedAt: number | undefined;

  constructor(held: HeldRun, text: TrackedSource, isWholeDocument: boolean, notices: readonly PlainText[], model?: ModelLocation, target?: string, isLive = false) {
    this.held = held;
    this.text = text;
    this.isWholeDocument = isWholeDocument;
    this.notices = notices;
    this.model = model;
    this.target = target;
    this.isLive = isLive;
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

  /** Whether the model's chat template stands around the text. */
  get isChatMessage(): boolean {
    return this.info.notices.some(({ code }) => code === 'asChatMessage');
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
    this.held.release();
    this.text.dispose();
  }
}
