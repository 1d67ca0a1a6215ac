import { paletteOf } from './pixels';
import type { Raster } from './raster';

/** Codes have twelve bits at most (GIF89a, appendix F). */
const maxCodeBits = 12;
const trailer = 0x3b;
const extension = 0x21;
const graphicControl = 0xf9;
const imageDescriptor = 0x2c;
/** First row and step of the four passes of an interlaced picture. */
const passes = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/**
 * Decodes the first frame of a GIF file: what it does not cover has its transparent colour, else the first one, as Pillow has it.
 * Throws an error for a file that is damaged, or that no encoder makes.
 */
export function decodeGif(bytes: Uint8Array): Raster {
  const reader = new Reader(bytes, 6);
  const [width, height] = [reader.short(), reader.short()];
  const flags = reader.byte();
  reader.bytes(2);
  let palette = (flags & 0x80) === 0 ? undefined : reader.bytes(3 << ((flags & 7) + 1));
  let transparent = 0;
  for (;;) {
    switch (reader.byte()) {
      case extension:
        if (reader.byte() === graphicControl) {
          const control = reader.blocks();
          if (control.length < 4) throw new Error('its control block is too short');
          transparent = (control[0] & 1) === 0 ? 0 : control[3];
        } else reader.skipBlocks();
        break;
      case imageDescriptor: {
        const [left, top, frameWidth, frameHeight, frameFlags] = [
          reader.short(),
          reader.short(),
          reader.short(),
          reader.short(),
          reader.byte(),
        ];
        if (frameWidth === 0 || frameHeight === 0 || left + frameWidth > width || top + frameHeight > height)
          throw new Error('its first frame does not fit');
        if ((frameFlags & 0x80) !== 0) palette = reader.bytes(3 << ((frameFlags & 7) + 1));
        if (palette === undefined) throw new Error('it has no palette');
        const colours = paletteOf(palette);
        const codeBits = reader.byte();
        const indices = unpack(reader, codeBits, frameWidth * frameHeight);
        const pixels = new Uint32Array(width * height);
        if (frameWidth * frameHeight < pixels.length) pixels.fill(colours[transparent] ?? colours[0]);
        rowsOf(frameHeight, (frameFlags & 0x40) !== 0).forEach((row, i) => {
          const [from, to] = [i * frameWidth, (top + row) * width + left];
          for (let x = 0; x < frameWidth; x++) {
            const index = indices[from + x];
            if (index >= colours.length) throw new Error('it uses a colour that its palette does not have');
            pixels[to + x] = colours[index];
          }
        });
        return { width, height, pixels: new Uint8Array(pixels.buffer) };
      }
      case trailer:
        throw new Error('it holds no picture');
      default:
        throw new Error('it holds a block of a kind that GIF does not have');
    }
  }
}

/** Rows in the order in which a file has them. */
function rowsOf(height: number, isInterlaced: boolean): readonly number[] {
  const steps = isInterlaced ? passes : ([[0, 1]] as const);
  return steps.flatMap(([first, step]) =>
    Array.from({ length: Math.max(0, Math.ceil((height - first) / step)) }, (_, i) => first + i * step),
  );
}

/** Undoes the compression (LZW) of so many indices; what comes after them is left. */
function unpack(reader: Reader, codeBits: number, count: number): Uint8Array {
  if (codeBits < 1 || codeBits > 8) throw new Error('its codes have an impossible size');
  const codes = new CodeReader(reader.blocks());
  const indices = new Uint8Array(count);
  const clear = 1 << codeBits;
  // A code stands for what the code before it stands for, and one index more.
  const before = new Uint16Array(1 << maxCodeBits);
  const last = new Uint8Array(1 << maxCodeBits);
  const lengths = new Uint16Array(1 << maxCodeBits);
  for (let i = 0; i < clear; i++) {
    last[i] = i;
    lengths[i] = 1;
  }
  let [next, bits, previous] = [clear + 2, codeBits + 1, -1];
  let done = 0;
  while (done < count) {
    const code = codes.next(bits);
    if (code === clear) {
      [next, bits, previous] = [clear + 2, codeBits + 1, -1];
      continue;
    }
    if (code === clear + 1) throw new Error('it ends too early');
    // Only the very next code may stand for what is just being made.
    if (previous < 0 ? code > clear : code > next || (code === next && next >= before.length))
      throw new Error('it uses a code that it has not made');
    const isNew = code === next;
    const known = isNew ? previous : code;
    const length = lengths[known];
    let first = known;
    const end = done + length;
    for (let to = end - 1, each = known; to >= done; to--) {
      if (to < count) indices[to] = last[each];
      first = each;
      each = before[each];
    }
    done = end;
    if (isNew) {
      if (done < count) indices[done] = last[first];
      done++;
    }
    if (previous >= 0 && next < before.length) {
      before[next] = previous;
      last[next] = last[first];
      lengths[next] = lengths[previous] + 1;
      next++;
      if (next === 1 << bits && bits < maxCodeBits) bits++;
    }
    previous = code;
  }
  return indices;
}

/** Takes codes from bytes, the lowest bits first. */
class CodeReader {
  readonly #data: Uint8Array;
  #at = 0;
  #held = 0;
  #numHeld = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  next(bits: number): number {
    while (this.#numHeld < bits) {
      if (this.#at >= this.#data.length) throw new Error('it ends too early');
      this.#held |= this.#data[this.#at++] << this.#numHeld;
      this.#numHeld += 8;
    }
    const code = this.#held & ((1 << bits) - 1);
    this.#held >>>= bits;
    this.#numHeld -= bits;
    return code;
  }
}

/** Reads on, and never beyond the end. */
class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new Error('it ends too early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.bytes(1)[0];
  }

  short(): number {
    const [low, high] = this.bytes(2);
    return low | (high << 8);
  }

  skipBlocks(): void {
    for (let size = this.byte(); size > 0; size = this.byte()) this.bytes(size);
  }

  /** The content of blocks up to the empty one that ends them. */
  blocks(): Uint8Array {
    const start = this.#at;
    this.skipBlocks();
    const whole = new Uint8Array(this.#at - start);
    let length = 0;
    for (let at = start; this.#bytes[at] > 0; at += this.#bytes[at] + 1) {
      whole.set(this.#bytes.subarray(at + 1, at + 1 + this.#bytes[at]), length);
      length += this.#bytes[at];
    }
    return whole.subarray(0, length);
  }
}
