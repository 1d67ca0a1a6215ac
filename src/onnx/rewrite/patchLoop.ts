import type { GraphIndex } from '../graph/graphIndex';
import { readLoopBody } from '../follow/loopBody';
import { attributeField, attributeType, graphField, nodeField, valueField } from '../file/fields';
import type { LoopPlace } from '../name/site';
import { identityNode } from '../file/nodeBytes';
import { WireReader } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

/** What a Scan says of each of its outputs that gather slices. */
const scanOutputs = new Set(['scan_output_axes', 'scan_output_directions']);

/**
 * Bytes of a Loop or Scan that also gives what each iteration's weights are: its body has one more output for each place,
 * and so has the node. All else in it stays as it is.
 */
export function patchLoop(index: GraphIndex, node: number, places: readonly LoopPlace[]): Uint8Array {
  const { bytes, range, outputs, opType } = index.nodes[node];
  const loop = readLoopBody(index, node);
  if (loop === undefined || places.length === 0) return bytes.subarray(range.start, range.end);
  const body = new WireWriter().raw(bytes.subarray(loop.body.range.start, loop.body.range.end));
  for (const { site, output } of places) {
    for (const each of site.suffix?.nodes ?? []) body.bytes(graphField.node, each);
    for (const each of site.suffix?.initializers ?? []) body.bytes(graphField.initializer, each);
    for (const each of site.suffix?.valueInfos ?? []) body.bytes(graphField.valueInfo, each);
    // The runtime fills each output of a body from a tensor of its own: one that is an output already is copied.
    const each = `${output}/each`;
    body
      .bytes(graphField.node, identityNode(site.tensor, each, each).bytes)
      .message(graphField.output, new WireWriter().text(valueField.name, each));
  }
  const written = new WireWriter();
  const reader = new WireReader(bytes, index.model.name, range.start, range.end);
  const numResults = loop.index.graph.outputs.length - (opType === 'Loop' ? 1 : 0);
  while (reader.next()) {
    const whole = bytes.subarray(reader.fieldStart, reader.end);
    if (reader.field === nodeField.output) continue;
    if (reader.field !== nodeField.attribute) written.raw(whole);
    else {
      const attribute = index.attributes(node).get(attributeName(bytes, reader, index.model.name));
      if (attribute?.name === 'body')
        written.message(nodeField.attribute, withGraph(bytes, reader, index.model.name, body));
      else if (attribute === undefined || !scanOutputs.has(attribute.name)) written.raw(whole);
    }
  }
  if (opType === 'Scan') {
    const given = (name: string): readonly number[] => index.attributes(node).get(name)?.integers ?? [];
    const numSlices = numResults - (loop.index.inputs.length - loop.scanned.size);
    const own = (name: string): number[] => Array.from({ length: numSlices }, (_, i) => given(name)[i] ?? 0);
    written.message(
      nodeField.attribute,
      integers('scan_output_axes', [...own('scan_output_axes'), ...places.map(() => 0)]),
    );
    written.message(
      nodeField.attribute,
      integers('scan_output_directions', [
        ...own('scan_output_directions'),
        ...places.map((place) => (place.isReversed ? 1 : 0)),
      ]),
    );
  }
  for (let i = 0; i < numResults; i++) written.text(nodeField.output, outputs[i] ?? `${places[0].output}/unused-${i}`);
  for (const { output } of places) written.text(nodeField.output, output);
  return written.toBytes();
}

function attributeName(bytes: Uint8Array, { start, end }: WireReader, file: string): string {
  const reader = new WireReader(bytes, file, start, end);
  while (reader.next()) if (reader.field === attributeField.name) return reader.text();
  return '';
}

/** The attribute with another graph. */
function withGraph(bytes: Uint8Array, { start, end }: WireReader, file: string, graph: WireWriter): WireWriter {
  const written = new WireWriter();
  const reader = new WireReader(bytes, file, start, end);
  while (reader.next())
    if (reader.field !== attributeField.graph) written.raw(bytes.subarray(reader.fieldStart, reader.end));
  return written.message(attributeField.graph, graph);
}

function integers(name: string, values: readonly number[]): WireWriter {
  const written = new WireWriter().text(attributeField.name, name);
  for (const value of values) written.integer(attributeField.integers, value);
  return written.integer(attributeField.type, attributeType.integers);
}
