// A model of one Identity node, written by hand: creating a session for it initialises the runtime.

function field(number: number, payload: readonly number[]): number[] {
  return [(number << 3) | 2, payload.length, ...payload];
}
const text = (value: string): number[] => [...value].map((character) => character.charCodeAt(0));
const varint = (number: number, value: number): number[] => [number << 3, value];

const float = 1;
const valueInfo = (name: string): number[] => [
  ...field(1, text(name)),
  ...field(2, field(1, [...varint(1, float), ...field(2, field(1, varint(1, 1)))])),
];
const node = [...field(1, text('x')), ...field(2, text('y')), ...field(4, text('Identity'))];
const graph = [...field(1, node), ...field(2, text('g')), ...field(11, valueInfo('x')), ...field(12, valueInfo('y'))];

/** Bytes of an ONNX model (IR 8, opset 13) that copies its input `x` of one float to its output `y`. */
export const warmUpModel: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...varint(1, 8),
  ...field(7, graph),
  ...field(8, varint(2, 13)),
]);
