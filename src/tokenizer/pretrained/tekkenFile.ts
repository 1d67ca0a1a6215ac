import { AddedToken } from '../addedTokens';
import { decodeBase64 } from '../base64';
import { JsonFields, TokenizerFormatError } from '../jsonFields';
import { parseJson } from '../tokenizer';
import { byteCharacters } from '../unicode/characters';
import { maxPieces, TooCostlyError } from '../workBounds';
import type { Pipeline } from './backend';
import { byteLevel, byteLevelDecoder, preTokenizers, regex, split, template } from './parts';
import { mergesOf } from './tiktokenFile';

/** The special tokens of the files of versions that list none. */
const unlisted =
  '<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CALLS] [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]';
const versionsWithout = new Set(['v1', 'v2', 'v3', 'v7']);

const begin = '<s>';

/**
 * Reads Mistral's own format, tekken.json: bytes of pieces by rank, behind special tokens. As Mistral's library (mistral-common) encodes a
 * text, `<s>` goes before it; special tokens that a text spells are read as such, as transformers reads them without that library.
 * Throws `TokenizerFormatError`, `TooCostlyError`.
 */
export function readTekken(bytes: Uint8Array, name: string): Pipeline {
  const fields = new JsonFields(parseJson(new TextDecoder().decode(bytes)), name);
  const config = fields.object('config');
  const listed = fields.array('vocab');
  const special = specialTokens(fields, config);
  const size = config.integer('default_vocab_size', listed.length + special.length);
  const count = size - special.length;
  if (count <= 0 || count > listed.length)
    throw new TokenizerFormatError(`"${name}.config.default_vocab_size" does not fit the pieces that are listed`);
  const ids = new Map<string, number>();
  for (let rank = 0; rank < count; rank++) {
    const piece = new JsonFields(listed[rank], `${name}.vocab[${rank}]`);
    const content = decodeBase64(piece.string('token_bytes'), `${piece.path}.token_bytes`);
    if (piece.integer('rank', rank) !== rank || (rank < 256 && (content.length !== 1 || content[0] !== rank)))
      throw new TokenizerFormatError(`"${piece.path}" is out of order`);
    ids.set(Array.from(content, (byte) => byteCharacters[byte]).join(''), rank + special.length);
  }
  if (ids.size < count) throw new TokenizerFormatError(`"${name}.vocab" has a piece twice`);
  const merges = mergesOf(ids);
  special.forEach((token, id) => ids.set(token, id));
  return {
    model: { type: 'BPE', vocab: ids, merges, ignore_merges: true },
    preTokenizer: preTokenizers(
      split(regex(config.string('pattern')), 'Isolated'),
      byteLevel(false, { usesWords: false }),
    ),
    decoder: byteLevelDecoder,
    postProcessor: (idOf) => {
      const id = idOf(begin);
      return id === undefined
        ? byteLevel(true, { trimsOffsets: false })
        : template([[begin], ['$A']], [[begin], ['$A'], ['$B', 1]], new Map([[begin, id]]));
    },
    added: special.map((token) => new AddedToken(token, { isSpecial: true })),
  };
}

/** The special tokens by id: those that the file lists, and placeholders up to as many as it says. */
function specialTokens(fields: JsonFields, config: JsonFields): readonly string[] {
  const version = config.string('version');
  if (!fields.has('special_tokens') && !versionsWithout.has(version))
    throw new TokenizerFormatError(`"${fields.path}.special_tokens" is missing`);
  const listed = fields.has('special_tokens')
    ? fields
        .array('special_tokens')
        .map((value, i) => new JsonFields(value, `${fields.path}.special_tokens[${i}]`))
        .map((token) => [token.integer('rank'), token.string('token_str')] as const)
        .sort(([a], [b]) => a - b)
    : unlisted.split(' ').map((token, rank) => [rank, token] as const);
  const tokens = listed.map(([, token]) => token);
  const count = config.integer('default_num_special_tokens', tokens.length);
  if (count > maxPieces) throw new TooCostlyError('it has far too many special tokens');
  for (let id = tokens.length; id < count; id++) tokens.push(`<SPECIAL_${id}>`);
  if (listed.some(([rank], i) => rank !== i) || tokens.length !== count || new Set(tokens).size !== count)
    throw new TokenizerFormatError(`"${fields.path}.special_tokens" is out of order`);
  return tokens;
}
