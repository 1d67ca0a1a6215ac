import type { ByteRange } from '../../base/wireReader';

/** A tensor of the file: what it is and where its values lie, never the values themselves (but for a few small integers). */
export interface TensorInfo {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** What the ranges are ranges of: the file, or bytes made by us. */
  readonly bytes: Uint8Array;
  /** The whole TensorProto. */
  readonly range: ByteRange;
  /** Its values as little-endian bytes in the file, where they are stored like that. */
  readonly data: ByteRange | undefined;
  /** Where its values lie in another file; `length` is undefined where the rest of the file is meant. */
  readonly external: ExternalData | undefined;
  /** Values of a small integer tensor (shapes, axes), else undefined. */
  readonly integers: readonly number[] | undefined;
}

/** Values kept in a file beside the model. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number | undefined;
}

/** A dimension: a number, a symbol's name, or unknown. */
export type Dimension = number | string | undefined;

/** A graph input or output, or what the file says of a tensor in between. */
export interface ValueInfo {
  readonly name: string;
  /** Element type; 0 where the value is not a tensor or the file does not say. */
  readonly dataType: number;
  /** Undefined where the rank is unknown. */
  readonly dims: readonly Dimension[] | undefined;
  /** The whole ValueInfoProto, and what that is a range of. */
  readonly bytes: Uint8Array;
  readonly range: ByteRange;
}

/** An attribute of a node. */
export interface AttributeInfo {
  readonly name: string;
  readonly type: number;
  readonly range: ByteRange;
  readonly float: number | undefined;
  readonly integer: number | undefined;
  readonly text: string | undefined;
  readonly tensor: TensorInfo | undefined;
  readonly integers: readonly number[];
  readonly floats: readonly number[];
  /** Bodies of `If`, `Loop`, `Scan`: where in the node's bytes their GraphProto lies. */
  readonly graphs: readonly ByteRange[];
  /** Inside a function: the attribute of the call that this one stands for. */
  readonly reference: string | undefined;
}

/** A node of a graph, in the file's own terms. */
export interface NodeInfo {
  readonly opType: string;
  /** Empty for the standard operators, also where the file says `ai.onnx`. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The NodeProto; the bytes are those of the file unless the node was made by us. */
  readonly bytes: Uint8Array;
  readonly range: ByteRange;
}

/** A graph, or the body of a control-flow node. */
export interface GraphInfo {
  readonly name: string;
  readonly nodes: readonly NodeInfo[];
  readonly initializers: readonly TensorInfo[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfos: readonly ValueInfo[];
  /** Fields that are carried along as they are (sparse initializers, quantization annotations): tag and all. */
  readonly others: readonly Uint8Array[];
}

/** A function that the model defines for itself. */
export interface FunctionInfo {
  readonly name: string;
  readonly domain: string;
  /** Tells functions of one name apart. */
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeInfo[];
  /** Versions of the operator sets that it uses. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Values of attributes that a call leaves out: AttributeProtos in the file. */
  readonly defaults: ReadonlyMap<string, ByteRange>;
}

/** A model file as read: its graph by reference to the file's bytes. */
export interface OnnxModel {
  /** File name, for messages. */
  readonly name: string;
  /** The file, or all of it but its large tensors. */
  readonly bytes: Uint8Array;
  readonly fileBytes: number;
  /** How external data is named that lies in the model's own file. */
  readonly ownFile: string | undefined;
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; the standard one is `''`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: GraphInfo;
  readonly functions: readonly FunctionInfo[];
  /** Top-level fields other than the graph, tag and all. */
  readonly headerFields: readonly ByteRange[];
  /** Top-level fields beside those of the file. */
  readonly addedHeader?: Uint8Array;
}
