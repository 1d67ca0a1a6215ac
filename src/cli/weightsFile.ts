import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import { writtenLayers, type Numbers, type Precision } from '../model/numbers/numbers';
import { fileOf, formatOf, plainFileForm, type NumberFormat } from '../model/numbers/numbersFile';
import { checkWritable } from '../base/wholeFile.node';
import { methodOf } from '../model/methods';
import { counted } from './counted';
import { writeWhole } from './writeWhole';

/** Where numbers are written, and how. */
export interface NumbersOut {
  readonly path: string;
  /** `float32` or `float16`, as it was given. */
  readonly precision: string | undefined;
  /** A number, as it was given. */
  readonly threshold: string | undefined;
}

/** A file of numbers that can be written. */
export interface CheckedOut {
  readonly path: string;
  readonly format: NumberFormat;
  readonly precision: Precision;
  readonly threshold: number;
}

/** Throws `wrongUsage` where a path's ending names no format, or an option is not of it, `fileNotWritten` where nothing can be written there. */
export async function checkNumbersOut({ path, precision, threshold }: NumbersOut): Promise<CheckedOut> {
  const format = formatOf(path);
  if (format === undefined)
    throw new ExplorerError('wrongUsage', ['--out', 'its name ends in .npz, .safetensors, .csv or .json']);
  if (precision !== undefined && ((precision !== 'float16' && precision !== 'float32') || isText(format)))
    throw new ExplorerError('wrongUsage', ['--dtype', 'it is float32 or float16, and of .npz and .safetensors']);
  const least = threshold === undefined ? plainFileForm.threshold : Number(threshold);
  if (threshold !== undefined && (format !== 'csv' || threshold.trim() === '' || !(least >= 0)))
    throw new ExplorerError('wrongUsage', ['--threshold', 'it is a number from 0 on, and of .csv']);
  await checkWritable(path);
  return { path, format, precision: precision ?? plainFileForm.precision, threshold: least };
}

/** Writes numbers with their tokens, and resolves to a sentence of what was written. Throws `fileNotWritten`. */
export async function writeNumbers(out: CheckedOut, numbers: Numbers): Promise<TerminalText> {
  const pieces = fileOf(numbers, out);
  const isTable = out.format === 'csv';
  const lines = new CountedLines(pieces);
  await writeWhole(out.path, isTable ? lines.pieces() : pieces);
  const count = writtenLayers(numbers).length;
  // A line has the names of columns.
  const found = counted(lines.count - 1, 'number');
  const least = isTable ? line`, ${found} from ${plain(String(out.threshold))} on,` : line``;
  const title = numbers.method === 'attention' ? 'attention weights' : methodOf(numbers.method).title;
  return line`${counted(count, 'layer')} of ${plain(title)}${least} written to ${plain(out.path)}`;
}

/** Counts the lines of what it hands on. */
class CountedLines {
  readonly #pieces: AsyncIterable<Uint8Array>;
  count = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#pieces) {
      for (const byte of piece) if (byte === 0x0a) this.count++;
      yield piece;
    }
  }
}

const isText = (format: NumberFormat): boolean => format === 'csv' || format === 'json';
