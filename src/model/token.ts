import { maxArgument, plain, type PlainText } from '../base/safeText';
import type { WrittenFacts } from './continuation';
import type { Level } from './patternForm';

/** One token of a text: its id, its vocabulary piece, and the half-open UTF-16 range of the text that it stands for. */
export interface Token {
  readonly id: number;
  /** The piece as the vocabulary spells it (byte-level and subword marks included). */
  readonly piece: string;
  readonly start: number;
  readonly end: number;
  /** Whether the tokenizer or a chat template added it, or it is a special token of the vocabulary. */
  readonly isSpecial: boolean;
  /** What a token says that stands for no text: one of a chat template, or one that the model wrote. */
  readonly template?: string;
  /** The role of the message that follows, where the template does not spell it. */
  readonly role?: string;
  /** Whether the model wrote it after the text; then `template` is what it says. */
  readonly isWritten?: boolean;
  /** Its token type, where the tokenizer makes one that is not 0. */
  readonly typeId?: number;
}

/** Where the second of two texts that were read as a pair begins. */
export interface SecondText {
  /** UTF-16 offset in the stream's text, which is both texts, one after the other. */
  readonly start: number;
  /** Position of the first token that stands with it. */
  readonly from: number;
}

/**
 * Where a picture's patches stand among its tokens: row-major from position `first`, or tile by tile; all other tokens are special ones. Without rows, all
 * tokens are queries that the model has learned, which stand for no place.
 */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
  readonly first: number;
  /** One patch in pixels of the picture; neighbouring patches begin that far apart. */
  readonly patchWidth: number;
  readonly patchHeight: number;
  /** Where the picture is read tile by tile: then patches follow one another within a tile alone. */
  readonly tiles?: Tiles;
  /** The patches of the picture read once more as a whole, which are larger. */
  readonly thumbnail?: PatchGrid;
}

/** Parts of a picture that a model reads one after the other, each row-major. */
export interface Tiles {
  /** Patches of one tile. */
  readonly rows: number;
  readonly columns: number;
  /** The position of the first patch of each tile, row by row of the picture; they ascend. */
  readonly starts: readonly number[];
}

/** What tokens are put together to: neighbours, each token in exactly one unit, in order. */
export interface Units {
  readonly level: Level;
  /** The position of the first token of each unit. */
  readonly starts: Int32Array;
  readonly numTokens: number;
  /** The first line of each unit's text and the last, zero-based, in the document where that is known. */
  readonly lines: readonly (readonly [first: number, last: number])[];
}

/** A text cut into tokens (the source, or an encoder–decoder model's target), or a picture cut into patches. */
export interface TokenStream {
  readonly role: 'source' | 'target' | 'image';
  /** The text that the tokens' offsets refer to; empty for a picture. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** For a pair of texts. */
  readonly second?: SecondText;
  /** For a picture. */
  readonly grid?: PatchGrid;
  /** Where the model has gone on with a text. */
  readonly written?: WrittenFacts;
  /** Of a target only. */
  readonly target?: TargetFacts;
  /** Where its tokens are words, lines or symbols: how they are made of the model's own. */
  readonly units?: Units;
}

/** What is to be known of a target, whose tokens are what the decoder reads: a start token first, the end not. */
interface TargetFacts {
  /** Whether the model wrote it itself; else it is the person's own text. */
  readonly isWritten: boolean;
  /** The piece that comes after the last token; undefined where the text was cut. */
  readonly ending: string | undefined;
}

/** A token of a run: the index of its stream and its position in it. */
export interface TokenRef {
  readonly stream: number;
  readonly position: number;
}

/** Whether two references name the same token. */
export function isSameToken(a: TokenRef | undefined, b: TokenRef | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.stream === b.stream && a.position === b.position);
}

/** The positions of the tokens whose range holds a UTF-16 offset (several where tokens share a character), in order. */
export function tokensAt(stream: TokenStream, offset: number): number[] {
  const found: number[] = [];
  stream.tokens.forEach((token, position) => {
    if (token.start <= offset && offset < token.end) found.push(position);
  });
  return found;
}

/** A token as a reader should see it: its text with whitespace made visible, or its piece where it stands for no text. */
export function visibleText(stream: TokenStream, position: number): PlainText {
  const token = stream.tokens[position];
  if (token === undefined) return plain('');
  const text = token.template ?? stream.text.slice(token.start, token.end);
  if (text === '' || (token.isSpecial && token.template === undefined)) return plain(token.piece);
  const role = token.role === undefined ? '' : `${plain(token.role)}: `;
  return plain(role + withVisibleBlanks(text.slice(0, maxArgument + 1)));
}

/** A text whose blanks are seen: spaces, tabs and ends of lines as signs. */
export function withVisibleBlanks(text: string): PlainText {
  return plain(
    text.replaceAll('\r\n', '↵').replaceAll('\n', '↵').replaceAll('\r', '↵').replaceAll('\t', '→').replaceAll(' ', '·'),
  );
}

/** A text whose blanks were written as {@link withVisibleBlanks} shows them. */
export function withPlainBlanks(text: string): string {
  return text.replaceAll('·', ' ').replaceAll('→', '\t').replaceAll('↵', '\n');
}

/** What comes after a token of a target, as a reader should see it: what the model is about to write while it reads that token. */
export function visibleNext(stream: TokenStream, position: number): PlainText | undefined {
  if (stream.target === undefined) return undefined;
  if (position + 1 < stream.tokens.length) return visibleText(stream, position + 1);
  return stream.target.ending === undefined ? undefined : plain(stream.target.ending);
}
