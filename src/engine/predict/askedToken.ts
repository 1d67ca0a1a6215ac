import { ExplorerError } from '../../base/errors';
import type { Tokenizer } from '../../tokenizer/tokenizer';

/** Whom a token is asked of. */
interface Asked {
  readonly tokenizer: Tokenizer;
  readonly name: string;
  /** Scores that the model gives of each place. */
  readonly numScores: number;
}

/** The id of a token that is asked about: an id, or a text that is one token, whose blanks may be written as dots, as they are shown. Throws `noSuchToken`. */
export function askedToken(asked: number | string, { tokenizer, name, numScores }: Asked): number {
  const refuse = (reason: string): ExplorerError => new ExplorerError('noSuchToken', [String(asked), name, reason]);
  if (typeof asked === 'number') {
    if (Number.isInteger(asked) && asked >= 0 && asked < numScores) return asked;
    throw refuse(`ids go from 0 to ${numScores - 1}`);
  }
  const own = tokenizer.forTarget;
  let pieces = 0;
  for (const text of new Set([asked, asked.replaceAll('·', ' ')])) {
    const special = own.specialTokens.includes(text);
    const { ids } = own.encode(text, { addSpecialTokens: false });
    const found = special ? ids.filter((id) => own.tokenOf(id) === text) : ids;
    // What a tokenizer puts before every text is no part of it.
    const [first, second] = found;
    if (found.length === 1 && first < numScores) return first;
    if (found.length === 2 && second < numScores && own.tokenOf(first) === '▁') return second;
    pieces ||= found.length;
  }
  throw refuse(pieces > 1 ? `it is ${pieces} of them` : 'its tokenizer knows none of that text');
}
