import type * as Ort from 'onnxruntime-common';
import { dataType } from '../../onnx/file/dataType';
import { encodeModel } from '../../onnx/file/encodeModel';
import { encodeNode } from '../../onnx/file/nodeBytes';

/** A product of bytes: its largest pairs of terms are more than 16 bits with a sign hold. */
function productModel(): Uint8Array<ArrayBuffer> {
  return encodeModel('sums', [encodeNode('MatMulInteger', ['a', 'b'], ['y'])], {
    inputs: [
      { name: 'a', dataType: dataType.uint8, rank: 2 },
      { name: 'b', dataType: dataType.int8, rank: 2 },
    ],
    output: { name: 'y', dataType: dataType.int32, rank: 2 },
  });
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
