import { expect } from 'chai';
import { mostValues, pythonOf } from '../../../../src/engine/session/fedInput';
import { inputAccount, inputView } from '../../../../src/engine/report/inputAccount';
import { plain } from '../../../../src/base/safeText';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { codeOfCall } from '../../../harness/codeOf';
import { plainAttention, smallModel } from '../../onnx/smallModel';

const floats = (values: readonly number[]): Float32Array => Float32Array.from(values);

describe('what a model is fed', () => {
  it('is written as Python, with the type and shape of each tensor', () => {
    const python = pythonOf([
      {
        file: 'model.onnx',
        inputs: [
          { name: 'ids', type: 'int64', dims: [1, 3], data: BigInt64Array.of(5n, -1n, 2n ** 60n) },
          { name: 'mask', type: 'int32', dims: [1, 2], data: Int32Array.of(1, 1) },
          { name: 'none', type: 'float32', dims: [1, 2, 0, 8], data: floats([]) },
          { name: 'flag', type: 'bool', dims: [1], data: Uint8Array.of(1) },
          { name: 'scalar', type: 'uint8', dims: [], data: Uint8Array.of(7) },
          { name: 'half', type: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0xfc00) },
          { name: 'x', type: 'float32', dims: [5], data: floats([0.1, -0, NaN, 1 / 3, 1e-40]) },
        ],
      },
    ]);
    expect(python.split('\n')).to.deep.equal([
      'import numpy as np',
      '',
      '# model.onnx',
      'feeds = {',
      '    "ids": np.array([5, -1, 1152921504606846976], dtype=np.int64).reshape((1, 3)),',
      '    "mask": np.full((1, 2), 1, dtype=np.int32),',
      '    "none": np.zeros((1, 2, 0, 8), dtype=np.float32),',
      '    "flag": np.array([True], dtype=np.bool_).reshape((1,)),',
      '    "scalar": np.array([7], dtype=np.uint8).reshape(()),',
      '    "half": np.array([1, -np.inf], dtype=np.float16).reshape((2,)),',
      '    "x": np.array([0.100000001, -0.0, np.nan, 0.333333343, 9.9999461e-41], dtype=np.float32).reshape((5,)),',
      '}',
      '',
    ]);
  });

  it('is cut where it is large, which is said, and stays one expression', () => {
    const large = floats(Array.from({ length: mostValues + 1 }, (_, i) => i));
    const python = pythonOf([
      { file: 'encoder.onnx', inputs: [{ name: 'a', type: 'float32', dims: [1, mostValues + 1], data: large }] },
      { file: 'decoder.onnx', inputs: [] },
    ]);
    expect(python).to.match(
      /\n {4}"a": np\.pad\(np\.array\(\[0, 1, .*, 511\], dtype=np\.float32\), \(0, 1537\)\)\.reshape\(\(1, 2049\)\), {2}# the first 512 of 2049 values/,
    );
    expect(python).to.include('# decoder.onnx\nfeeds_2 = {\n}');
  });

  it('names files and inputs by characters that change nothing, whatever they are called', () => {
    const python = pythonOf([
      {
        file: 'a\nimport os',
        inputs: [{ name: '"]); import os\u202e\n', type: 'uint8', dims: [1], data: Uint8Array.of(1) }],
      },
    ]);
    expect(python)
      .to.include(String.raw`# a\nimport os`)
      .and.to.include(String.raw`"\"]); import os\u202e\n": np.array`);
    expect(python.split('\n')).to.have.length(7);
  });

  it('comes with the files that were read, settings and assumptions', () => {
    const bytes = smallModel({
      ...plainAttention,
      inputs: { ...plainAttention.inputs, input_ids: [2, 8], token_type_ids: [2, 8], head_mask: [2, 2] },
      types: { input_ids: 7, token_type_ids: 7 },
    });
    const account = inputAccount(
      ['/models/m/onnx/model.onnx', '/models/m/tokenizer.json'],
      { config: { max_position_embeddings: 64, pad_token_id: 3 }, tokenizerConfig: {} },
      [analyzeModel(readModel(bytes, 'model.onnx'))],
    );
    expect(account).to.deep.equal({
      files: ['onnx/model.onnx', 'tokenizer.json'],
      settings: [
        { code: 'settingLength', args: [64] },
        { code: 'settingTypes', args: [] },
      ],
      assumptions: [
        { code: 'filledUp', args: [8, 3] },
        { code: 'assumedBatch', args: [2] },
        { code: 'assumedHeads', args: [] },
      ],
    });
    const { markdown } = inputView({ name: plain('m') }, [{ file: 'model.onnx', inputs: [] }], account);
    expect(markdown)
      .to.include('* Files read: `onnx/model.onnx`; `tokenizer.json`\n')
      .and.to.include('The model reads at most 64 tokens. Types of tokens')
      .and.to.include('* Assumed: A text shorter than 8 tokens is filled up with id 3. All 2 items')
      .and.to.include('```python\nimport numpy as np');
    expect(codeOfCall(() => inputView({ name: plain('m') }, [], account))).to.equal('nothingRead');
  });
});
