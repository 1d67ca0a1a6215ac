import { encodeTypedValue } from './nodeBytes';
import { graphField, modelField, opsetField } from './fields';
import { WireWriter } from './wireWriter';

const irVersion = 8;
const opset = 13;

/** An input or an output of a made model. */
export interface MadeValue {
  readonly name: string;
  readonly dataType: number;
  /** Undefined where it is not said. */
  readonly rank?: number;
}

/** Bytes of a model of a few made nodes of ONNX's own operators, and nothing beside. */
export function encodeModel(
  name: string,
  nodes: readonly Uint8Array[],
  { inputs, output }: { readonly inputs: readonly MadeValue[]; readonly output: MadeValue },
): Uint8Array<ArrayBuffer> {
  const graph = new WireWriter();
  for (const node of nodes) graph.bytes(graphField.node, node);
  graph.text(graphField.name, name);
  for (const input of inputs) graph.bytes(graphField.input, encodeTypedValue(input.name, input.dataType, input.rank));
  graph.bytes(graphField.output, encodeTypedValue(output.name, output.dataType, output.rank));
  return new WireWriter()
    .integer(modelField.irVersion, irVersion)
    .message(modelField.graph, graph)
    .message(modelField.opsetImport, new WireWriter().text(opsetField.domain, '').integer(opsetField.version, opset))
    .toBytes();
}
