import type { Disposable } from '../../base/disposable';
import type { RunInfo } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import type { HeldRun } from '../engine/heldRun';
import type { TrackedText } from './trackedText';

/** A run that the window shows: its attention, and where its text stands. */
export class ShownRun implements Disposable {
  readonly held: HeldRun;
  readonly text: TrackedText;
  /** Whether nothing was selected. */
  readonly isWholeDocument: boolean;
  /** Localised. */
  readonly notices: readonly string[];

  constructor(held: HeldRun, text: TrackedText, isWholeDocument: boolean, notices: readonly string[]) {
    this.held = held;
    this.text = text;
    this.isWholeDocument = isWholeDocument;
    this.notices = notices;
  }

  get info(): RunInfo {
    return this.held.info;
  }

  get runId(): number {
    return this.held.info.runId;
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
