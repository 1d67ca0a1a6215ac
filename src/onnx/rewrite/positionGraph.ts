import { joiningStreams } from '../follow/origin';
import {
  chosenColumns,
  convolvedKernel,
  isLearned,
  isOfWeights,
  isSingle,
  isWidth,
  rowWidth,
  spelledOut,
} from '../follow/positionShapes';
import type { PlacedSite } from '../name/describeSites';
import type { GraphIndex } from '../graph/graphIndex';
import { rankOf } from '../follow/axisInference';
import { isFloatType } from '../file/dataType';
import { PositionNodes } from './positionNodes';
import { comparing, ReadValues } from './positionValues';
import type { PositionGraph, SitePositions, StreamPositions } from './positions';
import {
  moving,
  pointwise,
  summing,
  convolving,
  pooling,
  poolingAll,
  reducing,
  packedProducts,
  padsWithConstant,
  windowAttributes,
} from './positionOperators';
import { operatorOf, productOf, type Product } from '../follow/products';

/** Comparing floats, which merging does, came with this version of the operators. */
export const leastPositionOpset = 11;

/**
 * The graph that carries positions from an input to the queries and keys of sites. What moves values moves positions; what computes
 * features leaves each place its own; a convolution, a pooling or a product with a weight gives what is made of several places the first of
 * them; attention gives its queries theirs, so that a sum that joins two streams is seen to join what stands at one place, or not.
 */
export function positionGraph(
  index: GraphIndex,
  sites: readonly PlacedSite[],
  input: string,
  { streams, joined }: StreamPositions = { streams: [], joined: [] },
): PositionGraph {
  const isIds = !isFloatType(index.inputs.find(({ name }) => name === input)?.dataType ?? 0);
  return new Carrier(index, input, isIds, joined).carry(sites, streams);
}

/** Stands for the operator where the way is lost in an attention in parts, as far as it is added to the stream that it read. */
const inParts = 'an attention in parts';

/** Follows positions through a graph, node by node in the order in which they run. */
class Carrier {
  readonly #index: GraphIndex;
  readonly #write: PositionNodes;
  readonly #replaced = new Map<number, readonly Uint8Array[]>();
  /** Tensors that hold positions in place of values. */
  readonly #carried = new Set<string>();
  readonly #input: string;
  readonly #values: ReadValues;
  /** Ids, and what positions beside them are called: ids stay what they are, as masks are made of them. */
  readonly #ids = new Map<string, string>();
  /** Tensors behind an operator that is not known, by that operator. */
  readonly #lost = new Map<string, string>();
  /** Rows and columns of products of two activations, by their node. */
  readonly #products = new Map<number, SitePositions>();
  /** Queries, and keys, that the model has learned: they depend on nothing that is read, and each is a token of the model's own. */
  readonly #learned = new Set<string>();
  /** Products that make scores of such. */
  readonly #asking = new Set<number>();
  /** Sites by the node that weights their values, each with the product that makes its scores. */
  readonly #weighting = new Map<number, { readonly site: PlacedSite; readonly scores: number }>();

  /** Nodes behind which an attention in parts is one tensor again. */
  readonly #joining: ReadonlySet<number>;

  constructor(index: GraphIndex, input: string, isIds: boolean, joined: readonly string[]) {
    this.#joining = new Set(joined.flatMap((tensor) => index.producer(tensor) ?? []));
    this.#index = index;
    this.#write = new PositionNodes(index);
    this.#input = isIds ? this.#write.named('positions') : input;
    this.#values = new ReadValues(index, this.#write, input);
    if (isIds) this.#ids.set(input, this.#input);
    else this.#carried.add(input);
  }

  carry(all: readonly PlacedSite[], streams: readonly string[]): PositionGraph {
    const index = this.#index;
    const sites = all.filter(({ inParts }) => inParts === undefined);
    const wanted = index.ancestors([...sites.flatMap(({ queries, keys }) => [queries, keys]), ...streams]).nodes;
    // The products that make scores are wanted too: they tell queries' axes from those of features.
    const scores = new Map(
      sites.map((site) => [
        site,
        index.consumers(site.queries).find((node) => productOf(index, node)?.operands.includes(site.keys) === true),
      ]),
    );
    const asked = new Set([...scores.values()].filter((node) => node !== undefined));
    for (const [site, product] of scores)
      if (product !== undefined && site.loop === undefined) this.#weighting.set(site.node, { site, scores: product });
    if (this.#ids.size === 0) this.#findLearned(scores);
    index.nodes.forEach((_, node) => {
      if (wanted.has(node) || asked.has(node)) this.#visit(node);
    });
    const placed = all.map((site): [PlacedSite, SitePositions | string] => [
      site,
      site.inParts === undefined ? this.#site(site, scores.get(site)) : 'it is computed in parts',
    ]);
    const found = streams.map((tensor): [string, { readonly places: string } | string] => [
      tensor,
      this.#stream(tensor),
    ]);
    return {
      replacements: { nodes: this.#replaced, initializers: this.#write.initializers },
      added: this.#write.take(),
      changed: this.#carried,
      sites: new Map(placed),
      streams: new Map(found),
      input: this.#input,
      values: this.#values.inputs,
    };
  }

  #stream(tensor: string): { readonly places: string } | string {
    const lost = this.#lost.get(tensor);
    if (lost !== undefined) return this.#lostWay(lost);
    return this.#carried.has(tensor) ? { places: this.#write.squeeze(tensor, -1) } : this.#fromNowhere;
  }

  #lostWay(operator: string): string {
    return `the way from the ${this.#ids.size > 0 ? 'text’s tokens' : 'picture’s patches'} to it goes through ${operator}`;
  }

  get #fromNowhere(): string {
    return `its queries or keys come from no ${this.#ids.size > 0 ? 'tokens of the text' : 'patches of the picture'}`;
  }

  #findLearned(scores: ReadonlyMap<PlacedSite, number | undefined>): void {
    for (const [{ queries, keys, loop }, product] of scores) {
      if (loop !== undefined) continue;
      for (const tensor of [queries, keys]) {
        if (!isOfWeights(this.#index, tensor)) continue;
        this.#learned.add(tensor);
        if (product !== undefined) this.#asking.add(product);
      }
    }
  }

  /** An operand as positions; undefined where it has none. */
  #positions(tensor: string): string | undefined {
    if (this.#carried.has(tensor)) return tensor;
    return this.#learned.has(tensor) ? this.#write.ownLike(tensor) : undefined;
  }

  #site(site: PlacedSite, product: number | undefined): SitePositions | string {
    const { queries, keys, loop } = site;
    if (loop !== undefined) return 'it is inside a loop';
    const lost = this.#lost.get(queries) ?? this.#lost.get(keys);
    if (lost !== undefined) return this.#lostWay(lost);
    const [rows, columns] = [this.#positions(queries), this.#positions(keys)];
    if (rows === undefined || columns === undefined) return this.#fromNowhere;
    const made = product === undefined ? undefined : this.#products.get(product);
    if (made !== undefined) return made;
    if (product !== undefined) return 'its product is of a form that is not known';
    // An operator that has attention inside takes [item, position, feature], or heads before the positions.
    return { rows: this.#write.squeeze(rows, -1), columns: this.#write.squeeze(columns, -1), numOwnAxes: 2 };
  }

  #visit(node: number): void {
    const dependencies = this.#index.dependencies(node);
    const { opType, outputs } = this.#index.nodes[node];
    this.#index.spend(1);
    if (this.#ids.size > 0 && this.#embed(node)) return;
    if (this.#weigh(node)) {
      this.#replaced.set(node, this.#write.take());
      this.#carried.add(outputs[0]);
      return;
    }
    if (this.#joining.has(node)) return this.#lose(node, inParts);
    const lost = dependencies.map((name) => this.#lost.get(name)).filter((operator) => operator !== undefined);
    if (lost.length > 0) {
      if (!this.#join(node, lost)) this.#lose(node, lost.find((operator) => operator !== inParts) ?? inParts);
      return;
    }
    const isCarried = this.#asking.has(node) || dependencies.some((name) => this.#carried.has(name));
    if (!isCarried || opType === 'Shape' || opType === 'Size') return;
    if (comparing.has(opType) && this.#values.compare(node, this.#carried, this.#lost)) {
      this.#replaced.set(node, this.#write.take());
      return;
    }
    const kept = this.#carryOn(node);
    if (kept === undefined) return this.#lose(node, operatorOf(this.#index, node));
    outputs.forEach((output, i) => {
      if (output === '') return;
      if (kept === 'all' || kept.includes(i)) this.#carried.add(output);
      else this.#lost.set(output, operatorOf(this.#index, node));
    });
    const made = this.#write.take();
    if (made.length > 0) this.#replaced.set(node, made);
  }

  /** Ids are moved with their positions beside them, until they choose rows of a weight: these stand where the ids did. */
  #embed(node: number): boolean {
    const write = this.#write;
    const { inputs, outputs, bytes, range } = this.#index.nodes[node];
    const operator = operatorOf(this.#index, node);
    const width = operator === 'Gather' && this.#ids.has(inputs[1]) ? rowWidth(this.#index, node) : undefined;
    if (width !== undefined) {
      write.add('MatMul', [write.unsqueeze(this.#ids.get(inputs[1]) ?? ''), write.row(width)], {}, outputs[0]);
      this.#replaced.set(node, write.take());
      this.#carried.add(outputs[0]);
      return true;
    }
    const beside = this.#ids.get(inputs[0]);
    const isSame = operator === 'Identity' || operator === 'Cast';
    const isPadded = operator === 'Pad' && padsWithConstant(this.#index, node);
    if (beside === undefined || !(moving.has(operator) || isSame || isPadded)) return false;
    if (inputs.slice(1).some((name) => this.#ids.has(name))) return false;
    const own = outputs.map(() => write.fresh());
    if (isSame) write.add('Identity', [beside], {}, own[0]);
    else if (isPadded) this.#padWithZeros(node, beside, own);
    else write.copy(node, [beside, ...inputs.slice(1)], { outputs: own });
    outputs.forEach((output, i) => this.#ids.set(output, own[i]));
    this.#replaced.set(node, [bytes.subarray(range.start, range.end), ...write.take()]);
    return true;
  }

  /** A Pad of positions, which fills up with 0: no place. */
  #padWithZeros(node: number, positions: string, outputs = this.#index.nodes[node].outputs): void {
    const [, pads = '', , axes = ''] = this.#index.nodes[node].inputs;
    this.#write.copy(node, axes === '' ? [positions, pads] : [positions, pads, '', axes], {
      outputs,
      without: ['value'],
    });
  }

  /** What attention gives stands where its queries do: its scores, which may be many, are not made. */
  #weigh(node: number): boolean {
    const known = this.#weighting.get(node);
    const product = known && productOf(this.#index, node);
    const made = known && this.#products.get(known.scores);
    if (
      product === undefined ||
      made?.numOwnAxes !== 2 ||
      product.equation !== undefined ||
      product.isTransposed.includes(true)
    )
      return false;
    if (product.operands[1] !== known?.site.values || !this.#carried.has(known.site.values)) return false;
    this.#write.add(
      'MatMul',
      [made.rows, this.#write.onesLike(this.#write.corner(known.site.values, -2))],
      {},
      this.#index.nodes[node].outputs[0],
    );
    return true;
  }

  /** What an attention in parts gives is added to what stood in its queries' places. */
  #join(node: number, lost: readonly string[]): boolean {
    const { inputs, outputs } = this.#index.nodes[node];
    const operator = operatorOf(this.#index, node);
    const carried = inputs.filter((name) => this.#carried.has(name));
    if (carried.length === 0 || lost.some((each) => each !== inParts)) return false;
    if (!summing.has(operator) && !joiningStreams.has(operator)) return false;
    const sum = carried.reduce((a, b) => this.#write.merge(a, b));
    const sums = joiningStreams.has(operator) ? [outputs[0], outputs[3]] : [outputs[0]];
    for (const output of sums) {
      if (!output) continue;
      this.#write.add('Identity', [sum], {}, output);
      this.#carried.add(output);
    }
    this.#replaced.set(node, this.#write.take());
    return true;
  }

  #lose(node: number, operator: string): void {
    this.#write.take();
    for (const output of this.#index.nodes[node].outputs) this.#lost.set(output, operator);
  }

  /** Writes what stands in for a node, where it does not stay as it is; gives which of its outputs carry positions, undefined where it is not known. */
  #carryOn(node: number): readonly number[] | 'all' | undefined {
    const write = this.#write;
    const operator = operatorOf(this.#index, node);
    const { inputs, outputs } = this.#index.nodes[node];
    const [first, second] = inputs;
    const [output] = outputs;
    const isCarried = (name: string | undefined): boolean => name !== undefined && this.#carried.has(name);
    const isFirst = isCarried(first);
    const isFirstOnly = isFirst && !inputs.slice(1).some(isCarried);
    const product = productOf(this.#index, node);
    if (product !== undefined) return this.#multiply(product, output);
    if (moving.has(operator)) return isFirstOnly ? 'all' : undefined;
    if (pointwise.has(operator)) {
      if (!isFirst) return undefined;
      write.add('Identity', [first], {}, output);
      return [0];
    }
    if (summing.has(operator)) {
      this.#sum(inputs, output);
      return [0];
    }
    if (joiningStreams.has(operator)) {
      this.#sum([first, second], output);
      if (outputs[3]) write.add('Identity', [output], {}, outputs[3]);
      return [0, 3];
    }
    // A quantised convolution is also given its input's zero point.
    if (convolving.has(operator) || pooling.has(operator))
      return isFirst && !isCarried(second) && this.#convolve(node, operator) ? [0] : undefined;
    if (poolingAll.has(operator)) {
      write.zerosLike(write.add('GlobalMaxPool', [first]), output);
      return [0];
    }
    if (reducing.has(operator)) return isFirstOnly ? this.#reduce(node) : undefined;
    if (packedProducts.has(operator))
      return isFirstOnly ? this.#widen(node, this.#index.integerAttribute(node, 'N')) : undefined;
    return this.#carryAlone(node, operator, isFirstOnly);
  }

  /** The same of operators that each have a way of their own. */
  #carryAlone(node: number, operator: string, isFirstOnly: boolean): readonly number[] | 'all' | undefined {
    const { inputs, outputs } = this.#index.nodes[node];
    switch (operator) {
      case 'Where':
        if (this.#carried.has(inputs[0])) return undefined;
        this.#write.spread(this.#sum(inputs.slice(1, 3)), inputs[0], outputs[0]);
        return [0];
      case 'Concat':
        return this.#concatenate(node);
      case 'ScatterND':
      case 'ScatterElements':
        return this.#scatter(node);
      case 'Pad':
        if (!isFirstOnly) return undefined;
        if (!padsWithConstant(this.#index, node)) return 'all';
        this.#padWithZeros(node, inputs[0]);
        return [0];
      case 'DynamicQuantizeLinear':
        this.#write.add('Identity', [inputs[0]], {}, outputs[0]);
        for (const other of outputs.slice(1)) this.#write.zero(other);
        return 'all';
      case 'com.microsoft.Attention': {
        const width = this.#index.weight(inputs[1])?.dims[1];
        if (!isFirstOnly || width === undefined) return undefined;
        return this.#widen(node, this.#index.attributes(node).get('qkv_hidden_sizes')?.integers[2] ?? width / 3);
      }
      case 'Attention':
        this.#write.add('Identity', [inputs[0]], {}, outputs[0]);
        return [0];
      default:
        return undefined;
    }
  }

  /** Features of another width stand where those that they are made of do. */
  #widen(node: number, width: number | undefined): readonly number[] | undefined {
    if (!isWidth(width)) return undefined;
    const { inputs, outputs } = this.#index.nodes[node];
    this.#write.add('MatMul', [this.#write.corner(inputs[0], -1), this.#write.row(width)], {}, outputs[0]);
    return [0];
  }

  /** What is learned has places of its own. */
  #concatenate(node: number): readonly number[] {
    const inputs = this.#index.nodes[node].inputs.map((name) => {
      if (this.#carried.has(name)) return name;
      return isLearned(this.#index, name) ? this.#write.ownLike(name) : this.#write.nowhereLike(name);
    });
    this.#write.copy(node, inputs);
    return [0];
  }

  #scatter(node: number): readonly number[] | undefined {
    const [into, at, what] = this.#index.nodes[node].inputs;
    if (this.#carried.has(at)) return undefined;
    const placed = (name: string): string => (this.#carried.has(name) ? name : this.#write.nowhereLike(name));
    this.#write.copy(node, [placed(into), at, placed(what)], { without: ['reduction'] });
    return [0];
  }

  /** What tensors that are added or multiplied have in common. */
  #sum(inputs: readonly string[], output?: string): string {
    const carried = inputs.filter((name) => this.#carried.has(name));
    const others = inputs.filter((name) => name !== '' && !this.#carried.has(name) && !isSingle(this.#index, name));
    let sum = carried.reduce((a, b) => this.#write.merge(a, b));
    for (const other of others) sum = this.#write.spread(sum, other);
    return output === undefined ? sum : this.#write.add('Identity', [sum], {}, output);
  }

  /** A product's rows keep their positions. What a weight sums up is of one place, or of neighbours that become one. */
  #multiply(product: Product, output: string): readonly number[] | undefined {
    const write = this.#write;
    const { node, isTransposed, equation } = product;
    if (product.operands.length !== 2) return undefined;
    const own = product.operands.map((operand) => (this.#asking.has(node) ? this.#positions(operand) : undefined));
    const [a, b] = product.operands.map((operand, i) => own[i] ?? operand);
    const [isLeft, isRight] = [a, b].map((operand, i) => own[i] !== undefined || this.#carried.has(operand));
    if (equation !== undefined) return this.#contract(product, output);
    if (isLeft && isRight) {
      const [left, right] = [write.squeeze(a, isTransposed[0] ? -2 : -1), write.squeeze(b, isTransposed[1] ? -1 : -2)];
      this.#products.set(node, { rows: left, columns: right, numOwnAxes: 2 });
      const ones = write.onesLike(right);
      if (!isTransposed[0] && !isTransposed[1]) write.add('MatMul', [left, ones], {}, output);
      else
        write.add(
          operatorOf(this.#index, node),
          [left, ones],
          { transA: { integer: isTransposed[0] ? 1 : 0 }, transB: { integer: isTransposed[1] ? 1 : 0 } },
          output,
        );
      return [0];
    }
    if (isLeft) {
      if (isTransposed[0]) return undefined;
      const width = chosenColumns(this.#index, b, isTransposed[1]);
      const right =
        width === undefined
          ? write.onesLike(write.reduce('ReduceMax', write.nowhereLike(b), isTransposed[1] ? -1 : -2))
          : write.row(width);
      if (width === undefined && isTransposed[1]) return undefined;
      write.add('MatMul', [write.corner(a, -1), right], {}, output);
      return [0];
    }
    // A weight on the left makes other features where they stand first; where positions do, all rows become that of the first.
    if (isTransposed[0] || isTransposed[1]) return undefined;
    const ones = write.onesLike(write.reduce('ReduceMax', write.nowhereLike(a), -1));
    write.add('MatMul', [ones, write.corner(b, -2)], {}, output);
    return [0];
  }

  /** The same of an Einsum of two tensors. */
  #contract({ node, operands, equation: given }: Product, output: string): readonly number[] | undefined {
    const equation =
      given &&
      spelledOut(
        given,
        operands.map((name) => rankOf(this.#index, name)),
      );
    if (equation === undefined) return undefined;
    const write = this.#write;
    const placed = operands.map((name) =>
      this.#asking.has(node) ? this.#positions(name) : this.#carried.has(name) ? name : undefined,
    );
    const isProduct = placed.every((name) => name !== undefined);
    const own = operands.map((name, i) => {
      const letters = [...equation.operands[i]];
      const isCarried = placed[i] !== undefined;
      let tensor = placed[i] ?? write.nowhereLike(name);
      letters.forEach((letter, axis) => {
        if (!equation.result.includes(letter))
          tensor = isCarried
            ? isProduct
              ? write.squeeze(tensor, axis - letters.length)
              : write.corner(tensor, axis - letters.length)
            : write.reduce('ReduceMax', tensor, axis - letters.length);
      });
      return { tensor, letters, isCarried };
    });
    const leading = own.findIndex(({ isCarried }) => isCarried);
    const factors = own.map(({ tensor }, i) => (i === leading ? tensor : write.onesLike(tensor)));
    write.add('Einsum', factors, { equation: { text: `${equation.operands.join(',')}->${equation.result}` } }, output);
    if (isProduct) {
      const ofResult = own.map(({ tensor, letters }) =>
        write.add('Einsum', [tensor], {
          equation: {
            text: `${letters.join('')}->${[...equation.result].filter((letter) => letters.includes(letter)).join('')}`,
          },
        }),
      );
      this.#products.set(node, { rows: ofResult[0], columns: ofResult[1], numOwnAxes: 1 });
    }
    return [0];
  }

  /** A cell of what a window steps over stands where its first place does. */
  #convolve(node: number, operator: string): boolean {
    const write = this.#write;
    const {
      inputs: [from, weight],
      outputs: [output],
    } = this.#index.nodes[node];
    const dims = convolving.has(operator) ? this.#index.weight(weight)?.dims : undefined;
    const kernel = convolvedKernel(this.#index, node, dims?.slice(2));
    if (kernel === undefined || (convolving.has(operator) && dims === undefined)) return false;
    const attributes = write.attributes(node, windowAttributes);
    const picked = write.add('Conv', [write.corner(from, 1), write.kernel(kernel.sizes, kernel.at)], attributes);
    // All channels stand at the same place.
    if (dims !== undefined)
      write.add('Expand', [picked, write.integers([1, dims[0], ...kernel.sizes.map(() => 1)])], {}, output);
    else write.add('Add', [picked, write.zerosLike(write.add('GlobalMaxPool', [from]))], {}, output);
    return true;
  }

  /** What is pooled over one axis stands where the first of it does; over several, nowhere. */
  #reduce(node: number): readonly number[] | undefined {
    const write = this.#write;
    const { inputs, outputs } = this.#index.nodes[node];
    const [from, given] = inputs;
    const axes = this.#index.attributes(node).get('axes')?.integers ?? this.#index.constantIntegers(given ?? '');
    const isKept = (this.#index.integerAttribute(node, 'keepdims') ?? 1) === 1;
    if (axes === undefined || axes.length === 0) return undefined;
    let reduced = from;
    // From the last axis on, so that the others keep their numbers.
    for (const axis of [...axes].sort((a, b) => (a < 0 === b < 0 ? (a < 0 ? a - b : b - a) : 0)))
      reduced = write.corner(reduced, axis, isKept);
    if (axes.length === 1) write.add('Identity', [reduced], {}, outputs[0]);
    else write.zerosLike(reduced, outputs[0]);
    return [0];
  }
}
