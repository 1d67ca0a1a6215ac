import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import { anyPatchAt, gridsOf, patchPiece, type PlacedPicture } from '../../model/patchGrid';
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
  /** What is written for a picture that is cut into so many rows and columns of tiles: the token of the features once for each, and behind them for the thumbnail. */
  readonly tiles?: (rows: number, columns: number) => readonly (string | number)[];
  /** Whether its own processor cuts a picture, whatever the settings of the picture's say. */
  readonly isCut?: boolean;
  /** The positions of ids, for each axis that they are counted along, where they are not counted from 0 on. */
  readonly positionsOf?: (ids: readonly number[], grid: PatchGrid) => readonly (readonly number[])[];
}

/** A picture as a decoder of texts is given it: one row of features for each of its tokens. */
export interface SeenPicture {
  /** `features[token * width + feature]`; of tiles one after the other, and then of the thumbnail. */
  readonly features: Float32Array;
  readonly numTokens: number;
  readonly width: number;
  /** The patches that tokens are, counted from token 0 on. */
  readonly grid: PatchGrid;
  /** The picture as the model sees it. */
  readonly picture: PictureView & PlacedPicture;
  readonly notices: readonly Notice[];
  /** What its file was fed, tile by tile. */
  readonly fed: readonly FedFile[];
}

/** What makes features of pictures for a model of texts. */
export interface PictureReader {
  readonly writing: PictureWriting;
  /** What a picture becomes. Throws what reading and running it throws. */
  read(picture: PictureFile, turn: () => Promise<void>): Promise<SeenPicture>;
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
  { picture, writing }: { readonly picture: SeenPicture; readonly writing: PictureWriting },
  limits: TokenLimits,
  {
    tokenize,
    specialOf,
  }: {
    readonly tokenize: (text: string, limits: TokenLimits) => Promise<TokenizedText>;
    readonly specialOf: SpecialOf;
  },
): Promise<TokenizedText> {
  const { numTokens } = picture;
  const { id, mark, whereMissing = [[], []], atEnd = '' } = writing;
  const refuse = (reason: string): ExplorerError => new ExplorerError('modelUnsupported', [limits.modelName, reason]);
  const spell = (piece: string | number): string => {
    const spelling = typeof piece === 'string' ? piece : specialOf(piece);
    if (spelling === undefined) throw refuse(`its tokenizer has no special token ${piece}, which stands for a picture`);
    return spelling;
  };
  const spelling = spell(mark);
  const at = text.indexOf(spelling);
  const [opening, closing] = at < 0 ? whereMissing : [[], []];
  const pieces = [...opening, ...piecesOf(picture, writing), ...closing];
  const written = pieces.map(spell).join('');
  const numPlaces = pieces.filter((piece) => piece === id).length;
  const rest = at < 0 ? text : text.slice(at + spelling.length);
  if (rest.includes(spelling) && at >= 0) throw refuse('the text has several places for one picture');
  const whole = `${at < 0 ? '' : text.slice(0, at)}${written}${rest}${atEnd}`;
  const { stream, notices } = await tokenize(whole, withRoom(limits, numTokens - numPlaces, refuse));
  const places = stream.tokens.flatMap((token, place) => (token.id === id ? [place] : []));
  if (places.length < numPlaces && stream.text.length < whole.length)
    throw refuse(`the picture alone is more than ${numTokens} tokens, and there is no room for all of them`);
  if (places.length !== numPlaces)
    throw refuse(`the text has ${places.length} places for a picture that takes ${numPlaces}`);
  return {
    stream: withPatches(stream, places, picture.grid),
    // What is written for the picture is not the person's text.
    notices: [
      ...notices.filter(({ code }) => code !== 'specialInText'),
      ...(at < 0 ? [{ code: 'pictureBefore', args: [spelling] } as const] : []),
    ],
  };
}

/** What is written for a picture, or for the tiles that it is cut into. */
function piecesOf(
  { grid: { rows, columns, tiles } }: SeenPicture,
  { id, before, behind, tiles: written }: PictureWriting,
): readonly (string | number)[] {
  return tiles === undefined || written === undefined
    ? [...before, id, ...behind]
    : written(rows / tiles.rows, columns / tiles.columns);
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

/** A stream with the patches of a picture in the places of tokens that stand for so many each; patches are named `row,column`, from one. */
function withPatches(stream: TokenStream, places: readonly number[], grid: PatchGrid): TokenStream {
  const numEach = gridsOf(grid).reduce((sum, { rows, columns }) => sum + rows * columns, 0) / places.length;
  const starts = places.map((place, i) => place + i * (numEach - 1));
  const [first] = starts;
  const placed: PatchGrid = {
    ...grid,
    first,
    ...(grid.tiles === undefined
      ? {}
      : { tiles: { ...grid.tiles, starts: starts.slice(0, grid.tiles.starts.length) } }),
    ...(grid.thumbnail === undefined ? {} : { thumbnail: { ...grid.thumbnail, first: starts[places.length - 1] } }),
  };
  const tokens = stream.tokens.flatMap((token, place): readonly Token[] => {
    const index = places.indexOf(place);
    if (index < 0) return [token];
    const at = starts[index];
    const { id, start } = token;
    return Array.from({ length: numEach }, (_, i): Token => {
      const patch = anyPatchAt(placed, at + i);
      return { id, piece: patch === undefined ? '' : patchPiece(patch), start, end: start, isSpecial: false };
    });
  });
  return { ...stream, tokens, grid: placed };
}
