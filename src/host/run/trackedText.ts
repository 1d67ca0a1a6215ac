import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { applyEdits, findNearest, type TextRange } from './textRange';

/** What became of a tracked text: it stands elsewhere, was edited, is as it was again, or its document was closed. */
export type TextChange = 'moved' | 'edited' | 'restored' | 'closed';

/** A language change closes a document and opens it again: only what stays closed this long is closed. */
const closeMilliseconds = 250;

/** A stretch of a document that is followed through edits before it, and told of edits in it. */
export class TrackedText implements Disposable {
  readonly uri: vscode.Uri;
  readonly #store = new DisposableStore();
  readonly #changeEmitter = this.#store.add(new Emitter<TextChange>());
  readonly onDidChange = this.#changeEmitter.event;
  #range: TextRange;
  /** The part of the text that was selected, where more was read. */
  readonly #focusOfText: TextRange | undefined;
  #focus: TextRange | undefined;
  #text: string;
  #eol: vscode.EndOfLine;
  #isEdited = false;
  #isClosed = false;
  #closeTimer: number | undefined;

  /** @param focus the part of the text that was selected, where more was read: offsets in the text */
  constructor(document: vscode.TextDocument, start: number, text: string, focus?: TextRange) {
    this.uri = document.uri;
    this.#range = { start, end: start + text.length };
    this.#focusOfText = focus;
    this.#placeFocus();
    this.#text = text;
    this.#eol = document.eol;
    this.#store.add(vscode.workspace.onDidChangeTextDocument((event) => this.#edited(event)));
    this.#store.add(vscode.workspace.onDidCloseTextDocument((closed) => this.#isOurs(closed) && this.#mayBeClosed()));
    this.#store.add(vscode.workspace.onDidOpenTextDocument((opened) => this.#isOurs(opened) && this.#reopened(opened)));
    const hadTab = this.#hasTab();
    this.#store.add(
      vscode.window.tabGroups.onDidChangeTabs(
        ({ closed }) => closed.length > 0 && hadTab && !this.#hasTab() && this.#mayBeClosed(),
      ),
    );
  }

  /** UTF-16 offsets in the document as it is now. */
  get range(): TextRange {
    return this.#range;
  }

  /** What was selected, by UTF-16 offsets in the document as it is now. */
  get selected(): TextRange {
    return this.#focus ?? this.#range;
  }

  /** The text as it was when it was read. */
  get text(): string {
    return this.#text;
  }

  /** Whether the document no longer has this text at this place. */
  get isEdited(): boolean {
    return this.#isEdited;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The document, as long as VS Code has it open. */
  get document(): vscode.TextDocument | undefined {
    return vscode.workspace.textDocuments.find((document) => this.#isOurs(document));
  }

  /** Keeps only what was read of it, its beginning: the rest was not explained. */
  narrow({ text: { length } }: { readonly text: string }): void {
    if (length >= this.#text.length) return;
    this.#text = this.#text.slice(0, length);
    this.#range = { start: this.#range.start, end: this.#range.start + length };
  }

  /** Where units `start` to `end` of the text stand in the document; undefined where they no longer do. */
  rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range | undefined {
    if (this.#isEdited) return undefined;
    return new vscode.Range(
      document.positionAt(this.#range.start + start),
      document.positionAt(this.#range.start + end),
    );
  }

  /** The offset in the text of a place in the document; undefined outside of the text. */
  offsetOf(document: vscode.TextDocument, position: vscode.Position): number | undefined {
    const offset = document.offsetAt(position);
    return this.#isEdited || offset < this.#range.start || offset >= this.#range.end
      ? undefined
      : offset - this.#range.start;
  }

  dispose(): void {
    clearTimeout(this.#closeTimer);
    this.#store.dispose();
  }

  #isOurs(document: vscode.TextDocument): boolean {
    return document.uri.toString() === this.uri.toString();
  }

  #hasTab(): boolean {
    const uri = this.uri.toString();
    return vscode.window.tabGroups.all.some((group) =>
      group.tabs.some(
        ({ input }) =>
          (input instanceof vscode.TabInputText && input.uri.toString() === uri) ||
          (input instanceof vscode.TabInputTextDiff && input.modified.toString() === uri),
      ),
    );
  }

  #edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (!this.#isOurs(document)) return;
    if (document.eol !== this.#eol) {
      this.#eol = document.eol;
      this.#relocate(document);
      return;
    }
    if (contentChanges.length === 0) return;
    const { start, end, isTouched } = applyEdits(this.#range, contentChanges);
    const hasMoved = start !== this.#range.start || end !== this.#range.end;
    this.#range = { start, end };
    if (this.#focus !== undefined) this.#focus = applyEdits(this.#focus, contentChanges);
    if (isTouched || this.#isEdited) this.#compare(document);
    else if (hasMoved) this.#changeEmitter.fire('moved');
  }

  /** After an edit in the text: undoing it brings the text back. */
  #compare(document: vscode.TextDocument): void {
    const { start, end } = this.#range;
    const isSame =
      end - start === this.#text.length &&
      document.getText(new vscode.Range(document.positionAt(start), document.positionAt(end))) === this.#text;
    if (isSame === !this.#isEdited) return;
    this.#isEdited = !isSame;
    if (isSame) this.#placeFocus();
    this.#changeEmitter.fire(isSame ? 'restored' : 'edited');
  }

  /** Looks for the text anew where offsets say nothing any more. */
  #relocate(document: vscode.TextDocument): void {
    const start = findNearest(document.getText(), this.#text, this.#range.start);
    if (start !== undefined) {
      this.#range = { start, end: start + this.#text.length };
      this.#placeFocus();
    }
    const wasEdited = this.#isEdited;
    this.#isEdited = start === undefined;
    this.#changeEmitter.fire(this.#isEdited ? 'edited' : wasEdited ? 'restored' : 'moved');
  }

  /** Where the text is whole, so is what was selected in it. */
  #placeFocus(): void {
    const { start } = this.#range;
    this.#focus = this.#focusOfText && { start: start + this.#focusOfText.start, end: start + this.#focusOfText.end };
  }

  #mayBeClosed(): void {
    clearTimeout(this.#closeTimer);
    this.#closeTimer = setTimeout(() => {
      if (this.#isClosed || (this.document !== undefined && this.#hasTab())) return;
      this.#isClosed = true;
      this.#changeEmitter.fire('closed');
    }, closeMilliseconds);
  }

  #reopened(document: vscode.TextDocument): void {
    this.#isClosed = false;
    this.#eol = document.eol;
    this.#relocate(document);
  }
}
