// What live mode asks of VS Code, without its window: documents, carets, settings and their events. Bundled in the place of `vscode` for the
// soak of live mode, which goes through more runs than a window could in a day.
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disposable } from '../../src/base/disposable';
import { Emitter } from '../../src/base/event';

export class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(start: Position, end: Position) {
    this.start = start;
    this.end = end;
  }
}

export class Selection extends Range {
  get active(): Position {
    return this.end;
  }
  get isEmpty(): boolean {
    return this.start.line === this.end.line && this.start.character === this.end.character;
  }
}

export class Uri {
  readonly scheme: string;
  readonly authority = '';
  readonly path: string;
  private constructor(scheme: string, path: string) {
    this.scheme = scheme;
    this.path = path;
  }
  static file(path: string): Uri {
    return new Uri('file', path);
  }
  static parse(address: string): Uri {
    const [, scheme = 'file', path = ''] = /^(\w+):(?:\/\/)?(.*)$/.exec(address) ?? [];
    return new Uri(scheme, path);
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri(base.scheme, join(base.path, ...parts));
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `${this.scheme}://${this.path}`;
  }
}

export class TabInputText {
  readonly uri: Uri;
  constructor(uri: Uri) {
    this.uri = uri;
  }
}
export class TabInputTextDiff {}
export class TabInputCustom {}
export class TabInputWebview {}
export class RelativePattern {}
export class FileSystemError extends Error {}
export const FileType = { Directory: 2 };
export const ViewColumn = { Beside: -2 };
export const EndOfLine = { LF: 1, CRLF: 2 };
export const SymbolKind = { Method: 5, Constructor: 8, Function: 11 };
export const ProgressLocation = { Notification: 15 };

interface Change {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/** A text that is open. */
export class TextDocument {
  readonly uri: Uri;
  readonly eol = EndOfLine.LF;
  isClosed = false;
  #text: string;
  #lineStarts: number[] | undefined;

  constructor(uri: Uri, text: string) {
    this.uri = uri;
    this.#text = text;
  }
  get #lines(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0];
      for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n', at + 1))
        this.#lineStarts.push(at + 1);
    }
    return this.#lineStarts;
  }
  get lineCount(): number {
    return this.#lines.length;
  }
  lineAt(line: number): { readonly range: Range } {
    const end = (this.#lines[line + 1] ?? this.#text.length + 1) - 1;
    return { range: new Range(new Position(line, 0), new Position(line, end - this.#lines[line])) };
  }
  offsetAt({ line, character }: Position): number {
    return Math.min(this.#text.length, (this.#lines[line] ?? this.#text.length) + character);
  }
  positionAt(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.#text.length));
    let [low, high] = [0, this.#lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lines[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return new Position(low, at - this.#lines[low]);
  }
  getText(range?: Range): string {
    return range === undefined ? this.#text : this.#text.slice(this.offsetAt(range.start), this.offsetAt(range.end));
  }
  /** Edits as a person does, and tells of it. */
  edit(change: Change): void {
    this.#text =
      this.#text.slice(0, change.rangeOffset) + change.text + this.#text.slice(change.rangeOffset + change.rangeLength);
    this.#lineStarts = undefined;
    textChange.fire({ document: this, contentChanges: [change] });
  }
}

/** An editor that shows a document. */
export interface Editor {
  readonly document: TextDocument;
  readonly viewColumn: number;
  selection: Selection;
}

const textChange = new Emitter<{ readonly document: TextDocument; readonly contentChanges: readonly Change[] }>();
const selectionChange = new Emitter<{ readonly textEditor: Editor }>();
const editorChange = new Emitter<Editor | undefined>();
const configurationChange = new Emitter<{ affectsConfiguration: () => boolean }>();
const never = (): Disposable => ({ dispose: () => {} });
let settings: Readonly<Record<string, unknown>> = {};

/** Changes settings, and tells of it. */
export function configure(changes: Readonly<Record<string, unknown>>): void {
  settings = { ...settings, ...changes };
  configurationChange.fire({ affectsConfiguration: () => true });
}

/** Puts the caret of an editor somewhere, and tells of it. */
export function putCaret(editor: Editor, offset: number): void {
  const place = editor.document.positionAt(offset);
  editor.selection = new Selection(place, place);
  selectionChange.fire({ textEditor: editor });
}

/** Opens a text, in an editor that has the focus from then on. */
export function show(editor: Editor): void {
  if (!workspace.textDocuments.includes(editor.document)) workspace.textDocuments.push(editor.document);
  window.activeTextEditor = editor;
  window.visibleTextEditors = [editor];
  window.tabGroups.all = [{ tabs: workspace.textDocuments.map(({ uri }) => ({ input: new TabInputText(uri) })) }];
  editorChange.fire(editor);
}

export const workspace = {
  isTrusted: true,
  workspaceFolders: undefined,
  textDocuments: [] as TextDocument[],
  notebookDocuments: [],
  getWorkspaceFolder: () => undefined,
  getConfiguration: () => ({ get: (key: string) => settings[key], inspect: () => undefined }),
  onDidChangeTextDocument: textChange.event,
  onDidCloseTextDocument: never,
  onDidOpenTextDocument: never,
  onDidChangeConfiguration: configurationChange.event,
  asRelativePath: (uri: Uri) => uri.path.split('/').at(-1) ?? '',
  fs: {
    readFile: (uri: Uri) => readFile(uri.fsPath),
    readDirectory: async (uri: Uri) => (await readdir(uri.fsPath)).map((name) => [name, 1]),
    stat: async (uri: Uri) => ({ type: 1, size: (await stat(uri.fsPath)).size }),
  },
};

export const window = {
  activeTextEditor: undefined as Editor | undefined,
  visibleTextEditors: [] as Editor[],
  tabGroups: { all: [] as { readonly tabs: readonly { readonly input: unknown }[] }[], onDidChangeTabs: never },
  onDidChangeTextEditorSelection: selectionChange.event,
  onDidChangeActiveTextEditor: editorChange.event,
  setStatusBarMessage: never,
  showErrorMessage: () => Promise.resolve(undefined),
  withProgress: (
    _options: unknown,
    task: (progress: { report: () => void }, token: { onCancellationRequested: () => Disposable }) => Promise<void>,
  ) => task({ report: () => {} }, { onCancellationRequested: never }),
};

export const commands = { executeCommand: () => Promise.resolve(undefined) };

export const env = { language: 'en' };

export const l10n = {
  t: (text: string, ...args: readonly unknown[]): string =>
    text.replace(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole)),
};
