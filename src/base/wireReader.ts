import { ExplorerError } from './errors';

/** The wire types of protobuf that ONNX files use. */
export const enum WireType {
  varint = 0,
  fixed64 = 1,
  bytes = 2,
  fixed32 = 5,
}

/** A part of the file, half-open. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What may still be read of one file or node: its fields and its text. */
export interface ReadingBudget {
  fields: number;
  textBytes: number;
}

/** Bytes of one name, or of another text that is read, at most. */
export const maxTextBytes = 2 ** 16;
/** Bytes of a 64-bit number in protobuf. */
const maxVarintBytes = 10;

/** A field number beyond the ones that protobuf allows, or a length beyond the file, is refused by these. */
const maxFieldNumber = 2 ** 29 - 1;

/**
 * Walks the fields of one protobuf message in place: after each {@link next} the field's number and where its payload lies.
 * Nothing is copied, and nothing beyond `end` is read. Throws `modelTruncated` or `modelNotOnnx`.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  readonly #name: string;
  readonly #end: number;
  /** Whether the message ends where the file does: a length beyond it then means a file cut short. */
  readonly #isWhole: boolean;
  #at: number;
  /** Shared by all readers of a file, where what is read of it is bounded. */
  budget: ReadingBudget | undefined;
  /** Number of the current field. */
  field = 0;
  wireType: WireType = WireType.varint;
  /** Payload of the current field, half-open; for a varint its own bytes. */
  start = 0;
  end = 0;
  /** Byte at which the current field's tag starts. */
  fieldStart = 0;

  constructor(bytes: Uint8Array, name: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#name = name;
    this.#at = start;
    this.#end = end;
    this.#isWhole = end === bytes.length;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    if (this.budget !== undefined && --this.budget.fields < 0) throw this.#tooMuch('more fields');
    this.fieldStart = this.#at;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    const type = tag % 8;
    if (this.field === 0 || this.field > maxFieldNumber)
      throw this.#malformed('it holds a field that protobuf does not allow');
    switch (type) {
      case WireType.varint:
        this.start = this.#at;
        this.#varint();
        break;
      case WireType.fixed64:
        this.start = this.#at;
        this.#skip(8);
        break;
      case WireType.bytes: {
        const length = this.#varint();
        this.start = this.#at;
        this.#skip(length);
        break;
      }
      case WireType.fixed32:
        this.start = this.#at;
        this.#skip(4);
        break;
      default:
        throw this.#malformed('it holds a field of a kind that ONNX does not use');
    }
    this.wireType = type;
    this.end = this.#at;
    return true;
  }

  /** Whether the current field carries bytes (a string, a message, packed numbers). */
  get isBytes(): boolean {
    return this.wireType === WireType.bytes;
  }

  /** The payload of the current field, which must carry bytes. */
  range(): ByteRange {
    if (!this.isBytes) throw this.#malformed('a field is of the wrong kind');
    return { start: this.start, end: this.end };
  }

  /** The current field as an unsigned number; beyond 2^53 it is rounded. */
  unsigned(): number {
    if (this.wireType !== WireType.varint) throw this.#malformed('a field is of the wrong kind');
    return readVarint(this.bytes, this.start, this.end);
  }

  /** The current field as a signed 64-bit integer; beyond ±2^53 it is rounded. */
  integer(): number {
    if (this.wireType !== WireType.varint) throw this.#malformed('a field is of the wrong kind');
    return readSigned(this.bytes, this.start, this.end);
  }

  /** The current field as a 32-bit float. */
  float(): number {
    if (this.wireType !== WireType.fixed32) throw this.#malformed('a field is of the wrong kind');
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.start, 4).getFloat32(0, true);
  }

  /** Appends the signed integers of the current field, packed or not; at most `limit` are kept. */
  integersInto(target: number[], limit: number): void {
    if (this.wireType === WireType.varint) {
      if (target.length < limit) target.push(this.integer());
      return;
    }
    const { start, end } = this.range();
    let first = start;
    for (let at = start; at < end && target.length < limit; at++) {
      if (at - first >= maxVarintBytes) throw this.#malformed('a number in it is too long');
      if ((this.bytes[at] & 0x80) !== 0) continue;
      target.push(readSigned(this.bytes, first, at + 1));
      first = at + 1;
    }
  }

  /** Appends the 32-bit floats of the current field, packed or not; at most `limit` are kept. */
  floatsInto(target: number[], limit: number): void {
    if (this.wireType === WireType.fixed32) {
      if (target.length < limit) target.push(this.float());
      return;
    }
    const { start, end } = this.range();
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + start, end - start);
    for (let at = 0; at + 4 <= view.byteLength && target.length < limit; at += 4)
      target.push(view.getFloat32(at, true));
  }

  /** The current field as text. */
  text(): string {
    const { start, end } = this.range();
    if (this.budget !== undefined) {
      this.budget.textBytes -= end - start;
      if (this.budget.textBytes < 0) throw this.#tooMuch('more text');
    }
    return readText(this.bytes, start, end, this.#name);
  }

  #skip(length: number): void {
    if (length > this.#end - this.#at) {
      throw this.#isWhole
        ? new ExplorerError('modelTruncated', [this.#name, this.bytes.length])
        : this.#malformed('a part of it is longer than the whole');
    }
    this.#at += length;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < maxVarintBytes; i++) {
      if (this.#at >= this.#end) {
        throw this.#isWhole
          ? new ExplorerError('modelTruncated', [this.#name, this.bytes.length])
          : this.#malformed('a number in it is cut short');
      }
      const byte = this.bytes[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw this.#malformed('a number in it is too long');
  }

  #tooMuch(what: string): ExplorerError {
    return new ExplorerError('modelUnsupported', [this.#name, `its graph holds ${what} than any model needs`]);
  }

  #malformed(what: string): ExplorerError {
    return new ExplorerError('modelNotOnnx', [this.#name, what]);
  }
}

function readVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    value += (bytes[at] & 0x7f) * scale;
    scale *= 128;
  }
  return value;
}

/** A varint as int64: ten bytes are a negative number in two's complement. */
function readSigned(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 10) return readVarint(bytes, start, end);
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 7n) | BigInt(bytes[at] & 0x7f);
  return Number(BigInt.asIntN(64, value));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** V8 joins so few letters to one piece; longer texts it keeps as a tree of them, and looks up four times as slowly as decoded ones. */
const mostJoined = 12;

/** A string of the file. Names must be exact, so bytes that are not UTF-8 are refused (`modelNotOnnx`), and so are texts that are no names for their length (`modelUnsupported`). */
function readText(bytes: Uint8Array, start: number, end: number, name: string): string {
  if (end - start > maxTextBytes)
    throw new ExplorerError('modelUnsupported', [name, `a name in it is longer than ${maxTextBytes / 1024} KB`]);
  if (end - start <= mostJoined) {
    let text = '';
    let at = start;
    for (; at < end && bytes[at] < 0x80; at++) text += String.fromCharCode(bytes[at]);
    if (at === end) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch (error) {
    throw new ExplorerError('modelNotOnnx', [name, 'a name in it is not valid UTF-8'], { cause: error });
  }
}
