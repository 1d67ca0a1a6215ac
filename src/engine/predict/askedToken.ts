import { ExplorerError } from '../../base/errors';
import { withPlainBlanks } from '../../model/token';
import type { Tokenizer } from '../../tokenizer/tokenizer';

/** Whom a token is asked of. */
interface Asked {
  readonly tokenizer: Tokenizer;
  readonly name: string;
  /** Scores that the model gives of each place. */
  readonly numScores: number;
}

/** So many pieces of a text that is several tokens are named. */
const mostNamed = 8;

/** The id of a token that is asked about: an id, a text that is one token, whose blanks may be written as they are shown, or a piece as the vocabulary spells it. Throws `noSuchToken`. */
export function askedToken(asked: number | string, { tokenizer, name, numScores }: Asked): number {
  const refuse = (reason: string): ExplorerError =>
    new ExplorerError('noSuchToken', [typeof asked === 'number' ? asked : `“${asked}”`, name, reason]);
  if (typeof asked === 'number') {
    if (Number.isInteger(asked) && asked >= 0 && asked < numScores) return asked;
    throw refuse(`its ids are from 0 to ${numScores - 1}`);
  }
  const own = tokenizer.forTarget;
  let pieces: readonly string[] = [];
  for (const text of new Set([asked, withPlainBlanks(asked)])) {
    const found = tokensOf(own, text);
    const [id] = found;
    // A text that is not known may be the unknown token.
    const isUnknown = found.length === 1 && own.isSpecial(id) && own.tokenOf(id) !== text;
    if (found.length === 1 && !isUnknown && id < numScores) return id;
    if (pieces.length === 0 || found.length < pieces.length) pieces = found.map((each) => own.tokenOf(each) ?? '');
  }
  // With its mark of a blank, or of a word that goes on.
  for (let id = 0; id < Math.min(numScores, own.vocabularySize); id++) if (own.tokenOf(id) === asked) return id;
  throw refuse(
    pieces.length > 1
      ? `it is ${pieces.length} tokens: ${pieces.slice(0, mostNamed).join(' · ')}${pieces.length > mostNamed ? ' …' : ''}`
      : 'its tokenizer does not know it',
  );
}

/** The tokens of a text without what a tokenizer puts before, or beside, every text. */
function tokensOf(own: Tokenizer, text: string): number[] {
  const ids = Array.from(own.encode(text, { addSpecialTokens: false }).ids);
  if (own.specialTokens.includes(text)) return ids.filter((id) => own.tokenOf(id) === text);
  return ids.length === 2 && own.tokenOf(ids[0]) === '▁' ? ids.slice(1) : ids;
}
