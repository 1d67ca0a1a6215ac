import { operatorOf } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';
import { converting } from '../graph/operatorKinds';
import { broadcastAt, einsumTerms, matrixTerms, placeOf, placesIn } from './elementPlaces';

/** Numbers of a tensor as a run gave them. */
export interface TracedNumbers {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
}

/** One number of a tensor: its place in the data. */
export interface TracedElement {
  readonly tensor: string;
  readonly at: number;
}

/** Where a number comes from. */
export type Hop =
  /** It was moved here as it is. */
  | { readonly kind: 'moved'; readonly from: TracedElement }
  /** It is computed of as many other numbers; an input that is missing has none. */
  | { readonly kind: 'computed'; readonly node: number; readonly from: readonly (TracedElement | undefined)[] }
  /** It is a sum of products. */
  | {
      readonly kind: 'product';
      readonly node: number;
      readonly terms: readonly (readonly [TracedElement, TracedElement])[];
    }
  /** It was put in, or is made of what is not followed. */
  | { readonly kind: 'end' };

/** Operators whose numbers are those of the first input, in the same order. */
const same = new Set([...converting, 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);
/** … and those that compute number by number. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Sum']);
const moved = new Set([
  ...['Transpose', 'Slice', 'Pad', 'Gather', 'GatherND', 'GatherElements'],
  ...['ScatterND', 'ScatterElements', 'Expand', 'Tile', 'Concat', 'Split'],
]);

/** Inputs of a node that numbers come through; none of an operator that is not followed. */
export function carriedInputs(index: GraphIndex, node: number): readonly string[] {
  const operator = operatorOf(index, node);
  const { inputs } = index.nodes[node];
  if (operator === 'Where') return inputs.slice(1);
  if (operator === 'Concat' || elementwise.has(operator)) return inputs;
  if (operator === 'MatMul' || operator === 'Einsum') return inputs;
  if (operator.startsWith('Scatter')) return [inputs[0], inputs[2]];
  return same.has(operator) || moved.has(operator) || operator === 'Softmax' ? inputs.slice(0, 1) : [];
}

/** Follows single numbers of a run against the flow of its graph: what moves them is done backwards, with the indices that the run had. */
export class ElementTracer {
  readonly #index: GraphIndex;
  readonly #tensors: ReadonlyMap<string, TracedNumbers>;
  /** Which of the updates each place was written by, −1 for none, by the node. */
  readonly #written = new Map<number, Int32Array>();

  constructor(index: GraphIndex, tensors: ReadonlyMap<string, TracedNumbers>) {
    this.#index = index;
    this.#tensors = tensors;
  }

  /** Throws a RangeError where a run did not give it. */
  numbers(tensor: string): TracedNumbers {
    const found = this.#tensors.get(tensor);
    if (found === undefined) throw new RangeError('what its parts are made of did not come out');
    return found;
  }

  value({ tensor, at }: TracedElement): number {
    return this.numbers(tensor).values[at];
  }

  /** Throws a RangeError where an operator does in another way what is followed. */
  hop({ tensor, at }: TracedElement): Hop {
    const node = this.#index.producer(tensor);
    if (node === undefined || this.#tensors.get(tensor) === undefined) return { kind: 'end' };
    const operator = operatorOf(this.#index, node);
    const { inputs } = this.#index.nodes[node];
    if (same.has(operator)) return { kind: 'moved', from: { tensor: inputs[0], at } };
    if (elementwise.has(operator)) {
      const { dims } = this.numbers(tensor);
      const from = inputs.map((input): TracedElement | undefined =>
        this.#tensors.has(input) ? { tensor: input, at: broadcastAt(dims, at, this.numbers(input).dims) } : undefined,
      );
      return { kind: 'computed', node, from };
    }
    if (operator === 'MatMul' || operator === 'Einsum') return this.#product(node, { tensor, at });
    if (!moved.has(operator)) return { kind: 'end' };
    const from = this.#before(node, operator, { tensor, at });
    return from === undefined ? { kind: 'end' } : { kind: 'moved', from };
  }

  #product(node: number, { tensor, at }: TracedElement): Hop {
    const { inputs } = this.#index.nodes[node];
    if (inputs.length !== 2 || inputs.some((input) => !this.#tensors.has(input))) return { kind: 'end' };
    const [first, second] = inputs.map((input) => this.numbers(input).dims);
    const { dims } = this.numbers(tensor);
    const equation = this.#index.attributes(node).get('equation')?.text;
    const pairs =
      operatorOf(this.#index, node) === 'MatMul'
        ? matrixTerms(dims, at, [first, second])
        : einsumTerms(equation ?? '', dims, at, [first, second]);
    return {
      kind: 'product',
      node,
      terms: pairs.map(([one, other]): readonly [TracedElement, TracedElement] => [
        { tensor: inputs[0], at: one },
        { tensor: inputs[1], at: other },
      ]),
    };
  }

  #integers(tensor: string | undefined): readonly number[] | undefined {
    if (tensor === undefined || tensor === '') return undefined;
    return this.#index.constantIntegers(tensor) ?? Array.from(this.numbers(tensor).values);
  }

  /** Where a number stood before an operator that moves numbers; undefined for one that it put in. */
  #before(node: number, operator: string, { tensor, at }: TracedElement): TracedElement | undefined {
    const { inputs, outputs } = this.#index.nodes[node];
    const { dims } = this.numbers(tensor);
    const given = this.numbers(inputs[0]).dims;
    const places = placesIn(dims, at);
    const from = (own: readonly number[]): TracedElement => ({ tensor: inputs[0], at: placeOf(own, given) });
    const axisOf = (otherwise: number): number => {
      const axis = this.#index.integerAttribute(node, 'axis') ?? otherwise;
      return axis < 0 ? axis + given.length : axis;
    };
    switch (operator) {
      case 'Transpose': {
        const perm = this.#index.attributes(node).get('perm')?.integers ?? given.map((_, i) => given.length - 1 - i);
        const own = [...places];
        perm.forEach((axis, i) => (own[axis] = places[i]));
        return from(own);
      }
      case 'Slice':
        return from(this.#sliced(inputs, given, places));
      case 'Pad':
        return this.#padded(node, given, places);
      case 'Expand':
        return { tensor: inputs[0], at: broadcastAt(dims, at, given) };
      case 'Tile':
        return from(places.map((place, axis) => place % given[axis]));
      case 'Concat':
        return this.#joined(inputs, axisOf(0), places);
      case 'Split': {
        const axis = axisOf(0);
        const before = outputs.slice(0, outputs.indexOf(tensor));
        const sizes = this.#integers(inputs[1]) ?? this.#index.attributes(node).get('split')?.integers;
        const equal = Math.ceil(given[axis] / outputs.length);
        const offset = before.reduce((sum, _, i) => sum + (sizes?.[i] ?? equal), 0);
        return from(places.map((place, i) => (i === axis ? place + offset : place)));
      }
      case 'ScatterND':
      case 'ScatterElements':
        return this.#scattered(node, operator, { given, at });
      default:
        return from(this.#gathered(node, operator, { given, places, axis: axisOf(0) }));
    }
  }

  #sliced(inputs: readonly string[], given: readonly number[], places: readonly number[]): number[] {
    const [starts = [], , axes, steps] = [1, 2, 3, 4].map((i) => this.#integers(inputs[i]));
    if (inputs.length < 3) throw new RangeError('its parts are cut by an operator of an old version');
    const own = [...places];
    starts.forEach((start, i) => {
      const named = axes?.[i] ?? i;
      const axis = named < 0 ? named + given.length : named;
      const step = steps?.[i] ?? 1;
      const length = given[axis];
      const first = Math.max(0, Math.min(start < 0 ? start + length : start, step < 0 ? length - 1 : length));
      own[axis] = first + places[axis] * step;
    });
    return own;
  }

  #padded(node: number, given: readonly number[], places: readonly number[]): TracedElement | undefined {
    const { inputs } = this.#index.nodes[node];
    const pads = this.#integers(inputs[1]);
    const mode = this.#index.attributes(node).get('mode')?.text ?? 'constant';
    if (pads === undefined || mode !== 'constant')
      throw new RangeError('its parts are filled up in a way that is not followed');
    const axes = this.#integers(inputs[3]) ?? given.map((_, axis) => axis);
    const own = [...places];
    axes.forEach((axis, i) => (own[axis < 0 ? axis + given.length : axis] -= pads[i]));
    const isInside = own.every((place, axis) => place >= 0 && place < given[axis]);
    return isInside ? { tensor: inputs[0], at: placeOf(own, given) } : undefined;
  }

  #joined(inputs: readonly string[], axis: number, places: readonly number[]): TracedElement | undefined {
    let rest = places[axis];
    for (const input of inputs) {
      const { dims } = this.numbers(input);
      if (rest < dims[axis]) {
        const own = places.map((place, i) => (i === axis ? rest : place));
        return { tensor: input, at: placeOf(own, dims) };
      }
      rest -= dims[axis];
    }
    return undefined;
  }

  #gathered(
    node: number,
    operator: string,
    {
      given,
      places,
      axis,
    }: { readonly given: readonly number[]; readonly places: readonly number[]; readonly axis: number },
  ): number[] {
    const indices = this.#indices(this.#index.nodes[node].inputs[1]);
    const wrapped = (place: number, length: number): number => (place < 0 ? place + length : place);
    if (operator === 'GatherElements') {
      const chosen = indices.values[placeOf(places, indices.dims)];
      return places.map((place, i) => (i === axis ? wrapped(chosen, given[axis]) : place));
    }
    if (operator === 'Gather') {
      const { length } = indices.dims;
      const chosen = indices.values[placeOf(places.slice(axis, axis + length), indices.dims)];
      return [...places.slice(0, axis), wrapped(chosen, given[axis]), ...places.slice(axis + length)];
    }
    const batch = this.#index.integerAttribute(node, 'batch_dims') ?? 0;
    const depth = indices.dims[indices.dims.length - 1];
    const row = placeOf(places.slice(0, indices.dims.length - 1), indices.dims.slice(0, -1));
    const chosen = Array.from({ length: depth }, (_, i) => wrapped(indices.values[row * depth + i], given[batch + i]));
    return [...places.slice(0, batch), ...chosen, ...places.slice(indices.dims.length - 1)];
  }

  #indices(tensor: string): TracedNumbers {
    const found = this.#tensors.get(tensor);
    if (found !== undefined) return found;
    const weight = this.#index.weight(tensor);
    const values = this.#index.constantIntegers(tensor);
    if (weight === undefined || values === undefined)
      throw new RangeError('what its parts are made of did not come out');
    return { dims: weight.dims, values };
  }

  /** What is written last at a place stays. */
  #scattered(
    node: number,
    operator: string,
    { given, at }: { readonly given: readonly number[]; readonly at: number },
  ): TracedElement {
    const { inputs } = this.#index.nodes[node];
    const indices = this.#indices(inputs[1]);
    if ((this.#index.attributes(node).get('reduction')?.text ?? 'none') !== 'none')
      throw new RangeError('its parts are added where they are written');
    const isWhole = operator === 'ScatterND';
    const depth = isWhole ? indices.dims[indices.dims.length - 1] : 0;
    const rest = isWhole ? given.slice(depth).reduce((product, dim) => product * dim, 1) : 1;
    let written = this.#written.get(node);
    if (written === undefined) {
      const size = given.reduce((product, dim) => product * dim, 1);
      written = new Int32Array(size / rest).fill(-1);
      const axis = this.#index.integerAttribute(node, 'axis') ?? 0;
      const count = indices.values.length / (isWhole ? depth : 1);
      for (let i = 0; i < count; i++) {
        const places = isWhole
          ? Array.from({ length: depth }, (_, d) => indices.values[i * depth + d])
          : placesIn(indices.dims, i).map((place, d) =>
              d === (axis < 0 ? axis + given.length : axis) ? indices.values[i] : place,
            );
        const own = places.map((place, d) => (place < 0 ? place + given[d] : place));
        written[placeOf(own, isWhole ? given.slice(0, depth) : given)] = i;
      }
      this.#written.set(node, written);
    }
    const update = written[Math.floor(at / rest)];
    return update < 0 ? { tensor: inputs[0], at } : { tensor: inputs[2], at: update * rest + (at % rest) };
  }
}
