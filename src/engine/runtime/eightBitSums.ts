import type * as Ort from 'onnxruntime-common';
import { dataType } from '../../onnx/file/dataType';
import { encodeNode, encodeTypedValue } from '../../onnx/file/nodeBytes';
import { WireWriter } from '../../onnx/file/wireWriter';

/** A product of bytes: its largest pairs of terms are more than 16 bits with a sign hold. */
function productModel(): Uint8Array<ArrayBuffer> {
  const graph = new WireWriter().bytes(1, encodeNode('MatMulInteger', ['a', 'b'], ['y'])).text(2, 'sums');
  graph
    .bytes(11, encodeTypedValue('a', dataType.uint8, 2))
    .bytes(11, encodeTypedValue('b', dataType.int8, 2))
    .bytes(12, encodeTypedValue('y', dataType.int32, 2));
  return new WireWriter().integer(1, 8).message(7, graph).message(8, new WireWriter().integer(2, 13)).toBytes();
}

/** Rows and columns enough for the kernels of matrices and their remainders. */
const numRows = 6;
const numTerms = 64;
const numColumns = 17;
const largest = { unsigned: 255, signed: 127 };

/**
 * Whether a build of the runtime adds products of bytes exactly on this processor. Those without instructions for it add pairs of
 * them in 16 bits, which saturate, and the model computes something else than it was made for.
 */
export async function addsBytesExactly(
  ort: Pick<typeof Ort, 'InferenceSession' | 'Tensor'>,
  options: Ort.InferenceSession.SessionOptions,
): Promise<boolean> {
  const session = await ort.InferenceSession.create(productModel(), options);
  try {
    const a = new ort.Tensor('uint8', new Uint8Array(numRows * numTerms).fill(largest.unsigned), [numRows, numTerms]);
    const b = new ort.Tensor('int8', new Int8Array(numTerms * numColumns).fill(largest.signed), [numTerms, numColumns]);
    const { y } = await session.run({ a, b });
    return y.data instanceof Int32Array && y.data.every((sum) => sum === numTerms * largest.unsigned * largest.signed);
  } finally {
    await session.release();
  }
}
