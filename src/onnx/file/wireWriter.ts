const encoder = new TextEncoder();

/** Builds a protobuf message from pieces; pieces of other buffers are kept as views until {@link toBytes} joins them. */
export class WireWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  /** Length in bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes as they are (whole fields, tag and all). */
  raw(bytes: Uint8Array): this {
    if (bytes.length === 0) return this;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** Appends a field that carries bytes. */
  bytes(field: number, payload: Uint8Array): this {
    return this.raw(Uint8Array.from([...varintBytes(field * 8 + 2), ...varintBytes(payload.length)])).raw(payload);
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, message: WireWriter): this {
    this.raw(Uint8Array.from([...varintBytes(field * 8 + 2), ...varintBytes(message.length)]));
    for (const piece of message.#pieces) this.raw(piece);
    return this;
  }

  /** Appends a non-negative integer, or a negative one in two's complement of 64 bits. */
  integer(field: number, value: number): this {
    return this.raw(Uint8Array.from([...varintBytes(field * 8), ...varintBytes(value)]));
  }

  float(field: number, value: number): this {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setFloat32(0, value, true);
    return this.raw(Uint8Array.from(varintBytes(field * 8 + 5))).raw(payload);
  }

  /** All pieces in one new buffer. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

function varintBytes(value: number): number[] {
  if (value < 0) {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return [...bytes, Number(rest)];
  }
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
