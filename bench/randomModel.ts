import { closeSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';

/** Element types of ONNX tensors. */
export const float = 1;
export const int64 = 7;
export const bool = 9;

const opset = 17;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}
const key = (field: number, wire: number): Buffer => varint(field * 8 + wire);
const integer = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)]);
const message = (field: number, ...parts: Buffer[]): Buffer => {
  const payload = Buffer.concat(parts);
  return Buffer.concat([key(field, 2), varint(payload.length), payload]);
};
const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));

/** An attribute of integers. */
export const ints = (name: string, values: readonly number[]): Buffer =>
  message(5, text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));
/** An attribute of one integer, which may be negative. */
export const int = (name: string, value: bigint): Buffer => {
  const raw: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) {
      raw.push(Number(rest));
      break;
    }
    raw.push(Number(rest & 127n) | 128);
  }
  return message(5, text(1, name), Buffer.concat([key(3, 0), Buffer.from(raw)]), integer(20, 2));
};

/** Deterministic normal-ish noise (xorshift; sum of uniforms), so that the file is the same on every machine. */
function noise(seed: number): () => number {
  let state = seed | 1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => (uniform() + uniform() + uniform() - 1.5) * 2;
}

/** How weights are made and where they lie. */
export interface RandomWeights {
  readonly seed?: number;
  /** Whether they lie in a file beside the model. */
  readonly isExternal?: boolean;
  /** Whether large tensors repeat a million numbers: a file of gigabytes is then written in seconds. */
  readonly isRepeated?: boolean;
}

interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly scale: number;
  readonly offset: number;
}

/** A model with random weights in the making: nodes are added in order, then it is written as ONNX (opset 17). */
export class RandomModel {
  readonly #name: string;
  readonly #nodes: Buffer[] = [];
  readonly #weights: Weight[] = [];
  readonly #constants: Buffer[] = [];
  readonly #ends: Buffer[] = [];
  #counter = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** A weight of normal-ish values with a standard deviation near `scale` around `offset`; returns its name. */
  weight(name: string, dims: readonly number[], scale: number, offset = 0): string {
    this.#weights.push({ name, dims, scale, offset });
    return name;
  }

  /** A constant int64 list, or a single number without dimensions. */
  integers(values: readonly number[] | number): string {
    const name = `shape_${this.#counter++}`;
    const list = typeof values === 'number' ? [values] : values;
    const raw = Buffer.alloc(list.length * 8);
    list.forEach((value, i) => raw.writeBigInt64LE(BigInt(value), i * 8));
    this.#constants.push(
      message(
        5,
        ...(typeof values === 'number' ? [] : [integer(1, list.length)]),
        integer(2, int64),
        text(8, name),
        message(9, raw),
      ),
    );
    return name;
  }

  scalar(value: number): string {
    const name = `scalar_${this.#counter++}`;
    const raw = Buffer.alloc(4);
    raw.writeFloatLE(value);
    this.#constants.push(message(5, integer(2, float), text(8, name), message(9, raw)));
    return name;
  }

  /** Adds a node; returns its first output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: readonly Buffer[] = [],
    outputs: readonly string[] = [`${operator}_${this.#counter++}`],
  ): string {
    this.#nodes.push(
      message(
        1,
        ...inputs.map((input) => text(1, input)),
        ...outputs.map((output) => text(2, output)),
        text(3, `/node_${this.#counter}/${operator}`),
        text(4, operator),
        ...attributes,
      ),
    );
    return outputs[0];
  }

  /** x · W + b. */
  linear(input: string, name: string, from: number, to: number, scale: number): string {
    return this.node('Add', [
      this.weight(`${name}.bias`, [to], 0.02),
      this.node('MatMul', [input, this.weight(`${name}.weight`, [from, to], scale / Math.sqrt(from))]),
    ]);
  }

  normalize(input: string, name: string, width: number): string {
    return this.node(
      'LayerNormalization',
      [input, this.weight(`${name}.weight`, [width], 0, 1), this.weight(`${name}.bias`, [width], 0)],
      [int('axis', -1n)],
    );
  }

  input(name: string, type: number, dims: readonly string[]): void {
    this.#ends.push(value(11, name, type, dims));
  }

  output(name: string, type: number, dims: readonly string[]): void {
    this.#ends.push(value(12, name, type, dims));
  }

  write(path: string, { seed = 7, isExternal = false, isRepeated = false }: RandomWeights = {}): void {
    const head = [...this.#nodes, text(2, 'graph'), ...this.#constants, ...this.#ends];
    const weightsName = `${basename(path)}.data`;
    let offset = 0;
    const places = new Map(
      this.#weights.map((weight) => {
        const length = count(weight.dims) * 4;
        const place = Buffer.concat([
          entry('location', weightsName),
          entry('offset', String(offset)),
          entry('length', String(length)),
          integer(14, 1),
        ]);
        offset += length;
        return [weight, place];
      }),
    );
    const lengthOf = (weight: Weight): number => {
      const bytes = count(weight.dims) * 4;
      return (
        weightHead(weight).length +
        (isExternal ? (places.get(weight)?.length ?? 0) : key(9, 2).length + varint(bytes).length + bytes)
      );
    };
    const graphLength =
      head.reduce((sum, part) => sum + part.length, 0) +
      this.#weights.reduce(
        (sum, weight) => sum + key(5, 2).length + varint(lengthOf(weight)).length + lengthOf(weight),
        0,
      );

    const file = openSync(path, 'w');
    const weights = isExternal ? openSync(`${path}.data`, 'w') : file;
    try {
      const writeTo = (to: number, part: Buffer): void => {
        for (let at = 0; at < part.length;) at += writeSync(to, part, at, Math.min(2 ** 28, part.length - at));
      };
      const write = (...parts: Buffer[]): void => parts.forEach((part) => writeTo(file, part));
      write(integer(1, 8), text(2, this.#name), message(8, integer(2, opset)), key(7, 2), varint(graphLength), ...head);
      const next = noise(seed);
      for (const weight of this.#weights) {
        const values = new Float32Array(count(weight.dims));
        const numMade = isRepeated ? Math.min(values.length, 2 ** 20) : values.length;
        for (let i = 0; i < numMade; i++) values[i] = weight.offset + (weight.scale === 0 ? 0 : weight.scale * next());
        for (let i = numMade; i < values.length; i += numMade)
          values.copyWithin(i, 0, Math.min(numMade, values.length - i));
        write(
          key(5, 2),
          varint(lengthOf(weight)),
          weightHead(weight),
          ...(isExternal ? [places.get(weight) ?? Buffer.alloc(0)] : [key(9, 2), varint(values.byteLength)]),
        );
        writeTo(weights, Buffer.from(values.buffer));
      }
    } finally {
      closeSync(file);
      if (weights !== file) closeSync(weights);
    }
  }
}

function value(field: number, name: string, type: number, dims: readonly string[]): Buffer {
  return message(
    field,
    text(1, name),
    message(2, message(1, integer(1, type), message(2, ...dims.map((dim) => message(1, text(2, dim)))))),
  );
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function weightHead({ name, dims }: Weight): Buffer {
  return Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, float), text(8, name)]);
}

function entry(name: string, content: string): Buffer {
  return message(13, text(1, name), text(2, content));
}
