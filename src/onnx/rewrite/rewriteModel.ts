import type { ModelAnalysis } from '../find/analyzeModel';
import { dataType } from '../file/dataType';
import type { PlacedSite } from '../name/describeSites';
import { freeNames, type GraphIndex } from '../graph/graphIndex';
import { GraphWriter, type GraphWriterOptions } from './graphWriter';
import type { NodeInfo, OnnxModel, TensorInfo, ValueInfo } from '../file/onnxModel';
import type { Replacements } from './leanNodes';
import { patchLoop } from './patchLoop';
import { readMadeNode } from '../file/readModel';
import type { FoundSite, LoopPlace, Suffix } from '../name/site';
import { encodeNode, encodeTypedValue } from '../file/nodeBytes';

/** What is added to the graph for a site, and which tensors become outputs, in place of its weights. */
export interface Tap extends Suffix {
  readonly outputs: readonly string[];
  /** Tensors that it is made of, where it does without the site's weights, which then are made only if something else needs them. */
  readonly needs?: readonly string[];
}

/** What the rewritten model is to give. */
export interface RewriteOptions {
  /** Sites whose weights become outputs. */
  readonly sites: readonly PlacedSite[];
  /** Whether the model's own outputs stay; without them, all that leads only to them is dropped. */
  readonly isWhole: boolean;
  /** The model's own outputs that stay where the others do not. */
  readonly kept?: readonly string[];
  /** Other tensors of the graph, or of sites' suffixes, that become outputs. */
  readonly also?: readonly string[];
  /** Nodes, with what they use, of which those are added that lead to what `also` names. */
  readonly suffixes?: readonly Suffix[];
  /** Whether weights that do not lie in files stay in the graph, which must then not be large. */
  readonly keepsWeights?: boolean;
  /** Whether the first output is an empty sequence of tensors, where the model's operators know sequences. */
  readonly hasEnd?: boolean;
  /** Whether a node must run on the processor, whatever the others run on; such nodes get names by which the runtime can be told. */
  readonly needsCpu?: GraphWriterOptions['needsCpu'];
  /** Given a site and its tensor of weights: what is wanted in its place. */
  readonly tap?: (site: PlacedSite, weights: string) => Tap | undefined;
  /** ValueInfoProtos of inputs that the taps need. */
  readonly tapInputs?: readonly Uint8Array[];
  /** Nodes that others stand in for. */
  readonly replacements?: Replacements | undefined;
  /** NodeProtos that are added whatever they lead to. */
  readonly added?: readonly Uint8Array[];
  /** Tensors that hold floats in single precision, whatever the file says of their type. */
  readonly retyped?: ReadonlySet<string>;
}

/** A model with its attention exposed: a small graph whose weights lie in the files named by `externalFiles`. */
export interface RewrittenModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The name under which the original file's own bytes must be given as external data; undefined where no weight lies in them. */
  readonly ownBytesName: string | undefined;
  /** Other files with weights, as the model names them. */
  readonly externalFiles: readonly string[];
  /** Bytes of weights outside the graph. */
  readonly weightBytes: number;
  /** The first output, an empty sequence, where it was asked for. */
  readonly endOutput: string | undefined;
  /** The output that carries each site's weights, and those that stand in their place. */
  readonly outputs: readonly {
    readonly site: PlacedSite;
    readonly output: string;
    readonly taps: readonly string[];
  }[];
  /** Inputs that the rewritten model still needs. */
  readonly inputs: readonly string[];
  /** Names of the nodes that must run on the processor. */
  readonly cpuNodeNames: readonly string[];
}

/** Operators know sequences since this opset. */
const sequenceOpset = 11;

/** Rewrites a model at the level of bytes: nodes are carried over as they are, weights stay where they lie, outputs are added. */
export function rewriteModel({ model, index, sites: all }: ModelAnalysis, options: RewriteOptions): RewrittenModel {
  const { sites, isWhole, kept = [], keepsWeights = false, needsCpu, tapInputs = [], replacements } = options;
  const { graph } = index;
  const names = allNames(index);
  const ownBytesName = unique(names, 'attention-explorer-weights');
  const exposed = exposeSites(index, options, names);
  const loops = loopPlaces(sites);
  const live = livePart(index, options, exposed);
  const isUsed = (tensor: string): boolean => isWhole || live.tensors.has(tensor);
  const isRetyped = (tensor: string): boolean => options.retyped?.has(tensor) === true;

  const writer = new GraphWriter(model, { ownBytesName, keepsWeights, needsCpu });
  index.nodes.forEach((_, at) => {
    if (isWhole || live.nodes.has(at) || loops.has(at))
      writeNode(writer, index, at, { others: replacements?.nodes.get(at), places: loops.get(at) });
  });
  for (const node of exposed.nodes) writer.node(readMadeNode(model, node));
  writer.name(graph.name);
  for (const tensor of firstOfEachName(graph.initializers)) if (isUsed(tensor.name)) writer.tensor(tensor);
  for (const tensor of [...exposed.initializers, ...(replacements?.initializers ?? [])]) writer.madeTensor(tensor);
  const inputs = graph.inputs.filter(({ name }) => isUsed(name));
  for (const input of inputs)
    writer.value(
      'input',
      isRetyped(input.name) ? encodeTypedValue(input.name, dataType.float32, input.dims?.length) : input,
    );
  for (const input of tapInputs) writer.value('input', input);
  const own = new Set(graph.outputs.map(({ name }) => name));
  writeOutputs(writer, exposed, isWhole ? graph.outputs : graph.outputs.filter(({ name }) => kept.includes(name)));
  for (const info of statedShapes(all, graph))
    if (isUsed(info.name) && !own.has(info.name) && !isRetyped(info.name)) writer.value('valueInfo', info);
  for (const info of exposed.valueInfos) writer.value('valueInfo', info);
  return {
    ...writer.toModel(),
    endOutput: exposed.endOutput,
    outputs: exposed.outputs,
    inputs: inputs.flatMap(({ name }) => (index.initializers.has(name) ? [] : name)),
  };
}

/**
 * What the file states of inner tensors, where that can be relied on: where attention is written piece by piece into one tensor, quantisers state
 * shapes that the runtime does not find, and it reuses memory by them.
 */
function statedShapes(
  sites: readonly PlacedSite[],
  { valueInfos }: ModelAnalysis['model']['graph'],
): readonly ValueInfo[] {
  return sites.some(({ inParts }) => inParts !== undefined) ? [] : valueInfos;
}

/** Writes the outputs: the empty one first, then the model's own that stay, then those that are added and not among these. */
function writeOutputs(writer: GraphWriter, { endOutput, outputNames }: ExposedSites, own: readonly ValueInfo[]): void {
  if (endOutput !== undefined) writer.output(endOutput);
  for (const output of own) writer.value('output', output);
  for (const name of outputNames) if (!own.some((output) => output.name === name)) writer.output(name);
}

/** A name that comes twice is that of the first. */
function firstOfEachName(tensors: readonly TensorInfo[]): readonly TensorInfo[] {
  const seen = new Set<string>();
  return tensors.filter(({ name }) => !seen.has(name) && seen.add(name));
}

/** Writes a node of the graph, or what stands in for it: other nodes, a weight, a loop that hands out what it makes at some places. */
function writeNode(
  writer: GraphWriter,
  index: GraphIndex,
  at: number,
  {
    others,
    places,
  }: { readonly others: readonly Uint8Array[] | undefined; readonly places: readonly LoopPlace[] | undefined },
): void {
  const constant = others === undefined ? largeConstant(index, at, writer) : undefined;
  if (others !== undefined) for (const other of others) writer.node(readMadeNode(index.model, other));
  else if (constant !== undefined) writer.tensor(constant);
  else if (places !== undefined) writer.madeNode(patchLoop(index, at, places));
  else writer.node(index.nodes[at]);
}

/** What is added to a graph, as bytes. */
interface ExposedSites extends Pick<RewrittenModel, 'endOutput' | 'outputs'> {
  readonly nodes: readonly Uint8Array[];
  /** Those of the nodes whose inputs must be there. */
  readonly needing: readonly Uint8Array[];
  /** Tensors of the graph that sites, or their taps, are made of. */
  readonly needs: readonly string[];
  readonly initializers: readonly Uint8Array[];
  readonly valueInfos: readonly Uint8Array[];
  /** Each once. */
  readonly outputNames: ReadonlySet<string>;
}

/** What must be added so that each site's weights, or what is tapped in their place, are outputs in single precision. */
function exposeSites(
  index: GraphIndex,
  { sites, tap, also = [], suffixes = [], added = [], hasEnd = false }: RewriteOptions,
  names: Set<string>,
): ExposedSites {
  const nodes: Uint8Array[] = [];
  const taps: Tap[] = [];
  const needs: string[] = [];
  const outputNames = new Set<string>();
  const endOutput =
    hasEnd && (index.model.opsets.get('') ?? 0) >= sequenceOpset ? unique(names, 'attention-explorer-end') : undefined;
  if (endOutput !== undefined) nodes.push(encodeNode('SequenceEmpty', [], [endOutput]));
  const outputs = sites.map((site, position) => {
    nodes.push(...(site.suffix?.nodes ?? []));
    let output = site.tensor;
    if (!hasSingleWeights(index, site)) {
      output = unique(names, `attention-explorer-${position}`);
      nodes.push(encodeNode('Cast', [site.tensor], [output], { to: { integer: dataType.float32 } }));
    }
    const tapped = tap?.(site, output);
    if (tapped !== undefined) taps.push(tapped);
    needs.push(...(tapped?.needs ?? site.needs));
    for (const name of tapped?.outputs ?? [output]) outputNames.add(name);
    return { site, output, taps: tapped?.outputs ?? [] };
  });
  for (const name of also) outputNames.add(name);
  const leading = suffixes.map((suffix) => leadingTo(index.model, suffix, also));
  const needing = [...added, ...leading.flatMap((each) => each.nodes)];
  const parts = [...sites.flatMap((site) => site.suffix ?? []), ...taps, ...leading];
  return {
    needing,
    needs,
    endOutput,
    outputs,
    outputNames,
    // The runtime sees to the last nodes that lead nowhere first: in this order the weights of one layer can go before those of the next come.
    nodes: [...nodes, ...needing, ...taps.toReversed().flatMap((each) => each.nodes)],
    initializers: parts.flatMap((each) => each.initializers),
    valueInfos: parts.flatMap((each) => each.valueInfos),
  };
}

/** The nodes and tensors that what is wanted needs. */
function livePart(
  index: GraphIndex,
  { isWhole, kept = [], also = [], replacements }: RewriteOptions,
  { needing, needs }: ExposedSites,
): ReturnType<GraphIndex['ancestors']> {
  const { model, graph } = index;
  const wanted = [
    ...needs,
    ...also,
    ...(isWhole ? graph.outputs.map(({ name }) => name) : kept),
    ...needing.flatMap((node) => readWithNeeds(model, node).inputs),
  ];
  return index.ancestors(wanted, replacements && dependenciesOf(model, replacements));
}

/** Where in which loops weights are handed out; the iterations that are layers share one output. */
function loopPlaces(sites: readonly PlacedSite[]): ReadonlyMap<number, readonly LoopPlace[]> {
  const loops = new Map<number, LoopPlace[]>();
  for (const { node, loop } of sites) {
    if (loop === undefined) continue;
    const places = loops.get(node) ?? [];
    if (!places.some((each) => each.output === loop.output)) places.push(loop);
    loops.set(node, places);
  }
  return loops;
}

/** The tensor of a constant that is better left in the file, under the name of what the node makes. */
function largeConstant(index: GraphIndex, at: number, writer: GraphWriter): TensorInfo | undefined {
  const { opType, outputs } = index.nodes[at];
  if (opType !== 'Constant' || outputs.length !== 1 || !writer.isLarge(index.nodes[at])) return undefined;
  const tensor = index.attributes(at).get('value')?.tensor;
  return tensor?.data === undefined ? undefined : { ...tensor, name: outputs[0] };
}

/** A node that is added, with what its bodies use beside its inputs. */
function readWithNeeds(model: OnnxModel, bytes: Uint8Array): Pick<NodeInfo, 'inputs' | 'outputs'> {
  const node = readMadeNode(model, bytes);
  return { inputs: [...node.inputs, ...(freeNames(model, node) ?? [])], outputs: node.outputs };
}

/** The part of a suffix that makes tensors. */
function leadingTo(model: OnnxModel, suffix: Suffix, tensors: readonly string[]): Suffix {
  const wanted = new Set(tensors);
  const nodes = suffix.nodes.toReversed().filter((node) => {
    const { inputs, outputs } = readWithNeeds(model, node);
    if (!outputs.some((output) => wanted.has(output))) return false;
    for (const input of inputs) wanted.add(input);
    return true;
  });
  return nodes.length === 0 ? { nodes: [], initializers: [], valueInfos: [] } : { ...suffix, nodes: nodes.reverse() };
}

/** What nodes that are replaced need and make: what those need and make that stand in for them. */
function dependenciesOf(
  model: OnnxModel,
  { nodes }: Replacements,
): ReadonlyMap<number, Pick<NodeInfo, 'inputs' | 'outputs'>> {
  return new Map(
    [...nodes].map(([node, others]) => {
      const read = others.map((other) => readWithNeeds(model, other));
      return [node, { inputs: read.flatMap(({ inputs }) => inputs), outputs: read.flatMap(({ outputs }) => outputs) }];
    }),
  );
}

/** Whether a site's weights are sure to be of single precision. */
function hasSingleWeights(index: GraphIndex, { tensor, loop }: FoundSite): boolean {
  return index.valueInfo(tensor)?.dataType === dataType.float32 || (loop === undefined && !usesOtherFloats(index));
}

const otherFloats = new WeakMap<GraphIndex, boolean>();

/** Whether floats of another width than 32 bits can occur anywhere in the graph, but for weights that are only stored so. */
export function usesOtherFloats(index: GraphIndex): boolean {
  const known = otherFloats.get(index) ?? findOtherFloats(index);
  otherFloats.set(index, known);
  return known;
}

function findOtherFloats(index: GraphIndex): boolean {
  const other = new Set<number>([dataType.float16, dataType.float64, dataType.bfloat16]);
  const { inputs, valueInfos, outputs, initializers } = index.graph;
  if ([...inputs, ...valueInfos, ...outputs].some((each) => other.has(each.dataType))) return true;
  const isConverted = ({ name }: TensorInfo): boolean =>
    index.consumers(name).every((node) => index.nodes[node].opType === 'Cast');
  if (initializers.some((each) => other.has(each.dataType) && !isConverted(each))) return true;
  return index.nodes.some((node, at) => {
    if (node.opType === 'Cast') return other.has(index.integerAttribute(at, 'to') ?? 0);
    if (node.opType === 'Constant' || node.opType === 'ConstantOfShape')
      return other.has(index.attributes(at).get('value')?.tensor?.dataType ?? 0);
    return index.model.functions.some((each) => each.name === node.opType && each.domain === node.domain);
  });
}

function allNames(index: GraphIndex): Set<string> {
  const names = new Set<string>();
  for (const node of index.nodes) for (const output of node.outputs) names.add(output);
  for (const input of index.graph.inputs) names.add(input.name);
  for (const { name, external } of index.graph.initializers) {
    names.add(name);
    if (external !== undefined) names.add(external.location);
  }
  return names;
}

/** A name that nothing in the graph has; it is taken from then on. */
function unique(names: Set<string>, wished: string): string {
  let name = wished;
  while (names.has(name)) name += '_';
  names.add(name);
  return name;
}
