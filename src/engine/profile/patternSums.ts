import { tokenClasses } from '../../model/profile/tokenClass';
import binary from './patternSums.wasm';

/** A pattern whose rows are to come. */
export interface SummedShape {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly isCausal: boolean;
  /** The class of each query. */
  readonly classes: Uint8Array;
}

/** What was added up over the rows of a pattern; gone with the next one. */
export interface PatternSums {
  /** Σ A_ij over the queries i of a class: `columns[class * stride + key]`. */
  readonly columns: Float64Array;
  readonly stride: number;
  /** Σ A_ij over the cells of each lag: `lags[j − i + numQueries − 1]`. */
  readonly lags: Float64Array;
  /** −Σ_j A_ij log A_ij of each query, in nats, of weights above zero. */
  readonly entropies: Float64Array;
  /** Whether a weight was below zero. */
  readonly hasNegative: boolean;
}

/** Adds up one pattern after another. What it gives does not depend on how it is done, to the bit. */
export interface PatternSummer {
  begin(shape: SummedShape): void;
  /** Takes rows, in order, of which the first is that of query `from`. */
  add(from: number, rows: Float32Array): void;
  sums(): PatternSums;
}

/** The fastest that there is here. */
export function patternSummer(): PatternSummer {
  return KernelSummer.create() ?? new PlainSummer();
}

const numClasses = tokenClasses.length;
const { fround } = Math;
const ln2 = fround(Math.LN2);
/** The bits of √½. */
const rootOfHalf = 0x3f3504f3;
const [second, third, fourth, fifth] = [3, 5, 7, 9].map((power) => fround(2 / power));

function strideOf(numKeys: number): number {
  return (numKeys + 3) & ~3;
}

/** How many keys more than its own place a query can read. */
function aheadOf({ numQueries, numKeys, isCausal }: SummedShape): number {
  return isCausal ? numKeys - numQueries + 1 : numKeys;
}

/** Plain loops, with the arithmetic of `assembly/patternSums.ts`: where there is no WebAssembly with vectors. */
export class PlainSummer implements PatternSummer {
  #shape: SummedShape = { numQueries: 0, numKeys: 0, isCausal: false, classes: new Uint8Array(0) };
  #sums: { -readonly [Name in keyof PatternSums]: PatternSums[Name] } = emptySums(this.#shape);
  readonly #mantissa = new Float32Array(1);
  readonly #mantissaBits = new Int32Array(this.#mantissa.buffer);

  begin(shape: SummedShape): void {
    this.#shape = shape;
    this.#sums = emptySums(shape);
  }

  add(from: number, rows: Float32Array): void {
    const { numQueries, numKeys, classes } = this.#shape;
    const { columns, stride, lags, entropies } = this.#sums;
    const ahead = aheadOf(this.#shape);
    const bits = new Int32Array(rows.buffer, rows.byteOffset, rows.length);
    // Four cells side by side, each with a sum of its own.
    const lanes = new Float64Array(4);
    for (let query = from, start = 0; start < rows.length; query++, start += numKeys) {
      const end = Math.max(0, Math.min(numKeys, query + ahead));
      const column = classes[query] * stride;
      const lag = numQueries - 1 - query;
      lanes.fill(0);
      for (let key = 0; key < end; key++) {
        const weight = rows[start + key];
        columns[column + key] += weight;
        lags[lag + key] += weight;
        if (weight < 0) this.#sums.hasNegative = true;
        if (weight > 0) lanes[key & 3] -= fround(weight * this.#log(bits[start + key]));
      }
      entropies[query] = lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
    }
  }

  sums(): PatternSums {
    return this.#sums;
  }

  /** The natural logarithm of a positive float32 by its bits, each step rounded to a float32. */
  #log(bits: number): number {
    const exponent = (bits - rootOfHalf) >> 23;
    this.#mantissaBits[0] = bits - (exponent << 23);
    const mantissa = this.#mantissa[0];
    const t = fround(fround(mantissa - 1) / fround(mantissa + 1));
    const square = fround(t * t);
    let series = fround(fround(fifth * square) + fourth);
    series = fround(fround(series * square) + third);
    series = fround(fround(series * square) + second);
    series = fround(fround(series * square) + 2);
    return fround(fround(exponent * ln2) + fround(t * series));
  }
}

function emptySums({ numQueries, numKeys }: SummedShape): PatternSums {
  return {
    columns: new Float64Array(numClasses * strideOf(numKeys)),
    stride: strideOf(numKeys),
    lags: new Float64Array(Math.max(0, numQueries + numKeys - 1)),
    entropies: new Float64Array(numQueries),
    hasNegative: false,
  };
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly addRows: (
    ...of: [
      ...[rows: number, numRows: number, numKeys: number, numQueries: number, first: number, ahead: number],
      ...[classes: number, columns: number, lags: number, entropies: number],
    ]
  ) => number;
}

const pageBytes = 65536;
/** Where nothing of the module's own lies. */
const firstAddress = 1024;

/** Where the parts of a pattern lie in the kernel's memory, in bytes. */
interface Places {
  readonly columns: number;
  readonly lags: number;
  readonly entropies: number;
  readonly classes: number;
  readonly rows: number;
}

/** The kernel in WebAssembly, with a memory of its own that grows to the longest rows. */
class KernelSummer implements PatternSummer {
  readonly #kernel: Kernel;
  #shape: SummedShape = { numQueries: 0, numKeys: 0, isCausal: false, classes: new Uint8Array(0) };
  #places: Places = { columns: 0, lags: 0, entropies: 0, classes: 0, rows: 0 };
  #hasNegative = false;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Undefined where there is no WebAssembly, or none with vectors. */
  static create(): KernelSummer | undefined {
    try {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
      return new KernelSummer(exports as unknown as Kernel); // as assembly/patternSums.ts has it
    } catch {
      return undefined;
    }
  }

  begin(shape: SummedShape): void {
    const { numQueries, numKeys, classes } = shape;
    this.#shape = shape;
    this.#hasNegative = false;
    let next = firstAddress;
    const place = (bytes: number): number => {
      const at = next;
      next += (bytes + 15) & ~15;
      return at;
    };
    this.#places = {
      columns: place(8 * numClasses * strideOf(numKeys)),
      lags: place(8 * (numQueries + numKeys + 3)),
      entropies: place(8 * numQueries),
      classes: place(numQueries),
      rows: next,
    };
    this.#grow(next);
    const bytes = new Uint8Array(this.#kernel.memory.buffer);
    bytes.fill(0, firstAddress, this.#places.classes);
    bytes.set(classes, this.#places.classes);
  }

  add(from: number, rows: Float32Array): void {
    const { numQueries, numKeys } = this.#shape;
    const { rows: at, classes, columns, lags, entropies } = this.#places;
    // The last four are read as a whole.
    this.#grow(at + rows.byteLength + 16);
    new Float32Array(this.#kernel.memory.buffer, at, rows.length).set(rows);
    const ahead = aheadOf(this.#shape);
    const numRows = numKeys === 0 ? 0 : rows.length / numKeys;
    if (this.#kernel.addRows(at, numRows, numKeys, numQueries, from, ahead, classes, columns, lags, entropies) !== 0)
      this.#hasNegative = true;
  }

  sums(): PatternSums {
    const { numQueries, numKeys } = this.#shape;
    const { columns, lags, entropies } = this.#places;
    const { buffer } = this.#kernel.memory;
    const stride = strideOf(numKeys);
    return {
      columns: new Float64Array(buffer, columns, numClasses * stride),
      stride,
      lags: new Float64Array(buffer, lags, Math.max(0, numQueries + numKeys - 1)),
      entropies: new Float64Array(buffer, entropies, numQueries),
      hasNegative: this.#hasNegative,
    };
  }

  #grow(bytes: number): void {
    const { memory } = this.#kernel;
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  }
}
