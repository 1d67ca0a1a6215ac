import { headLabel } from '../head';
import { visibleText, type TokenStream } from '../token';
import {
  arraysOf,
  headNumbers,
  metadataOf,
  writtenLayers,
  type Numbers,
  type Precision,
  type WrittenLayer,
} from './numbers';
import { lengthOf, npyHeader, safetensorsHeader, type WrittenArray } from './writtenArrays';
import { crc32, ZipFrame, type Crc32 } from './zip';

/** What a file of numbers may be. */
export const numberFormats = ['npz', 'safetensors', 'csv', 'json'] as const;
/** One of them: the ending of its name. */
export type NumberFormat = (typeof numberFormats)[number];

/** How a file of numbers is written. */
export interface FileForm {
  readonly format: NumberFormat;
  /** Of arrays; text has as many digits as a float32 needs. */
  readonly precision: Precision;
  /** The size from which on a number has a line of CSV. */
  readonly threshold: number;
}

/** What is written where nobody says otherwise. */
export const plainFileForm: Omit<FileForm, 'format'> = { precision: 'float32', threshold: 0.01 };

/** The format that a path's ending names. */
export function formatOf(path: string): NumberFormat | undefined {
  const ending = /\.([^.]*)$/.exec(path)?.[1].toLowerCase();
  return numberFormats.find((format) => format === ending);
}

/** Text is handed out in pieces of about so many UTF-16 units. */
const pieceUnits = 2 ** 16;

/**
 * A file of numbers, in order; at most a third of a layer's heads, or two, are in memory at a time. Throws what reading them throws.
 * @param sum a faster {@link crc32} than that of this code, where the host has one.
 */
export function fileOf(numbers: Numbers, form: FileForm, sum: Crc32 = crc32): AsyncIterable<Uint8Array> {
  switch (form.format) {
    case 'npz':
      return npz(arraysOf(numbers, form.precision), sum);
    case 'safetensors':
      return safetensors(arraysOf(numbers, form.precision));
    case 'csv':
      return encoded(csv(numbers, form.threshold));
    case 'json':
      return encoded(json(numbers));
  }
}

/** While one part is written the next one is summed: of a large piece that is one thread's work in the time of the other's. */
const mostSummedBytes = 2 ** 21;

/** NumPy's `.npz`: a zip of one `.npy` file for each array, not compressed. */
async function* npz(arrays: readonly WrittenArray[], sum: Crc32): AsyncGenerator<Uint8Array> {
  const frame = new ZipFrame();
  for (const array of arrays) {
    const header = npyHeader(array);
    yield frame.begin(`${array.name}.npy`, header.length + lengthOf(array));
    yield header;
    let crc = sum(header);
    for await (const piece of array.pieces())
      for (let at = 0; at < piece.length; at += mostSummedBytes) {
        const part = piece.subarray(at, at + mostSummedBytes);
        crc = sum(part, crc);
        yield part;
      }
    yield frame.end(crc);
  }
  yield frame.finish();
}

async function* safetensors(arrays: readonly WrittenArray[]): AsyncGenerator<Uint8Array> {
  yield safetensorsHeader(arrays);
  for (const array of arrays) yield* array.pieces();
}

/** One line for each number that is large enough, headed by what its columns are; `component` is there where there are several. */
async function* csv(numbers: Numbers, threshold: number): AsyncGenerator<string> {
  const layers = writtenLayers(numbers);
  const isOne = numbers.components.length === 1;
  const columns = ['query', 'key', 'query_text', 'key_text', 'layer', 'head', 'weight'];
  yield `${[...columns, ...(isOne ? [] : ['component'])].join(',')}\r\n`;
  const texts = numbers.streams.map((stream) => stream.tokens.map((_, position) => textCell(stream, position)));
  for await (const { layer, head, values } of headNumbers(numbers, layers)) {
    const { component, queryStream, keyStream } = layer.component;
    const end = isOne ? '\r\n' : `,${component}\r\n`;
    for (let query = 0; query < layer.numQueries; query++) {
      let lines = '';
      for (let key = 0; key < layer.numKeys; key++) {
        const value = values[query * layer.numKeys + key];
        if (Math.abs(value) < threshold || Number.isNaN(value)) continue;
        lines += `${query},${key},${texts[queryStream][query]},${texts[keyStream][key]},${head.layer},${head.head},${digits(value)}${end}`;
      }
      yield lines;
    }
  }
}

/** A token's text as a cell that no spreadsheet takes for a formula (OWASP, «CSV Injection»), quoted as RFC 4180 has it. */
function textCell(stream: TokenStream, position: number): string {
  const text = visibleText(stream, position);
  return `"${(/^[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** What the arrays hold as one JSON object: rows are queries. */
async function* json(numbers: Numbers): AsyncGenerator<string> {
  const layers = writtenLayers(numbers);
  const { streams, components, ...told } = metadataOf(numbers, layers) as {
    readonly streams: readonly { readonly pieces: unknown }[];
    readonly components: readonly unknown[];
  };
  const tokens = streams.map(({ pieces: _, ...stream }, i) => ({ ...stream, tokens: numbers.streams[i].tokens }));
  yield `${JSON.stringify({ ...told, streams: tokens, components }).slice(0, -1)},"heads":[`;
  let isFirst = true;
  for await (const { layer, head, values } of headNumbers(numbers, layers)) {
    yield `${isFirst ? '' : ','}\n{"component":"${layer.component.component}","head":"${headLabel(head)}","weights":[`;
    isFirst = false;
    for (let query = 0; query < layer.numQueries; query++)
      yield `${query === 0 ? '' : ','}${row(values, layer, query)}`;
    yield ']}';
  }
  yield ']}\n';
}

function row(values: Float32Array, { numKeys }: WrittenLayer, query: number): string {
  // Of what is no number JSON has nothing but null.
  return `[${Array.from(values.subarray(query * numKeys, (query + 1) * numKeys), (value) => (Number.isFinite(value) ? digits(value) : 'null')).join(',')}]`;
}

/** A float32 in so many digits that it is read as the same again. */
function digits(value: number): string {
  return value === 0 ? '0' : String(Number(value.toPrecision(9)));
}

async function* encoded(text: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let gathered = '';
  for await (const piece of text) {
    gathered += piece;
    if (gathered.length < pieceUnits) continue;
    yield encoder.encode(gathered);
    gathered = '';
  }
  if (gathered !== '') yield encoder.encode(gathered);
}
