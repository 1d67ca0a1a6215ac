import { AddedToken } from '../../addedTokens';
import type { Model } from '../../models/model';
import { codePointAt, unitLength } from '../../unicode/characters';
import type { InitArguments } from '../initArguments';
import { template, type Part } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import { byteModel, bytePieces, decodeBytes } from './bytes';
import { extraTokens, namedTokens, type TokenizerProgram } from './program';
import { PythonTokens } from './pythonTokens';

const numCodePoints = 0x110000;

/** Names of the code points that stand for what is no character; Unicode assigns none of them. */
const canineNames: ReadonlyMap<number, string> = new Map([
  [0, '[PAD]'],
  [0xe000, '[CLS]'],
  [0xe001, '[SEP]'],
  [0xe002, '[BOS]'],
  [0xe003, '[MASK]'],
  [0xe004, '[RESERVED]'],
]);

/** The token of a name, as the class or the settings have it, and its id. Throws where there is none. */
function special(added: PythonTokens, name: string): { readonly content: string; readonly id: number } {
  const content = added.named.get(name);
  const id = content === undefined ? undefined : added.idOf(content);
  if (content === undefined || id === undefined) throw new ReferenceFailure(`there is no ${name}`);
  return { content, id };
}

/** A token before a text, and one after each. */
function around(cls: readonly [string, number], sep: readonly [string, number]): Part {
  return template([[cls[0]], ['$A'], [sep[0]]], [[cls[0]], ['$A'], [sep[0]], ['$B'], [sep[0]]], new Map([cls, sep]));
}

/** Canine: a token for each character, by its code point. */
const canine: TokenizerProgram = {
  files: () => [],
  make: (init) => {
    const character = (id: number): string => String.fromCodePoint(id);
    const pieces = {
      idOf: (piece: string) =>
        piece !== '' && unitLength(codePointAt(piece, 0)) === piece.length ? codePointAt(piece, 0) : undefined,
      pieceOf: (id: number) => (id < numCodePoints ? (canineNames.get(id) ?? character(id)) : undefined),
      size: numCodePoints,
      maxId: numCodePoints - 1,
    };
    const [cls, sep] = [character(0xe000), character(0xe001)];
    const defaults = {
      bos_token: cls,
      eos_token: sep,
      sep_token: sep,
      cls_token: cls,
      pad_token: character(0),
      mask_token: character(0xe003),
    };
    const added = new PythonTokens(init, { named: namedTokens(init, defaults), extras: extraTokens(init) }, pieces, []);
    const model: Model = {
      vocabulary: pieces,
      tokenize: (word) => {
        const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
        for (let start = 0; start < word.length;) {
          const id = codePointAt(word, start);
          const end = start + unitLength(id);
          tokens.ids.push(added.ownIdOf(word.slice(start, end)) ?? id);
          tokens.pieces.push(word.slice(start, end));
          tokens.starts.push(start);
          tokens.ends.push(end);
          start = end;
        }
        return tokens;
      },
    };
    const named = (name: string): [string, number] => {
      const { content, id } = special(added, name);
      return [canineNames.get(id) ?? content, id];
    };
    return {
      model,
      added,
      padId: special(added, 'pad_token').id,
      cut: undefined,
      postProcessor: around(named('cls_token'), named('sep_token')),
      decoder: (all) => [all.join('')],
    };
  },
};

/** The tokens that a class has of its own. */
interface OwnTokens {
  /** By name. */
  readonly named: Readonly<Record<string, string>>;
  /** In the order of their ids, by name where they have one. */
  readonly own: readonly string[];
  /** How many pieces the class counts beside them, where it gives the next one its id. */
  readonly size?: number;
}

/** A token for each byte of UTF-8, beside the class's own tokens: what Perceiver and Dia share. */
function bytesAfter(
  init: InitArguments,
  offset: number,
  { named, own, size = 256 }: OwnTokens,
): { readonly added: PythonTokens; readonly model: Model } {
  const pieces = bytePieces(offset);
  const tokens = namedTokens(init, named);
  const held = own.map((name, id): [number, AddedToken] => {
    const value = name in named ? (tokens.get(name) ?? null) : name;
    if (value === null) throw new ReferenceFailure(`there is no ${name}`);
    return [id, typeof value === 'string' ? new AddedToken(value, {}) : value];
  });
  const added = new PythonTokens(
    init,
    { named: tokens, extras: extraTokens(init), own: held },
    { ...pieces, size },
    [],
  );
  return { added, model: byteModel(pieces, offset, added) };
}

/** Perceiver: a token for each byte, six further on. */
const perceiver: TokenizerProgram = {
  files: () => [],
  make: (init) => {
    const own = {
      pad_token: '[PAD]',
      bos_token: '[BOS]',
      eos_token: '[EOS]',
      mask_token: '[MASK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
    };
    const { added, model } = bytesAfter(init, Object.keys(own).length, { named: own, own: Object.keys(own) });
    const [cls, sep] = ['cls_token', 'sep_token'].map((name) => special(added, name));
    return {
      model,
      added,
      padId: special(added, 'pad_token').id,
      cut: undefined,
      postProcessor: around([cls.content, cls.id], [sep.content, sep.id]),
      decoder: (all) => [decodeBytes(all)],
    };
  },
};

/** Dia: a token for each byte, and two for who speaks. */
const dia: TokenizerProgram = {
  files: () => [],
  make: (init) => {
    const named = { pad_token: '<pad>', unk_token: '<pad>' };
    const own = ['pad_token', '[S1]', '[S2]'];
    const offset = init.integer('offset', 0);
    if (offset > own.length) throw new ReferenceFailure('"offset" in tokenizer_config.json is too large');
    // Its own tokens take the ids of the first bytes.
    const { added, model } = bytesAfter(init, offset, { named, own, size: 256 + offset - own.length });
    return {
      model,
      added,
      padId: special(added, 'pad_token').id,
      cut: undefined,
      postProcessor: template([['$A']], [['$A'], ['$B']], new Map()),
      decoder: (all) => [decodeBytes(all)],
    };
  },
};

/** Programs that cut a text into characters or bytes, without a file. */
export const characterPrograms: Readonly<Record<string, TokenizerProgram>> = {
  CanineTokenizer: canine,
  DiaTokenizer: dia,
  PerceiverTokenizer: perceiver,
};
