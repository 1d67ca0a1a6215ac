import { ExplorerError } from '../../base/errors';
import type { AttributeInfo, GraphInfo, NodeInfo, OnnxModel, TensorInfo, ValueInfo } from '../file/onnxModel';
import { nodeAttributes, readSubgraph } from '../file/readModel';
import type { ByteRange } from '../../base/wireReader';
import { reshaping, rounding } from './operatorKinds';

/** Operators behind which a weight is still a weight. */
const weightPreserving = new Set([
  'Cast',
  'CastLike',
  'Identity',
  'Transpose',
  'DequantizeBFP',
  ...reshaping,
  ...rounding,
]);

/** Steps of all searches together. A model of 100 layers takes about 10^5. */
const maxEffort = 3e6;

/** The graph around a body, and which of its tensors the body's inputs stand for where they never change. */
export interface Surroundings {
  readonly index: GraphIndex;
  readonly aliases: ReadonlyMap<string, string>;
  /** Of which tensor there an input of the body is one slice an iteration. */
  readonly slices: ReadonlyMap<string, string>;
  /** The node there that the body belongs to. */
  readonly node: number;
}

/** A graph, the model's own or a body, with who makes and who uses each tensor. Nodes are named by their index in {@link nodes}, in an order in which they can run. */
export class GraphIndex {
  readonly model: OnnxModel;
  readonly graph: GraphInfo;
  /** In topological order. */
  readonly nodes: readonly NodeInfo[];
  /** Graph inputs that are not initializers: what must be fed. */
  readonly inputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, TensorInfo>;
  readonly #producers = new Map<string, number>();
  readonly #consumers = new Map<string, number[]>();
  readonly #attributes = new Map<number, ReadonlyMap<string, AttributeInfo>>();
  readonly #captured = new Map<number, readonly string[]>();
  readonly #weights = new Map<string, TensorInfo | null>();
  readonly #valueInfos = new Map<string, ValueInfo>();
  readonly #passed = new Map<number, readonly string[]>();
  readonly #inputNames: ReadonlySet<string>;
  /** Undefined for the model's main graph. */
  readonly outer: Surroundings | undefined;

  #effort = 0;

  /** Throws `modelNotOnnx` where the graph is none: a cycle, or two makers of one tensor. */
  constructor(model: OnnxModel, graph: GraphInfo = model.graph, outer?: Surroundings) {
    this.model = model;
    this.graph = graph;
    this.outer = outer;
    this.initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    this.inputs = graph.inputs.filter((input) => !this.initializers.has(input.name));
    this.#inputNames = new Set(this.inputs.map((input) => input.name));
    for (const info of [...graph.valueInfos, ...graph.outputs, ...graph.inputs]) this.#valueInfos.set(info.name, info);
    this.nodes = this.#sort(graph.nodes);
    this.nodes.forEach((node, index) => {
      for (const name of this.dependencies(index)) {
        const consumers = this.#consumers.get(name);
        if (consumers === undefined) this.#consumers.set(name, [index]);
        else if (consumers[consumers.length - 1] !== index) consumers.push(index);
      }
      for (const name of node.outputs) if (name !== '') this.#producers.set(name, index);
    });
  }

  /** Counts work that depends on how a graph is wired; throws `modelUnsupported` beyond what any real graph takes. */
  spend(steps: number): void {
    if (this.outer !== undefined) return this.outer.index.spend(steps);
    this.#effort += steps;
    if (this.#effort > maxEffort)
      throw new ExplorerError('modelUnsupported', [this.model.name, 'its graph is too entangled to be searched']);
  }

  /** The node that makes a tensor; undefined for inputs and initializers. */
  producer(tensor: string): number | undefined {
    return this.#producers.get(tensor);
  }

  /** The nodes that use a tensor, also inside their bodies. */
  consumers(tensor: string): readonly number[] {
    return this.#consumers.get(tensor) ?? [];
  }

  /** Whether the graph has a tensor of that name. */
  hasTensor(name: string): boolean {
    return (
      this.#producers.has(name) ||
      this.initializers.has(name) ||
      this.#valueInfos.has(name) ||
      this.outer?.index.hasTensor(name) === true
    );
  }

  /** Begins the names that are made for this graph: names of nested graphs must differ as well. */
  get scope(): string {
    return this.outer === undefined ? '' : `${this.outer.index.scope}${this.outer.node}/`;
  }

  /** The tensor of the graph around this one that a name stands for; undefined for what this graph makes or is given anew. */
  outerName(name: string): string | undefined {
    if (this.outer === undefined || this.#producers.has(name) || this.initializers.has(name)) return undefined;
    return this.outer.aliases.get(name) ?? (this.#inputNames.has(name) ? undefined : name);
  }

  /** What the file says of a tensor's type and shape. */
  valueInfo(tensor: string): ValueInfo | undefined {
    const own = this.#valueInfos.get(tensor);
    if (own !== undefined || this.outer === undefined) return own;
    const name = this.outerName(tensor);
    return name === undefined ? undefined : this.outer.index.valueInfo(name);
  }

  attributes(node: number): ReadonlyMap<string, AttributeInfo> {
    let attributes = this.#attributes.get(node);
    if (attributes === undefined)
      this.#attributes.set(node, (attributes = nodeAttributes(this.model, this.nodes[node])));
    return attributes;
  }

  integerAttribute(node: number, name: string): number | undefined {
    return this.attributes(node).get(name)?.integer;
  }

  /** All tensors that a node needs: its inputs, and those of the main graph that its bodies use. */
  dependencies(node: number): readonly string[] {
    const { inputs } = this.nodes[node];
    const captured = this.#captured.get(node);
    return captured === undefined ? inputs : [...inputs, ...captured];
  }

  /** The weight that a tensor is, possibly behind operators that only rearrange or convert it; undefined for what depends on the inputs. */
  weight(tensor: string): TensorInfo | undefined {
    const known = this.#weights.get(tensor);
    if (known !== undefined) return known ?? undefined;
    const chain: string[] = [];
    let name = tensor;
    let found: TensorInfo | undefined;
    for (let i = 0; i < 16; i++) {
      chain.push(name);
      found = this.initializers.get(name);
      if (found !== undefined) break;
      const producer = this.#producers.get(name);
      if (producer === undefined) {
        const outerName = this.outerName(name);
        if (outerName !== undefined) found = this.outer?.index.weight(outerName);
        break;
      }
      const { opType, inputs } = this.nodes[producer];
      if (opType === 'Constant') {
        found =
          this.attributes(producer).get('value')?.tensor ??
          constantOf(this.attributes(producer), this.nodes[producer].bytes, name);
        break;
      }
      if (!weightPreserving.has(opType) || inputs.length === 0) break;
      name = inputs[0];
    }
    for (const link of chain) this.#weights.set(link, found ?? null);
    return found;
  }

  /** The values of a small constant integer tensor. */
  constantIntegers(tensor: string): readonly number[] | undefined {
    return this.weight(tensor)?.integers;
  }

  /** Tensors that an `If` hands on as one of its results, at most in another shape: what a squeeze becomes whose axis may have any size. */
  passedThrough(node: number): readonly string[] {
    let names = this.#passed.get(node);
    if (names === undefined) {
      const bodies = this.nodes[node].opType === 'If' ? bodiesOf(this.model, this.nodes[node]) : [];
      const found = bodies.map((body) => passedThroughBranch(readSubgraph(this.model, body, 1)));
      this.#passed.set(
        node,
        (names = found.length > 0 && found.every((each) => each !== undefined) ? [...new Set(found.flat())] : []),
      );
    }
    return names;
  }

  /** Nodes that a set of tensors depends on, and the initializers and inputs among what they use; `others` stand in for nodes, with what they need and make. */
  ancestors(
    tensors: Iterable<string>,
    others: ReadonlyMap<number, Pick<NodeInfo, 'inputs' | 'outputs'>> = new Map(),
  ): { readonly nodes: ReadonlySet<number>; readonly tensors: ReadonlySet<string> } {
    const nodes = new Set<number>();
    const seen = new Set<string>();
    const makers = new Map(
      [...others].flatMap(([node, { outputs }]) => outputs.map((output): [string, number] => [output, node])),
    );
    const pending = [...tensors];
    for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
      if (tensor === '' || seen.has(tensor)) continue;
      seen.add(tensor);
      const producer = makers.get(tensor) ?? this.#producers.get(tensor);
      if (producer === undefined || nodes.has(producer)) continue;
      nodes.add(producer);
      for (const name of others.get(producer)?.inputs ?? this.dependencies(producer)) pending.push(name);
    }
    return { nodes, tensors: seen };
  }

  /** Kahn's algorithm, stable: nodes that could already run keep the file's order. */
  #sort(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
    const makers = new Map<string, number>();
    nodes.forEach((node, index) => {
      for (const output of node.outputs) {
        if (output === '') continue;
        if (makers.has(output))
          throw new ExplorerError('modelNotOnnx', [this.model.name, `two of its nodes make "${output}"`]);
        makers.set(output, index);
      }
    });
    const captured = nodes.map((node) => freeNames(this.model, node));
    const isSorted = nodes.every((node, index) =>
      [...node.inputs, ...(captured[index] ?? [])].every((name) => (makers.get(name) ?? -1) < index),
    );
    let order = nodes.map((_, index) => index);
    if (!isSorted) order = this.#kahn(nodes, makers, captured);
    order.forEach((from, to) => {
      const names = captured[from];
      if (names !== undefined) this.#captured.set(to, names);
    });
    return isSorted ? nodes : order.map((index) => nodes[index]);
  }

  #kahn(
    nodes: readonly NodeInfo[],
    makers: ReadonlyMap<string, number>,
    captured: readonly (readonly string[] | undefined)[],
  ): number[] {
    const users = nodes.map((): number[] => []);
    const waiting = nodes.map((node, index) => {
      const needs = new Set<number>();
      for (const name of [...node.inputs, ...(captured[index] ?? [])]) {
        const maker = makers.get(name);
        if (maker !== undefined) needs.add(maker);
      }
      for (const maker of needs) users[maker].push(index);
      return needs.size;
    });
    const order = nodes.map((_, index) => index).filter((index) => waiting[index] === 0);
    for (let at = 0; at < order.length; at++)
      for (const user of users[order[at]]) if (--waiting[user] === 0) order.push(user);
    if (order.length !== nodes.length)
      throw new ExplorerError('modelNotOnnx', [this.model.name, 'its graph has a cycle']);
    return order;
  }
}

function constantOf(
  attributes: ReadonlyMap<string, AttributeInfo>,
  bytes: Uint8Array,
  name: string,
): TensorInfo | undefined {
  const [attribute] = attributes.values();
  if (attribute === undefined) return undefined;
  const integers =
    attribute.name === 'value_int'
      ? [attribute.integer ?? 0]
      : attribute.name === 'value_ints'
        ? attribute.integers
        : undefined;
  const numValues = attribute.name === 'value_floats' ? attribute.floats.length : (integers?.length ?? 1);
  return {
    name,
    dims: attribute.name.endsWith('s') ? [numValues] : [],
    dataType: integers === undefined ? 1 : 7,
    bytes,
    range: attribute.range,
    data: undefined,
    external: undefined,
    integers,
  };
}

const reshapers = new Set(['Identity', 'Squeeze', 'Unsqueeze', 'Reshape', 'Cast', 'Constant']);

/** What the outputs of a branch are, where it does nothing but reshape tensors from outside. */
function passedThroughBranch(branch: GraphInfo): string[] | undefined {
  if (branch.nodes.length > 8 || branch.nodes.some((node) => node.domain !== '' || !reshapers.has(node.opType)))
    return undefined;
  const makers = new Map(
    branch.nodes.flatMap((node) => node.outputs.map((output): [string, NodeInfo] => [output, node])),
  );
  const names: string[] = [];
  for (const output of branch.outputs) {
    let name = output.name;
    for (
      let maker = makers.get(name), i = 0;
      maker !== undefined && maker.inputs.length > 0 && i < 8;
      maker = makers.get(name), i++
    )
      name = maker.inputs[0];
    if (makers.has(name)) return undefined;
    names.push(name);
  }
  return names;
}

/** Operators whose attributes hold graphs. */
const withBodies = new Set([
  'If',
  'Loop',
  'Scan',
  'SequenceMap',
  'BeamSearch',
  'GreedySearch',
  'Sampling',
  'WhisperBeamSearch',
]);

/** A graph inside a node: the attribute that holds it, and where in the node's bytes it lies. */
export interface Body {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly range: ByteRange;
}

/** Bodies of a node. */
export function bodiesOf(model: OnnxModel, node: NodeInfo): Body[] {
  if (!withBodies.has(node.opType)) return [];
  return [...nodeAttributes(model, node).values()].flatMap((attribute) =>
    attribute.graphs.map((range) => ({ name: attribute.name, bytes: node.bytes, range })),
  );
}

/** Names that a node's bodies use and do not define themselves; undefined for a node without bodies. */
export function freeNames(model: OnnxModel, node: NodeInfo, depth = 1): readonly string[] | undefined {
  if (!withBodies.has(node.opType)) return undefined;
  const free = new Set<string>();
  for (const each of bodiesOf(model, node)) {
    const body = readSubgraph(model, each, depth);
    const own = new Set([
      ...body.inputs.map((input) => input.name),
      ...body.initializers.map((tensor) => tensor.name),
      ...body.nodes.flatMap((inner) => inner.outputs),
    ]);
    const used = [
      ...body.nodes.flatMap((inner) => [...inner.inputs, ...(freeNames(model, inner, depth + 1) ?? [])]),
      ...body.outputs.map((output) => output.name),
    ];
    for (const name of used) if (name !== '' && !own.has(name)) free.add(name);
  }
  return [...free];
}
