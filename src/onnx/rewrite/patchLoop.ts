import type { GraphIndex } from '../graph/graphIndex';
import { readLoopBody } from '../follow/loopBody';
import type { LoopPlace } from '../name/site';
import { encodeNode } from '../file/nodeBytes';
import { WireReader } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

const nodeOutputField = 2;
const nodeAttributeField = 5;
const attributeGraphField = 6;
const attributeIntegersField = 8;
const attributeIntegersType = 7;

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
    for (const each of site.suffix?.nodes ?? []) body.bytes(1, each);
    for (const each of site.suffix?.initializers ?? []) body.bytes(5, each);
    for (const each of site.suffix?.valueInfos ?? []) body.bytes(13, each);
    // The runtime fills each output of a body from a tensor of its own: one that is an output already is copied.
    const each = `${output}/each`;
    body.bytes(1, encodeNode('Identity', [site.tensor], [each], {}, each)).message(12, new WireWriter().text(1, each));
  }
  const written = new WireWriter();
  const reader = new WireReader(bytes, index.model.name, range.start, range.end);
  const numResults = loop.index.graph.outputs.length - (opType === 'Loop' ? 1 : 0);
  while (reader.next()) {
    const whole = bytes.subarray(reader.fieldStart, reader.end);
    if (reader.field === nodeOutputField) continue;
    if (reader.field !== nodeAttributeField) written.raw(whole);
    else {
      const attribute = index.attributes(node).get(attributeName(bytes, reader, index.model.name));
      if (attribute?.name === 'body')
        written.message(nodeAttributeField, withGraph(bytes, reader, index.model.name, body));
      else if (attribute === undefined || !scanOutputs.has(attribute.name)) written.raw(whole);
    }
  }
  if (opType === 'Scan') {
    const given = (name: string): readonly number[] => index.attributes(node).get(name)?.integers ?? [];
    const numSlices = numResults - (loop.index.inputs.length - loop.scanned.size);
    const own = (name: string): number[] => Array.from({ length: numSlices }, (_, i) => given(name)[i] ?? 0);
    written.message(
      nodeAttributeField,
      integers('scan_output_axes', [...own('scan_output_axes'), ...places.map(() => 0)]),
    );
    written.message(
      nodeAttributeField,
      integers('scan_output_directions', [
        ...own('scan_output_directions'),
        ...places.map((place) => (place.isReversed ? 1 : 0)),
      ]),
    );
  }
  for (let i = 0; i < numResults; i++) written.text(nodeOutputField, outputs[i] ?? `${places[0].output}/unused-${i}`);
  for (const { output } of places) written.text(nodeOutputField, output);
  return written.toBytes();
}

function attributeName(bytes: Uint8Array, { start, end }: WireReader, file: string): string {
  const reader = new WireReader(bytes, file, start, end);
  while (reader.next()) if (reader.field === 1) return reader.text();
  return '';
}

/** The attribute with another graph. */
function withGraph(bytes: Uint8Array, { start, end }: WireReader, file: string, graph: WireWriter): WireWriter {
  const written = new WireWriter();
  const reader = new WireReader(bytes, file, start, end);
  while (reader.next())
    if (reader.field !== attributeGraphField) written.raw(bytes.subarray(reader.fieldStart, reader.end));
  return written.message(attributeGraphField, graph);
}

function integers(name: string, values: readonly number[]): WireWriter {
  const written = new WireWriter().text(1, name);
  for (const value of values) written.integer(attributeIntegersField, value);
  return written.integer(20, attributeIntegersType);
}
