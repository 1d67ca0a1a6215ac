import { AddedToken } from '../addedTokens';
import { TokenizerFormatError } from '../jsonFields';
import { TooCostlyError } from '../workBounds';
import type { Pipeline } from './backend';
import type { ChosenClass } from './chooseClass';
import type { TokenizerClass } from './classes/tokenizerClass';
import { generateMerges } from './generateMerges';
import type { specialTokenNames } from './initArguments';
import { type InitArguments } from './initArguments';
import { byteFallbackDecoder, decoders, normalizers, type Part, precompiled, replace } from './parts';
import { ReferenceFailure } from './referenceFailure';
import { PieceType, readSentencePiece, SentencePieceKind, type SentencePieceModel } from './sentencePieceFile';
import { readMerges, readVocabularyJson, readVocabularyLines } from './textFiles';
import { readTekken } from './tekkenFile';
import { readTiktoken } from './tiktokenFile';
import type { VocabularySource } from './vocabularySource';

/** Reads a file of a tokenizer's folder; undefined where there is none. */
export type ReadFile = (name: string) => Uint8Array | undefined;

/** A tokenizer without a tokenizer.json: one that is put together already, or what its class makes it of. */
export type OpenedVocabulary = { readonly whole: Pipeline } | { readonly source: VocabularySource };

/** Names of vocabularies that are found under any class, as the reference library looks for them. */
const anyName = /^(?:tekken\.json|tokenizer\.model|tiktoken\.model)$/;

/** The files that a class needs where there is no tokenizer.json, its vocabulary first. */
export function vocabularyFiles(chosen: ChosenClass, fileNames: readonly string[]): readonly string[] {
  const found = [...fileNames].sort().find((name) => anyName.test(name));
  const files = chosen.kind === 'class' ? chosen.made.files : [];
  return found === undefined ? files : [found, ...files.slice(1)];
}

/** Opens the vocabulary of a class. Throws {@link ReferenceFailure}, `TokenizerFormatError`, `TooCostlyError`. */
export function openVocabulary(
  chosen: ChosenClass,
  fileNames: readonly string[],
  read: ReadFile,
  init: InitArguments,
): OpenedVocabulary {
  const made = chosen.kind === 'class' ? chosen.made : undefined;
  const [name, ...others] = vocabularyFiles(chosen, fileNames);
  const bytes = name === undefined ? undefined : read(name);
  if (name === undefined || bytes === undefined)
    throw new TokenizerFormatError(`${name ?? 'the file of its vocabulary'} is missing`);
  if (name === 'tekken.json') return { whole: readTekken(bytes, name) };
  if (name.endsWith('.model')) return openModelFile(name, bytes, made, init);
  if (name === 'vocab.txt')
    return { source: { vocabulary: readVocabularyLines(bytes), merges: undefined, characterMap: undefined } };
  const merges = others[0] === undefined ? undefined : read(others[0]);
  if (others[0] === undefined || merges === undefined)
    throw new TokenizerFormatError(`${others[0] ?? 'merges.txt'} is missing`);
  return {
    source: {
      vocabulary: readVocabularyJson(bytes, name),
      merges: readMerges(merges, others[0]),
      characterMap: undefined,
    },
  };
}

function openModelFile(
  name: string,
  bytes: Uint8Array,
  made: TokenizerClass | undefined,
  init: InitArguments,
): OpenedVocabulary {
  let model: SentencePieceModel | undefined;
  if (name !== 'tiktoken.model') {
    try {
      model = readSentencePiece(bytes, name);
    } catch (error) {
      if (!(error instanceof TokenizerFormatError)) throw error;
    }
  }
  if (model === undefined) return { whole: withTiktokenExtras(readTiktoken(bytes, name), init) };
  // As the reference library hands them on: control pieces are special, pieces of the user's own are not.
  const added = model.pieces.filter(({ type }) => type === PieceType.control || type === PieceType.userDefined);
  init.set(
    'additional_special_tokens',
    added.map(
      ({ piece, type }) => new AddedToken(piece, { isSpecial: type === PieceType.control, isNormalized: false }),
    ),
  );
  const kind = made?.kind ?? (model.kind === SentencePieceKind.unigram ? 'Unigram' : 'BPE');
  if (kind !== 'BPE') init.set('unk_id', model.unknownId);
  const source = sourceOf(model, kind === 'BPE');
  // The class above it is made first, and takes no empty rules.
  if (made?.takesWhole === true && model.characterMap.length === 0)
    throw new ReferenceFailure('its file has no rules of normalisation');
  if (made === undefined || made.takesWhole === true)
    return { whole: wholeOf(model, made?.fromSentencePiece?.(init, source) ?? source, init) };
  return { source: made.fromSentencePiece?.(init, source) ?? source };
}

function sourceOf({ pieces, characterMap }: SentencePieceModel, isBpe: boolean): VocabularySource {
  if (!isBpe) return { vocabulary: pieces.map(({ piece, score }) => [piece, score]), merges: undefined, characterMap };
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  return { vocabulary: ids, merges: generateMerges(ids), characterMap };
}

/** What stands for a class where none knows the file: the file's own rules, and its spaces made visible. */
function wholeOf(
  file: SentencePieceModel,
  { vocabulary, merges, characterMap }: VocabularySource,
  init: InitArguments,
): Pipeline {
  const named: readonly (readonly [(typeof specialTokenNames)[number], string | undefined])[] = [
    ['bos_token', file.bos],
    ['eos_token', file.eos],
    ['unk_token', file.hasUnknown ? file.unknown : undefined],
  ];
  let model: Part;
  if (vocabulary instanceof Map) {
    model = {
      type: 'BPE',
      vocab: renamed(vocabulary as ReadonlyMap<string, number>, init.addedIds),
      merges: merges ?? [],
      unk_token: file.unknown,
      fuse_unk: true,
      byte_fallback: file.hasByteFallback,
    };
  } else {
    if (init.addedIds.size > 0) throw new ReferenceFailure('it cannot rename pieces that have scores');
    model = { type: 'Unigram', vocab: vocabulary, unk_id: file.unknownId, byte_fallback: file.hasByteFallback };
  }
  for (const [name, piece] of named) if (piece !== undefined && !init.has(name)) init.set(name, piece);
  return {
    model,
    normalizer: normalizers(
      characterMap === undefined || characterMap.length === 0 ? undefined : precompiled(characterMap),
      replace(' ', '▁'),
    ),
    decoder: file.hasByteFallback
      ? byteFallbackDecoder(false)
      : decoders({ type: 'Replace', pattern: { String: '▁' }, content: ' ' }),
  };
}

/** Placeholders take the names that the settings give to their ids. */
function renamed(ids: ReadonlyMap<string, number>, names: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  if (names.size === 0) return ids;
  const pieces = new Map([...ids].map(([piece, id]) => [id, piece]));
  const result = new Map(ids);
  for (const [id, name] of names) {
    const piece = pieces.get(id);
    if (piece === undefined || piece === '' || piece === name || result.has(name)) continue;
    result.delete(piece);
    result.set(name, id);
    pieces.set(id, name);
  }
  return result;
}

/** Reserved tokens that a tiktoken file may be filled up with. */
const maxReserved = 2 ** 20;

/** A file of tiktoken has no special tokens: the settings' go after it, with placeholders where their ids leave gaps. */
function withTiktokenExtras(pipeline: Pipeline, init: InitArguments): Pipeline {
  const extras = init.tokens('extra_special_tokens') ?? [];
  const contents = extras.map((token) => {
    if (typeof token === 'string') return token;
    throw new ReferenceFailure('its extra special tokens have flags');
  });
  const size = (pipeline.model['vocab'] as ReadonlyMap<string, number>).size; // made by readTiktoken
  const last = Math.max(0, ...init.addedIds.keys());
  if (last - size > maxReserved) throw new TooCostlyError('its added tokens have far too high ids');
  const reserved =
    last < size
      ? []
      : Array.from(
          { length: last + 1 - size },
          (_, i) => init.addedIds.get(size + i) ?? `<|reserved_token_${size + i}|>`,
        );
  return {
    ...pipeline,
    added: [...reserved, ...contents.filter((content) => !reserved.includes(content))].map(
      (content) => new AddedToken(content, { isSpecial: true }),
    ),
  };
}
