import { ExplorerError } from '../../base/errors';
import { entryField, graphField, modelField, tensorField } from './fields';
import { WireWriter } from './wireWriter';

/** A file whose parts can be read without reading all of it. */
export interface RandomAccessFile {
  readonly size: number;
  /** A copy of some bytes; shorter only where the file ends. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** A model without its large tensors: these are left where they are, as external data in the file that is named `ownName`. */
export interface CompactModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ownName: string;
}

/** Tensors from this size on stay in the file. */
const smallestLeftBytes = 4096;
/** All of a graph that is not such a tensor is held in memory. */
export const maxGraphBytes = 2 ** 30;
/** What a model says beside its graph: versions, metadata. */
export const maxHeaderBytes = 2 ** 26;
/** Nodes, tensors and other parts that a graph consists of. */
const maxFields = 2_000_000;
const windowBytes = 2 ** 18;

/** Reads a model file but for its large tensors. Throws `modelTruncated`, `modelNotOnnx` or `modelUnsupported`. */
export function compactModel(file: RandomAccessFile, name: string): CompactModel {
  const cursor = new Cursor(file, name);
  const bounds = new Bounds(name);
  const model = new WireWriter();
  while (cursor.at < file.size) {
    bounds.count();
    const field = cursor.field(file.size);
    // Nothing that is run: text for people, and how the model was trained.
    if (field.number === modelField.documentation || field.number === modelField.training) continue;
    if (field.number === modelField.graph && field.isBytes) {
      model.message(modelField.graph, compactGraph(cursor, field, name, bounds));
      cursor.at = field.end;
      continue;
    }
    if (field.number === modelField.functions) bounds.holdGraph(field.end - field.start);
    else bounds.holdHeader(field.end - field.start);
    model.raw(cursor.bytes(field.start, field.end));
  }
  if (model.length === 0 && file.size > 0) throw new ExplorerError('modelNotOnnx', [name, 'it holds no graph']);
  // The file's real name: a runtime that reads files by itself finds it beside the others.
  return { bytes: model.toBytes(), ownName: name };
}

/** A GraphProto whose large tensors say where in the file their values lie. What stands side by side and stays as it is, is copied at once. */
function compactGraph(cursor: Cursor, field: Field, ownName: string, bounds: Bounds): WireWriter {
  const graph = new WireWriter();
  cursor.at = field.payload;
  let [from, to] = [field.payload, field.payload];
  const copy = (): void => {
    if (to > from) graph.raw(cursor.bytes(from, to));
  };
  while (cursor.at < field.end) {
    bounds.count();
    const part = cursor.field(field.end);
    const isLeftOut = part.number === graphField.documentation;
    const isLarge =
      part.number === graphField.initializer && part.isBytes && part.end - part.payload >= smallestLeftBytes;
    const tensor = isLarge ? compactTensor(cursor, part, ownName, bounds) : undefined;
    if (!isLeftOut) bounds.holdGraph(tensor === undefined ? part.end - part.start : tensor.length);
    if (tensor === undefined && !isLeftOut) to = part.end;
    else {
      copy();
      if (tensor !== undefined) graph.message(graphField.initializer, tensor);
      from = to = part.end;
    }
    cursor.at = part.end;
  }
  copy();
  return graph;
}

/** How much of a file may be held: known before it is read, as a field may claim all of a file that takes no room on the disk. */
class Bounds {
  readonly #name: string;
  #headerBytes = 0;
  #graphBytes = 0;
  #numFields = 0;

  constructor(name: string) {
    this.#name = name;
  }

  count(): void {
    if (++this.#numFields > maxFields) throw this.#refusal(`its graph has more than ${maxFields} parts`);
  }

  holdGraph(bytes: number): void {
    this.#graphBytes += bytes;
    if (this.#graphBytes > maxGraphBytes)
      throw this.#refusal('its graph, without the weights, is larger than a gigabyte');
  }

  holdHeader(bytes: number): void {
    this.#headerBytes += bytes;
    if (this.#headerBytes > maxHeaderBytes)
      throw this.#refusal(`what it says beside its graph is larger than ${maxHeaderBytes / 2 ** 20} MB`);
  }

  #refusal(reason: string): ExplorerError {
    return new ExplorerError('modelUnsupported', [this.#name, reason]);
  }
}

/** Name, shape and place of a tensor, without its values. */
const maxTensorHeaderBytes = 2 ** 20;
const float32 = 1;

/** A TensorProto that says where in the file its values lie; undefined where they lie in no single place. */
function compactTensor(cursor: Cursor, whole: Field, ownName: string, bounds: Bounds): WireWriter | undefined {
  const tensor = new WireWriter();
  let data: Field | undefined;
  let numFloats = 0;
  let floats: Field | undefined;
  let type = 0;
  cursor.at = whole.payload;
  while (cursor.at < whole.end) {
    bounds.count();
    const field = cursor.field(whole.end);
    if (field.number === tensorField.raw && field.isBytes && field.end - field.payload >= smallestLeftBytes)
      data = field;
    else if (field.number === tensorField.floats) {
      // Floats one by one lie in no single place.
      if (++numFloats > 1) return undefined;
      floats = field;
    } else {
      if (field.end - field.start > maxTensorHeaderBytes) return undefined;
      if (field.number === tensorField.dataType && !field.isBytes) type = cursor.bytes(field.payload, field.end)[0];
      tensor.raw(cursor.bytes(field.start, field.end));
    }
    cursor.at = field.end;
  }
  // A single packed float_data field is laid out as raw_data is.
  if (numFloats === 1 && floats?.isBytes === true && type === float32 && data === undefined) data = floats;
  else if (numFloats > 0) return undefined;
  if (data === undefined) return undefined;
  for (const [key, value] of [
    ['location', ownName],
    ['offset', String(data.payload)],
    ['length', String(data.end - data.payload)],
  ])
    tensor.message(tensorField.external, new WireWriter().text(entryField.key, key).text(entryField.value, value));
  return tensor.integer(tensorField.location, 1);
}

/** A field of a message: from its tag to its end, and where its payload begins. */
interface Field {
  readonly number: number;
  readonly isBytes: boolean;
  readonly start: number;
  readonly payload: number;
  readonly end: number;
}

/** Walks fields of a file through a window of it. */
class Cursor {
  readonly #file: RandomAccessFile;
  readonly #name: string;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;
  at = 0;

  constructor(file: RandomAccessFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** Reads the field here, within a message that ends at `limit`, and moves behind it. */
  field(limit: number): Field {
    const start = this.at;
    const tag = this.#varint(limit);
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    let payload = this.at;
    let end: number;
    if (type === 0) {
      this.#varint(limit);
      end = this.at;
    } else if (type === 2) {
      const length = this.#varint(limit);
      payload = this.at;
      end = payload + length;
    } else if (type === 1 || type === 5) end = payload + (type === 1 ? 8 : 4);
    else throw new ExplorerError('modelNotOnnx', [this.#name, 'it holds a field of a kind that ONNX does not use']);
    // The first bytes of a file that is none rarely are a field of a model.
    if (limit === this.#file.size && (number === 0 || number > 26))
      throw new ExplorerError('modelNotOnnx', [this.#name, 'it does not begin as one']);
    if (end > limit) throw this.#cutShort(limit);
    this.at = end;
    return { number, isBytes: type === 2, start, payload, end };
  }

  /** A copy of some bytes of the file. */
  bytes(start: number, end: number): Uint8Array {
    if (start >= this.#windowAt && end <= this.#windowAt + this.#window.length)
      return this.#window.slice(start - this.#windowAt, end - this.#windowAt);
    const bytes = this.#file.read(start, end - start);
    if (bytes.length < end - start) throw new ExplorerError('modelTruncated', [this.#name, start + bytes.length]);
    return bytes;
  }

  #varint(limit: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= limit) throw this.#cutShort(limit);
      const byte = this.#byte(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new ExplorerError('modelNotOnnx', [this.#name, 'a number in it is too long']);
  }

  #byte(at: number): number {
    if (at < this.#windowAt || at >= this.#windowAt + this.#window.length) {
      this.#window = this.#file.read(at, Math.min(windowBytes, this.#file.size - at));
      this.#windowAt = at;
      if (this.#window.length === 0) throw new ExplorerError('modelTruncated', [this.#name, at]);
    }
    return this.#window[at - this.#windowAt];
  }

  #cutShort(limit: number): ExplorerError {
    return limit === this.#file.size
      ? new ExplorerError('modelTruncated', [this.#name, this.#file.size])
      : new ExplorerError('modelNotOnnx', [this.#name, 'a part of it is longer than the whole']);
  }
}
