import { Turns } from '../../base/turns';
import { MarginalSums } from '../../model/pattern';
import { blocksAlong, halveMaxima, halveRow, halveSigned, overviewLevel, type Maxima } from '../../model/patternLevels';
import { areSigned, bandRows, readBlock, type HeadsOfPattern } from './readBlock';

/** A pattern's maxima by blocks, from level 1 to that of its overview, and the numbers at its edges. */
export interface PatternPyramid {
  /** Level `i + 1` stands at `i`; none where the pattern is small enough to be its own overview. */
  readonly levels: readonly Maxima[];
  /** Of differences the largest size in each row. */
  readonly rowMaxima: Float32Array;
  readonly sums: MarginalSums;
  readonly bytes: number;
}

/** Reads a pattern once, band by band, and reduces it on the way: the whole is never made. Throws the signal's reason. */
export async function buildPyramid(pattern: HeadsOfPattern, signal?: AbortSignal): Promise<PatternPyramid> {
  const { numQueries, numKeys } = pattern;
  const turns = new Turns(signal);
  const isSigned = areSigned(pattern);
  const halve = isSigned ? halveSigned : halveRow;
  const top = overviewLevel(numQueries, numKeys);
  const rows = blocksAlong(numQueries, 1);
  const columns = blocksAlong(numKeys, 1);
  const first = new Float32Array(top > 0 ? rows * columns : 0);
  const sums = new MarginalSums(numQueries, numKeys);
  const rowMaxima = new Float32Array(numQueries);
  for (let from = 0; from < numQueries; from += bandRows) {
    const to = Math.min(numQueries, from + bandRows);
    const band = await readBlock(pattern, { from, to, left: 0, right: numKeys }, turns, signal);
    sums.add(from, band);
    for (let query = from, at = 0; query < to; query++, at += numKeys) {
      let maximum = 0;
      for (let i = at; i < at + numKeys; i++) {
        const size = isSigned ? Math.abs(band[i]) : band[i];
        if (size > maximum) maximum = size;
      }
      rowMaxima[query] = maximum;
      if (top > 0) halve(band.subarray(at, at + numKeys), first.subarray((query >> 1) * columns));
    }
    if (turns.isDue) await turns.give();
  }
  const levels: Maxima[] = top > 0 ? [{ rows, columns, maxima: first }] : [];
  for (let last = levels[0]; levels.length < top; levels.push(last)) last = halveMaxima(last, halve);
  const bytes = levels.reduce((sum, { maxima }) => sum + maxima.byteLength, 0) + 8 * (numQueries + numKeys);
  return { levels, rowMaxima, sums, bytes };
}
