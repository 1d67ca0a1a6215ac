import {
  attributeField,
  dimensionField,
  entryField,
  functionField,
  graphField,
  modelField,
  nodeField,
  opsetField,
  shapeField,
  tensorField,
  tensorTypeField,
  typeField,
  valueField,
} from './fields';
import { ExplorerError } from '../../base/errors';
import { dataType, dataTypeBits } from './dataType';
import type {
  AttributeInfo,
  Dimension,
  ExternalData,
  FunctionInfo,
  GraphInfo,
  NodeInfo,
  OnnxModel,
  TensorInfo,
  ValueInfo,
} from './onnxModel';
import { WireReader, type ByteRange, type ReadingBudget } from '../../base/wireReader';

/** Bounds that no real model comes near; beyond them the file is refused rather than held in memory. */
export const maxNodes = 500_000;
export const maxTensors = 500_000;
export const maxDepth = 32;
/** Fields and text of a model, and of a node by itself. */
export const maxFields = 2 ** 23;
export const maxNamesBytes = 2 ** 26;
const maxNodeFields = 2 ** 21;
const maxNodeTextBytes = 2 ** 24;
/** Integers of a tensor or attribute that are read: shapes, axes and permutations are short. */
const maxIntegers = 64;

/** Fields of a ModelProto, by number: onnx.proto. */
const modelFields = new Set([1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26]);

/** Text for people, and how the model was trained: nothing that is run, so it is left out of what is made of the file. */
const leftOut = new Set([6, 20]);

/** What a reader of a file's parts needs: the bytes, the file's name for messages, and shared strings. */
interface Source {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly strings: Map<string, string>;
  readonly budget: ReadingBudget;
}

/** What is read of a model, or of one of its nodes. */
function sourceOf(
  bytes: Uint8Array,
  name: string,
  budget: ReadingBudget = { fields: maxNodeFields, textBytes: maxNodeTextBytes },
): Source {
  return { bytes, name, strings: new Map(), budget };
}

/**
 * Reads a model file's graph without touching its weights.
 * Throws `modelTruncated`, `modelNotOnnx`, `modelOrtFormat` or `modelUnsupported`; never anything else, whatever the bytes.
 */
export function readModel(
  bytes: Uint8Array,
  name: string,
  whole: { readonly fileBytes: number; readonly ownFile: string | undefined } = {
    fileBytes: bytes.length,
    ownFile: undefined,
  },
): OnnxModel {
  if (bytes.length === 0) throw new ExplorerError('modelTruncated', [name, 0]);
  if (isOrtFormat(bytes)) throw new ExplorerError('modelOrtFormat', [name]);
  const source = sourceOf(bytes, name, { fields: maxFields, textBytes: maxNamesBytes });
  const reader = readerOf(source, { start: 0, end: bytes.length });
  let irVersion = 0;
  let producer = '';
  const opsets = new Map<string, number>();
  const graphs: ByteRange[] = [];
  const functions: ByteRange[] = [];
  const headerFields: ByteRange[] = [];
  try {
    while (reader.next()) {
      if (!modelFields.has(reader.field)) throw new ExplorerError('modelNotOnnx', [name, 'it does not begin as one']);
      if (reader.field === modelField.graph) graphs.push(reader.range());
      else if (!leftOut.has(reader.field)) headerFields.push({ start: reader.fieldStart, end: reader.end });
      if (headerFields.length > maxTensors)
        throw new ExplorerError('modelUnsupported', [name, `it says more than ${maxTensors} things beside its graph`]);
      if (reader.field === modelField.irVersion) irVersion = reader.unsigned();
      else if (reader.field === modelField.producerName) producer = `${reader.text()}${producer}`;
      else if (reader.field === modelField.producerVersion) producer = `${producer} ${reader.text()}`;
      else if (reader.field === modelField.opsetImport) {
        const [domain, version] = readOpset(source, reader.range());
        opsets.set(domain, version);
      } else if (reader.field === modelField.functions) functions.push(reader.range());
    }
  } catch (error) {
    if (error instanceof ExplorerError && error.code === 'modelTruncated' && !modelFields.has(reader.field))
      throw new ExplorerError('modelNotOnnx', [name, 'it does not begin as one'], { cause: error });
    throw error;
  }
  if (graphs.length === 0) throw new ExplorerError('modelNotOnnx', [name, 'it holds no graph']);
  const graph = readGraphs(source, graphs, 0);
  if (graph.nodes.length === 0) throw new ExplorerError('modelNotOnnx', [name, 'its graph is empty']);
  return {
    name,
    bytes,
    ...whole,
    irVersion,
    producer: producer.trim(),
    opsets,
    graph,
    functions: functions.map((range) => readFunction(source, range)),
    headerFields,
  };
}

/** Reads the body of a control-flow node, a range of that node's bytes; `depth` counts how deep it is nested. */
export function readSubgraph(
  model: OnnxModel,
  { bytes, range }: { readonly bytes: Uint8Array; readonly range: ByteRange },
  depth: number,
): GraphInfo {
  return readGraphs(sourceOf(bytes, model.name, { fields: maxFields, textBytes: maxNamesBytes }), [range], depth);
}

/** Whether a file begins as one of the ORT format does: a flatbuffer with the identifier ORTM. */
export function isOrtFormat(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && bytes[4] === 0x4f && bytes[5] === 0x52 && bytes[6] === 0x54 && bytes[7] === 0x4d;
}

function readOpset(source: Source, range: ByteRange): [domain: string, version: number] {
  let domain = '';
  let version = 1;
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === opsetField.domain) domain = normalizeDomain(reader.text());
    else if (reader.field === opsetField.version) version = reader.unsigned();
  }
  return [domain, version];
}

/** Several graph fields are one graph, as protobuf merges them. */
function readGraphs(source: Source, ranges: readonly ByteRange[], depth: number): GraphInfo {
  if (depth > maxDepth) throw new ExplorerError('modelUnsupported', [source.name, 'its graphs are nested too deeply']);
  let name = '';
  const nodes: NodeInfo[] = [];
  const initializers: TensorInfo[] = [];
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const valueInfos: ValueInfo[] = [];
  const others: Uint8Array[] = [];
  for (const range of ranges) {
    const reader = readerOf(source, range);
    while (reader.next()) {
      switch (reader.field) {
        case graphField.node:
          nodes.push(readNode(source, reader.range()));
          break;
        case graphField.name:
          name = reader.text();
          break;
        case graphField.initializer:
          initializers.push(readTensor(source, reader.range()));
          break;
        case graphField.input:
          inputs.push(readValueInfo(source, reader.range()));
          break;
        case graphField.output:
          outputs.push(readValueInfo(source, reader.range()));
          break;
        case graphField.valueInfo:
          valueInfos.push(readValueInfo(source, reader.range()));
          break;
        case graphField.quantizationAnnotation:
        case graphField.sparseInitializer:
          others.push(source.bytes.subarray(reader.fieldStart, reader.end));
          break;
        default: // documentation and metadata: not needed to run the model
      }
      if (nodes.length > maxNodes)
        throw new ExplorerError('modelUnsupported', [source.name, `it has more than ${maxNodes} nodes`]);
      if (initializers.length + inputs.length + outputs.length + valueInfos.length + others.length > maxTensors)
        throw new ExplorerError('modelUnsupported', [source.name, `it has more than ${maxTensors} tensors`]);
    }
  }
  return { name, nodes, initializers, inputs, outputs, valueInfos, others };
}

/** Reads a NodeProto that was made by us. */
export function readMadeNode(model: OnnxModel, bytes: Uint8Array): NodeInfo {
  return readNode(sourceOf(bytes, model.name), { start: 0, end: bytes.length });
}

function readNode(source: Source, range: ByteRange): NodeInfo {
  let opType = '';
  let domain = '';
  let inputs: string[] | undefined;
  let outputs: string[] | undefined;
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === nodeField.input) (inputs ??= []).push(intern(source, reader.text()));
    else if (reader.field === nodeField.output) (outputs ??= []).push(intern(source, reader.text()));
    else if (reader.field === nodeField.opType) opType = intern(source, reader.text());
    else if (reader.field === nodeField.domain) domain = normalizeDomain(intern(source, reader.text()));
  }
  if (opType === '') throw new ExplorerError('modelNotOnnx', [source.name, 'one of its nodes names no operator']);
  return { opType, domain, inputs: inputs ?? none, outputs: outputs ?? none, bytes: source.bytes, range };
}

/** Which of several functions of one name a node calls; empty where there is but one. */
export function readOverload(model: OnnxModel, node: NodeInfo): string {
  const reader = new WireReader(node.bytes, model.name, node.range.start, node.range.end);
  while (reader.next()) if (reader.field === nodeField.overload) return reader.text();
  return '';
}

/** The name of a node; empty where it has none. */
export function nodeName(model: OnnxModel, node: NodeInfo): string {
  const reader = new WireReader(node.bytes, model.name, node.range.start, node.range.end);
  let name = '';
  while (reader.next()) if (reader.field === nodeField.name) name = reader.text(); // the last one counts
  return name;
}

/** The metadata of a node (`metadata_props`), where exporters write the module that it came from. */
export function nodeMetadata(model: OnnxModel, node: NodeInfo): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  const reader = new WireReader(node.bytes, model.name, node.range.start, node.range.end);
  while (reader.next()) {
    if (reader.field !== nodeField.metadata) continue;
    const [key, value] = readEntry(sourceOf(node.bytes, model.name), reader.range());
    metadata.set(key, value);
  }
  return metadata;
}

/** The attributes of a node by name. */
export function nodeAttributes(model: OnnxModel, node: NodeInfo): ReadonlyMap<string, AttributeInfo> {
  const attributes = new Map<string, AttributeInfo>();
  const source = sourceOf(node.bytes, model.name);
  const reader = readerOf(source, node.range);
  while (reader.next()) {
    if (reader.field !== nodeField.attribute) continue;
    const attribute = readAttribute(source, reader.range());
    attributes.set(attribute.name, attribute);
  }
  return attributes;
}

function readAttribute(source: Source, range: ByteRange): AttributeInfo {
  let name = '';
  let type = 0;
  let float: number | undefined;
  let integer: number | undefined;
  let text: ByteRange | undefined;
  let tensor: TensorInfo | undefined;
  let reference: string | undefined;
  const integers: number[] = [];
  const floats: number[] = [];
  const graphs: ByteRange[] = [];
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === attributeField.name) name = reader.text();
    else if (reader.field === attributeField.float) float = reader.float();
    else if (reader.field === attributeField.integer) integer = reader.integer();
    else if (reader.field === attributeField.text) text = reader.range();
    else if (reader.field === attributeField.tensor) tensor = readTensor(source, reader.range());
    else if (reader.field === attributeField.graph || reader.field === attributeField.graphs)
      graphs.push(reader.range());
    else if (reader.field === attributeField.floats) reader.floatsInto(floats, maxIntegers);
    else if (reader.field === attributeField.integers) reader.integersInto(integers, maxIntegers);
    else if (reader.field === attributeField.type) type = reader.unsigned();
    else if (reader.field === attributeField.reference) reference = reader.text();
  }
  // An attribute's string may hold any bytes; those that are compared are ASCII.
  const ascii =
    text === undefined
      ? undefined
      : String.fromCharCode(...source.bytes.subarray(text.start, Math.min(text.end, text.start + 256)));
  return { name, type, range, float, integer, text: ascii, tensor, integers, floats, graphs, reference };
}

/** Reads a TensorProto; its values stay where they are. */
function readTensor(source: Source, range: ByteRange): TensorInfo {
  let name = '';
  let type = 0;
  let raw: ByteRange | undefined;
  let location = 0;
  const dims: number[] = [];
  const external = new Map<string, string>();
  let integers: number[] | undefined;
  const floats: (ByteRange | undefined)[] = [];
  const reader = readerOf(source, range);
  while (reader.next()) {
    switch (reader.field) {
      case tensorField.dims:
        reader.integersInto(dims, maxIntegers);
        break;
      case tensorField.dataType:
        type = reader.unsigned();
        break;
      case tensorField.floats:
        floats.push(reader.isBytes ? reader.range() : undefined);
        break;
      case tensorField.int32s:
      case tensorField.int64s:
        integers ??= [];
        if (integers.length <= maxIntegers) reader.integersInto(integers, maxIntegers + 1);
        break;
      case tensorField.name:
        name = intern(source, reader.text());
        break;
      case tensorField.raw:
        raw = reader.range();
        break;
      case tensorField.external: {
        const [key, value] = readEntry(source, reader.range());
        external.set(key, value);
        break;
      }
      case tensorField.location:
        location = reader.unsigned();
        break;
      default: // values of other types, documentation
    }
  }
  if (dims.some((dim) => dim < 0))
    throw new ExplorerError('modelNotOnnx', [source.name, 'a tensor has a negative size']);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (raw !== undefined && isTooShort(raw, type, count))
    throw new ExplorerError('modelNotOnnx', [source.name, `the tensor "${name}" is shorter than its shape says`]);
  const values = valuesOf(source.bytes, { type, count, raw, floats, integers });
  return {
    name,
    dims,
    dataType: type,
    bytes: source.bytes,
    range,
    data: values.data,
    external: location === 1 ? toExternalData(source, external) : undefined,
    integers: values.integers,
  };
}

/** What a tensor says of its values. */
interface StatedValues {
  readonly type: number;
  readonly count: number;
  readonly raw: ByteRange | undefined;
  /** Its fields of floats; undefined for one that is not packed. */
  readonly floats: readonly (ByteRange | undefined)[];
  readonly integers: readonly number[] | undefined;
}

/** Where a tensor's values lie in a row, and what they are where they are a few integers. */
function valuesOf(
  bytes: Uint8Array,
  { type, count, raw, floats, integers }: StatedValues,
): Pick<TensorInfo, 'data' | 'integers'> {
  const read = integers ?? (raw && rawIntegers(bytes, raw, type, count));
  return {
    // A single packed float_data field is laid out as raw_data is.
    data: raw ?? (type === dataType.float32 && floats.length === 1 ? floats[0] : undefined),
    integers: read !== undefined && read.length <= maxIntegers ? read : undefined,
  };
}

/** Whether there are fewer bytes than so many values take; an empty field only says that the values are elsewhere. */
function isTooShort({ start, end }: ByteRange, type: number, count: number): boolean {
  const bits = dataTypeBits(type);
  return end > start && bits > 0 && end - start < Math.floor((count * bits) / 8);
}

function rawIntegers(bytes: Uint8Array, raw: ByteRange, type: number, count: number): readonly number[] | undefined {
  const width = type === dataType.int64 ? 8 : type === dataType.int32 ? 4 : type === dataType.bool ? 1 : 0;
  if (width === 0 || count > maxIntegers || raw.end - raw.start !== count * width) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + raw.start, raw.end - raw.start);
  return Array.from({ length: count }, (_, i) =>
    width === 8 ? Number(view.getBigInt64(i * 8, true)) : width === 4 ? view.getInt32(i * 4, true) : view.getUint8(i),
  );
}

function toExternalData(source: Source, entries: ReadonlyMap<string, string>): ExternalData {
  const location = entries.get('location') ?? '';
  const offset = Number(entries.get('offset') ?? 0);
  const length = entries.has('length') ? Number(entries.get('length')) : undefined;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (location === '' || !isCount(offset) || (length !== undefined && !isCount(length)))
    throw new ExplorerError('modelNotOnnx', [source.name, 'it does not say where its weights lie']);
  return { location, offset, length };
}

function readEntry(source: Source, range: ByteRange): [key: string, value: string] {
  let key = '';
  let value = '';
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === entryField.key) key = reader.text();
    else if (reader.field === entryField.value) value = reader.text();
  }
  return [key, value];
}

/** Reads a ValueInfoProto; anything but a tensor has element type 0. */
function readValueInfo(source: Source, range: ByteRange): ValueInfo {
  let name = '';
  let type = 0;
  let dims: Dimension[] | undefined;
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === valueField.name) name = intern(source, reader.text());
    if (reader.field !== valueField.type) continue;
    const kind = readerOf(source, reader.range());
    while (kind.next()) {
      if (kind.field !== typeField.tensor) continue;
      const tensor = readerOf(source, kind.range());
      while (tensor.next()) {
        if (tensor.field === tensorTypeField.elementType) type = tensor.unsigned();
        else if (tensor.field === tensorTypeField.shape) dims = readShape(source, tensor.range());
      }
    }
  }
  return { name, dataType: type, dims, bytes: source.bytes, range };
}

function readShape(source: Source, range: ByteRange): Dimension[] {
  const dims: Dimension[] = [];
  const shape = readerOf(source, range);
  while (shape.next()) {
    if (shape.field !== shapeField.dim || dims.length >= maxIntegers) continue;
    let dim: Dimension;
    const dimension = readerOf(source, shape.range());
    while (dimension.next()) {
      if (dimension.field === dimensionField.value) dim = dimension.integer();
      else if (dimension.field === dimensionField.parameter) dim = dimension.text();
    }
    dims.push(typeof dim === 'number' && dim < 0 ? undefined : dim === '' ? undefined : dim);
  }
  return dims;
}

function readFunction(source: Source, range: ByteRange): FunctionInfo {
  let name = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: NodeInfo[] = [];
  const opsets = new Map<string, number>();
  const defaults = new Map<string, ByteRange>();
  let overload = '';
  const reader = readerOf(source, range);
  while (reader.next()) {
    if (reader.field === functionField.name) name = reader.text();
    else if (reader.field === functionField.opsetImport) {
      const [imported, version] = readOpset(source, reader.range());
      opsets.set(imported, version);
    } else if (reader.field === functionField.attributeDefault)
      defaults.set(readAttribute(source, reader.range()).name, reader.range());
    else if (reader.field === functionField.overload) overload = reader.text();
    else if (reader.field === functionField.input) inputs.push(intern(source, reader.text()));
    else if (reader.field === functionField.output) outputs.push(intern(source, reader.text()));
    else if (reader.field === functionField.node) nodes.push(readNode(source, reader.range()));
    else if (reader.field === functionField.domain) domain = normalizeDomain(reader.text());
    if (nodes.length > maxNodes)
      throw new ExplorerError('modelUnsupported', [source.name, `it has more than ${maxNodes} nodes`]);
  }
  return { name, domain, overload, inputs, outputs, nodes, opsets, defaults };
}

const none: readonly string[] = [];

function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** One string object for equal texts: a name occurs where it is made and wherever it is used. */
function intern(source: Source, text: string): string {
  const known = source.strings.get(text);
  if (known !== undefined) return known;
  source.strings.set(text, text);
  return text;
}

function readerOf(source: Source, range: ByteRange): WireReader {
  const reader = new WireReader(source.bytes, source.name, range.start, range.end);
  reader.budget = source.budget;
  return reader;
}
