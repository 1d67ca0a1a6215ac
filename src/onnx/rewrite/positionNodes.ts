import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { encodeIntegers, encodeNode, type AttributeValue } from '../file/nodeBytes';
import { WireWriter } from '../file/wireWriter';

/** A value for what has no position: padding, a weight. */
const nowhere = 0;
/** A value for a token that the model adds, as a class token; more than there are positions. */
export const ownToken = 2 ** 24 - 1;
/** A value for what is made of several positions, and so has none of its own. */
const mixed = -1;

/** Writes the nodes of a graph that carries positions: numbers above zero, 0 for what has none, −1 for what is made of several, {@link ownToken} for the model's own tokens. */
export class PositionNodes {
  readonly #index: GraphIndex;
  readonly #initializers = new Map<string, Uint8Array>();
  #nodes: Uint8Array[] = [];
  #count = 0;

  constructor(index: GraphIndex) {
    this.#index = index;
  }

  get initializers(): readonly Uint8Array[] {
    return [...this.#initializers.values()];
  }

  /** The nodes that were added since they were taken last. */
  take(): readonly Uint8Array[] {
    const nodes = this.#nodes;
    this.#nodes = [];
    return nodes;
  }

  /** Adds a node; gives its output's name, a new one where none is given. */
  add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = this.#name(),
  ): string {
    this.#nodes.push(encodeNode(operator, inputs, [output], attributes));
    return output;
  }

  /** Adds a copy of a node of the graph with other inputs, and without some of its attributes. */
  copy(
    node: number,
    inputs: readonly string[],
    {
      outputs = this.#index.nodes[node].outputs,
      without = [],
    }: { readonly outputs?: readonly string[]; readonly without?: readonly string[] } = {},
  ): void {
    const { opType, domain } = this.#index.nodes[node];
    this.#nodes.push(
      encodeNode(domain === '' ? opType : `${domain}.${opType}`, inputs, outputs, this.attributes(node, without)),
    );
  }

  /** The attributes of a node of the graph, as they are. */
  attributes(node: number, without: readonly string[]): Record<string, AttributeValue> {
    const { bytes } = this.#index.nodes[node];
    return Object.fromEntries(
      [...this.#index.attributes(node)]
        .filter(([name]) => !without.includes(name))
        .map(([name, { range }]) => [name, { raw: bytes.subarray(range.start, range.end) }]),
    );
  }

  /** A name that nothing in the graph has. */
  named(name: string): string {
    return this.#own(name);
  }

  /** A new name of that kind. */
  fresh(): string {
    return this.#name();
  }

  /** A tensor with one more axis behind its last. */
  unsqueeze(tensor: string): string {
    return (this.#index.model.opsets.get('') ?? 1) >= 13
      ? this.add('Unsqueeze', [tensor, this.integers([-1])])
      : this.add('Unsqueeze', [tensor], { axes: { integers: [-1] } });
  }

  /** What two tensors of one sum have in common: that of them which has positions, −1 where both have and they differ. */
  merge(a: string, b: string, output?: string): string {
    if (a === b) return output === undefined ? a : this.add('Identity', [a], {}, output);
    const [least, most] = [this.add('Min', [a, b]), this.add('Max', [a, b])];
    const isOne = this.add('Or', [this.add('Equal', [a, b]), this.add('Equal', [least, this.#number(nowhere)])]);
    return this.add('Where', [isOne, most, this.#number(mixed)], {}, output);
  }

  /** A tensor with one of its axes taken together: −1 where positions along it differ. */
  squeeze(tensor: string, axis: number): string {
    const [least, most] = [this.reduce('ReduceMin', tensor, axis), this.reduce('ReduceMax', tensor, axis)];
    return this.add('Where', [this.add('Equal', [least, most]), least, this.#number(mixed)]);
  }

  /** A tensor with one of its axes taken together: the first of the positions along it. */
  corner(tensor: string, axis: number, isKept = true, output?: string): string {
    const far = this.#number(2 ** 25);
    const first = this.reduce(
      'ReduceMin',
      this.add('Where', [this.add('Equal', [tensor, this.#number(nowhere)]), far, tensor]),
      axis,
      isKept,
    );
    return this.add('Where', [this.add('Equal', [first, far]), this.#number(nowhere), first], {}, output);
  }

  /** A tensor with one of its axes taken together: its least or its largest number. */
  reduce(operator: 'ReduceMin' | 'ReduceMax', tensor: string, axis: number, isKept = true): string {
    const keepdims = { integer: isKept ? 1 : 0 };
    const isInput = (this.#index.model.opsets.get('') ?? 1) >= 18;
    return isInput
      ? this.add(operator, [tensor, this.integers([axis])], { keepdims })
      : this.add(operator, [tensor], { keepdims, axes: { integers: [axis] } });
  }

  /** A tensor of a shape's own, spread to the shape that it has beside another, whose numbers say nothing. */
  spread(tensor: string, beside: string, output?: string): string {
    const shape = this.#truths(beside);
    return this.add('Where', [shape, tensor, tensor], {}, output);
  }

  /** A tensor of zeros in the shape of one whose numbers say nothing. */
  nowhereLike(tensor: string): string {
    return this.add('Where', [this.#truths(tensor), this.#number(nowhere), this.#number(nowhere)]);
  }

  /** A tensor of tokens of the model's own, in the shape of one whose numbers say nothing. */
  ownLike(tensor: string): string {
    return this.add('Where', [this.#truths(tensor), this.#number(ownToken), this.#number(ownToken)]);
  }

  /** A tensor of ones in the shape of one that holds positions. */
  onesLike(tensor: string): string {
    return this.add('Add', [this.zerosLike(tensor), this.#number(1)]);
  }

  /** A tensor of zeros in the shape of one that holds positions. */
  zerosLike(tensor: string, output?: string): string {
    return this.add('Mul', [tensor, this.#number(nowhere)], {}, output);
  }

  /** The number 0, as what has no position. */
  zero(output: string): string {
    return this.add('Identity', [this.#number(nowhere)], {}, output);
  }

  /** A matrix of one row of ones. */
  row(length: number): string {
    return this.#floats(`row-${length}`, [1, length], new Float32Array(length).fill(1));
  }

  /** A kernel [1, 1, …] that picks one of the places below it. */
  kernel(sizes: readonly number[], at: readonly number[]): string {
    const values = new Float32Array(sizes.reduce((product, size) => product * size, 1));
    values[at.reduce((offset, place, i) => offset * sizes[i] + place, 0)] = 1;
    return this.#floats(`kernel-${sizes.join('-')}-at-${at.join('-')}`, [1, 1, ...sizes], values);
  }

  integers(values: readonly number[]): string {
    const name = this.#own(`integers-${values.join('-')}`);
    this.#initializers.set(name, encodeIntegers(name, values));
    return name;
  }

  /** Truth values in the shape of any tensor. */
  #truths(tensor: string): string {
    return this.add('IsNaN', [this.add('Cast', [tensor], { to: { integer: dataType.float32 } })]);
  }

  #number(value: number): string {
    return this.#floats(`number-${value}`, [], Float32Array.of(value));
  }

  #floats(wished: string, dims: readonly number[], values: Float32Array): string {
    const name = this.#own(wished);
    if (!this.#initializers.has(name)) {
      const written = new WireWriter();
      for (const dim of dims) written.integer(1, dim);
      this.#initializers.set(
        name,
        written.integer(2, dataType.float32).bytes(9, new Uint8Array(values.buffer)).text(8, name).toBytes(),
      );
    }
    return name;
  }

  #name(): string {
    return this.#own(`position-${this.#count++}`);
  }

  #own(name: string): string {
    let own = `attention-explorer/${name}`;
    while (this.#index.hasTensor(own)) own += '_';
    return own;
  }
}
