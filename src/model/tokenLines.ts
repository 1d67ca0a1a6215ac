import { plain } from '../base/safeText';
import { visibleText, type Token, type TokenStream } from './token';
import { partLabels } from './pieceBytes';

/** A run of characters of one kind inside a piece; `break` is a line's end and `ghost` shows text that stands elsewhere. */
export interface Run {
  readonly kind: 'text' | 'space' | 'tab' | 'break' | 'ghost';
  readonly text: string;
}

/** The part of a token that stands on one line; `token` is its position, or -1 for text that is in no token. */
export interface Piece {
  readonly token: number;
  /** The UTF-16 range of the text whose characters are in `runs` (ghosts left out). */
  readonly start: number;
  readonly end: number;
  readonly runs: readonly Run[];
  /** What the token is where its text does not say it: a special token's piece, or a shared character's bytes. */
  readonly label: string | undefined;
  readonly isChip: boolean;
  /** Where the piece begins and ends on its line, in characters, tabs expanded. */
  readonly column: number;
  readonly endColumn: number;
}

/** One line of the text, its break included in its last piece. */
export interface TokenLine {
  readonly start: number;
  /** The end of the line's text, before its break. */
  readonly end: number;
  readonly pieces: readonly Piece[];
  /** Whether the second text of a pair begins with it. */
  readonly isSecond?: boolean;
}

/** A line that is indented further goes on here on its next row, so that narrow panels keep room for text. */
const mostLead = 16;

/** How many columns a line's text is indented, as far as its next rows follow it. */
export function leadOf({ pieces }: TokenLine, tabSize: number): number {
  let column = pieces[0]?.column ?? 0;
  for (const { kind, text } of pieces.flatMap(({ runs, isChip }) =>
    isChip ? [{ kind: 'text' as const, text: '' }] : runs,
  )) {
    if (kind === 'space') column += text.length;
    else if (kind === 'tab') column += tabSize - (column % tabSize);
    else return Math.min(mostLead, column);
  }
  return 0;
}

/** Lays a stream's tokens out on the lines of its text, as an editor would, with `startCharacter` columns before the first one, and `secondCharacter` before a second text, which has lines of its own. */
export function layoutTokens(
  stream: TokenStream,
  tabSize: number,
  startCharacter = 0,
  secondCharacter = 0,
): TokenLine[] {
  const layout = new Layout(stream.text, tabSize, startCharacter);
  const labels = sharedLabels(stream);
  let cursor = 0;
  stream.tokens.forEach((token, position) => {
    const isEmpty = token.start >= token.end;
    if (position === stream.second?.from) {
      if (stream.second.start > cursor) layout.add(cursor, stream.second.start);
      layout.beginSecond(stream.second.start, secondCharacter);
      cursor = stream.second.start;
    }
    if (token.start > cursor) layout.add(cursor, token.start);
    const shared = labels.get(position);
    if (isEmpty) layout.addChip(position, Math.max(cursor, token.start), visibleText(stream, position));
    else if (token.start < cursor) layout.addOverlap(token, cursor, position, shared ?? plain(token.piece));
    else {
      const label = token.isSpecial ? plain(token.piece) : shared;
      layout.add(token.start, token.end, { token: position, label, isChip: token.isSpecial });
    }
    cursor = Math.max(cursor, token.end);
  });
  if (cursor < stream.text.length) layout.add(cursor, stream.text.length);
  return layout.finish();
}

/** The labels of tokens whose ranges overlap a neighbour's, by position. */
function sharedLabels(stream: TokenStream): Map<number, string> {
  const labels = new Map<number, string>();
  const { tokens, text } = stream;
  const close = (from: number, to: number, start: number, end: number): void => {
    if (to - from < 2) return;
    const group = tokens.slice(from, to);
    // Text before the shared character may belong to the first token, as in "·🙂": its bytes are the whole range's.
    partLabels(
      group.map(({ piece }) => piece),
      text.slice(start, end),
    ).forEach((label, i) => labels.set(from + i, label));
  };
  let from = 0;
  let start = 0;
  let end = -1;
  tokens.forEach((token, i) => {
    if (token.start < end && token.end > token.start) {
      end = Math.max(end, token.end);
      return;
    }
    close(from, i, start, end);
    from = i;
    start = token.start;
    end = token.end > token.start ? token.end : -1;
  });
  close(from, tokens.length, start, end);
  return labels;
}

const runPattern = /\r\n|\n|\r|\t| +|[^\r\n\t ]+/g;

/** What a stretch of the text is. */
type Meaning = Pick<Piece, 'token' | 'label' | 'isChip'>;
const inNoToken: Meaning = { token: -1, label: undefined, isChip: false };

class Layout {
  readonly #text: string;
  readonly #tabSize: number;
  readonly #lines: TokenLine[] = [];
  #pieces: Piece[] = [];
  #lineStart = 0;
  #column: number;
  #isSecond = false;

  constructor(text: string, tabSize: number, startCharacter: number) {
    this.#text = text;
    this.#tabSize = Math.max(1, tabSize);
    this.#column = startCharacter;
  }

  add(start: number, end: number, { token, label, isChip } = inNoToken): void {
    let runs: Run[] = [];
    let pieceStart = start;
    let column = this.#column;
    let at = start;
    for (const [text] of this.#text.slice(start, end).matchAll(runPattern)) {
      const kind = text === '\t' ? 'tab' : text.startsWith(' ') ? 'space' : /^[\r\n]/.test(text) ? 'break' : 'text';
      runs.push({ kind, text });
      at += text.length;
      this.#column +=
        kind === 'tab' ? this.#tabSize - (this.#column % this.#tabSize) : kind === 'break' ? 1 : [...text].length;
      if (kind !== 'break') continue;
      this.#pieces.push({ token, start: pieceStart, end: at, runs, label, isChip, column, endColumn: this.#column });
      this.#endLine(at - text.length, at);
      runs = [];
      pieceStart = at;
      column = 0;
    }
    if (runs.length > 0)
      this.#pieces.push({ token, start: pieceStart, end: at, runs, label, isChip, column, endColumn: this.#column });
  }

  /** A token that stands for no text. */
  addChip(token: number, at: number, label: string): void {
    const column = this.#column;
    this.#column += label.length;
    this.#pieces.push({ token, start: at, end: at, runs: [], label, isChip: true, column, endColumn: this.#column });
  }

  /** A token of which the text before `shown` stands already: that part is repeated as a ghost. */
  addOverlap({ start, end }: Pick<Token, 'start' | 'end'>, shown: number, token: number, label: string): void {
    const column = this.#column;
    const ghost = this.#text
      .slice(start, Math.min(shown, end))
      .replaceAll(/[\r\n]+/g, '↵')
      .replaceAll('\t', '→')
      .replaceAll(' ', '·');
    this.#column += [...ghost].length;
    this.#pieces.push({
      token,
      start: shown,
      end: shown,
      runs: [{ kind: 'ghost', text: ghost }],
      label,
      isChip: false,
      column,
      endColumn: this.#column,
    });
    if (end > shown) this.add(shown, end, { ...inNoToken, token });
  }

  /** Begins the second text, on a line of its own. */
  beginSecond(at: number, startCharacter: number): void {
    if (this.#pieces.length > 0 || this.#lines.length === 0) this.#endLine(at, at);
    this.#isSecond = true;
    this.#column = startCharacter;
  }

  finish(): TokenLine[] {
    this.#endLine(this.#text.length, this.#text.length);
    return this.#lines;
  }

  #endLine(end: number, next: number): void {
    this.#lines.push({
      start: this.#lineStart,
      end,
      pieces: this.#pieces,
      ...(this.#isSecond ? { isSecond: true } : {}),
    });
    this.#isSecond = false;
    this.#pieces = [];
    this.#lineStart = next;
    this.#column = 0;
  }
}
