import { encodeTypedValue } from '../file/nodeBytes';
import { bytesOfTensor } from '../file/dataType';
import { graphField, modelField, valueField } from '../file/fields';
import type { GraphIndex } from '../graph/graphIndex';
import type { Dimension } from '../file/onnxModel';
import { nodeName } from '../file/readModel';
import { WireWriter } from '../file/wireWriter';
import type { ByteRange } from '../../base/wireReader';
import type { Stage } from './cutStages';

/** What is known of a tensor that passes from one stage to another. */
export interface PassedTensor {
  /** Number of its element type. */
  readonly dataType: number;
  /** Undefined where the rank is unknown. */
  readonly dims: readonly Dimension[] | undefined;
}

/** A model file of one stage: a small graph whose weights lie where those of the whole graph do. */
export interface StageModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Files with weights that it needs, as the graph names them. */
  readonly externalFiles: readonly string[];
  /** Bytes of weights outside the graph. */
  readonly weightBytes: number;
  /** Names of the nodes that must run on the processor. */
  readonly cpuNodeNames: readonly string[];
}

/**
 * Writes the model file of a stage. Its weights are references to the files of the whole graph.
 * @param typeOf what is known of a tensor that it receives; the runtime refuses a stage whose inputs have other types than they say.
 * @param cpuNodeNames names of the nodes of the whole graph that must run on the processor.
 */
export function encodeStage(
  index: GraphIndex,
  stage: Stage,
  typeOf: (tensor: string) => PassedTensor,
  cpuNodeNames: readonly string[] = [],
): StageModel {
  const { graph, model } = index;
  const written = new WireWriter();
  const forCpu = new Set(cpuNodeNames);
  for (const node of stage.nodes) copyPart(written, graphField.node, index.nodes[node]);
  written.text(graphField.name, graph.name);
  const ends = new Set([...stage.outputs, ...stage.given]);
  const used = new Set(ends);
  for (const node of stage.nodes)
    for (const name of [...index.dependencies(node), ...index.nodes[node].outputs]) used.add(name);
  const weights = [...used].flatMap((name) => index.initializers.get(name) ?? []);
  for (const weight of weights) copyPart(written, graphField.initializer, weight);
  const fed = new Set(stage.inputs);
  for (const input of graph.inputs)
    if (fed.has(input.name) || (used.has(input.name) && index.initializers.has(input.name)))
      copyPart(written, graphField.input, input);
  for (const name of stage.received) {
    const { dataType, dims } = typeOf(name);
    written.bytes(graphField.input, encodeTypedValue(name, dataType, dims));
  }
  const stated = new Map(graph.outputs.map((output) => [output.name, output]));
  for (const name of ends) {
    const output = stated.get(name);
    if (output === undefined) written.message(graphField.output, new WireWriter().text(valueField.name, name));
    else copyPart(written, graphField.output, output);
  }
  const known = new Set([...stated.keys(), ...stage.received]);
  for (const name of used) {
    const info = known.has(name) || index.producer(name) === undefined ? undefined : index.valueInfo(name);
    if (info !== undefined) copyPart(written, graphField.valueInfo, info);
  }
  for (const other of graph.others) written.raw(other);
  const whole = new WireWriter();
  for (const range of model.headerFields) whole.raw(model.bytes.subarray(range.start, range.end));
  return {
    bytes: whole.message(modelField.graph, written).toBytes(),
    externalFiles: [...new Set(weights.flatMap(({ external }) => external?.location ?? []))],
    weightBytes: weights.reduce((sum, tensor) => sum + (tensor.external === undefined ? 0 : bytesOfTensor(tensor)), 0),
    cpuNodeNames:
      forCpu.size === 0
        ? []
        : stage.nodes.map((node) => nodeName(model, index.nodes[node])).filter((name) => forCpu.has(name)),
  };
}

function copyPart(
  into: WireWriter,
  field: number,
  { bytes, range }: { readonly bytes: Uint8Array; readonly range: ByteRange },
): void {
  into.bytes(field, bytes.subarray(range.start, range.end));
}
