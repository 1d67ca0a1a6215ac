import { JinjaError } from './jinjaError';
import type { Lexeme } from './lexer';

/** Takes lexemes one after the other. */
export class LexemeReader {
  readonly #lexemes: readonly Lexeme[];
  /** Which one is next. */
  at = 0;

  constructor(lexemes: readonly Lexeme[]) {
    this.#lexemes = lexemes;
  }

  /** The lexeme that is read next. */
  get current(): Lexeme {
    return this.#lexemes[this.at];
  }

  /** The one after it. */
  get following(): Lexeme {
    return this.#lexemes[this.at + 1];
  }

  /** Throws {@link JinjaError}, with the line. */
  fail(message: string): never {
    throw new JinjaError(`${message} (line ${this.current.line})`);
  }

  /** Whether the next is one of some operators. */
  isOperator(...texts: readonly string[]): boolean {
    return this.current.type === 'operator' && texts.includes(this.current.text);
  }

  /** Whether the next is one of some names. */
  isName(...texts: readonly string[]): boolean {
    return this.current.type === 'name' && texts.includes(this.current.text);
  }

  /** Takes the next where it is that; returns whether it was. */
  skip(type: 'operator' | 'name', text: string): boolean {
    const isThere = this.current.type === type && this.current.text === text;
    if (isThere) this.at++;
    return isThere;
  }

  /** Takes the next, which must be that, and returns its text. */
  expect(type: Lexeme['type'], text?: string): string {
    const { type: found, text: foundText } = this.current;
    if (found !== type || (text !== undefined && foundText !== text))
      this.fail(`expected '${text ?? type}', got '${foundText === '' ? found : foundText}'`);
    this.at++;
    return foundText;
  }
}
