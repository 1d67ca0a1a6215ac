import type { GraphIndex } from '../graph/graphIndex';
import { readLoopBody } from '../follow/loopBody';
import { attributeField, attributeType, graphField, nodeField, valueField } from '../file/fields';
import type { LoopPlace } from '../name/site';
import { identityNode } from '../file/nodeBytes';
import { WireReader } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

/** What a Scan says of each of its outputs that gather slices. */
const scanDirections = 'scan_output_directions';
const scanOutputs = new Set(['scan_output_axes', scanDirections]);

/**
 * Bytes of a Loop or Scan that also gives what each iteration's weights are: its body has one more output for each place,
 * and so has the node. All else in it stays as it is.
 */
export function patchLoop(index: GraphIndex, node: number, places: readonly LoopPlace[]): Uint8Array {
  const { bytes, range, outputs, opType } = index.nodes[node];
  const loop = readLoopBody(index, node);
  if (loop === undefined || places.length === 0) return bytes.subarray(range.start, range.end);
  const body = bodyWithWeights(bytes.subarray(loop.body.range.start, loop.body.range.end), places);
  const written = new WireWriter();
  const reader = new WireReader(bytes, index.model.name, range.start, range.end);
  while (reader.next()) {
    if (reader.field === nodeField.output) continue;
    const name = reader.field === nodeField.attribute ? attributeName(bytes, reader, index.model.name) : '';
    if (name === 'body') written.message(nodeField.attribute, withGraph(bytes, reader, index.model.name, body));
    else if (!scanOutputs.has(name)) written.raw(bytes.subarray(reader.fieldStart, reader.end));
  }
  const numResults = loop.index.graph.outputs.length - (opType === 'Loop' ? 1 : 0);
  if (opType === 'Scan') {
    const numSlices = numResults - (loop.index.inputs.length - loop.scanned.size);
    // New slices are gathered along the first axis, from the last one on where they come so.
    for (const name of scanOutputs) {
      const given = index.attributes(node).get(name)?.integers ?? [];
      const own = Array.from({ length: numSlices }, (_, i) => given[i] ?? 0);
      const added = places.map((place) => (name === scanDirections && place.isReversed ? 1 : 0));
      written.message(nodeField.attribute, integers(name, [...own, ...added]));
    }
  }
  for (let i = 0; i < numResults; i++) written.text(nodeField.output, outputs[i] ?? `${places[0].output}/unused-${i}`);
  for (const { output } of places) written.text(nodeField.output, output);
  return written.toBytes();
}

/** A body that also gives the weights of each place. The runtime fills each output of a body from a tensor of its own: one that is an output already is copied. */
function bodyWithWeights(bytes: Uint8Array, places: readonly LoopPlace[]): WireWriter {
  const body = new WireWriter().raw(bytes);
  for (const { site, output } of places) {
    for (const each of site.suffix?.nodes ?? []) body.bytes(graphField.node, each);
    for (const each of site.suffix?.initializers ?? []) body.bytes(graphField.initializer, each);
    for (const each of site.suffix?.valueInfos ?? []) body.bytes(graphField.valueInfo, each);
    const each = `${output}/each`;
    body
      .bytes(graphField.node, identityNode(site.tensor, each, each).bytes)
      .message(graphField.output, new WireWriter().text(valueField.name, each));
  }
  return body;
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
