import { operatorOf } from '../../onnx/follow/products';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { ValuesInParts } from '../../onnx/name/site';
import { carriedInputs, type ElementTracer, type TracedElement } from '../../onnx/steps/elementTrace';
import type { PartsRegion } from '../../onnx/steps/partsRegion';

/** A weight of a query's row, and what it weights: a value's first feature, undefined where something only fills up. */
interface WeightTerm {
  readonly weight: TracedElement;
  readonly value: TracedElement | undefined;
}

/** A row of weights, all of whose columns stand behind each other in what a softmax gives. */
export interface PartsRow {
  readonly softmax: number;
  readonly weights: string;
  /** Where it begins. */
  readonly from: number;
  readonly length: number;
  readonly values: readonly (TracedElement | undefined)[];
}

/** A node that computes, on a number's way from a product to the softmax. */
export interface ScoreHop {
  readonly node: number;
  readonly output: TracedElement;
  /** Which of its inputs is carried on. */
  readonly carried: number;
  readonly from: readonly (TracedElement | undefined)[];
}

/** A score's way: from its product on. */
export interface ScorePath {
  readonly product: number;
  readonly score: TracedElement;
  readonly hops: readonly ScoreHop[];
}

const unfollowed = 'a part of what it gives could not be followed';

/** Follows the numbers of an attention in parts. Its methods throw a RangeError, in a clause, where that cannot be done. */
export class PartsTrace {
  readonly #index: GraphIndex;
  readonly #tracer: ElementTracer;
  readonly #region: PartsRegion;
  readonly #sources: ReadonlySet<string>;
  readonly #leading = new Map<string, boolean>();

  constructor(index: GraphIndex, tracer: ElementTracer, region: PartsRegion, { sources }: ValuesInParts) {
    this.#index = index;
    this.#tracer = tracer;
    this.#region = region;
    this.#sources = new Set(sources.map(({ tensor }) => tensor));
  }

  /** The row of weights that made a number of what all parts come to. */
  row(element: TracedElement): PartsRow {
    const terms = this.#terms(element);
    const rows = new Map<string, WeightTerm>();
    const lengthOf = (tensor: string): number => this.#tracer.numbers(tensor).dims.at(-1) ?? 1;
    const startOf = ({ tensor, at }: TracedElement): number => at - (at % lengthOf(tensor));
    for (const term of terms)
      if (this.#tracer.value(term.weight) !== 0) rows.set(`${term.weight.tensor} ${startOf(term.weight)}`, term);
    const [found] = rows.values();
    if (rows.size !== 1)
      throw new RangeError(rows.size === 0 ? 'its row weighs nothing' : 'its row is of several softmaxes');
    const { tensor } = found.weight;
    const [from, length] = [startOf(found.weight), lengthOf(tensor)];
    const values = new Array<TracedElement | undefined>(length).fill(undefined);
    for (const { weight, value } of terms) {
      const column = weight.at - from;
      if (weight.tensor !== tensor || column < 0 || column >= length || value === undefined) continue;
      values[column] = value;
    }
    return { softmax: this.#index.producer(tensor) ?? -1, weights: tensor, from, length, values };
  }

  /** The way of a score from a product of queries and keys, the one that was chosen where there is a choice. */
  path(element: TracedElement): ScorePath | undefined {
    let at = element;
    for (;;) {
      const hop = this.#tracer.hop(at);
      if (hop.kind === 'moved') at = hop.from;
      else if (hop.kind === 'product')
        return this.#region.products.has(hop.node) && this.position(hop.terms[0][0]) !== undefined
          ? { product: hop.node, score: at, hops: [] }
          : undefined;
      else if (hop.kind === 'end') return undefined;
      else {
        const { node, from } = hop;
        for (const carried of this.#order(node, from)) {
          const input = from[carried];
          const path = input && this.#leads(input.tensor) ? this.path(input) : undefined;
          if (path !== undefined) return { ...path, hops: [...path.hops, { node, output: at, carried, from }] };
        }
        return undefined;
      }
    }
  }

  /** A number's way along that of another one: as many of its last nodes as it goes through, and the product where it comes from that. */
  along(
    element: TracedElement,
    path: ScorePath,
  ): { readonly hops: readonly ScoreHop[]; readonly score: TracedElement | undefined } {
    const hops: ScoreHop[] = [];
    let at = element;
    for (;;) {
      const hop = this.#tracer.hop(at);
      if (hop.kind === 'moved') {
        at = hop.from;
        continue;
      }
      const own = path.hops[path.hops.length - 1 - hops.length];
      if (hop.kind !== 'computed' || own === undefined || own.node !== hop.node)
        return {
          hops,
          score: hop.kind === 'product' && own === undefined && hop.node === path.product ? at : undefined,
        };
      hops.unshift({ node: hop.node, output: at, carried: own.carried, from: hop.from });
      const input = hop.from[own.carried];
      if (input === undefined) return { hops, score: undefined };
      at = input;
    }
  }

  /** The numbers that a score is the sum of products of. */
  terms(score: TracedElement): readonly (readonly [TracedElement, TracedElement])[] {
    const hop = this.#tracer.hop(score);
    return hop.kind === 'product' ? hop.terms : [];
  }

  /** Which row of what a projection made a number of an operand is of, by the projection's node; undefined where it is of none. */
  position(element: TracedElement): { readonly projection: number; readonly row: number } | undefined {
    let at = element;
    for (;;) {
      const node = this.#index.producer(at.tensor);
      if (node !== undefined && this.#region.maps.has(node)) {
        const width = this.#tracer.numbers(at.tensor).dims.at(-1) ?? 1;
        return { projection: node, row: Math.floor(at.at / width) };
      }
      const hop = this.#tracer.hop(at);
      const from =
        hop.kind === 'moved'
          ? hop.from
          : hop.kind === 'computed'
            ? hop.from.find((input) => input !== undefined && this.#isProjected(input.tensor))
            : undefined;
      if (from === undefined) return undefined;
      at = from;
    }
  }

  #terms(element: TracedElement): WeightTerm[] {
    let at = element;
    for (;;) {
      const hop = this.#tracer.hop(at);
      if (hop.kind === 'moved') at = hop.from;
      else if (hop.kind === 'end') {
        if (this.#tracer.value(at) === 0) return [];
        throw new RangeError(unfollowed);
      } else if (hop.kind === 'product') return this.#weighted(hop.terms);
      else {
        const operator = operatorOf(this.#index, hop.node);
        const from = hop.from.filter((input) => input !== undefined);
        if (operator === 'Add' || operator === 'Sum') return from.flatMap((each) => this.#terms(each));
        const carried = this.#carried(hop.node, hop.from);
        if (this.#tracer.value(at) === 0) return [];
        if (carried === undefined || this.#tracer.value(carried) !== this.#tracer.value(at))
          throw new RangeError(unfollowed);
        at = carried;
      }
    }
  }

  #weighted(terms: readonly (readonly [TracedElement, TracedElement])[]): WeightTerm[] {
    return terms.flatMap(([one, other]): WeightTerm[] => {
      const isFirst = this.#comesFromSoftmax(one.tensor);
      const weight = this.#weight(isFirst ? one : other);
      return weight === undefined ? [] : [{ weight, value: this.#value(isFirst ? other : one) }];
    });
  }

  /** The number of a softmax that a weight is; undefined where it was put in. */
  #weight(element: TracedElement): TracedElement | undefined {
    let at = element;
    for (;;) {
      if (this.#isOfSoftmax(at.tensor)) return at;
      const hop = this.#tracer.hop(at);
      const from =
        hop.kind === 'moved' ? hop.from : hop.kind === 'computed' ? this.#carried(hop.node, hop.from) : undefined;
      if (from === undefined || (hop.kind === 'computed' && this.#tracer.value(from) !== this.#tracer.value(at))) {
        if (this.#tracer.value(at) === 0) return undefined;
        throw new RangeError('its weights are changed before they weight the values');
      }
      at = from;
    }
  }

  /** The number of a projection that a value is; undefined where it was put in. */
  #value(element: TracedElement): TracedElement | undefined {
    let at = element;
    while (!this.#sources.has(at.tensor)) {
      const hop = this.#tracer.hop(at);
      if (hop.kind !== 'moved') return undefined;
      at = hop.from;
    }
    return at;
  }

  /** Inputs of a node that computes, the chosen one first. */
  #order(node: number, from: readonly (TracedElement | undefined)[]): readonly number[] {
    if (operatorOf(this.#index, node) !== 'Where') return [...from.keys()];
    const isChosen = from[0] !== undefined && this.#tracer.value(from[0]) !== 0;
    return isChosen ? [1, 2] : [2, 1];
  }

  #carried(node: number, from: readonly (TracedElement | undefined)[]): TracedElement | undefined {
    const order = this.#order(node, from).flatMap((at) => from[at] ?? []);
    if (operatorOf(this.#index, node) === 'Where') return order[0];
    return order.find(({ tensor }) => this.#comesFromSoftmax(tensor));
  }

  #isOfSoftmax(tensor: string): boolean {
    const node = this.#index.producer(tensor);
    return node !== undefined && operatorOf(this.#index, node) === 'Softmax';
  }

  #comesFromSoftmax(tensor: string): boolean {
    return this.#search(tensor, `softmax ${tensor}`, (each) => this.#isOfSoftmax(each));
  }

  #isProjected(tensor: string): boolean {
    return this.#search(tensor, `projected ${tensor}`, (each) =>
      this.#region.maps.has(this.#index.producer(each) ?? -1),
    );
  }

  /** Whether a product of activations is on the way to a tensor. */
  #leads(tensor: string): boolean {
    return this.#search(tensor, `product ${tensor}`, (each) =>
      this.#region.products.has(this.#index.producer(each) ?? -1),
    );
  }

  #search(tensor: string, name: string, isEnd: (tensor: string) => boolean): boolean {
    const known = this.#leading.get(name);
    if (known !== undefined) return known;
    const pending = [tensor];
    const seen = new Set(pending);
    let found = false;
    for (let i = 0; i < pending.length && !found; i++) {
      found = isEnd(pending[i]);
      const node = this.#index.producer(pending[i]);
      if (node === undefined || !this.#region.tensors.has(pending[i])) continue;
      for (const input of carriedInputs(this.#index, node))
        if (input !== '' && !seen.has(input)) {
          seen.add(input);
          pending.push(input);
        }
    }
    this.#leading.set(name, found);
    return found;
  }
}
