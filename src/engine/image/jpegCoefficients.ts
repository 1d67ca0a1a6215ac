import { bytesAlone, isFrame, jpegMarker } from './jpegMarkers';

/** A colour of a JPEG: how it is sampled, and the coefficients of its blocks. */
export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  /** In zigzag order. */
  readonly quantization: Uint16Array;
  /** Blocks of 8 × 8 samples that are stored: whole units of the picture. */
  readonly numColumns: number;
  readonly numRows: number;
  /** 64 to a block, in zigzag order, row by row. */
  readonly coefficients: Int16Array;
}

/** A JPEG up to its coefficients. */
export interface JpegCoefficients {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  /** What the marker of Adobe says of its colours; undefined where there is none. */
  readonly adobeTransform: number | undefined;
}

interface HuffmanTable {
  /** For each 16 bits that can come, the length of the code and its value: length * 256 + value; 0 for none. */
  readonly lookup: Uint16Array;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly components: readonly (JpegComponent & { readonly quantizationId: number; prediction: number })[];
  readonly maxHorizontal: number;
  readonly maxVertical: number;
}

interface Scan {
  readonly parts: readonly {
    readonly component: Frame['components'][number];
    readonly dc: HuffmanTable | undefined;
    readonly ac: HuffmanTable | undefined;
  }[];
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
}

/**
 * Reads the coefficients of a JPEG of 8 bits with Huffman codes, baseline or progressive (ITU-T T.81). Throws an error for a file that
 * is damaged or of another kind.
 */
export function readJpegCoefficients(bytes: Uint8Array): JpegCoefficients {
  const quantizations: Uint16Array[] = [];
  const tables: { readonly dc: HuffmanTable[]; readonly ac: HuffmanTable[] } = { dc: [], ac: [] };
  let frame: Frame | undefined;
  let restartInterval = 0;
  let adobeTransform: number | undefined;
  let hasScan = false;
  let at = 2;
  for (let found = segmentFrom(bytes, at); found !== undefined; found = segmentFrom(bytes, at)) {
    const { marker, segment } = found;
    at = found.end;
    switch (marker) {
      case jpegMarker.quantizationTables:
        readQuantizations(segment, quantizations);
        break;
      case jpegMarker.huffmanTables:
        readHuffmanTables(segment, tables);
        break;
      case jpegMarker.restartInterval:
        restartInterval = (segment[0] << 8) | segment[1];
        break;
      case jpegMarker.app14:
        if (segment.length >= 12 && String.fromCharCode(...segment.subarray(0, 5)) === 'Adobe')
          adobeTransform = segment[11];
        break;
      case jpegMarker.startOfScan:
        if (frame === undefined) throw new Error('its data comes before its size');
        // What is quantised is known at a component's first scan.
        if (!hasScan) quantize(frame, quantizations);
        hasScan = true;
        at += decodeScan(bytes.subarray(at), frame, readScan(segment, frame, tables), restartInterval);
        break;
      default:
        if (!isFrame(marker)) break;
        if (marker > progressive) throw new Error('its kind of JPEG is not read');
        if (frame !== undefined) throw new Error('it has two pictures');
        frame = readFrame(segment, marker === progressive);
    }
  }
  if (frame === undefined || !hasScan) throw new Error('it ends too early');
  return { width: frame.width, height: frame.height, components: frame.components, adobeTransform };
}

/** The marker of a progressive picture; those before it are of sequential ones, and those behind it are not read. */
const progressive = 0xc2;

/** The next segment with a length, from a place on; undefined at the end of the picture. What is between a scan's end and the next marker is passed over. */
function segmentFrom(
  bytes: Uint8Array,
  from: number,
): { readonly marker: number; readonly segment: Uint8Array; readonly end: number } | undefined {
  for (let at = from; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1];
    const passed = bytes[at] === 0xff ? bytesAlone(marker) : 1;
    if (bytes[at] === 0xff && marker === jpegMarker.endOfImage) return undefined;
    if (passed === 0) {
      const end = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
      if (end > bytes.length) throw new Error('it ends too early');
      return { marker, segment: bytes.subarray(at + 4, end), end };
    }
    at += passed;
  }
  return undefined;
}

function quantize({ components }: Frame, quantizations: readonly (Uint16Array | undefined)[]): void {
  for (const { quantizationId, quantization } of components) {
    const table = quantizations[quantizationId];
    if (table !== undefined) quantization.set(table);
  }
}

function readQuantizations(segment: Uint8Array, into: Uint16Array[]): void {
  for (let at = 0; at < segment.length;) {
    const [is16, id] = [segment[at] >> 4 !== 0, segment[at] & 15];
    at++;
    const size = is16 ? 128 : 64;
    if (at + size > segment.length || id > 3) throw new Error('its tables are damaged');
    into[id] = Uint16Array.from({ length: 64 }, (_, i) =>
      is16 ? (segment[at + 2 * i] << 8) | segment[at + 2 * i + 1] : segment[at + i],
    );
    at += size;
  }
}

function readHuffmanTables(
  segment: Uint8Array,
  { dc, ac }: { readonly dc: HuffmanTable[]; readonly ac: HuffmanTable[] },
): void {
  for (let at = 0; at + 17 <= segment.length;) {
    const [isAc, id] = [segment[at] >> 4 !== 0, segment[at] & 15];
    const counts = segment.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    at += 17;
    if (id > 3 || total > 256 || at + total > segment.length) throw new Error('its tables are damaged');
    const lookup = new Uint16Array(2 ** 16);
    let code = 0;
    let next = at;
    counts.forEach((count, i) => {
      const length = i + 1;
      for (let k = 0; k < count; k++, code++) {
        const from = code << (16 - length);
        if (from >= 2 ** 16) throw new Error('its tables are damaged');
        lookup.fill(length * 256 + segment[next++], from, from + 2 ** (16 - length));
      }
      code <<= 1;
    });
    (isAc ? ac : dc)[id] = { lookup };
    at += total;
  }
}

function readFrame(segment: Uint8Array, isProgressive: boolean): Frame {
  const [bits, high, low, wide, narrow, count] = segment;
  const [height, width] = [(high << 8) | low, (wide << 8) | narrow];
  if (bits !== 8 || segment.length < 6 + 3 * count || width === 0 || height === 0 || count === 0 || count > 4)
    throw new Error('its kind of JPEG is not read');
  const parts = Array.from({ length: count }, (_, i) => segment.subarray(6 + 3 * i, 9 + 3 * i)).map(
    ([id, sampling, quantizationId]) => ({ id, horizontal: sampling >> 4, vertical: sampling & 15, quantizationId }),
  );
  if (
    parts.some(
      ({ horizontal, vertical, quantizationId }) =>
        horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4 || quantizationId > 3,
    )
  )
    throw new Error('its header is damaged');
  const maxHorizontal = Math.max(...parts.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...parts.map(({ vertical }) => vertical));
  const [numUnitColumns, numUnitRows] = [Math.ceil(width / (8 * maxHorizontal)), Math.ceil(height / (8 * maxVertical))];
  const components = parts.map((part) => {
    const [numColumns, numRows] = [numUnitColumns * part.horizontal, numUnitRows * part.vertical];
    return {
      ...part,
      quantization: new Uint16Array(64),
      numColumns,
      numRows,
      coefficients: new Int16Array(64 * numColumns * numRows),
      prediction: 0,
    };
  });
  return { width, height, isProgressive, components, maxHorizontal, maxVertical };
}

function readScan(
  segment: Uint8Array,
  { components, isProgressive }: Frame,
  { dc, ac }: { readonly dc: HuffmanTable[]; readonly ac: HuffmanTable[] },
): Scan {
  const [count] = segment;
  if (segment.length < 4 + 2 * count || count === 0) throw new Error('its data is damaged');
  const parts = Array.from({ length: count }, (_, i) => {
    const [id, ids] = segment.subarray(1 + 2 * i, 3 + 2 * i);
    const component = components.find((each) => each.id === id);
    if (component === undefined) throw new Error('its data is of a colour that it does not have');
    return { component, dc: dc[ids >> 4], ac: ac[ids & 15] };
  });
  const [first, last, approximation] = segment.subarray(1 + 2 * count);
  const scan = isProgressive
    ? { parts, first, last, high: approximation >> 4, low: approximation & 15 }
    : { parts, first: 0, last: 63, high: 0, low: 0 };
  if (
    scan.last > 63 ||
    scan.first > scan.last ||
    scan.low > 13 ||
    (scan.first > 0 && count > 1) ||
    (isProgressive && scan.first === 0 && scan.last > 0)
  )
    throw new Error('its data is damaged');
  const needsDc = scan.first === 0 && scan.high === 0;
  const needsAc = scan.last > 0;
  if (parts.some((part) => (needsDc && part.dc === undefined) || (needsAc && part.ac === undefined)))
    throw new Error('its tables are missing');
  return scan;
}

/** Bits of a scan, without what is stuffed between them; zeros beyond its end, as the common decoders have it. */
class Bits {
  at = 0;
  readonly #bytes: Uint8Array;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #fill(count: number): void {
    while (this.#count < count) {
      let byte = 0;
      if (this.at < this.#bytes.length) {
        if (this.#bytes[this.at] !== 0xff) byte = this.#bytes[this.at++];
        else if (this.#bytes[this.at + 1] === 0) {
          byte = 0xff;
          this.at += 2;
        }
      }
      this.#held = ((this.#held << 8) | byte) & 0xffffff;
      this.#count += 8;
    }
  }

  take(count: number): number {
    if (count === 0) return 0;
    this.#fill(count);
    this.#count -= count;
    return (this.#held >>> this.#count) & (2 ** count - 1);
  }

  symbol({ lookup }: HuffmanTable): number {
    this.#fill(16);
    const found = lookup[(this.#held >>> (this.#count - 16)) & 0xffff];
    if (found === 0) throw new Error('its data is damaged');
    this.#count -= found >> 8;
    return found & 255;
  }

  /** A number of so many bits, the small half of them negative. */
  signed(count: number): number {
    const value = this.take(count);
    return count > 0 && value < 2 ** (count - 1) ? value - 2 ** count + 1 : value;
  }

  /** Drops what is left of a byte, and goes behind the marker that stands there. */
  restart(): void {
    this.#held = this.#count = 0;
    while (
      this.at + 1 < this.#bytes.length &&
      !(this.#bytes[this.at] === 0xff && this.#bytes[this.at + 1] >= 0xd0 && this.#bytes[this.at + 1] <= 0xd7)
    ) {
      if (this.#bytes[this.at] === 0xff && this.#bytes[this.at + 1] !== 0) return; // another marker: the data is short
      this.at++;
    }
    this.at += 2;
  }
}

/** Decodes a scan into the coefficients; how many bytes it took. */
function decodeScan(bytes: Uint8Array, frame: Frame, scan: Scan, restartInterval: number): number {
  const bits = new Bits(bytes);
  const decoder = new BlockDecoder(bits, frame.isProgressive, scan);
  const [only] = scan.parts;
  let unit = 0;
  const begin = (): void => {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      bits.restart();
      decoder.restart();
    }
    unit++;
  };
  decoder.restart();
  if (scan.parts.length === 1) {
    // A scan of one colour leaves out the blocks beyond the picture's edges.
    const { component } = only;
    const columns = Math.ceil(Math.ceil((frame.width * component.horizontal) / frame.maxHorizontal) / 8);
    const rows = Math.ceil(Math.ceil((frame.height * component.vertical) / frame.maxVertical) / 8);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        begin();
        decoder.decode(only, (row * component.numColumns + column) * 64);
      }
    }
    return bits.at;
  }
  const [{ component: any }] = scan.parts;
  const [unitColumns, unitRows] = [any.numColumns / any.horizontal, any.numRows / any.vertical];
  for (let row = 0; row < unitRows; row++) {
    for (let column = 0; column < unitColumns; column++) {
      begin();
      for (const part of scan.parts) {
        const { horizontal, vertical, numColumns } = part.component;
        for (let y = 0; y < vertical; y++)
          for (let x = 0; x < horizontal; x++)
            decoder.decode(part, ((row * vertical + y) * numColumns + column * horizontal + x) * 64);
      }
    }
  }
  return bits.at;
}

/** Decodes the blocks of one scan (T.81, F.2.2 and G.2). */
class BlockDecoder {
  readonly #bits: Bits;
  readonly #isProgressive: boolean;
  readonly #scan: Scan;
  /** Blocks that still have nothing but zeros to come. */
  #numEmpty = 0;

  constructor(bits: Bits, isProgressive: boolean, scan: Scan) {
    this.#bits = bits;
    this.#isProgressive = isProgressive;
    this.#scan = scan;
  }

  restart(): void {
    this.#numEmpty = 0;
    for (const { component } of this.#scan.parts) component.prediction = 0;
  }

  decode({ component, dc, ac }: Scan['parts'][number], at: number): void {
    const { first, high } = this.#scan;
    if (first === 0) {
      if (high > 0) component.coefficients[at] |= this.#bits.take(1) << this.#scan.low;
      else if (dc !== undefined) {
        component.prediction += this.#bits.signed(Math.min(16, this.#bits.symbol(dc)));
        component.coefficients[at] = component.prediction << this.#scan.low;
      }
    }
    if (ac === undefined || this.#scan.last === 0) return;
    if (!this.#isProgressive) this.#all(component.coefficients, at, ac);
    else if (high === 0) this.#part(component.coefficients, at, ac);
    else this.#refine(component.coefficients, at, ac);
  }

  /** All of a block of a sequential picture. */
  #all(coefficients: Int16Array, at: number, table: HuffmanTable): void {
    for (let k = 1; k < 64; k++) {
      const symbol = this.#bits.symbol(table);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0) {
        if (run < 15) return;
        k += 15;
        continue;
      }
      k += run;
      if (k > 63) throw new Error('its data is damaged');
      coefficients[at + k] = this.#bits.signed(size);
    }
  }

  /** Coefficients of a band for the first time. */
  #part(coefficients: Int16Array, at: number, table: HuffmanTable): void {
    if (this.#numEmpty > 0) {
      this.#numEmpty--;
      return;
    }
    const { first, last, low } = this.#scan;
    for (let k = first; k <= last; k++) {
      const symbol = this.#bits.symbol(table);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0) {
        if (run < 15) {
          this.#numEmpty = 2 ** run - 1 + this.#bits.take(run);
          return;
        }
        k += 15;
        continue;
      }
      k += run;
      if (k > 63) throw new Error('its data is damaged');
      coefficients[at + k] = this.#bits.signed(size) * 2 ** low;
    }
  }

  /** One more bit of the coefficients of a band. */
  #refine(coefficients: Int16Array, at: number, table: HuffmanTable): void {
    const { first, last, low } = this.#scan;
    const bit = 1 << low;
    const correct = (i: number): void => {
      if (this.#bits.take(1) === 1 && (coefficients[i] & bit) === 0)
        coefficients[i] += coefficients[i] > 0 ? bit : -bit;
    };
    let k = first;
    if (this.#numEmpty === 0) {
      for (; k <= last; k++) {
        const symbol = this.#bits.symbol(table);
        const size = symbol & 15;
        let run = symbol >> 4;
        let value = 0;
        if (size === 0) {
          if (run < 15) {
            this.#numEmpty = 2 ** run + this.#bits.take(run);
            break;
          }
        } else value = this.#bits.take(1) === 1 ? bit : -bit;
        // Those that are known already get a bit each; those that are not are counted.
        for (; k <= last; k++) {
          if (coefficients[at + k] !== 0) correct(at + k);
          else if (run-- === 0) break;
        }
        if (value !== 0 && k <= last) coefficients[at + k] = value;
      }
    }
    if (this.#numEmpty > 0) {
      for (; k <= last; k++) if (coefficients[at + k] !== 0) correct(at + k);
      this.#numEmpty--;
    }
  }
}
