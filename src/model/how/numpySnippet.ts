import { headLabel } from '../head';
import { howTexts, type How, type HowNumbers, type HowStep } from './how';

/** Arrays up to this are written out; larger ones as the bytes of their numbers. */
const mostWritten = 64;
/** What single precision leaves of numbers near one. */
const leastTolerance = 1e-6;

/**
 * A step as Python with NumPy that computes it anew from what it was given, and fails where that is not what the model computed;
 * undefined for a step that computes nothing, or whose numbers are not shown.
 */
export function numpySnippet({ cell }: Pick<How, 'cell'>, { kind, numbers, check }: HowStep): string | undefined {
  const { numpy, title } = howTexts[kind];
  if (numpy === '' || numbers.length === 0) return undefined;
  const lines = numpy.split('\n');
  const made = lines.map((line) => line.slice(0, line.indexOf(' = ')));
  const last = made[made.length - 1];
  const given = numbers.filter(({ name }) => !made.includes(name));
  const expected = numbers.find(({ name }) => name === last);
  if (expected === undefined || given.length === 0) return undefined;
  // As near as the step itself was found: models of few bits round between.
  const tolerance = Math.max(leastTolerance, Number((check?.tolerance ?? 0).toPrecision(2)));
  const areBytes = [...given, expected].some(({ values }) => values.length > mostWritten);
  return [
    `# ${title}: head ${headLabel(cell)} of ${cell.component}, query ${cell.query}, key ${cell.key}`,
    ...(areBytes ? ['import base64', ''] : []),
    'import numpy as np',
    '',
    ...given.map((array) => `${array.name} = ${arrayOf(array)}`),
    ...lines,
    '',
    `expected = ${arrayOf(expected)}`,
    `assert np.allclose(${last}, expected, rtol=1e-5, atol=${tolerance}), np.abs(${last} - expected).max()`,
    `print(${last})`,
    '',
  ].join('\n');
}

function arrayOf({ dims, values }: HowNumbers): string {
  const shape = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`;
  if (values.length > mostWritten)
    return `np.frombuffer(base64.b64decode("${base64Of(values)}"), "<f4").reshape(${shape})`;
  if (dims.length === 0) return `np.float32(${written(values[0])})`;
  const list = Array.from(values, written).join(', ');
  return `np.array([${list}], dtype=np.float32)${dims.length === 1 ? '' : `.reshape(${shape})`}`;
}

/** A number of single precision as Python writes it: nine digits tell it from its neighbours. */
function written(value: number): string {
  if (Number.isNaN(value)) return 'np.nan';
  if (!Number.isFinite(value)) return value > 0 ? 'np.inf' : '-np.inf';
  return String(Number(value.toPrecision(9)));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Little-endian numbers of single precision as base64. */
function base64Of(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat32(i * 4, value, true));
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    parts.push(
      alphabet[bits >> 18],
      alphabet[(bits >> 12) & 63],
      b === undefined ? '=' : alphabet[(bits >> 6) & 63],
      c === undefined ? '=' : alphabet[bits & 63],
    );
  }
  return parts.join('');
}
