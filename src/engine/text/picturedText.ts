import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import { patchAt, type PlacedPicture } from '../../model/patchGrid';
import type { PatchGrid, Token, TokenStream } from '../../model/token';
import type { PictureView } from '../../protocol';
import type { TokenLimits } from '../limits/tokenLimits';
import type { FedFile } from '../session/fedInput';
import type { TokenizedText } from './tokenizeText';

/** A picture that is read with a text. */
export interface PictureFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** How a model writes a picture into a text. */
export interface PictureWriting {
  /** The token in whose places its features stand. */
  readonly id: number;
  /** The token that stands for a picture in a text that was written for one. */
  readonly mark: number;
  /** What is written around those of the features: texts, and special tokens by their ids. */
  readonly before: readonly (string | number)[];
  readonly behind: readonly (string | number)[];
  /** What else is written around it where the text has no place for it. */
  readonly whereMissing?: readonly [before: readonly (string | number)[], behind: readonly (string | number)[]];
  /** What is written behind the whole text. */
  readonly atEnd?: string;
  /** Whether the tokenizer adds no special tokens of its own. */
  readonly isBare?: boolean;
  /** Whether the tokens of the features are of type 1, and all others of type 0. */
  readonly hasTypes?: boolean;
  /** Whether its own processor cuts a picture into several, whatever the settings of the picture's say. */
  readonly isCut?: boolean;
  /** The positions of ids, for each axis that they are counted along, where they are not counted from 0 on. */
  readonly positionsOf?: (ids: readonly number[], grid: PatchGrid) => readonly (readonly number[])[];
}

/** A picture as a decoder of texts is given it: one row of features for each of its tokens. */
export interface SeenPicture {
  /** `features[token * width + feature]`. */
  readonly features: Float32Array;
  readonly numTokens: number;
  readonly width: number;
  /** The patch that each token is, row by row, from token 0 on. */
  readonly grid: PatchGrid;
  /** The picture as the model sees it. */
  readonly picture: PictureView & PlacedPicture;
  readonly notices: readonly Notice[];
  readonly fed: FedFile;
}

/** What makes features of pictures for a model of texts. */
export interface PictureReader {
  readonly writing: PictureWriting;
  /** What a picture becomes. Throws what reading and running it throws. */
  read(picture: PictureFile): Promise<SeenPicture>;
  release(): Promise<void>;
}

/** Spells a special token; undefined where an id is that of none. */
type SpecialOf = (id: number) => string | undefined;

/**
 * A text with a picture, as tokens: its own take the place of the one that stands for it, where the text has one, else they stand before the text.
 * Throws `modelUnsupported` where they cannot.
 * @param tokenize cuts a text within limits.
 */
export async function tokenizeWithPicture(
  text: string,
  {
    picture: { numTokens, grid },
    writing: { id, mark, before, behind, whereMissing = [[], []], atEnd = '' },
  }: { readonly picture: SeenPicture; readonly writing: PictureWriting },
  limits: TokenLimits,
  {
    tokenize,
    specialOf,
  }: {
    readonly tokenize: (text: string, limits: TokenLimits) => Promise<TokenizedText>;
    readonly specialOf: SpecialOf;
  },
): Promise<TokenizedText> {
  const refuse = (reason: string): ExplorerError => new ExplorerError('modelUnsupported', [limits.modelName, reason]);
  const spell = (piece: string | number): string => {
    const spelling = typeof piece === 'string' ? piece : specialOf(piece);
    if (spelling === undefined) throw refuse(`its tokenizer has no special token ${piece}, which stands for a picture`);
    return spelling;
  };
  const spelling = spell(mark);
  const at = text.indexOf(spelling);
  const [opening, closing] = at < 0 ? whereMissing : [[], []];
  const written = [...opening, ...before, id, ...behind, ...closing].map(spell).join('');
  const rest = at < 0 ? text : text.slice(at + spelling.length);
  if (rest.includes(spelling) && at >= 0) throw refuse('the text has several places for one picture');
  const whole = `${at < 0 ? '' : text.slice(0, at)}${written}${rest}${atEnd}`;
  const { stream, notices } = await tokenize(whole, withRoom(limits, numTokens - 1, refuse));
  const places = stream.tokens.flatMap((token, place) => (token.id === id ? [place] : []));
  if (places.length !== 1) throw refuse(`the text has ${places.length} places for one picture`);
  return {
    stream: withPatches(stream, places[0], grid),
    // What is written for the picture is not the person's text.
    notices: [
      ...notices.filter(({ code }) => code !== 'specialInText'),
      ...(at < 0 ? [{ code: 'pictureBefore', args: [spelling] } as const] : []),
    ],
  };
}

/** Limits that leave room for so many tokens more. */
function withRoom(limits: TokenLimits, count: number, refuse: (reason: string) => ExplorerError): TokenLimits {
  const less = (limit: number | undefined): number | undefined => {
    if (limit === undefined || limit === 0) return limit;
    if (limit <= count + 1) throw refuse(`the picture alone is ${count + 1} tokens, and it reads ${limit} at most`);
    return limit - count;
  };
  return {
    ...limits,
    contextLength: less(limits.contextLength),
    tokenLimit: less(limits.tokenLimit) ?? 0,
    memoryLimit: less(limits.memoryLimit) ?? limits.memoryLimit,
  };
}

/** A stream with the patches of a picture in the place of one token, each named `row,column`, from one. */
function withPatches(stream: TokenStream, at: number, grid: PatchGrid): TokenStream {
  const placed: PatchGrid = { ...grid, first: at };
  const { id, start } = stream.tokens[at];
  const patches = Array.from({ length: grid.rows * grid.columns }, (_, i): Token => {
    const { row, column } = patchAt(placed, at + i) ?? { row: 0, column: 0 };
    return { id, piece: `${row + 1},${column + 1}`, start, end: start, isSpecial: false };
  });
  return {
    ...stream,
    tokens: [...stream.tokens.slice(0, at), ...patches, ...stream.tokens.slice(at + 1)],
    grid: placed,
  };
}
