import { encodeTypedValue } from './nodeBytes';
import { attributeField, attributeType, graphField, modelField, opsetField } from './fields';
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
  return new WireWriter()
    .integer(modelField.irVersion, irVersion)
    .message(modelField.graph, graphOf(name, nodes, { inputs, outputs: [output] }))
    .message(modelField.opsetImport, new WireWriter().text(opsetField.domain, '').integer(opsetField.version, opset))
    .toBytes();
}

/** What a made graph is given and gives. */
interface MadeGraph {
  readonly inputs: readonly MadeValue[];
  readonly outputs: readonly MadeValue[];
}

/** Bytes of an AttributeProto that is a graph of such nodes, as the body of a loop. */
export function encodeBody(attribute: string, nodes: readonly Uint8Array[], values: MadeGraph): Uint8Array {
  return new WireWriter()
    .text(attributeField.name, attribute)
    .message(attributeField.graph, graphOf(attribute, nodes, values))
    .integer(attributeField.type, attributeType.graph)
    .toBytes();
}

function graphOf(name: string, nodes: readonly Uint8Array[], { inputs, outputs }: MadeGraph): WireWriter {
  const graph = new WireWriter();
  const typed = ({ name: own, dataType, rank }: MadeValue): Uint8Array => encodeTypedValue(own, dataType, rank);
  for (const node of nodes) graph.bytes(graphField.node, node);
  graph.text(graphField.name, name);
  for (const input of inputs) graph.bytes(graphField.input, typed(input));
  for (const output of outputs) graph.bytes(graphField.output, typed(output));
  return graph;
}
