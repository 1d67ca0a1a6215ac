import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import type { NodeInfo, TensorInfo } from '../file/onnxModel';
import { operatorOf } from '../follow/products';
import type { FoundSite } from '../name/site';
import { encodeIntegers, encodeNode, encodeTypedValue, type AttributeValue } from '../file/nodeBytes';
import { readMadeNode } from '../file/readModel';
import { WireWriter } from '../file/wireWriter';
import { arithmetic, comparing, roundingOfBoth } from '../graph/operatorKinds';

/** A tensor of the model that the scores are made with, beside queries and keys: a mask, a bias, a scale. */
interface ScoreBoundary {
  readonly tensor: string;
  /** Its name in the small model. */
  readonly input: string;
  /** Whether it is given whole, as it says something of the operator; else it has, seen from its last axis, the scores' axes, each whole or of length one. */
  readonly isWhole: boolean;
}

/**
 * The part of a graph between the product of queries and keys and the weights, as a model of its own. Each of its operators works
 * on single heads and rows as it does on all of them, so that any rows of any head can be computed anew by themselves.
 */
export interface ScoreGraph {
  /** Tensors of the model: the operands of the product, [..., query, size] and [..., size, key]. */
  readonly queries: string;
  readonly keys: string;
  readonly boundaries: readonly ScoreBoundary[];
  /** The nodes of the model that it stands for, the product of queries and keys first. */
  readonly between: readonly number[];
  /** The rank that the scores must have; undefined where any will do. */
  readonly rank: number | undefined;
  /** Whether the model splits or joins the axes before the last two, which this graph leaves as they are. */
  readonly isReshaped: boolean;
  /** NodeProtos, and TensorProtos of the numbers that they are given. */
  readonly nodes: readonly Uint8Array[];
  readonly initializers: readonly Uint8Array[];
}

/** Names of the small model's own inputs and output. */
export const scoreNames = { queries: 'queries', keys: 'keys', weights: 'weights' } as const;

/** Operators that work on each number by itself, their inputs broadcast to each other. */
const elementwise = new Set([
  ...[...arithmetic, ...comparing, 'Where', 'Not', 'IsNaN', 'IsInf', 'Cast', 'Identity', 'Neg', 'Abs', 'Sqrt'],
  ...['Reciprocal', 'Exp', 'Log', 'Tanh', 'Erf', 'Sigmoid', 'HardSigmoid', 'Relu', 'LeakyRelu', 'Elu', 'Softplus'],
  'Softsign',
]);
/** … whose further inputs are numbers that hold for all: bounds, a ratio, a scale with its zero point. */
const withNumbers = new Set(['Clip', 'Dropout', ...roundingOfBoth]);
/** They only split or join the axes before the last two, which are of length one where one head is computed. */
const reshaping = new Set(['Reshape', 'Squeeze', 'Unsqueeze']);
/** Operators that join numbers of one row, where they work along the last axis: a row is whole. */
const alongRows = new Set([
  'Softmax',
  'ReduceMax',
  'ReduceSum',
  'ReduceMean',
  'ReduceMin',
  'ReduceLogSumExp',
  'ReduceL1',
  'Concat',
  'Slice',
]);

/** What tells only the shape of a tensor is the same whatever part of it is computed. */
const shapes = new Set(['Shape', 'Size']);

/** A constant of more numbers than this is taken from the model's run instead. */
const mostEmbedded = 16;

/** A step that the small model cannot follow, with the reason in one clause. */
class Refusal extends Error {}

/** How the nodes of a score graph differ from those of the model. */
export interface ScoreGraphOptions {
  /** Begins the names of all that is in it; those that stand outside of it are `queries`, `keys` and the boundaries' inputs. */
  readonly prefix?: string;
  /** NodeProtos without attributes that stand in for nodes, each of which works on numbers by themselves. */
  readonly replaced?: ReadonlyMap<number, readonly Uint8Array[]>;
}

/** The part of a graph that makes a site's weights from its queries and keys; otherwise the reason, in one clause, why it cannot stand by itself. */
export function findScoreGraph(
  index: GraphIndex,
  site: FoundSite,
  options: ScoreGraphOptions = {},
): ScoreGraph | string {
  try {
    return new ScoreGraphBuilder(index, site, options).build();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

class ScoreGraphBuilder {
  readonly #index: GraphIndex;
  readonly #site: FoundSite;
  readonly #prefix: string;
  readonly #replaced: NonNullable<ScoreGraphOptions['replaced']>;
  readonly #names = new Map<string, string>();
  readonly #boundaries = new Map<string, ScoreBoundary>();
  readonly #embeddedNames = new Map<string, string>();
  readonly #nodes: Uint8Array[] = [];
  readonly #initializers: Uint8Array[] = [];
  #rank: number | undefined;
  #isReshaped = false;
  #counter = 0;

  constructor(index: GraphIndex, site: FoundSite, { prefix = '', replaced = new Map() }: ScoreGraphOptions) {
    this.#index = index;
    this.#site = site;
    this.#prefix = prefix;
    this.#replaced = replaced;
  }

  build(): ScoreGraph {
    const { queries, keys, tensor, suffix, loop, isUndivided, queryAxis, keyAxis } = this.#site;
    if (loop !== undefined || this.#index.outer !== undefined) throw new Refusal('it lies in a loop');
    if (suffix !== undefined) throw new Refusal('its weights are not made by the graph itself');
    if (isUndivided) throw new Refusal('its rows are divided only after the values are weighted');
    if (queryAxis !== -2 || keyAxis !== -1) throw new Refusal('its last two axes are not queries and keys');
    if ((this.#index.model.opsets.get('') ?? 1) < 11)
      throw new Refusal('its operators are of a version that does not count axes from the end');
    if (queries === keys) throw new Refusal('its queries are its keys');
    if (this.#index.weight(queries) !== undefined) throw new Refusal('its queries are a weight');
    const between = this.#between();
    this.#product(between[0]);
    for (const node of between.slice(1)) {
      const others = this.#replaced.get(node);
      if (others === undefined) this.#node(node);
      else for (const other of others) this.#other(readMadeNode(this.#index.model, other));
    }
    const weights = this.#names.get(tensor);
    if (weights === undefined) throw new Refusal('its weights do not come from the product of its queries and keys');
    this.#nodes.push(
      encodeNode('Cast', [weights], [this.#prefix + scoreNames.weights], { to: { integer: dataType.float32 } }),
    );
    if (this.#isReshaped && this.#rank !== undefined)
      throw new Refusal('its axes are counted from the start and change their number');
    return {
      queries,
      keys,
      boundaries: [...this.#boundaries.values()],
      between,
      rank: this.#rank,
      isReshaped: this.#isReshaped,
      nodes: this.#nodes,
      initializers: this.#initializers,
    };
  }

  /** Nodes that the weights need and that need the queries or keys, in order. */
  #between(): number[] {
    const { queries, keys, tensor } = this.#site;
    const needed = this.#index.ancestors([tensor]).nodes;
    const made = new Set([queries, keys]);
    const between: number[] = [];
    this.#index.nodes.forEach(({ opType, inputs, outputs }, node) => {
      if (!needed.has(node) || shapes.has(opType) || !inputs.some((input) => made.has(input))) return;
      between.push(node);
      for (const output of outputs) made.add(output);
    });
    return between;
  }

  #product(node: number | undefined): void {
    const { queries, keys } = this.#site;
    if (node === undefined) throw new Refusal('its scores are not made by the graph itself');
    const { inputs, outputs } = this.#index.nodes[node];
    if (operatorOf(this.#index, node) !== 'MatMul' || inputs[0] !== queries || inputs[1] !== keys)
      throw new Refusal('its scores are more than one product of queries and keys');
    const scores = this.#made(outputs[0]);
    const operands = [scoreNames.queries, scoreNames.keys].map((name) => this.#prefix + name);
    this.#nodes.push(encodeNode('MatMul', operands, [scores]));
  }

  /** A node that stands in for one of the model's; what is new in it has its name. */
  #other({ opType, inputs, outputs }: NodeInfo): void {
    const given = inputs.map((input) =>
      this.#names.has(input) || this.#index.hasTensor(input) ? this.#given(input) : input,
    );
    this.#nodes.push(encodeNode(opType, given, [this.#made(outputs[0])]));
  }

  #node(node: number): void {
    const { inputs, outputs } = this.#index.nodes[node];
    const operator = operatorOf(this.#index, node);
    if (inputs.includes(this.#site.queries) || inputs.includes(this.#site.keys))
      throw new Refusal('its queries or keys go into more than one product');
    if (elementwise.has(operator))
      this.#copy(
        node,
        inputs.map((input) => this.#given(input)),
      );
    else if (reshaping.has(operator) && this.#names.has(inputs[0])) {
      // With one head and one row less, the shape that the model asks for would not fit; what counts are the last two axes.
      this.#isReshaped = true;
      this.#nodes.push(encodeNode('Identity', [this.#given(inputs[0])], [this.#made(outputs[0])]));
    } else if (withNumbers.has(operator)) this.#withNumbers(node, operator);
    else if (alongRows.has(operator)) this.#alongRows(node, operator);
    else throw new Refusal(`${operator} is not known to work on rows by themselves`);
  }

  #withNumbers(node: number, operator: string): void {
    const { inputs, outputs } = this.#index.nodes[node];
    if (operator === 'Dropout') {
      this.#nodes.push(encodeNode('Identity', [this.#given(inputs[0])], [this.#made(outputs[0])]));
      return;
    }
    const numbers = inputs.slice(1);
    if (
      operator.includes('Linear') &&
      numbers.some((input) => input !== '' && numElements(this.#constant(input)) !== 1)
    )
      throw new Refusal(`${operator} has more than one scale`);
    this.#copy(node, [this.#given(inputs[0]), ...numbers.map((input) => this.#whole(input))]);
  }

  #alongRows(node: number, operator: string): void {
    const { inputs } = this.#index.nodes[node];
    const opset = this.#index.model.opsets.get('') ?? 1;
    const last = { axis: { integer: -1 } };
    if (operator === 'Softmax' || operator === 'Concat') {
      this.#checkAxes(operator, [this.#index.integerAttribute(node, 'axis') ?? (opset < 13 ? 1 : -1)]);
      this.#copy(
        node,
        inputs.map((input) => this.#given(input)),
        last,
      );
    } else if (operator === 'Slice') {
      this.#checkAxes(operator, this.#index.constantIntegers(inputs[3] ?? ''));
      this.#copy(node, [
        this.#given(inputs[0]),
        this.#whole(inputs[1]),
        this.#whole(inputs[2]),
        this.#integers([-1]),
        ...inputs.slice(4).map((input) => this.#whole(input)),
      ]);
    } else {
      if ((this.#index.integerAttribute(node, 'keepdims') ?? 1) !== 1) throw new Refusal(`${operator} drops an axis`);
      const attribute = this.#index.attributes(node).get('axes')?.integers;
      this.#checkAxes(operator, attribute ?? this.#index.constantIntegers(inputs[1] ?? ''));
      if (attribute !== undefined) this.#copy(node, [this.#given(inputs[0])], { axes: { integers: [-1] } });
      else this.#copy(node, [this.#given(inputs[0]), this.#integers([-1])]);
    }
  }

  #checkAxes(operator: string, axes: readonly number[] | undefined): void {
    const axis = axes?.length === 1 ? axes[0] : undefined;
    if (axis === -1) return;
    if (axis === undefined || axis < 1 || (this.#rank ?? axis + 1) !== axis + 1)
      throw new Refusal(`${operator} does not work along rows`);
    this.#rank = axis + 1;
  }

  #copy(node: number, inputs: readonly string[], changed: Readonly<Record<string, AttributeValue>> = {}): void {
    const { opType, domain, bytes, outputs } = this.#index.nodes[node];
    if (outputs.slice(1).some((output) => output !== '')) throw new Refusal(`${opType} has more than one result`);
    const attributes: Record<string, AttributeValue> = {};
    for (const [name, { range }] of this.#index.attributes(node))
      attributes[name] = { raw: bytes.subarray(range.start, range.end) };
    this.#nodes.push(
      encodeNode(domain === '' ? opType : `${domain}.${opType}`, inputs, [this.#made(outputs[0])], {
        ...attributes,
        ...changed,
      }),
    );
  }

  #made(tensor: string): string {
    const name = `${this.#prefix}made-${this.#counter++}`;
    this.#names.set(tensor, name);
    return name;
  }

  /** The small model's name of a tensor that is cut to heads and rows. */
  #given(tensor: string): string {
    if (tensor === '') return '';
    const known = this.#names.get(tensor);
    if (known !== undefined) return known;
    const constant = this.#constant(tensor);
    if (constant !== undefined && numElements(constant) === 1) return this.#embedded(tensor, constant);
    if (this.#isMadeOfScores(tensor)) throw new Refusal('a tensor is made in the shape of its scores');
    return this.#boundary(tensor, false);
  }

  /** … and of one that is given as it is. */
  #whole(tensor: string): string {
    if (tensor === '') return '';
    if (this.#names.has(tensor)) throw new Refusal('an operator is told by the scores themselves what to do');
    const constant = this.#constant(tensor);
    return constant !== undefined && numElements(constant) <= mostEmbedded
      ? this.#embedded(tensor, constant)
      : this.#boundary(tensor, true);
  }

  /** Whether a tensor is as large as the scores because their shape was asked for. */
  #isMadeOfScores(tensor: string): boolean {
    const { nodes } = this.#index.ancestors([tensor]);
    for (const node of nodes) {
      const { opType, inputs } = this.#index.nodes[node];
      if (shapes.has(opType) && this.#names.has(inputs[0])) return true;
    }
    return false;
  }

  #boundary(tensor: string, isWhole: boolean): string {
    const known = this.#boundaries.get(tensor);
    if (known !== undefined && known.isWhole !== isWhole)
      throw new Refusal('a tensor is both part of the scores and told of them');
    const input = known?.input ?? `${this.#prefix}boundary-${this.#boundaries.size}`;
    this.#boundaries.set(tensor, { tensor, input, isWhole });
    return input;
  }

  #constant(tensor: string): TensorInfo | undefined {
    const own = this.#index.initializers.get(tensor);
    if (own !== undefined) return own.external === undefined ? own : undefined;
    const producer = this.#index.producer(tensor);
    if (producer === undefined || this.#index.nodes[producer].opType !== 'Constant') return undefined;
    return this.#index.attributes(producer).get('value')?.tensor;
  }

  #embedded(tensor: string, { bytes, range }: TensorInfo): string {
    const known = this.#embeddedNames.get(tensor);
    if (known !== undefined) return known;
    const name = `${this.#prefix}constant-${this.#embeddedNames.size}`;
    this.#embeddedNames.set(tensor, name);
    // Of a field that occurs twice, the last holds: this one's name.
    this.#initializers.push(new WireWriter().raw(bytes.subarray(range.start, range.end)).text(8, name).toBytes());
    return name;
  }

  #integers(values: readonly number[]): string {
    const name = `${this.#prefix}made-${this.#counter++}`;
    this.#initializers.push(encodeIntegers(name, values));
    return name;
  }
}

function numElements(tensor: TensorInfo | undefined): number {
  return tensor === undefined ? NaN : tensor.dims.reduce((product, dim) => product * dim, 1);
}

/** The small model itself; `typeOf` tells the element types of the tensors that it is given. */
export function encodeScoreModel(
  index: GraphIndex,
  graph: ScoreGraph,
  typeOf: (tensor: string) => number,
): Uint8Array<ArrayBuffer> {
  const written = new WireWriter();
  for (const node of graph.nodes) written.bytes(1, node);
  written.text(2, 'scores');
  for (const initializer of graph.initializers) written.bytes(5, initializer);
  written.bytes(11, encodeTypedValue(scoreNames.queries, typeOf(graph.queries)));
  written.bytes(11, encodeTypedValue(scoreNames.keys, typeOf(graph.keys)));
  for (const { tensor, input } of graph.boundaries) written.bytes(11, encodeTypedValue(input, typeOf(tensor)));
  written.bytes(12, encodeTypedValue(scoreNames.weights, dataType.float32));
  const model = new WireWriter().integer(1, index.model.irVersion).message(7, written);
  for (const [domain, version] of index.model.opsets)
    model.message(8, new WireWriter().text(1, domain).integer(2, version));
  return model.toBytes();
}
