import type { ModelAnalysis } from '../find/analyzeModel';
import { bytesOfTensor, dataType, dataTypeBits } from '../file/dataType';
import type { PlacedSite } from '../name/describeSites';
import type { GraphIndex } from '../graph/graphIndex';
import type { AttributeInfo, NodeInfo, OnnxModel, TensorInfo, ValueInfo } from '../file/onnxModel';
import type { Replacements } from './leanNodes';
import { patchLoop } from './patchLoop';
import { nodeAttributes, readMadeNode } from '../file/readModel';
import type { LoopPlace, Suffix } from '../name/site';
import { encodeNode, encodeTypedValue } from '../file/nodeBytes';
import type { ByteRange } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

/** What is added to the graph for a site, and which tensors become outputs, in place of its weights. */
export interface Tap extends Suffix {
  readonly outputs: readonly string[];
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
  /** Whether weights that do not lie in files stay in the graph, which must then not be large. */
  readonly keepsWeights?: boolean;
  /** Whether the first output is an empty sequence of tensors, where the model's operators know sequences. */
  readonly hasEnd?: boolean;
  /** Whether a node must run on the processor, whatever the others run on; such nodes get names by which the runtime can be told. */
  readonly needsCpu?: (node: NodeInfo, attributes: () => ReadonlyMap<string, AttributeInfo>) => boolean;
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

/** Tensors below this stay in the graph: the runtime reads shapes and scalars there. */
const smallestExternalBytes = 1024;

/** Operators know sequences since this opset. */
const sequenceOpset = 11;

/** Rewrites a model at the level of bytes: nodes are carried over as they are, weights stay where they lie, outputs are added. */
export function rewriteModel(
  { model, index }: ModelAnalysis,
  {
    sites,
    isWhole,
    kept = [],
    also = [],
    keepsWeights = false,
    hasEnd = false,
    needsCpu,
    tap,
    tapInputs = [],
    replacements,
    added = [],
    retyped = new Set(),
  }: RewriteOptions,
): RewrittenModel {
  const { graph } = index;
  const names = allNames(index);
  const ownBytesName = unique(names, 'attention-explorer-weights');
  const smallestExternal = keepsWeights ? Infinity : smallestExternalBytes;
  const canBeOtherFloat = usesOtherFloats(index);
  const ownOutputs = new Set(graph.outputs.map((output) => output.name));
  const addedNodes: Uint8Array[] = [];
  const tapNodes: (readonly Uint8Array[])[] = [];
  const addedTensors: Uint8Array[] = [];
  const addedInfos: Uint8Array[] = [];
  const addedOutputs = new Set<string>();
  const endOutput =
    hasEnd && (model.opsets.get('') ?? 0) >= sequenceOpset ? unique(names, 'attention-explorer-end') : undefined;
  if (endOutput !== undefined) addedNodes.push(encodeNode('SequenceEmpty', [], [endOutput]));
  const outputs = sites.map((site, position) => {
    addedNodes.push(...(site.suffix?.nodes ?? []));
    let output = site.tensor;
    if ((canBeOtherFloat || site.loop !== undefined) && index.valueInfo(output)?.dataType !== dataType.float32) {
      output = unique(names, `attention-explorer-${position}`);
      addedNodes.push(encodeNode('Cast', [site.tensor], [output], { to: { integer: dataType.float32 } }));
    }
    const tapped = tap?.(site, output);
    if (tapped !== undefined) {
      tapNodes.push(tapped.nodes);
      addedTensors.push(...tapped.initializers);
      addedInfos.push(...tapped.valueInfos);
    }
    for (const name of tapped?.outputs ?? [output]) addedOutputs.add(name);
    return { site, output, taps: tapped?.outputs ?? [] };
  });
  for (const name of also) addedOutputs.add(name);
  addedNodes.push(...added);
  const wanted = [
    ...sites.flatMap((site) => site.needs),
    ...also,
    ...(isWhole ? ownOutputs : kept),
    ...added.flatMap((node) => readMadeNode(model, node).inputs),
  ];
  const live = index.ancestors(wanted, replacements && dependenciesOf(model, replacements));
  const isUsed = (tensor: string): boolean => isWhole || live.tensors.has(tensor);

  const loops = new Map<number, LoopPlace[]>();
  for (const { node, loop } of sites) {
    if (loop === undefined) continue;
    const places = loops.get(node) ?? [];
    // The iterations that are layers share one output.
    if (!places.some((each) => each.output === loop.output)) places.push(loop);
    loops.set(node, places);
  }

  const written = new WireWriter();
  const externalFiles = new Set<string>();
  let hasOwnWeights = false;
  let weightBytes = 0;
  const writeTensor = (tensor: TensorInfo): void => {
    if (tensor.external !== undefined) {
      externalFiles.add(tensor.external.location);
      weightBytes += bytesOfTensor(tensor);
    }
    if (
      tensor.bytes === model.bytes &&
      tensor.external === undefined &&
      tensor.data !== undefined &&
      tensor.data.end - tensor.data.start >= smallestExternal &&
      dataTypeBits(tensor.dataType) > 0
    ) {
      hasOwnWeights = true;
      weightBytes += tensor.data.end - tensor.data.start;
      written.message(5, externalTensor(tensor, tensor.data, ownBytesName));
    } else written.bytes(5, tensor.bytes.subarray(tensor.range.start, tensor.range.end));
  };
  const cpuNodeNames: string[] = [];
  const writeNode = (node: NodeInfo): void => {
    const { bytes, range } = node;
    const whole = bytes.subarray(range.start, range.end);
    if (needsCpu?.(node, () => nodeAttributes(model, node)) !== true) return void written.bytes(1, whole);
    const name = `attention-explorer/cpu/${cpuNodeNames.length}`;
    cpuNodeNames.push(name);
    // A field that comes twice counts as it comes last: a name of the node's own gives way.
    written.message(1, new WireWriter().raw(whole).text(3, name));
  };
  index.nodes.forEach((node, at) => {
    if (!isWhole && !live.nodes.has(at) && !loops.has(at)) return;
    const others = replacements?.nodes.get(at);
    if (others !== undefined) {
      for (const other of others) writeNode(readMadeNode(model, other));
      return;
    }
    const constant =
      node.opType === 'Constant' && node.bytes === model.bytes && node.range.end - node.range.start >= smallestExternal
        ? index.attributes(at).get('value')?.tensor
        : undefined;
    if (constant?.data !== undefined && node.outputs.length === 1) writeTensor({ ...constant, name: node.outputs[0] });
    else if (loops.has(at)) written.bytes(1, patchLoop(index, at, loops.get(at) ?? []));
    else writeNode(node);
  });
  // The runtime sees to the last nodes that lead nowhere first: in this order the weights of one layer can go before those of the next come.
  for (const node of [...addedNodes, ...tapNodes.reverse().flat()]) writeNode(readMadeNode(model, node));
  written.text(2, graph.name === '' ? 'graph' : graph.name);
  const initialized = new Set<string>();
  for (const tensor of graph.initializers) {
    if (!isUsed(tensor.name) || initialized.has(tensor.name)) continue;
    initialized.add(tensor.name);
    writeTensor(tensor);
  }
  for (const initializer of [
    ...sites.flatMap((site) => site.suffix?.initializers ?? []),
    ...addedTensors,
    ...(replacements?.initializers ?? []),
  ])
    written.bytes(5, initializer);
  const copy = (field: number, { bytes, range }: ValueInfo): void =>
    void written.bytes(field, bytes.subarray(range.start, range.end));
  const inputs: string[] = [];
  for (const input of graph.inputs) {
    if (!isUsed(input.name)) continue;
    if (retyped.has(input.name)) written.bytes(11, encodeTypedValue(input.name, dataType.float32, input.dims?.length));
    else copy(11, input);
    if (!index.initializers.has(input.name)) inputs.push(input.name);
  }
  for (const input of tapInputs) written.bytes(11, input);
  const stays = (name: string): boolean => ownOutputs.has(name) && (isWhole || kept.includes(name));
  // The first of all outputs.
  if (endOutput !== undefined) written.message(12, new WireWriter().text(1, endOutput));
  for (const output of graph.outputs) if (stays(output.name)) copy(12, output);
  // Some may be tensors that the model gives anyway.
  for (const output of addedOutputs) if (!stays(output)) written.message(12, new WireWriter().text(1, output));
  for (const info of graph.valueInfos)
    if (isUsed(info.name) && !ownOutputs.has(info.name) && !retyped.has(info.name)) copy(13, info);
  for (const info of [...sites.flatMap((site) => site.suffix?.valueInfos ?? []), ...addedInfos])
    written.bytes(13, info);
  for (const other of graph.others) written.raw(other);

  const whole = new WireWriter();
  for (const range of model.headerFields) whole.raw(model.bytes.subarray(range.start, range.end));
  if (model.addedHeader !== undefined) whole.raw(model.addedHeader);
  whole.message(7, written);
  return {
    bytes: whole.toBytes(),
    ownBytesName: hasOwnWeights ? ownBytesName : undefined,
    externalFiles: [...externalFiles],
    weightBytes,
    endOutput,
    outputs,
    inputs,
    cpuNodeNames,
  };
}

/** What nodes that are replaced need and make: what those need and make that stand in for them. */
function dependenciesOf(
  model: OnnxModel,
  { nodes }: Replacements,
): ReadonlyMap<number, Pick<NodeInfo, 'inputs' | 'outputs'>> {
  return new Map(
    [...nodes].map(([node, others]) => {
      const read = others.map((other) => readMadeNode(model, other));
      return [node, { inputs: read.flatMap(({ inputs }) => inputs), outputs: read.flatMap(({ outputs }) => outputs) }];
    }),
  );
}

/** A TensorProto that says where in which file its values lie. */
function externalTensor(tensor: TensorInfo, data: ByteRange, location: string): WireWriter {
  const written = new WireWriter();
  for (const dim of tensor.dims) written.integer(1, dim);
  written.integer(2, tensor.dataType).text(8, tensor.name);
  const entries = { location, offset: String(data.start), length: String(data.end - data.start) };
  for (const [key, value] of Object.entries(entries)) written.message(13, new WireWriter().text(1, key).text(2, value));
  return written.integer(14, 1);
}

/** Whether floats of another width than 32 bits can occur anywhere in the graph. */
function usesOtherFloats(index: GraphIndex): boolean {
  const other = new Set<number>([dataType.float16, dataType.float64, dataType.bfloat16]);
  if (
    [...index.graph.inputs, ...index.graph.valueInfos, ...index.graph.outputs, ...index.graph.initializers].some(
      (each) => other.has(each.dataType),
    )
  )
    return true;
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
