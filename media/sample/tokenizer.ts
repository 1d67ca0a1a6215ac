// A small tokenizer for arithmetic: turns `2 * (x + 1)` into numbers, names, operators and brackets.

export type Kind = 'number' | 'name' | 'operator' | 'bracket';

export interface Token {
  readonly kind: Kind;
  readonly text: string;
  /** Where the token starts and ends in the source. */
  readonly start: number;
  readonly end: number;
}

const rules: readonly (readonly [Kind, RegExp])[] = [
  ['number', /\d+(\.\d+)?/y],
  ['name', /[a-z_][a-z0-9_]*/iy],
  ['operator', /[+\-*/^=]/y],
  ['bracket', /[()[\]{}]/y],
];

/** Cuts a text into tokens; throws where no rule matches. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < source.length) {
    if (/\s/.test(source.charAt(position))) {
      position++;
      continue;
    }
    const token = match(source, position);
    if (token === undefined) {
      throw new SyntaxError(`Unexpected "${source.charAt(position)}" at ${position}`);
    }
    tokens.push(token);
    position = token.end;
  }
  return tokens;
}

function match(source: string, start: number): Token | undefined {
  for (const [kind, rule] of rules) {
    rule.lastIndex = start;
    const text = rule.exec(source)?.[0];
    if (text !== undefined) {
      return { kind, text, start, end: start + text.length };
    }
  }
  return undefined;
}

console.log(tokenize('area = width * (height + 2.5)').map(({ text }) => text));
