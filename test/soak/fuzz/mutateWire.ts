import { mutate } from '../../unit/onnx/mutate';
import { below, oneOf, type Chances } from './fuzzTarget';

/** A field of a protobuf message: its tag and where its value lies. */
interface Field {
  readonly start: number;
  readonly value: number;
  readonly end: number;
  readonly type: number;
}

/** Fields beyond this are weights: bytes, and no message. */
const largestMessage = 2 ** 16;
const numbers = [0, 1, 2, 7, 127, 128, 255, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(Math.trunc(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** The fields of a message; undefined for what is none. */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return NaN;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const start = at;
    const tag = read();
    const type = tag % 8;
    if (!(tag >= 8)) return undefined;
    let value = at;
    if (type === 0) read();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = read();
      value = at;
      at += length;
    } else return undefined;
    if (!(at <= bytes.length)) return undefined;
    fields.push({ start, value, end: at, type });
  }
  return fields;
}

function joined(pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A field with another value, its length as that is. */
function withValue(bytes: Uint8Array, { start, type }: Field, value: Uint8Array | readonly number[]): Uint8Array {
  let tagEnd = start;
  while (bytes[tagEnd] >= 128) tagEnd++;
  const tag = bytes.subarray(start, tagEnd + 1);
  return joined(type === 2 ? [tag, varint(value.length), value] : [tag, value]);
}

/** A copy of a protobuf message with one thing changed somewhere inside, all lengths around it made right: what is read is another model, and not a broken file. */
export function mutateWire(random: Chances, bytes: Uint8Array, depth = 0): Uint8Array {
  const fields = bytes.length <= largestMessage || depth < 2 ? fieldsOf(bytes) : undefined;
  if (fields === undefined || fields.length === 0)
    return bytes.length <= largestMessage ? mutate(bytes, random) : bytes;
  const field = oneOf(random, fields);
  const { start, value, end, type } = field;
  const own = bytes.subarray(value, end);
  const [before, after] = [bytes.subarray(0, start), bytes.subarray(end)];
  if (type === 2 && depth < 8 && own.length > 1 && random() < 0.85) {
    const inner = mutateWire(random, own, depth + 1);
    return joined([before, withValue(bytes, field, inner), after]);
  }
  const other = oneOf(random, fields);
  switch (below(random, 6)) {
    case 0:
      return joined([before, after]);
    case 1:
      return joined([before, bytes.subarray(start, end), bytes.subarray(start, end), after]);
    case 2: // what another field of this message says
      return other.type === type
        ? joined([before, withValue(bytes, field, bytes.subarray(other.value, other.end)), after])
        : joined([before, bytes.subarray(other.start, other.end), after]);
    case 3: // in another place
      return other.start > start
        ? joined([before, bytes.subarray(end, other.end), bytes.subarray(start, end), bytes.subarray(other.end)])
        : joined([
            bytes.subarray(0, other.start),
            bytes.subarray(start, end),
            bytes.subarray(other.start, start),
            after,
          ]);
    case 4:
      return joined([
        before,
        type === 0
          ? withValue(bytes, field, varint(oneOf(random, numbers)))
          : type === 2
            ? withValue(bytes, field, [])
            : bytes.subarray(start, end),
        after,
      ]);
    default:
      return joined([before, withValue(bytes, field, type === 2 ? mutate(own.subarray(0, 4096), random) : own), after]);
  }
}
