import { leastWeight } from '../../model/metrics/patternTotals';

/** Cells of a pattern, each as `query * numKeys + key`, that are added up by themselves. */
export interface SummedCells {
  /** Cells side by side in one row: of each run its first cell, how many there are, and where among the sums that of the first cell is; in the order of their rows. */
  readonly runs: Int32Array;
  /** How many sums the runs go to. */
  readonly numRunSums: number;
  /** The cells of queries whose token occurred before, at each earlier occurrence, in the order of the queries; behind each stands what followed it then. */
  readonly repeated: Int32Array;
}

/** What was added up over them. */
export interface CellSums {
  readonly runs: Float64Array;
  /** The weights of the repeated cells, of those behind them, and of the latter from {@link leastWeight}. */
  readonly repeated: Float64Array;
}

/** Numbers that stand for a run. */
export const numbersOfRun = 3;

/** Adds cells up in plain loops, with the arithmetic of `assembly/weights.ts`. */
export class PlainCells {
  #cells: SummedCells = { runs: new Int32Array(0), numRunSums: 0, repeated: new Int32Array(0) };
  #numKeys = 0;
  #sums: CellSums = { runs: new Float64Array(0), repeated: new Float64Array(3) };
  #nextRun = 0;
  #nextCell = 0;

  begin(cells: SummedCells, numKeys: number): void {
    this.#cells = cells;
    this.#numKeys = numKeys;
    if (this.#sums.runs.length === cells.numRunSums) this.#sums.runs.fill(0);
    else this.#sums = { ...this.#sums, runs: new Float64Array(cells.numRunSums) };
    this.#sums.repeated.fill(0);
    [this.#nextRun, this.#nextCell] = [0, 0];
  }

  /** Takes rows, of which the first is that of query `from`. */
  add(from: number, rows: Float32Array): void {
    const first = from * this.#numKeys;
    this.#addRuns(rows, first);
    this.#addRepeated(rows, first);
  }

  get sums(): CellSums {
    return this.#sums;
  }

  #addRuns(rows: Float32Array, first: number): void {
    const { runs } = this.#cells;
    const { runs: sums } = this.#sums;
    const end = first + rows.length;
    let run = this.#nextRun;
    for (; run < runs.length && runs[run] < end; run += numbersOfRun) {
      const [at, place] = [runs[run] - first, runs[run + 2]];
      for (let i = 0; i < runs[run + 1]; i++) sums[place + i] += rows[at + i];
    }
    this.#nextRun = run;
  }

  #addRepeated(rows: Float32Array, first: number): void {
    const { repeated: cells } = this.#cells;
    const { repeated: sums } = this.#sums;
    const end = first + rows.length;
    let at = this.#nextCell;
    for (; at < cells.length && cells[at] < end; at++) {
      const cell = cells[at] - first;
      const weight = rows[cell + 1];
      sums[0] += rows[cell];
      sums[1] += weight;
      if (weight >= leastWeight) sums[2] += weight;
    }
    this.#nextCell = at;
  }
}
