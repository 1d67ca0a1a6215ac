// Numbers of the fields of ONNX's messages (onnx.proto), for what reads and writes them byte by byte.

/** Of a ModelProto. */
export const modelField = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  documentation: 6,
  graph: 7,
  opsetImport: 8,
  training: 20,
  functions: 25,
} as const;

/** Of a GraphProto. */
export const graphField = {
  node: 1,
  name: 2,
  initializer: 5,
  documentation: 10,
  input: 11,
  output: 12,
  valueInfo: 13,
  quantizationAnnotation: 14,
  sparseInitializer: 15,
} as const;

/** Of a NodeProto. */
export const nodeField = {
  input: 1,
  output: 2,
  name: 3,
  opType: 4,
  attribute: 5,
  documentation: 6,
  domain: 7,
  overload: 8,
  metadata: 9,
} as const;

/** Of an AttributeProto. */
export const attributeField = {
  name: 1,
  float: 2,
  integer: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  integers: 8,
  graphs: 11,
  documentation: 13,
  type: 20,
  reference: 21,
} as const;

/** What an AttributeProto says of its type, of the types that are written here. */
export const attributeType = { float: 1, integer: 2, text: 3, graph: 5, integers: 7 } as const;

/** Of a TensorProto. */
export const tensorField = {
  dims: 1,
  dataType: 2,
  floats: 4,
  int32s: 5,
  int64s: 7,
  name: 8,
  raw: 9,
  external: 13,
  location: 14,
} as const;

/** Of a FunctionProto. */
export const functionField = {
  name: 1,
  input: 4,
  output: 5,
  node: 7,
  opsetImport: 9,
  domain: 10,
  attributeDefault: 11,
  overload: 13,
} as const;

/** Of an OperatorSetIdProto. */
export const opsetField = { domain: 1, version: 2 } as const;

/** Of a StringStringEntryProto. */
export const entryField = { key: 1, value: 2 } as const;

/** Of a ValueInfoProto, its type (a TypeProto), and the tensor's type and shape within. */
export const valueField = { name: 1, type: 2 } as const;
export const typeField = { tensor: 1 } as const;
export const tensorTypeField = { elementType: 1, shape: 2 } as const;
export const shapeField = { dim: 1 } as const;
export const dimensionField = { value: 1, parameter: 2 } as const;
