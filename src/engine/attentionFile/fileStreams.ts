import type { PatchGrid, Token, TokenStream } from '../../model/token';
import { imageStream } from '../image/imageTokens';
import { fitsTokens, toldTiles } from './fileTiles';
import { integersOf, textsOf, type Invalid, type ReadArray } from './readArrays';

/** The most tokens of a stream, and UTF-16 units of its text. */
export const maxFileTokens = 65_536;
export const maxFileTextUnits = 2 ** 24;

/** What a file tells of a stream: by its own metadata, as our exports do, or by arrays. */
interface ToldStream {
  readonly text?: string | undefined;
  readonly pieces?: readonly string[] | undefined;
  readonly grid?: readonly number[] | undefined;
  /** How patches stand where they do not follow one another; nothing of it is believed. */
  readonly tiled?: Pick<PatchGrid, 'tiles' | 'thumbnail'>;
  readonly second?: TokenStream['second'];
}

/** The arrays of a file, with what is wrong with it. */
export interface FileArrays {
  readonly arrays: ReadonlyMap<string, ReadArray>;
  readonly invalid: Invalid;
}

/** An array by its whole name, or, of the first stream, by its bare one. */
const arrayOf = ({ arrays }: FileArrays, stream: string, name: string): ReadArray | undefined =>
  arrays.get(`${stream}.${name}`) ?? (stream === 'source' || stream === 'image' ? arrays.get(name) : undefined);

/** The streams of a file by their names: `source` and `target` of texts, `image`, `image2`, … of pictures. Throws what `invalid` makes of a reason. */
export function readStreams(file: FileArrays, metadata: unknown): ReadonlyMap<string, TokenStream> {
  const told = toldStreams(metadata);
  const names = [
    ...new Set([
      ...told.keys(),
      ...[...file.arrays.keys()].flatMap((name) => /^(source|target|image\d{0,2})\.\w+$/.exec(name)?.[1] ?? []),
      ...(file.arrays.has('grid') ? ['image'] : file.arrays.has('tokens') || file.arrays.has('text') ? ['source'] : []),
    ]),
  ];
  return new Map(names.map((name) => [name, readStream(file, name, told.get(name) ?? {})]));
}

function toldStreams(metadata: unknown): ReadonlyMap<string, ToldStream> {
  const { streams } = Object(metadata) as { readonly streams?: unknown };
  if (!Array.isArray(streams)) return new Map();
  return new Map(
    streams.slice(0, 100).flatMap((stream: unknown): [string, ToldStream][] => {
      const { name, text, pieces, grid, second } = Object(stream) as Readonly<Record<string, unknown>>; // checked here
      if (typeof name !== 'string' || !/^(source|target|image\d{0,2})$/.test(name)) return [];
      const { rows, columns, first } = Object(grid) as Readonly<Record<string, unknown>>;
      const { start, from } = Object(second) as Readonly<Record<string, unknown>>;
      return [
        [
          name,
          {
            ...(typeof text === 'string' ? { text } : {}),
            ...(Array.isArray(pieces) && pieces.every((piece) => typeof piece === 'string') ? { pieces } : {}),
            ...(grid === undefined ? {} : { grid: [rows, columns, first].map(Number), tiled: toldTiles(grid) }),
            ...(isCount(start) && isCount(from) ? { second: { start, from } } : {}),
          },
        ],
      ];
    }),
  );
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function readStream(file: FileArrays, name: string, told: ToldStream): TokenStream {
  const { invalid } = file;
  const numbers = (of: string): readonly number[] | undefined => {
    const array = arrayOf(file, name, of);
    const found = array && integersOf(array);
    if (array !== undefined && found === undefined) throw invalid(`"${array.name}" holds no whole numbers`);
    return found;
  };
  const grid = told.grid ?? numbers('grid');
  const ids = numbers('ids');
  const pieces = told.pieces ?? readTokens(file, name);
  if (grid !== undefined)
    return readGrid([grid, told.tiled], { pieces, ids }, (reason) => invalid(`of "${name}" ${reason}`));
  const text = told.text ?? readText(file, name);
  const pairs = numbers('offsets') ?? inUnits(text, numbers('codePoints'));
  const count = pieces?.length ?? (text === undefined || pairs === undefined ? undefined : pairs.length / 2);
  if (count === undefined) throw invalid(`of "${name}" it has neither tokens nor a text with offsets`);
  checkCount(count, invalid);
  const [special, typed] = [numbers('special'), numbers('types')];
  checkLengths(name, count, { ids, special, types: typed, offsets: pairs }, invalid);
  const laid = text === undefined || pairs === undefined ? joined(pieces ?? []) : { text, pairs };
  if (laid.text.length > maxFileTextUnits) throw invalid(`its text has more than ${maxFileTextUnits} characters`);
  const { second } = told;
  const isPair = second !== undefined && second.start <= laid.text.length && second.from <= count;
  return {
    role: name === 'target' ? 'target' : 'source',
    text: laid.text,
    tokens: makeTokens(laid, { pieces, ids, special, typed }, (at) =>
      invalid(`token ${at} of "${name}" stands outside of its text`),
    ),
    ...(isPair ? { second } : {}),
  };
}

function checkLengths(
  name: string,
  count: number,
  lists: Readonly<Record<string, readonly number[] | undefined>>,
  invalid: Invalid,
): void {
  for (const [of, list] of Object.entries(lists)) {
    const width = of === 'offsets' ? 2 : 1;
    if (list !== undefined && list.length !== count * width)
      throw invalid(`"${name}" has ${count} tokens and ${list.length / width} ${of}`);
  }
}

function makeTokens(
  { text, pairs }: ReturnType<typeof joined>,
  {
    pieces,
    ids,
    special,
    typed,
  }: Readonly<Record<'ids' | 'special' | 'typed', readonly number[] | undefined>> & {
    readonly pieces: readonly string[] | undefined;
  },
  outside: (at: number) => Error,
): readonly Token[] {
  return Array.from({ length: pairs.length / 2 }, (_, i) => {
    const [start, end] = [pairs[2 * i], pairs[2 * i + 1]];
    if (!(start >= 0 && start <= end && end <= text.length)) throw outside(i);
    return {
      id: ids?.[i] ?? i,
      piece: pieces?.[i] ?? text.slice(start, end),
      start,
      end,
      isSpecial: (special?.[i] ?? 0) !== 0,
      ...(typed === undefined ? {} : { typeId: typed[i] }),
    };
  });
}

/** Tokens of NumPy's text, or a list in JSON as bytes of UTF-8. */
function readTokens(file: FileArrays, name: string): readonly string[] | undefined {
  const array = arrayOf(file, name, 'tokens');
  if (array === undefined) return undefined;
  const texts = textsOf(array);
  if (array.type !== 'U8') {
    if (texts !== undefined) return texts;
    throw file.invalid(`"${array.name}" holds no texts`);
  }
  let list: unknown;
  try {
    list = JSON.parse(texts?.[0] ?? '');
  } catch {
    // Told below.
  }
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
  throw file.invalid(`"${array.name}" is no list of texts in JSON`);
}

function readText(file: FileArrays, name: string): string | undefined {
  const array = arrayOf(file, name, 'text');
  if (array === undefined) return undefined;
  const texts = textsOf(array);
  if (texts?.length !== 1) throw file.invalid(`"${array.name}" is not one text`);
  return texts[0];
}

/** Places in code points, as Python counts, in UTF-16 units. */
function inUnits(text: string | undefined, places: readonly number[] | undefined): readonly number[] | undefined {
  if (text === undefined || places === undefined) return undefined;
  const starts: number[] = [];
  for (let unit = 0; unit < text.length; unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1) starts.push(unit);
  starts.push(text.length);
  return places.map((place) => starts[place] ?? -1);
}

/** A text of tokens that have none: one after the other where they carry their own blanks, else with one between them. */
function joined(pieces: readonly string[]): { readonly text: string; readonly pairs: readonly number[] } {
  const between = pieces.some((piece) => piece.trim() !== piece) ? '' : ' ';
  const pairs: number[] = [];
  let at = 0;
  for (const piece of pieces) {
    pairs.push(at, at + piece.length);
    at += piece.length + between.length;
  }
  return { text: pieces.join(between), pairs };
}

function readGrid(
  [[rows, columns, first], tiled = {}]: readonly [readonly number[], ToldStream['tiled']?],
  { pieces, ids }: { readonly pieces: readonly string[] | undefined; readonly ids: readonly number[] | undefined },
  invalid: Invalid,
): TokenStream {
  const count = pieces?.length ?? ids?.length ?? rows * columns + (first ?? 0);
  const begin = first ?? count - rows * columns;
  const grid: PatchGrid = { rows, columns, first: begin, patchWidth: 1, patchHeight: 1, ...tiled };
  if (![rows, columns, begin].every(isCount) || !fitsTokens(grid, count))
    throw invalid(`the grid does not fit the ${count} tokens`);
  checkCount(count, invalid);
  const stream = imageStream(grid, count, {});
  return {
    ...stream,
    tokens: stream.tokens.map((token, i) => ({
      ...token,
      ...(ids?.[i] === undefined ? {} : { id: ids[i] }),
      ...(pieces?.[i] === undefined ? {} : { piece: pieces[i] }),
    })),
  };
}

function checkCount(count: number, invalid: Invalid): void {
  if (count > maxFileTokens) throw invalid(`it has more than ${maxFileTokens} tokens`);
}
