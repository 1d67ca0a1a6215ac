import type { Duplex } from 'node:stream';
import { Emitter } from '../base/event';
import type { Channel } from './channel';

/** The control line of a forked process or of its parent. */
export interface ControlLine {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: (why: string) => void): void;
  close(): void;
}

/** Arrays of at least this many bytes leave the control line: `process.send` of a large array blocks its receiver. */
const bulkBytes = 4096;
const headerBytes = 8;
/** No frame is larger than this; a header that says more is corrupt. */
const maxFrameBytes = 2 ** 31;

const arrayTypes = { Float32Array, Uint8Array, Int32Array, BigInt64Array, Uint16Array } as const;
type ArrayName = keyof typeof arrayTypes;

interface FramePlaceholder {
  readonly $frame: number;
  readonly type: ArrayName;
}

/** A channel whose small messages go over IPC and whose large typed arrays go as raw frames (id, length, bytes) over a pipe of their own. */
export class FramedChannel implements Channel {
  readonly #control: ControlLine;
  readonly #bulk: Duplex;
  readonly #messageEmitter = new Emitter<unknown>();
  readonly #closeEmitter = new Emitter<string>();
  readonly onMessage = this.#messageEmitter.event;
  readonly onClose = this.#closeEmitter.event;
  readonly #arrived = new Map<number, ArrayBuffer>();
  #waiting: { readonly message: unknown; readonly missing: Set<number> }[] = [];
  #nextFrame = 1;
  #isClosed = false;
  #header = Buffer.alloc(headerBytes);
  #headerFill = 0;
  #frame: { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer>; fill: number } | undefined;

  constructor(control: ControlLine, bulk: Duplex) {
    this.#control = control;
    this.#bulk = bulk;
    control.onMessage((message) => this.#receive(message));
    control.onClose((why) => this.#close(why));
    bulk.on('data', (chunk: Buffer) => this.#readChunk(chunk));
    bulk.on('error', (error) => this.#close(error.message));
  }

  send(message: unknown): void {
    if (this.#isClosed) return;
    const frames: { readonly id: number; readonly view: ArrayBufferView }[] = [];
    const light = this.#lighten(message, frames);
    this.#control.send(light);
    for (const { id, view } of frames) {
      const header = Buffer.alloc(headerBytes);
      header.writeUInt32LE(id, 0);
      header.writeUInt32LE(view.byteLength, 4);
      this.#bulk.write(header);
      this.#bulk.write(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    }
  }

  dispose(): void {
    this.#close('disposed');
  }

  #close(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#arrived.clear();
    this.#bulk.destroy();
    this.#control.close();
    this.#closeEmitter.fire(why);
    this.#messageEmitter.dispose();
    this.#closeEmitter.dispose();
  }

  /** Copies the message with its large arrays replaced by placeholders. */
  #lighten(value: unknown, frames: { id: number; view: ArrayBufferView }[]): unknown {
    if (ArrayBuffer.isView(value)) {
      const type = Object.prototype.toString.call(value).slice(8, -1);
      if (value.byteLength < bulkBytes || !(type in arrayTypes)) return value;
      const id = this.#nextFrame++;
      frames.push({ id, view: value });
      return { $frame: id, type };
    }
    if (Array.isArray(value)) return value.length <= 64 ? value.map((item) => this.#lighten(item, frames)) : value;
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#lighten(item, frames)]));
    return value;
  }

  #receive(message: unknown): void {
    const missing = new Set<number>();
    collectFrames(message, missing);
    for (const id of this.#arrived.keys()) missing.delete(id);
    if (missing.size === 0) this.#deliver(message);
    else this.#waiting.push({ message, missing });
  }

  #deliver(message: unknown): void {
    this.#messageEmitter.fire(this.#restore(message));
  }

  #restore(value: unknown): unknown {
    if (isPlaceholder(value)) {
      const buffer = this.#arrived.get(value.$frame) ?? new ArrayBuffer(0);
      this.#arrived.delete(value.$frame);
      return new arrayTypes[value.type](buffer);
    }
    if (ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value)) return value.length <= 64 ? value.map((item) => this.#restore(item)) : value;
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#restore(item)]));
    return value;
  }

  #readChunk(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const count = Math.min(headerBytes - this.#headerFill, chunk.length - at);
        chunk.copy(this.#header, this.#headerFill, at, at + count);
        this.#headerFill += count;
        at += count;
        if (this.#headerFill < headerBytes) return;
        this.#headerFill = 0;
        const length = this.#header.readUInt32LE(4);
        if (length > maxFrameBytes) return this.#close('a frame of impossible length');
        this.#frame = { id: this.#header.readUInt32LE(0), bytes: new Uint8Array(length), fill: 0 };
      }
      const frame = this.#frame;
      const count = Math.min(frame.bytes.length - frame.fill, chunk.length - at);
      frame.bytes.set(chunk.subarray(at, at + count), frame.fill);
      frame.fill += count;
      at += count;
      if (frame.fill === frame.bytes.length) {
        this.#frame = undefined;
        this.#frameArrived(frame.id, frame.bytes.buffer);
      }
    }
  }

  #frameArrived(id: number, buffer: ArrayBuffer): void {
    this.#arrived.set(id, buffer);
    const ready = this.#waiting.filter(({ missing }) => missing.delete(id) && missing.size === 0);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((entry) => !ready.includes(entry));
    for (const { message } of ready) this.#deliver(message);
  }
}

function isPlaceholder(value: unknown): value is FramePlaceholder {
  return (
    typeof value === 'object' &&
    value !== null &&
    '$frame' in value &&
    typeof value.$frame === 'number' &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type in arrayTypes
  );
}

function collectFrames(value: unknown, found: Set<number>): void {
  if (isPlaceholder(value)) found.add(value.$frame);
  else if (ArrayBuffer.isView(value)) return;
  else if (Array.isArray(value)) {
    if (value.length <= 64) for (const item of value) collectFrames(item, found);
  } else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) collectFrames(item, found);
}
