import { JinjaError } from './jinjaError';

/** A part of a template: text between tags, the border of a tag, or a word inside one. */
export interface Lexeme {
  readonly type:
    | 'data'
    | 'blockBegin'
    | 'blockEnd'
    | 'variableBegin'
    | 'variableEnd'
    | 'name'
    | 'string'
    | 'integer'
    | 'float'
    | 'operator'
    | 'end';
  readonly text: string;
  readonly line: number;
}

/** Whitespace as Python has it, inside a class of characters. */
export const pythonSpace = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const space = `[${pythonSpace}]*`;
const begin = new RegExp(`(\\{%)([-+]?)${space}raw${space}(?:-%\\}${space}|%\\})|(\\{%|\\{#|\\{\\{)([-+]?)`, 'gu');
const rawEnd = new RegExp(`\\{%([-+]?)${space}endraw${space}(?:\\+%\\}|-%\\}${space}|%\\}\\n?)`, 'gu');
const commentEnd = new RegExp(`(?:\\+#\\}|-#\\}${space}|#\\}\\n?)`, 'gu');
const blockEnd = new RegExp(`(?:\\+%\\}|-%\\}${space}|%\\}\\n?)`, 'yu');
const variableEnd = new RegExp(`(?:-\\}\\}${space}|\\}\\})`, 'yu');
const spaces = new RegExp(`[${pythonSpace}]+`, 'yu');
const float = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iuy;
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iuy;
const name = /[\p{L}\p{M}\p{N}_]+/uy;
const string = /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/suy;
const operator = /\/\/|\*\*|[=!<>]=|[-+/*%~[\](){}<>=.:|,;]/uy;
const closing: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Cuts a template into its parts, with `trim_blocks` and `lstrip_blocks`. Throws {@link JinjaError}. */
export function lex(template: string): Lexeme[] {
  return new Lexer(template.replace(/\r\n|\r/g, '\n').replace(/\n$/, '')).lexemes;
}

class Lexer {
  readonly lexemes: Lexeme[] = [];
  readonly #source: string;
  #at = 0;
  #line = 1;
  #isLineStart = true;

  constructor(source: string) {
    this.#source = source;
    while (this.#at < source.length) this.#next();
    this.#push('end', '');
  }

  #push(type: Lexeme['type'], text: string): void {
    this.lexemes.push({ type, text, line: this.#line });
  }

  #moveTo(end: number): void {
    // Not by searching: on a long line that would look at all of it for each word.
    for (let at = this.#at; at < end; at++) if (this.#source[at] === '\n') this.#line++;
    if (end > this.#at) this.#isLineStart = this.#source[end - 1] === '\n';
    this.#at = end;
  }

  /** The text before a tag, of which the tag's sign or its place may take the end. */
  #data(end: number, sign: string, isVariable: boolean): void {
    let text = this.#source.slice(this.#at, end);
    if (sign === '-') text = stripEnd(text);
    else if (sign !== '+' && !isVariable) {
      const lineStart = text.lastIndexOf('\n') + 1;
      // An empty rest of a line stays as it is, too.
      if ((lineStart > 0 || this.#isLineStart) && stripEnd(text.slice(lineStart)) === '')
        text = text.slice(0, lineStart);
    }
    if (text !== '') this.#push('data', text);
  }

  #next(): void {
    begin.lastIndex = this.#at;
    const match = begin.exec(this.#source);
    if (match === null) {
      this.#push('data', this.#source.slice(this.#at));
      this.#moveTo(this.#source.length);
      return;
    }
    const [whole, raw, rawSign, tag, tagSign] = match;
    this.#data(match.index, raw === undefined ? tagSign : rawSign, tag === '{{');
    this.#moveTo(match.index + whole.length);
    if (raw !== undefined) this.#raw();
    else if (tag === '{#') this.#comment();
    else this.#tag(tag === '{{');
  }

  #raw(): void {
    rawEnd.lastIndex = this.#at;
    const match = rawEnd.exec(this.#source);
    if (match === null) throw new JinjaError('Missing end of raw directive');
    this.#data(match.index, match[1], false);
    this.#moveTo(match.index + match[0].length);
  }

  #comment(): void {
    commentEnd.lastIndex = this.#at;
    const match = commentEnd.exec(this.#source);
    if (match === null) throw new JinjaError('Missing end of comment tag');
    this.#moveTo(match.index + match[0].length);
  }

  #tag(isVariable: boolean): void {
    this.#push(isVariable ? 'variableBegin' : 'blockBegin', '');
    const end = isVariable ? variableEnd : blockEnd;
    const open: string[] = [];
    while (this.#at < this.#source.length) {
      const closed = open.length === 0 ? this.#match(end) : undefined;
      if (closed !== undefined) {
        this.#push(isVariable ? 'variableEnd' : 'blockEnd', '');
        this.#moveTo(this.#at + closed.length);
        return;
      }
      this.#word(open);
    }
    throw new JinjaError(
      `unexpected end of template, expected '${isVariable ? 'end of print statement' : 'end of statement block'}'.`,
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  #word(open: string[]): void {
    const blank = this.#match(spaces);
    if (blank !== undefined) {
      this.#moveTo(this.#at + blank.length);
      return;
    }
    const isAfterDot = this.#source[this.#at - 1] === '.';
    for (const [type, pattern] of [
      ['float', float],
      ['integer', integer],
      ['name', name],
      ['string', string],
      ['operator', operator],
    ] as const) {
      const text = type === 'float' && isAfterDot ? undefined : this.#match(pattern);
      if (text === undefined) continue;
      if (type === 'name' && /^\p{N}/u.test(text)) throw new JinjaError('Invalid character in identifier');
      if (type === 'operator') balance(open, text);
      this.#push(type, type === 'string' ? unescaped(text.slice(1, -1)) : text);
      this.#moveTo(this.#at + text.length);
      return;
    }
    throw new JinjaError(`unexpected char '${this.#source[this.#at]}' at ${this.#at}`);
  }
}

function balance(open: string[], text: string): void {
  if (text === '(' || text === '[' || text === '{') open.push(text);
  const opening = closing[text];
  if (opening === undefined) return;
  if (open.length === 0) throw new JinjaError(`unexpected '${text}'`);
  if (open.pop() !== opening) throw new JinjaError(`unexpected '${text}'`);
}

/** A text without the whitespace at its end. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Whether a UTF-16 unit is whitespace as Python has it. */
export function isSpace(unit: number): boolean {
  return (
    (unit >= 9 && unit <= 13) ||
    (unit >= 0x1c && unit <= 0x20) ||
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

/** The text of a string, its escapes as Python's `unicode-escape` reads them. */
function unescaped(inner: string): string {
  return inner.replace(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|.)/gsu, (escape) => {
    const body = escape.slice(1);
    if (/^[0-7]/.test(body)) return String.fromCodePoint(parseInt(body, 8));
    if (/^[xuU]./.test(body)) {
      const code = parseInt(body.slice(1), 16);
      if (code > 0x10ffff) throw new JinjaError('illegal Unicode character');
      return String.fromCodePoint(code);
    }
    if (/^[xuUN]$/.test(body))
      throw new JinjaError(`the escape \\${body} of a string is not complete, or not supported`);
    return simpleEscapes[body] ?? escape;
  });
}
