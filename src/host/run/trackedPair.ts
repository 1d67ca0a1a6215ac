import type * as vscode from 'vscode';
import { DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/event';
import type { TokenStream } from '../../model/token';
import type { TextRange } from './textRange';
import type { TrackedSource } from './trackedPicture';
import type { TextChange, TrackedText } from './trackedText';

/** Two stretches of one document that were read as a pair, each followed by itself. Offsets are those of both texts, one after the other. */
export class TrackedPair implements TrackedSource {
  readonly #first: TrackedText;
  readonly #second: TrackedText;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<TextChange>());
  readonly onDidChange = this.#changeEmitter.event;

  constructor(first: TrackedText, second: TrackedText) {
    this.#first = this.#store.add(first);
    this.#second = this.#store.add(second);
    for (const text of [first, second]) {
      this.#store.add(
        text.onDidChange((change) => {
          // One text that is whole again helps nothing while the other is not.
          if (change !== 'restored' || !this.isEdited) this.#changeEmitter.fire(change);
        }),
      );
    }
  }

  get uri(): vscode.Uri {
    return this.#first.uri;
  }

  /** That of the first text. */
  get range(): TextRange {
    return this.#first.range;
  }

  get selected(): TextRange {
    return this.#first.selected;
  }

  /** Where the second text stands in the document as it is now. */
  get second(): TextRange {
    return this.#second.range;
  }

  get text(): string {
    return this.#first.text + this.#second.text;
  }

  /** The texts as they were when they were read. */
  get texts(): readonly [first: string, second: string] {
    return [this.#first.text, this.#second.text];
  }

  get isEdited(): boolean {
    return this.#first.isEdited || this.#second.isEdited;
  }

  get isClosed(): boolean {
    return this.#first.isClosed;
  }

  get document(): vscode.TextDocument | undefined {
    return this.#first.document;
  }

  /** Keeps only what was read. */
  narrow({
    text,
    second = { start: text.length },
  }: {
    readonly text: string;
    readonly second?: Pick<NonNullable<TokenStream['second']>, 'start'> | undefined;
  }): void {
    this.#first.narrow({ text: text.slice(0, second.start) });
    this.#second.narrow({ text: text.slice(second.start) });
  }

  rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range | undefined {
    if (this.isEdited) return undefined;
    const { length } = this.#first.text;
    return start < length
      ? this.#first.rangeOf(document, start, end)
      : this.#second.rangeOf(document, start - length, end - length);
  }

  offsetOf(document: vscode.TextDocument, position: vscode.Position): number | undefined {
    if (this.isEdited) return undefined;
    const second = this.#second.offsetOf(document, position);
    return (
      this.#first.offsetOf(document, position) ?? (second === undefined ? undefined : this.#first.text.length + second)
    );
  }

  dispose(): void {
    this.#store.dispose();
  }
}
