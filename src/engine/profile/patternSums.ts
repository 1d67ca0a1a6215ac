import { tokenClasses } from '../../model/profile/tokenClass';
import type { WeightKernel } from '../runtime/weightKernel';

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
  /** −Σ_j A_ij log A_ij of each query, in nats; of no meaning where a weight is below zero. */
  readonly entropies: Float64Array;
  /** Whether a weight had a sign: below zero, or -0. */
  readonly hasSign: boolean;
}

/** Adds up one pattern after another. What it gives does not depend on how it is done, to the bit. */
export interface PatternSummer {
  begin(shape: SummedShape): void;
  /** Takes rows, in order, of which the first is that of query `from`. */
  add(from: number, rows: Float32Array): void;
  sums(): PatternSums;
}

/** By a kernel where there is one. */
export function patternSummer(kernel: WeightKernel | undefined): PatternSummer {
  return kernel === undefined ? new PlainSummer() : new KernelSummer(kernel);
}

const numClasses = tokenClasses.length;
const { fround } = Math;
const ln2 = fround(Math.LN2);
/** The bits of √½. */
const rootOfHalf = 0x3f3504f3;
const [first, third, fifth] = [2.0000008, 0.6664408, 0.415177].map(fround);

function strideOf(numKeys: number): number {
  return (numKeys + 3) & ~3;
}

/** How many keys more than its own place a query can read. */
function aheadOf({ numQueries, numKeys, isCausal }: SummedShape): number {
  return isCausal ? numKeys - numQueries + 1 : numKeys;
}

/** Plain loops, with the arithmetic of `assembly/weights.ts`: where there is no WebAssembly with vectors. */
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
    // Four cells side by side, each with a sum of its own; sixteen are added up as float32, and these sums as doubles.
    const lanes = new Float32Array(4);
    const sums = new Float64Array(4);
    for (let query = from, start = 0; start < rows.length; query++, start += numKeys) {
      const end = Math.max(0, Math.min(numKeys, query + ahead));
      const column = classes[query] * stride;
      const lag = numQueries - 1 - query;
      sums.fill(0);
      for (let key = 0; key < end; key++) {
        const weight = rows[start + key];
        columns[column + key] += weight;
        lags[lag + key] += weight;
        if (bits[start + key] < 0) this.#sums.hasSign = true;
        if (weight !== 0) lanes[key & 3] -= fround(weight * this.#log(bits[start + key]));
        if (key % 16 === 15 || key === end - 1)
          for (let lane = 0; lane < 4; lane++) {
            sums[lane] += lanes[lane];
            lanes[lane] = 0;
          }
      }
      entropies[query] = sums[0] + sums[1] + (sums[2] + sums[3]);
    }
  }

  sums(): PatternSums {
    return this.#sums;
  }

  /** The natural logarithm of a positive float32 by its bits, each step rounded to a float32; any number of others. */
  #log(bits: number): number {
    const exponent = (bits - rootOfHalf) >> 23;
    this.#mantissaBits[0] = bits - (exponent << 23);
    const mantissa = this.#mantissa[0];
    const t = fround(fround(mantissa - 1) / fround(mantissa + 1));
    const square = fround(t * t);
    const series = fround(fround(square * fround(fround(square * fifth) + third)) + first);
    return fround(fround(exponent * ln2) + fround(t * series));
  }
}

function emptySums({ numQueries, numKeys }: SummedShape): PatternSums {
  return {
    columns: new Float64Array(numClasses * strideOf(numKeys)),
    stride: strideOf(numKeys),
    lags: new Float64Array(Math.max(0, numQueries + numKeys - 1)),
    entropies: new Float64Array(numQueries),
    hasSign: false,
  };
}

/** Where the parts of a pattern lie in the kernel's memory, in bytes. */
interface Places {
  readonly columns: number;
  readonly lags: number;
  readonly entropies: number;
  readonly classes: number;
  readonly rows: number;
}

/** The kernel in WebAssembly. Rows that lie in its memory are read there, others are copied. */
class KernelSummer implements PatternSummer {
  readonly #kernel: WeightKernel;
  /** Of patterns whose sums the kernel has no room for. */
  readonly #plain = new PlainSummer();
  #shape: SummedShape = { numQueries: 0, numKeys: 0, isCausal: false, classes: new Uint8Array(0) };
  /** Undefined where there is no room. */
  #places: Places | undefined;
  #hasSign = false;

  constructor(kernel: WeightKernel) {
    this.#kernel = kernel;
  }

  begin(shape: SummedShape): void {
    const { numQueries, numKeys, classes } = shape;
    this.#shape = shape;
    this.#hasSign = false;
    const { from, to } = this.#kernel.scratch;
    let next = from;
    const place = (bytes: number): number => {
      const at = next;
      next += Math.ceil(bytes / 16) * 16;
      return at;
    };
    const places = {
      columns: place(8 * numClasses * strideOf(numKeys)),
      lags: place(8 * (numQueries + numKeys + 3)),
      entropies: place(8 * numQueries),
      classes: place(numQueries),
      rows: next,
    };
    // One row at least, of which four are read at once.
    this.#places = next + 4 * numKeys + 16 > to ? undefined : places;
    if (this.#places === undefined) {
      this.#plain.begin(shape);
      return;
    }
    const bytes = new Uint8Array(this.#kernel.buffer);
    bytes.fill(0, from, places.classes);
    bytes.set(classes, places.classes);
  }

  add(from: number, rows: Float32Array): void {
    const { numKeys } = this.#shape;
    const places = this.#places;
    if (places === undefined) this.#plain.add(from, rows);
    else if (rows.buffer === this.#kernel.buffer) this.#add(places, rows.byteOffset, from, rows.length);
    else {
      const most = Math.floor((this.#kernel.scratch.to - places.rows - 16) / (4 * numKeys)) * numKeys;
      for (let start = 0; start < rows.length; start += most) {
        const some = rows.subarray(start, start + most);
        new Float32Array(this.#kernel.buffer, places.rows, some.length).set(some);
        this.#add(places, places.rows, from + start / numKeys, some.length);
      }
    }
  }

  #add({ classes, columns, lags, entropies }: Places, at: number, from: number, length: number): void {
    const { numQueries, numKeys } = this.#shape;
    const numRows = length / numKeys;
    const ahead = aheadOf(this.#shape);
    const { addRows } = this.#kernel.exports;
    if (addRows(at, numRows, numKeys, numQueries, from, ahead, classes, columns, lags, entropies) !== 0)
      this.#hasSign = true;
  }

  sums(): PatternSums {
    if (this.#places === undefined) return this.#plain.sums();
    const { numQueries, numKeys } = this.#shape;
    const { columns, lags, entropies } = this.#places;
    const { buffer } = this.#kernel;
    const stride = strideOf(numKeys);
    return {
      columns: new Float64Array(buffer, columns, numClasses * stride),
      stride,
      lags: new Float64Array(buffer, lags, Math.max(0, numQueries + numKeys - 1)),
      entropies: new Float64Array(buffer, entropies, numQueries),
      hasSign: this.#hasSign,
    };
  }
}
