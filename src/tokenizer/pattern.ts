import { toRegExp } from 'oniguruma-to-es';
import { type JsonFields, TokenizerFormatError, UnsupportedPartError } from './jsonFields';
import type { Matches } from './normalizedString';
import { codePointAt, unitLength } from './unicode/characters';
import { maxExpressionUnits, TooCostlyError } from './workBounds';

/** Finds matches in a text. */
export type Pattern = (text: string) => Matches;

const noMatch = (text: string): Matches => ({ ends: [text.length], isMatch: [false] });

/** Collects contiguous pieces; what lies between two matches becomes a piece of its own. */
class MatchCollector implements Matches {
  readonly ends: number[] = [];
  readonly isMatch: boolean[] = [];
  #end = 0;

  match(start: number, end: number): void {
    this.rest(start);
    this.#push(end, true);
  }

  rest(end: number): void {
    if (end !== this.#end) this.#push(end, false);
  }

  #push(end: number, isMatch: boolean): void {
    this.ends.push(end);
    this.isMatch.push(isMatch);
    this.#end = end;
  }
}

/** Matches every code point for which `test` holds, each by itself. */
export function characterPattern(test: (codePoint: number) => boolean): Pattern {
  return (text) => {
    if (text === '') return noMatch(text);
    const found = new MatchCollector();
    for (let i = 0; i < text.length;) {
      const codePoint = codePointAt(text, i);
      const end = i + unitLength(codePoint);
      if (test(codePoint)) found.match(i, end);
      i = end;
    }
    found.rest(text.length);
    return found;
  };
}

/** Matches a text that is not empty literally. */
export function literalPattern(literal: string): Pattern {
  return (text) => {
    if (text === '') return noMatch(text);
    const found = new MatchCollector();
    for (let start = text.indexOf(literal); start !== -1; start = text.indexOf(literal, start + literal.length))
      found.match(start, start + literal.length);
    found.rest(text.length);
    return found;
  };
}

/** Matches a regular expression; an empty match right after the last match does not count, as in Oniguruma's bindings. */
export function regExpPattern(expression: RegExp): Pattern {
  let mayCover = true;
  return (text) => {
    if (text === '') return noMatch(text);
    const covering = mayCover ? coveringMatches(text, expression) : undefined;
    if (covering !== undefined) return covering;
    mayCover = false;
    const found = new MatchCollector();
    let searchFrom = 0;
    let lastEnd = -1;
    while (searchFrom <= text.length) {
      expression.lastIndex = searchFrom;
      const start = expression.exec(text)?.index;
      if (start === undefined) break;
      const end = expression.lastIndex;
      if (start === end && end === lastEnd) {
        searchFrom += searchFrom < text.length ? unitLength(codePointAt(text, searchFrom)) : 1;
        continue;
      }
      found.match(start, end);
      searchFrom = end;
      lastEnd = end;
    }
    found.rest(text.length);
    return found;
  };
}

/** The matches of an expression that leaves nothing out, all found in one call; undefined where something is between them, or one is empty. */
function coveringMatches(text: string, expression: RegExp): Matches | undefined {
  const ends: number[] = [];
  let end = 0;
  for (const { length } of text.match(expression) ?? []) {
    if (length === 0) return undefined;
    ends.push((end += length));
  }
  return end === text.length ? { ends, isMatch: new Array<boolean>(ends.length).fill(true) } : undefined;
}

/** Swaps what matches and what does not. */
export function invertedPattern(pattern: Pattern): Pattern {
  return (text) => {
    const { ends, isMatch } = pattern(text);
    return { ends, isMatch: isMatch.map((is) => !is) };
  };
}

/** Reads `{"String": …}` or `{"Regex": …}` (an Oniguruma expression in Ruby syntax). */
export function readPattern(fields: JsonFields): Pattern {
  const literal = fields.optionalString('String');
  if (literal !== undefined) return literal === '' ? regExpPattern(/(?:)/gu) : literalPattern(literal);
  const source = fields.optionalString('Regex');
  if (source === undefined)
    throw new TokenizerFormatError(`"${fields.path}" is neither a string nor a regular expression`);
  return regExpPattern(translateExpression(source));
}

/** Translates an Oniguruma expression. Throws {@link UnsupportedPartError} where JavaScript has no equal, {@link TooCostlyError} where it is too long. */
function translateExpression(source: string): RegExp {
  if (source.length > maxExpressionUnits)
    throw new TooCostlyError(
      `a regular expression of it has ${source.length} characters, more than ${maxExpressionUnits}`,
    );
  const written = withOnigurumaWords(source);
  // The second branch never matches. A letter whose case counts keeps the translation from making the whole expression
  // ignore case where a part of it does, which would change what \p{L} means elsewhere.
  const guarded = `(?:${written})|(?!)a`;
  let failure: unknown;
  for (const candidate of [guarded, written]) {
    try {
      return toRegExp(candidate, { global: true });
    } catch (error) {
      failure = error;
    }
  }
  throw new UnsupportedPartError(`the regular expression ${source}`, { cause: failure });
}

const wordMembers = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
// Outside of brackets, Oniguruma looks Latin-1 characters up in a table that has the superscript digits and fractions.
const wordCharacters = `${wordMembers}\\u00B2\\u00B3\\u00B9\\u00BC-\\u00BE`;

const escapesInBrackets: Readonly<Record<string, string>> = {
  w: `[${wordMembers}]`,
  W: `[^${wordMembers}]`,
};
const escapes: Readonly<Record<string, string>> = {
  w: `[${wordCharacters}]`,
  W: `[^${wordCharacters}]`,
  b: `(?:(?<=[${wordCharacters}])(?![${wordCharacters}])|(?<![${wordCharacters}])(?=[${wordCharacters}]))`,
  B: `(?:(?<=[${wordCharacters}])(?=[${wordCharacters}])|(?<![${wordCharacters}])(?![${wordCharacters}]))`,
};

/** Writes out Oniguruma's word class, which the translation takes for letters, marks and all numbers. */
function withOnigurumaWords(source: string): string {
  let depth = 0;
  return source.replaceAll(/\\([\s\S])|\[:\^?\w+:\]|\[\^?\]?|\]/g, (token: string, escaped: string | undefined) => {
    if (escaped !== undefined) return (depth === 0 ? escapes : escapesInBrackets)[escaped] ?? token;
    if (depth > 0 && token === '[:word:]') return wordMembers;
    if (depth > 0 && token.startsWith('[:')) return token;
    if (token.startsWith('[')) depth++;
    else if (depth > 0) depth--;
    return token;
  });
}
