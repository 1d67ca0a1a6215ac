import { bodiesOf, GraphIndex, type Body } from '../graph/graphIndex';
import { productOf } from './products';
import type { GraphInfo } from '../file/onnxModel';
import { readSubgraph } from '../file/readModel';

/** A value that a loop hands from one iteration to the next. */
interface CarriedValue {
  /** The body's input and output. */
  readonly input: string;
  readonly output: string;
  /** The tensor outside that it begins as. */
  readonly initial: string;
}

/** A tensor of which the body of a Scan reads one slice an iteration. */
interface ScannedValue {
  readonly input: string;
  readonly source: string;
}

/** The body of a Loop or Scan, with what its inputs stand for. */
export interface LoopBody {
  /** The Loop or Scan in the graph around it. */
  readonly node: number;
  readonly body: Body;
  readonly index: GraphIndex;
  /** Values that change from one iteration to the next, by the body's input; those that never do are known by the index as names for tensors outside. */
  readonly carried: ReadonlyMap<string, CarriedValue>;
  readonly scanned: ReadonlyMap<string, ScannedValue>;
  /** The body's input that counts iterations. */
  readonly counter: string | undefined;
  /** Number of iterations, where the file states it. */
  readonly numIterations: number | undefined;
  /** Whether later iterations read earlier positions; undefined where the order cannot be told. */
  readonly isReversed: boolean | undefined;
}

/** Reads the body of a Loop or Scan; undefined for other nodes, and for a body whose inputs do not fit the node's. */
export function readLoopBody(index: GraphIndex, node: number): LoopBody | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '' || (opType !== 'Loop' && opType !== 'Scan')) return undefined;
  const body = bodiesOf(index.model, index.nodes[node]).find((each) => each.name === 'body');
  if (body === undefined) return undefined;
  const graph = readSubgraph(index.model, body, 1);
  const places = placesOf(index, node, graph);
  if (places === undefined) return undefined;
  const { isLoop, formal, results, numCarried, numScanned } = places;
  const origin = renaming(graph);
  const aliases = new Map<string, string>();
  const carried = new Map<string, CarriedValue>();
  for (let i = 0; i < numCarried; i++) {
    const at = isLoop ? i + 2 : i;
    const value: CarriedValue = { input: formal[at], output: results[isLoop ? i + 1 : i], initial: inputs[at] };
    if (origin(value.output) === value.input && value.initial !== '') aliases.set(value.input, value.initial);
    else carried.set(value.input, value);
  }
  const scanned = new Map(
    Array.from({ length: numScanned }, (_, i): [string, ScannedValue] => [
      formal[numCarried + i],
      { input: formal[numCarried + i], source: inputs[numCarried + i] },
    ]),
  );
  const slices = new Map([...scanned.values()].map((value): [string, string] => [value.input, value.source]));
  const inner = new GraphIndex(index.model, graph, { index, aliases, slices, node });
  const read = { node, body, index: inner, carried, scanned };
  if (isLoop) {
    // The condition must stay true: handed on as it is, or a constant.
    const condition = origin(results[0]);
    const isKept = condition === formal[1] || inner.weight(condition) !== undefined;
    const [limit] = index.constantIntegers(inputs[0]) ?? [];
    return {
      ...read,
      counter: formal[0],
      numIterations: isKept && limit !== undefined && limit > 0 ? limit : undefined,
      isReversed: readsInOrder(inner, formal[0]) ? false : undefined,
    };
  }
  const sources = [...scanned.values()].map(({ source }) => source);
  return {
    ...read,
    counter: undefined,
    numIterations: scannedLength(index, node, sources),
    isReversed: scansBackwards(index, node, sources),
  };
}

/** Where the inputs and results of a body stand. */
interface BodyPlaces {
  /** Loop: iteration, condition, carried values. Scan: carried values, slices; Scan has no condition among its results. */
  readonly isLoop: boolean;
  readonly formal: readonly string[];
  readonly results: readonly string[];
  readonly numCarried: number;
  readonly numScanned: number;
}

/** Undefined where a body does not fit its node. */
function placesOf(index: GraphIndex, node: number, graph: GraphInfo): BodyPlaces | undefined {
  const { opType, inputs, outputs } = index.nodes[node];
  const own = new Set(graph.initializers.map((tensor) => tensor.name));
  const formal = graph.inputs.map((input) => input.name).filter((name) => !own.has(name));
  const results = graph.outputs.map((output) => output.name);
  const isLoop = opType === 'Loop';
  const numScanned = isLoop ? 0 : (index.integerAttribute(node, 'num_scan_inputs') ?? 0);
  const numCarried = formal.length - (isLoop ? 2 : numScanned);
  const firstResult = isLoop ? 1 : 0;
  const fits =
    numCarried >= 0 &&
    numScanned >= 0 &&
    inputs.length === formal.length &&
    results.length >= numCarried + firstResult &&
    outputs.length <= results.length - firstResult;
  return fits ? { isLoop, formal, results, numCarried, numScanned } : undefined;
}

/** What a tensor of a body is another name of. */
function renaming(graph: GraphInfo): (name: string) => string {
  const makers = new Map(
    graph.nodes.flatMap((each) =>
      each.outputs.map((output): [string, string | undefined] => [
        output,
        each.opType === 'Identity' ? each.inputs[0] : undefined,
      ]),
    ),
  );
  return (name) => {
    let at = name;
    for (let i = 0; i < 8; i++) at = makers.get(at) ?? at;
    return at;
  };
}

/** How many slices a Scan reads, where the file states it. */
function scannedLength(index: GraphIndex, node: number, sources: readonly string[]): number | undefined {
  const axis = index.attributes(node).get('scan_input_axes')?.integers[0] ?? 0;
  return sources
    .map((source) => (index.weight(source)?.dims ?? index.valueInfo(source)?.dims)?.at(axis))
    .find((size): size is number => typeof size === 'number' && size > 0);
}

/** Whether a Scan reads positions from the last one on; undefined where it reads some so and others not. */
function scansBackwards(index: GraphIndex, node: number, sources: readonly string[]): boolean | undefined {
  const directions = index.attributes(node).get('scan_input_directions')?.integers ?? [];
  const isBackward = sources.map((source, i) => (directions[i] === 1) !== isFlipped(index, source));
  return isBackward.every((each) => each === isBackward[0]) ? (isBackward[0] ?? false) : undefined;
}

const orderPreserving = new Set([
  'Transpose',
  'Identity',
  'Cast',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Gather',
  'Add',
  'MatMul',
  'Mul',
  'Dropout',
  'LayerNormalization',
]);

/** Whether a tensor's positions have been put in reverse order. */
function isFlipped(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  let isReversed = false;
  for (let i = 0; i < 16; i++) {
    const node = index.producer(name);
    if (node === undefined) break;
    const { opType, inputs } = index.nodes[node];
    const steps = opType === 'Slice' ? index.constantIntegers(inputs[4] ?? '') : undefined;
    if (steps?.includes(-1) === true || opType === 'ReverseSequence') isReversed = !isReversed;
    else if (!orderPreserving.has(opType) && opType !== 'Slice') break;
    name = inputs.find((input) => index.weight(input) === undefined) ?? '';
  }
  return isReversed;
}

/** What may be done with a loop's counter before it chooses a position: it still counts upwards. */
const countPreserving = new Set([
  'Identity',
  'Cast',
  'Unsqueeze',
  'Squeeze',
  'Reshape',
  'Add',
  'Expand',
  'Concat',
  'Max',
  'Min',
]);
const turning = new Set(['Neg', 'Mul', 'Div', 'Mod']);

/** Whether a body takes positions in the order of its counter, from tensors that are in order. */
function readsInOrder(body: GraphIndex, counter: string | undefined): boolean {
  const seen = new Set<string>();
  const pending = counter === undefined ? [] : [counter];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    for (const consumer of body.consumers(tensor)) {
      const { opType, inputs, outputs } = body.nodes[consumer];
      body.spend(1);
      if (turning.has(opType) || (opType === 'Sub' && inputs[0] !== tensor)) return false;
      if (countPreserving.has(opType) || opType === 'Sub') pending.push(outputs[0] ?? '');
      const source =
        (opType === 'Gather' || opType === 'Slice') && inputs[0] !== tensor ? body.outerName(inputs[0]) : undefined;
      if (source !== undefined && body.outer !== undefined && isFlipped(body.outer.index, source)) return false;
    }
  }
  return true;
}

/** What a tensor of a body is made of: inputs of the body that change, and tensors outside. */
export interface Ingredients {
  readonly isVarying: boolean;
  /** Whether what an earlier iteration computed is among them. */
  readonly isRecurrent: boolean;
  readonly outside: ReadonlySet<string>;
}

/** What a tensor of a body is made of, also by way of what earlier iterations handed on. */
export function ingredientsOf({ index, carried, scanned, counter }: LoopBody, tensors: readonly string[]): Ingredients {
  const outside = new Set<string>();
  const names = new Set<string>();
  let isVarying = false;
  let isRecurrent = false;
  let pending = [...tensors];
  while (pending.length > 0) {
    const found = index.ancestors(pending).tensors;
    index.spend(found.size);
    pending = [];
    for (const name of found) {
      if (names.has(name)) continue;
      names.add(name);
      const outer = index.outerName(name);
      if (outer !== undefined) outside.add(outer);
      const value = carried.get(name);
      const slice = scanned.get(name);
      if (value !== undefined) {
        isRecurrent = true;
        outside.add(value.initial);
        if (!names.has(value.output)) pending.push(value.output);
      } else if (slice !== undefined) outside.add(slice.source);
      if (value !== undefined || slice !== undefined || name === counter) isVarying = true;
    }
  }
  return { isVarying, isRecurrent, outside };
}

/** Whether every iteration multiplies with weights of its own: then iterations are layers. */
export function hasWeightsPerIteration(loop: LoopBody): boolean {
  const { index, carried, scanned, counter } = loop;
  const isSlice = (tensor: string): boolean => {
    const { tensors } = index.ancestors([tensor]);
    index.spend(tensors.size);
    let isSliced = false;
    for (const name of tensors) {
      if (carried.has(name)) return false;
      const source = scanned.get(name)?.source;
      const outer = source ?? index.outerName(name);
      if (outer !== undefined && index.outer?.index.weight(outer) === undefined) return false;
      isSliced ||= source !== undefined || name === counter;
    }
    return isSliced;
  };
  return index.nodes.some((_, node) => {
    const operands = productOf(index, node)?.operands ?? [];
    const slices = operands.filter((operand) => index.weight(operand) === undefined && isSlice(operand));
    return (
      slices.length > 0 && operands.some((operand) => index.weight(operand) === undefined && !slices.includes(operand))
    );
  });
}

/** Operators that make a value longer from one iteration to the next. */
const growing = new Set(['Concat', 'Pad', 'SequenceInsert', 'Slice']);

/** Whether a tensor is made of a carried value that grows: its shape then differs between iterations. */
export function isGrowing({ index, carried }: LoopBody, tensor: string): boolean {
  const within = index.ancestors([tensor]).tensors;
  return [...carried.values()].some((value) => {
    if (!within.has(value.input)) return false;
    const { nodes } = index.ancestors([value.output]);
    index.spend(nodes.size);
    return [...nodes].some(
      (node) => growing.has(index.nodes[node].opType) && index.nodes[node].inputs.includes(value.input),
    );
  });
}
