import { encodeTypedValue } from '../file/nodeBytes';
import { bytesOfTensor } from '../file/dataType';
import { graphField, modelField, valueField } from '../file/fields';
import type { GraphIndex } from '../graph/graphIndex';
import type { Dimension } from '../file/onnxModel';
import { nodeName } from '../file/readModel';
import { WireWriter } from '../file/wireWriter';
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
  const used = new Set<string>([...stage.outputs, ...stage.given]);
  const forCpu = new Set(cpuNodeNames);
  const ownCpuNames: string[] = [];
  for (const node of stage.nodes) {
    const { bytes, range, outputs } = index.nodes[node];
    written.bytes(graphField.node, bytes.subarray(range.start, range.end));
    for (const name of [...index.dependencies(node), ...outputs]) used.add(name);
    if (forCpu.size > 0) {
      const name = nodeName(model, index.nodes[node]);
      if (forCpu.has(name)) ownCpuNames.push(name);
    }
  }
  written.text(graphField.name, graph.name);
  const weights = [...used].flatMap((name) => index.initializers.get(name) ?? []);
  for (const { bytes, range } of weights) written.bytes(graphField.initializer, bytes.subarray(range.start, range.end));
  const fed = new Set(stage.inputs);
  for (const { name, bytes, range } of graph.inputs)
    if (fed.has(name) || (used.has(name) && index.initializers.has(name)))
      written.bytes(graphField.input, bytes.subarray(range.start, range.end));
  for (const name of stage.received) {
    const { dataType, dims } = typeOf(name);
    written.bytes(graphField.input, encodeTypedValue(name, dataType, dims));
  }
  const ends = new Set([...stage.outputs, ...stage.given]);
  const stated = new Map(graph.outputs.map((output) => [output.name, output]));
  for (const name of ends) {
    const output = stated.get(name);
    if (output === undefined) written.message(graphField.output, new WireWriter().text(valueField.name, name));
    else written.bytes(graphField.output, output.bytes.subarray(output.range.start, output.range.end));
  }
  const received = new Set(stage.received);
  for (const name of used) {
    const info = index.producer(name) === undefined ? undefined : index.valueInfo(name);
    if (info !== undefined && !stated.has(name) && !received.has(name))
      written.bytes(graphField.valueInfo, info.bytes.subarray(info.range.start, info.range.end));
  }
  for (const other of graph.others) written.raw(other);
  const whole = new WireWriter();
  for (const range of model.headerFields) whole.raw(model.bytes.subarray(range.start, range.end));
  return {
    bytes: whole.message(modelField.graph, written).toBytes(),
    externalFiles: [...new Set(weights.flatMap(({ external }) => external?.location ?? []))],
    weightBytes: weights.reduce((sum, tensor) => sum + (tensor.external === undefined ? 0 : bytesOfTensor(tensor)), 0),
    cpuNodeNames: ownCpuNames,
  };
}
