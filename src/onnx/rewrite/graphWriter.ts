import { bytesOfTensor, dataTypeBits } from '../file/dataType';
import { entryField, graphField, modelField, nodeField, tensorField, valueField } from '../file/fields';
import type { AttributeInfo, NodeInfo, OnnxModel, TensorInfo, ValueInfo } from '../file/onnxModel';
import { nodeAttributes } from '../file/readModel';
import type { ByteRange } from '../../base/wireReader';
import { WireWriter } from '../file/wireWriter';

/** Tensors below this stay in the graph: the runtime reads shapes and scalars there. */
const smallestExternalBytes = 1024;

/** How a graph is written anew. */
export interface GraphWriterOptions {
  /** The name under which the file's own bytes are given as external data. */
  readonly ownBytesName: string;
  /** Whether weights that do not lie in files stay in the graph. */
  readonly keepsWeights: boolean;
  /** Whether a node must run on the processor, whatever the others run on. */
  readonly needsCpu?: ((node: NodeInfo, attributes: () => ReadonlyMap<string, AttributeInfo>) => boolean) | undefined;
}

/** Writes the parts of a model's graph, in the order in which they are given; large weights stay where they lie. */
export class GraphWriter {
  readonly #model: OnnxModel;
  readonly #options: GraphWriterOptions;
  readonly #smallestExternal: number;
  readonly #graph = new WireWriter();
  readonly #externalFiles = new Set<string>();
  readonly #cpuNodeNames: string[] = [];
  #hasOwnWeights = false;
  #weightBytes = 0;

  constructor(model: OnnxModel, options: GraphWriterOptions) {
    this.#model = model;
    this.#options = options;
    this.#smallestExternal = options.keepsWeights ? Infinity : smallestExternalBytes;
  }

  name(name: string): void {
    this.#graph.text(graphField.name, name === '' ? 'graph' : name);
  }

  /** A node, named anew where the runtime must be told of it. */
  node(node: NodeInfo): void {
    const { bytes, range } = node;
    const whole = bytes.subarray(range.start, range.end);
    if (this.#options.needsCpu?.(node, () => nodeAttributes(this.#model, node)) !== true)
      return void this.#graph.bytes(graphField.node, whole);
    const name = `attention-explorer/cpu/${this.#cpuNodeNames.length}`;
    this.#cpuNodeNames.push(name);
    // A field that comes twice counts as it comes last: a name of the node's own gives way.
    this.#graph.message(graphField.node, new WireWriter().raw(whole).text(nodeField.name, name));
  }

  /** A NodeProto as it is. */
  madeNode(bytes: Uint8Array): void {
    this.#graph.bytes(graphField.node, bytes);
  }

  /** Whether a node's bytes hold so much that a constant in it is better left in the file. */
  isLarge({ bytes, range }: NodeInfo): boolean {
    return bytes === this.#model.bytes && range.end - range.start >= this.#smallestExternal;
  }

  /** A weight: as it is, or as a reference to where in the file its values lie. */
  tensor(tensor: TensorInfo): void {
    if (tensor.external !== undefined) {
      this.#externalFiles.add(tensor.external.location);
      this.#weightBytes += bytesOfTensor(tensor);
    }
    const { data } = tensor;
    if (data === undefined || !this.#isLeftInFile(tensor, data)) {
      this.madeTensor(tensor.bytes.subarray(tensor.range.start, tensor.range.end));
      return;
    }
    this.#hasOwnWeights = true;
    this.#weightBytes += data.end - data.start;
    this.#graph.message(graphField.initializer, externalTensor(tensor, data, this.#options.ownBytesName));
  }

  #isLeftInFile({ bytes, external, dataType }: TensorInfo, data: ByteRange): boolean {
    return (
      bytes === this.#model.bytes &&
      external === undefined &&
      data.end - data.start >= this.#smallestExternal &&
      dataTypeBits(dataType) > 0
    );
  }

  /** A TensorProto as it is. */
  madeTensor(bytes: Uint8Array): void {
    this.#graph.bytes(graphField.initializer, bytes);
  }

  /** What is known of an input, an output or a tensor between: as the file says it, or as made. */
  value(kind: 'input' | 'output' | 'valueInfo', value: ValueInfo | Uint8Array): void {
    this.#graph.bytes(
      graphField[kind],
      value instanceof Uint8Array ? value : value.bytes.subarray(value.range.start, value.range.end),
    );
  }

  /** An output of which only the name is said. */
  output(name: string): void {
    this.#graph.message(graphField.output, new WireWriter().text(valueField.name, name));
  }

  /** The whole model: its header, and the graph with what else the file's has (quantisation, sparse weights). */
  toModel(): {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly ownBytesName: string | undefined;
    readonly externalFiles: readonly string[];
    readonly weightBytes: number;
    readonly cpuNodeNames: readonly string[];
  } {
    const { graph, headerFields, addedHeader, bytes } = this.#model;
    for (const other of graph.others) this.#graph.raw(other);
    const whole = new WireWriter();
    for (const range of headerFields) whole.raw(bytes.subarray(range.start, range.end));
    if (addedHeader !== undefined) whole.raw(addedHeader);
    return {
      bytes: whole.message(modelField.graph, this.#graph).toBytes(),
      ownBytesName: this.#hasOwnWeights ? this.#options.ownBytesName : undefined,
      externalFiles: [...this.#externalFiles],
      weightBytes: this.#weightBytes,
      cpuNodeNames: this.#cpuNodeNames,
    };
  }
}

/** A TensorProto that says where in which file its values lie. */
function externalTensor(tensor: TensorInfo, data: ByteRange, location: string): WireWriter {
  const written = new WireWriter();
  for (const dim of tensor.dims) written.integer(tensorField.dims, dim);
  written.integer(tensorField.dataType, tensor.dataType).text(tensorField.name, tensor.name);
  const entries = { location, offset: String(data.start), length: String(data.end - data.start) };
  for (const [key, value] of Object.entries(entries))
    written.message(tensorField.external, new WireWriter().text(entryField.key, key).text(entryField.value, value));
  return written.integer(tensorField.location, 1);
}
