import { tokenClasses } from '../../model/profile/tokenClass';
import { leastWeight } from '../../model/metrics/patternTotals';
import type { WeightKernel } from '../runtime/weightKernel';
import { numbersOfRun, PlainCells, type CellSums, type SummedCells } from './summedCells';

/** A pattern whose rows are to come. */
export interface SummedShape {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly isCausal: boolean;
  /** The class of each query, and of each key. */
  readonly classes: Uint8Array;
  readonly keyClasses: Uint8Array;
  /** What is added up beside. */
  readonly cells: SummedCells;
}

/** What was added up over the rows of a pattern; gone with the next one. */
export interface PatternSums extends CellSums {
  /** Σ_i A_ij of each key j. */
  readonly columnSums: Float64Array;
  /** Σ A_ij over the queries i of a class and the keys j of another: `classWeights[class of the query * classes + class of the key]`. */
  readonly classWeights: Float64Array;
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
const emptyShape: SummedShape = {
  ...{ numQueries: 0, numKeys: 0, isCausal: false, classes: new Uint8Array(0), keyClasses: new Uint8Array(0) },
  cells: { runs: new Int32Array(0), numRunSums: 0, repeated: new Int32Array(0) },
};
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

/** What is added up of all cells, with `columns[class of the query * stride + key]`. */
interface OwnSums extends Omit<PatternSums, keyof CellSums | 'columnSums' | 'classWeights'> {
  readonly columns: Float64Array;
}

/** Plain loops, with the arithmetic of `assembly/weights.ts`: where there is no WebAssembly with vectors. */
export class PlainSummer implements PatternSummer {
  #shape: SummedShape = emptyShape;
  #sums: { -readonly [Name in keyof OwnSums]: OwnSums[Name] } = emptySums(this.#shape);
  readonly #cells = new PlainCells();
  readonly #mantissa = new Float32Array(1);
  readonly #mantissaBits = new Int32Array(this.#mantissa.buffer);

  begin(shape: SummedShape): void {
    this.#shape = shape;
    this.#sums = emptySums(shape);
    this.#cells.begin(shape.cells, shape.numKeys);
  }

  add(from: number, rows: Float32Array): void {
    this.#cells.add(from, rows);
    const { numQueries, numKeys, classes } = this.#shape;
    const { columns, lags, entropies } = this.#sums;
    const stride = strideOf(numKeys);
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
    const { keyClasses } = this.#shape;
    const { columns, ...sums } = this.#sums;
    const stride = strideOf(keyClasses.length);
    const classWeights = new Float64Array(numClasses ** 2);
    const columnSums = Float64Array.from(keyClasses, (other, key) => {
      let sum = 0;
      for (let own = 0; own < numClasses; own++) {
        const weight = columns[own * stride + key];
        sum += weight;
        classWeights[own * numClasses + other] += weight;
      }
      return sum;
    });
    return { ...sums, columnSums, classWeights, ...this.#cells.sums };
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

function emptySums({ numQueries, numKeys }: SummedShape): OwnSums {
  return {
    columns: new Float64Array(numClasses * strideOf(numKeys)),
    lags: new Float64Array(Math.max(0, numQueries + numKeys - 1)),
    entropies: new Float64Array(numQueries),
    hasSign: false,
  };
}

/** Where the parts of a pattern lie in the kernel's memory, in bytes. */
interface Places {
  /** What is added to stands side by side, from the columns to the lags. */
  readonly columns: number;
  readonly runs: number;
  readonly repeated: number;
  readonly lags: number;
  readonly table: number;
  readonly entropies: number;
  readonly columnSums: number;
  readonly classes: number;
  readonly keyClasses: number;
  /** What the runs and the repeated cells are. */
  readonly runCells: number;
  readonly repeatedCells: number;
  readonly rows: number;
}

/** The kernel in WebAssembly. Rows that lie in its memory are read there, others are copied. */
class KernelSummer implements PatternSummer {
  readonly #kernel: WeightKernel;
  /** Of patterns whose sums the kernel has no room for. */
  readonly #plain = new PlainSummer();
  #shape: SummedShape = emptyShape;
  /** Undefined where there is no room. */
  #places: Places | undefined;
  /** The sums of the shape, in the kernel's memory. */
  #found: Omit<PatternSums, 'hasSign'> | undefined;
  #hasSign = false;
  #nextRun = 0;
  #nextCell = 0;

  constructor(kernel: WeightKernel) {
    this.#kernel = kernel;
  }

  begin(shape: SummedShape): void {
    this.#hasSign = false;
    [this.#nextRun, this.#nextCell] = [0, 0];
    // What patterns of one shape have in common is there already.
    if (shape !== this.#shape) this.#place(shape);
    const places = this.#places;
    if (places === undefined) this.#plain.begin(shape);
    else new Uint8Array(this.#kernel.buffer).fill(0, places.columns, places.table);
  }

  #place(shape: SummedShape): void {
    const { numQueries, numKeys, classes, keyClasses, cells } = shape;
    this.#shape = shape;
    this.#found = undefined;
    const { from, to } = this.#kernel.scratch;
    let next = from;
    const place = (bytes: number): number => {
      const at = next;
      next += Math.ceil(bytes / 16) * 16;
      return at;
    };
    const places = {
      columns: place(8 * numClasses * strideOf(numKeys)),
      runs: place(8 * cells.numRunSums),
      repeated: place(8 * 3),
      lags: place(8 * (numQueries + numKeys + 3)),
      table: place(8 * numClasses ** 2),
      entropies: place(8 * numQueries),
      columnSums: place(8 * numKeys),
      classes: place(numQueries),
      keyClasses: place(numKeys),
      runCells: place(4 * cells.runs.length),
      repeatedCells: place(4 * cells.repeated.length),
      rows: next,
    };
    // One row at least, of which four are read at once.
    this.#places = places.rows + 4 * numKeys + 16 > to ? undefined : places;
    if (this.#places === undefined) return;
    const { buffer } = this.#kernel;
    new Uint8Array(buffer).set(classes, places.classes);
    new Uint8Array(buffer).set(keyClasses, places.keyClasses);
    new Int32Array(buffer, places.runCells, cells.runs.length).set(cells.runs);
    new Int32Array(buffer, places.repeatedCells, cells.repeated.length).set(cells.repeated);
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

  #add(places: Places, at: number, from: number, length: number): void {
    const { numQueries, numKeys, cells } = this.#shape;
    const { addRows, addRuns, addRepeated } = this.#kernel.exports;
    const { classes, columns, lags, entropies, runCells, runs, repeatedCells, repeated } = places;
    const [numRows, ahead] = [length / numKeys, aheadOf(this.#shape)];
    if (addRows(at, numRows, numKeys, numQueries, from, ahead, classes, columns, lags, entropies) !== 0)
      this.#hasSign = true;
    const [first, end] = [from * numKeys, from * numKeys + length];
    const numRuns = cells.runs.length / numbersOfRun;
    this.#nextRun = addRuns(at, first, end, runCells, this.#nextRun, numRuns, runs);
    const numCells = cells.repeated.length;
    this.#nextCell = addRepeated(at, first, end, repeatedCells, this.#nextCell, numCells, leastWeight, repeated);
  }

  sums(): PatternSums {
    const places = this.#places;
    if (places === undefined) return this.#plain.sums();
    const { numKeys } = this.#shape;
    const { columns, keyClasses, columnSums, table } = places;
    const { buffer, exports } = this.#kernel;
    exports.addColumns(columns, strideOf(numKeys), numClasses, keyClasses, numKeys, columnSums, table);
    // Arrays are made once a shape, and anew where the memory has grown.
    if (this.#found?.lags.buffer !== buffer) this.#found = this.#sumsAt(places, buffer);
    return { ...this.#found, hasSign: this.#hasSign };
  }

  #sumsAt(places: Places, buffer: ArrayBuffer): Omit<PatternSums, 'hasSign'> {
    const { numQueries, numKeys, cells } = this.#shape;
    return {
      columnSums: new Float64Array(buffer, places.columnSums, numKeys),
      classWeights: new Float64Array(buffer, places.table, numClasses ** 2),
      lags: new Float64Array(buffer, places.lags, Math.max(0, numQueries + numKeys - 1)),
      entropies: new Float64Array(buffer, places.entropies, numQueries),
      runs: new Float64Array(buffer, places.runs, cells.numRunSums),
      repeated: new Float64Array(buffer, places.repeated, 3),
    };
  }
}
