import { ExplorerError } from '../../base/errors';
import type { Encoding, Tokenizer } from '../../tokenizer/tokenizer';
import type { RunLanguages } from '../../model/modelInfo';
import type { Token, TokenStream } from '../../model/token';
import type { Settings } from '../files/modelSettings';

/** How special tokens spell languages: `eng_Latn`, `en_XX`, and `__en__` of M2M100. */
const codeForms = [/^([a-z]{2,3}_[A-Z][A-Za-z]{1,3})$/, /^__([a-z]{2,6}(?:_[A-Za-z]{2,4})?)__$/];

/** The codes of the languages that a tokenizer knows, in the order of their ids. */
export function languageCodes(tokenizer: Pick<Tokenizer, 'specialTokens'>): string[] {
  return tokenizer.specialTokens.flatMap(
    (piece) => codeForms.map((form) => form.exec(piece)?.[1]).find((code) => code !== undefined) ?? [],
  );
}

/** The id of a language's code, also as M2M100 spells it (`__en__`); undefined where the tokenizer has none. */
function languageId(tokenizer: Tokenizer, code: string): number | undefined {
  for (const piece of [code, `__${code}__`]) {
    const { ids } = tokenizer.encode(piece, { addSpecialTokens: false });
    if (ids.length === 1 && tokenizer.tokenOf(ids[0]) === piece && tokenizer.isSpecial(ids[0])) return ids[0];
  }
  return undefined;
}

/** The id of a code that a person names. Throws `invalidArgument` where the tokenizer has none. */
export function namedLanguageId(tokenizer: Tokenizer, code: string): number {
  const id = languageId(tokenizer, code);
  if (id === undefined) throw new ExplorerError('invalidArgument', [code, 'the tokenizer has no such language code']);
  return id;
}

/** The place of the language's code among the tokens that the tokenizer puts around a text: the only one that ends nothing. */
function codePlace({ ids, starts, ends, isSpecial }: Encoding, endIds: ReadonlySet<number>): number | undefined {
  const places = [...ids.keys()].filter((i) => isSpecial[i] === 1 && starts[i] === ends[i] && !endIds.has(ids[i]));
  return places.length === 1 ? places[0] : undefined;
}

/** A text's tokens with the code of another language in the place of the tokenizer's own. Throws `invalidArgument` where there is none. */
export function inLanguage(
  tokenizer: Tokenizer,
  encoding: Encoding,
  code: string,
  endIds: ReadonlySet<number>,
): Encoding {
  const place = codePlace(encoding, endIds);
  const id = namedLanguageId(tokenizer, code);
  if (place === undefined)
    throw new ExplorerError('invalidArgument', [code, 'the tokenizer puts no language code around a text']);
  const ids = encoding.ids.slice();
  ids[place] = id;
  return {
    ...encoding,
    ids,
    tokens: encoding.tokens.map((piece, i) => (i === place ? (tokenizer.tokenOf(id) ?? piece) : piece)),
  };
}

/** A text's tokens behind the code of the language that it is translated into, where that stands before the source. Throws `invalidArgument` where the tokenizer has no such code. */
export function intoLanguage(tokenizer: Tokenizer, encoding: Encoding, code: string): Encoding {
  const id = tokenizer.targetCodes.get(code);
  if (id === undefined) throw new ExplorerError('invalidArgument', [code, 'the tokenizer has no such language code']);
  const before = (values: Int32Array | Uint8Array, first: number): number[] => [first, ...values];
  return {
    ids: Int32Array.from(before(encoding.ids, id)),
    tokens: [tokenizer.tokenOf(id) ?? code, ...encoding.tokens],
    starts: Int32Array.from(before(encoding.starts, 0)),
    ends: Int32Array.from(before(encoding.ends, 0)),
    isSpecial: Uint8Array.from(before(encoding.isSpecial, 1)),
    typeIds: Int32Array.from(before(encoding.typeIds, 0)),
  };
}

/** Models whose decoder begins with the last token of the target, moved to its front. */
const wrapping = new Set(['mbart', 'plbart']);

/** What a decoder reads before a target of the person's own: its start token, and the language's code where the tokenizer puts it first. */
export interface TargetOpening {
  readonly startId?: number;
  readonly openingId?: number;
}

/**
 * How a target of the person's own begins in a language: the one that is named, else `tgt_lang` of the tokenizer's settings. Undefined where neither is known.
 * As in transformers, from the labels that the tokenizer makes and the model's own way of moving them. Throws `invalidArgument`.
 */
export function targetOpening(
  tokenizer: Tokenizer,
  named: string | undefined,
  {
    tokenizerConfig,
    config,
    endIds,
  }: { readonly tokenizerConfig: Settings; readonly config: Settings; readonly endIds: ReadonlySet<number> },
): TargetOpening | undefined {
  const own = tokenizerConfig['tgt_lang'];
  const id =
    named !== undefined
      ? namedLanguageId(tokenizer, named)
      : typeof own === 'string' && own.length < 100
        ? languageId(tokenizer, own)
        : undefined;
  if (id === undefined) return undefined;
  const empty = tokenizer.encode('');
  const place = codePlace(empty, endIds);
  const isAtEnd = place !== undefined && empty.ids.length > 1 && place === empty.ids.length - 1;
  if (!isAtEnd) return { openingId: id };
  return wrapping.has(String(config['model_type'])) ? { startId: id } : {};
}

/** The languages of a run, as the codes around its source and before its target say; undefined where the tokenizer knows none, or puts none around a text. */
export function runLanguages(
  tokenizer: Pick<Tokenizer, 'specialTokens' | 'targetCodes'>,
  [source, target]: readonly Pick<TokenStream, 'tokens'>[],
  tokenizerConfig: Settings = {},
): RunLanguages | undefined {
  if (tokenizer.targetCodes.size > 0) {
    const [first] = source.tokens;
    const own = tokenizerConfig['source_lang'];
    return {
      codes: [...tokenizer.targetCodes.keys()],
      isSourceFixed: true,
      source: typeof own === 'string' && own.length < 100 ? own : undefined,
      target: [...tokenizer.targetCodes].find(([, id]) => id === first?.id)?.[0],
    };
  }
  const codes = languageCodes(tokenizer);
  if (codes.length < 2) return undefined;
  const codeIn = (tokens: readonly Token[]): string | undefined =>
    tokens.flatMap(({ piece, isSpecial, start, end }) =>
      isSpecial && start === end ? (codes.find((code) => piece === code || piece === `__${code}__`) ?? []) : [],
    )[0];
  const read = codeIn(source.tokens);
  // The decoder begins with its start, and then the code, or with the code alone.
  return read === undefined ? undefined : { codes, source: read, target: codeIn(target.tokens.slice(0, 2)) };
}
