import type { FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readVarInt } from 'hyparquet/src/thrift.js';

// hyparquet takes the number of values, the size of a page and the length of a run as they are written, and makes room for all of them: a file of some
// hundred bytes asks for gigabytes. So each of these is held against the column's before the library reads it.

type ColumnMetaData = NonNullable<FileMetaData['row_groups'][number]['columns'][number]['meta_data']>;

/** The most bytes of a list of columns and parts, and of the head of a page: ours have some thousand, and some dozens. */
export const maxFooterBytes = 2 ** 20;
const maxHeaderBytes = 2 ** 12;

/** Throws RangeError where what a file says of itself is long. */
export function checkFooter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 8 && view.getUint32(bytes.length - 8, true) > maxFooterBytes)
    throw new RangeError('a table says too much of itself');
}

/** What a column may hold in a part of the file. */
export interface ColumnBounds {
  readonly maxValues: number;
  readonly maxBytes: number;
}

/**
 * Throws RangeError where pages of a column say that they hold more than they may, or hold more than they say.
 * @param isOptional whether values can be missing.
 */
export function checkPages(
  chunk: Uint8Array,
  { codec }: Pick<ColumnMetaData, 'codec'>,
  isOptional: boolean,
  { maxValues, maxBytes }: ColumnBounds,
): void {
  let [at, numValues, numBytes] = [0, 0, 0];
  while (at < chunk.length - 1) {
    const head = chunk.subarray(at, at + maxHeaderBytes);
    const reader = { view: new DataView(head.buffer, head.byteOffset, head.byteLength), offset: 0 };
    const page = parquetHeader(reader);
    const { uncompressed_page_size: size, compressed_page_size: packed } = page;
    const start = at + reader.offset;
    at = start + packed;
    numBytes += size;
    if (!isCount(packed) || !isCount(size) || at > chunk.length || numBytes > maxBytes) throw wrong();
    const bytes = chunk.subarray(start, at);
    const { dictionary_page_header: dictionary, data_page_header_v2: data } = page;
    if (page.type === 'DICTIONARY_PAGE' && dictionary !== undefined) {
      if (!isCount(dictionary.num_values) || dictionary.num_values > maxValues) throw wrong();
    } else if (page.type === 'DATA_PAGE_V2' && data !== undefined) {
      numValues += data.num_values;
      if (!isCount(data.num_values) || numValues > maxValues) throw wrong();
      checkDataPage(bytes, data, isOptional, { size, codec: data.is_compressed === false ? 'UNCOMPRESSED' : codec });
    } else throw new RangeError('a page is of a kind that is not written here');
  }
}

type DataHeader = NonNullable<ReturnType<typeof parquetHeader>['data_page_header_v2']>;

function checkDataPage(
  bytes: Uint8Array,
  header: DataHeader,
  isOptional: boolean,
  { size, codec }: { readonly size: number; readonly codec: ColumnMetaData['codec'] },
): void {
  const { num_values: all, num_nulls: missing, encoding } = header;
  const levels = header.definition_levels_byte_length;
  // Nothing here is a list.
  if (!isCount(missing) || missing > all || header.repetition_levels_byte_length !== 0) throw wrong();
  if (!isCount(levels) || levels > bytes.length || levels > size || levels > 0 !== (isOptional && all > 0))
    throw wrong();
  if (isOptional) checkRuns(bytes.subarray(0, levels), 1, all);
  if (encoding === 'PLAIN') return;
  if (encoding !== 'RLE_DICTIONARY') throw new RangeError('values are written in a way that is not known here');
  const page = decompressPage(bytes.subarray(levels), size - levels, codec, undefined);
  const [width = 0] = page;
  if (width > 32) throw wrong();
  if (width > 0) checkRuns(page.subarray(1), width, all - missing);
}

/** Runs of values, each repeated or packed in groups of eight, which together are as many as there are values; the last group is filled up. */
function checkRuns(bytes: Uint8Array, width: number, numValues: number): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  let left = numValues;
  while (left > 0) {
    const run = readVarInt(reader);
    const isPacked = (run & 1) === 1;
    const count = isPacked ? 8 * (run >>> 1) : run >>> 1;
    reader.offset += isPacked ? (count / 8) * width : Math.ceil(width / 8);
    if (count === 0 || count > left + (isPacked ? 7 : 0)) throw wrong();
    left -= count;
  }
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
const wrong = (): RangeError => new RangeError('a page of a column holds more than it may');
