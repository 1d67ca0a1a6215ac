/** The element types of ONNX (`TensorProto.DataType`) by number, with what the reader must know of each. */
const dataTypes = [
  [1, 'float32', 32],
  [2, 'uint8', 8],
  [3, 'int8', 8],
  [4, 'uint16', 16],
  [5, 'int16', 16],
  [6, 'int32', 32],
  [7, 'int64', 64],
  [8, 'string', 0],
  [9, 'bool', 8],
  [10, 'float16', 16],
  [11, 'float64', 64],
  [12, 'uint32', 32],
  [13, 'uint64', 64],
  [14, 'complex64', 64],
  [15, 'complex128', 128],
  [16, 'bfloat16', 16],
  [17, 'float8e4m3fn', 8],
  [18, 'float8e4m3fnuz', 8],
  [19, 'float8e5m2', 8],
  [20, 'float8e5m2fnuz', 8],
  [21, 'uint4', 4],
  [22, 'int4', 4],
  [23, 'float4e2m1', 4],
] as const;

/** Name of an element type. */
export type DataTypeName = (typeof dataTypes)[number][1];

/** Numbers of the element types that the rewriting names. */
export const dataType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

/** The name of an element type, undefined for a number that ONNX does not define. */
export function dataTypeName(type: number): DataTypeName | undefined {
  return dataTypes.find(([number]) => number === type)?.[1];
}

/** Bits of one element; 0 for strings and for types that ONNX does not define. */
export function dataTypeBits(type: number): number {
  return dataTypes.find(([number]) => number === type)?.[2] ?? 0;
}

/** Whether values of a type are floating-point numbers of some width. */
export function isFloatType(type: number): boolean {
  return dataTypeName(type)?.includes('float') === true;
}

/** The number of an element type that the runtime names; 0 for a name that ONNX does not have. */
export function dataTypeNumber(name: string): number {
  return dataTypes.find(([, each]) => each === name)?.[0] ?? 0;
}

/** Bytes of a tensor's values, in whichever file. */
export function bytesOfTensor({
  dims,
  dataType: type,
  external,
}: {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly external?: { readonly length?: number | undefined } | undefined;
}): number {
  return external?.length ?? (dims.reduce((product, dim) => product * dim, 1) * dataTypeBits(type)) / 8;
}
