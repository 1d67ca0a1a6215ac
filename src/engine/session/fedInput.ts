import { plainLines, type PlainLines } from '../../base/safeText';
import type { DataTypeName } from '../../onnx/file/dataType';
import type { ModelInput, TensorData } from '../../onnx/inputs/inputs';
import { halfToNumber } from '../runtime/feeds';
import type { ReadPositions } from '../weights/extents';

/** What one file of a model was fed in its latest run. */
export interface FedFile {
  /** The file's name. */
  readonly file: string;
  readonly inputs: readonly ModelInput[];
  /** Where the text begins in it, behind the padding before it; 0 where it is missing. */
  readonly firstPosition?: number;
  /** Which positions it reads, where the run was told. */
  readonly positions?: ReadPositions;
  /** The input by whose places its layers are put together where they are windows; missing where none is known. */
  readonly placedBy?: { readonly input: string; readonly isChannelLast?: boolean };
}

/** Values of a tensor that are written out; of a larger one so many of the first. */
export const mostValues = 2048;
const mostOfLarger = 512;
/** UTF-16 units of the whole. */
const mostUnits = 400_000;

const numpyTypes: Readonly<Partial<Record<DataTypeName, string>>> = {
  float32: 'np.float32',
  float64: 'np.float64',
  float16: 'np.float16',
  int64: 'np.int64',
  int32: 'np.int32',
  int16: 'np.int16',
  int8: 'np.int8',
  uint64: 'np.uint64',
  uint32: 'np.uint32',
  uint16: 'np.uint16',
  uint8: 'np.uint8',
  bool: 'np.bool_',
};

/** The tensors that a model was fed, as Python that numpy makes the same of; of large ones only the first values, which is said. */
export function pythonOf(files: readonly FedFile[]): PlainLines {
  const lines = ['import numpy as np'];
  files.forEach(({ file, inputs }, i) => {
    const name = files.length === 1 ? 'feeds' : `feeds_${i + 1}`;
    lines.push(
      '',
      `# ${ascii(file).slice(1, -1)}`,
      `${name} = {`,
      ...inputs.map((input) => `    ${ascii(input.name)}: ${arrayOf(input)}`),
      '}',
    );
  });
  return plainLines(`${lines.join('\n')}\n`, mostUnits);
}

/** A text as a string of Python, whatever it holds. */
function ascii(text: string): string {
  return JSON.stringify(text.slice(0, 300)).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An expression for a tensor, with a comma and perhaps a comment behind it. */
function arrayOf({ type, dims, data }: ModelInput): string {
  const shape = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`;
  // numpy has no type for these: their bits are what there is.
  const dtype = numpyTypes[type] ?? 'np.uint16';
  const count = data.length;
  const value = (i: number): string => written(type, data, i);
  if (count === 0) return `np.zeros(${shape}, dtype=${dtype}),`;
  if (count > 1 && isConstant(data))
    return value(0) === '0' || value(0) === 'False'
      ? `np.zeros(${shape}, dtype=${dtype}),`
      : `np.full(${shape}, ${value(0)}, dtype=${dtype}),`;
  const array = (length: number): string =>
    `np.array([${Array.from({ length }, (_, i) => value(i)).join(', ')}], dtype=${dtype})`;
  if (count <= mostValues) return `${array(count)}.reshape(${shape}),`;
  return `np.pad(${array(mostOfLarger)}, (0, ${count - mostOfLarger})).reshape(${shape}),  # the first ${mostOfLarger} of ${count} values, and zeros for the others`;
}

function isConstant(data: TensorData): boolean {
  const [first] = data;
  return data.every((value: number | bigint) => value === first);
}

/** A value as Python writes it, with as many digits as its type needs. */
function written(type: DataTypeName, data: TensorData, at: number): string {
  const value = data[at];
  if (typeof value === 'bigint') return String(value);
  if (type === 'bool') return value === 0 ? 'False' : 'True';
  if (type !== 'float32' && type !== 'float16' && type !== 'float64') return String(value);
  const number = type === 'float16' ? halfToNumber(value) : value;
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'np.nan' : number > 0 ? 'np.inf' : '-np.inf';
  // Nine digits tell every number of single precision from its neighbours.
  const text = String(type === 'float64' ? number : Number(number.toPrecision(9)));
  return Object.is(number, -0) ? '-0.0' : text;
}
