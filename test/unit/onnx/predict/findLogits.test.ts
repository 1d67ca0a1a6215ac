import { expect } from 'chai';
import { readModelFiles } from '../../../../src/engine/files/modelFiles';
import { dataType } from '../../../../src/onnx/file/dataType';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import type { GraphIndex } from '../../../../src/onnx/graph/graphIndex';
import { readModel } from '../../../../src/onnx/file/readModel';
import { findLogits } from '../../../../src/onnx/predict/findLogits';
import { fixtureAccess } from '../../../engine/fixtureAccess';
import { smallModel, type SmallGraph } from '../smallModel';

/** The outputs of each file that are scores, with how many they are; none of a model without its head. */
const expected: Readonly<Record<string, string>> = {
  'zoo/bert_mlm.sdpa.dynamo': 'output:99',
  'zoo/gpt2.sdpa.legacy': 'output:99',
  'zoo/gpt2.sdpa.legacy.merged': 'output:99',
  'zoo/llama.sdpa.legacy.q4': 'output:99',
  'zoo/llama.sdpa.op23': 'output:99',
  'zoo/roberta_mlm.sdpa.legacy': 'output:99',
  'zoo/real.text_line': 'probs:12',
  'zoo/bert.sdpa.legacy.int8': '',
  'zoo/bert.sdpa.legacy.qdq': '',
  'zoo/gemma2.eager.legacy': '',
  'zoo/t5.eager.legacy': '',
  'zoo/vit.sdpa.legacy': '',
  'headParts/gpt2.sdpa.legacy': '',
  'pasts/llama': 'logits:99',
  'seq2seq/bart.whole': 'logits:290',
};

const widths = (index: GraphIndex): string =>
  findLogits(index)
    .map(({ output, width }) => `${output}:${width ?? '?'}`)
    .join(' ');

const weights = { weight: { dims: [4, 7], values: new Array<number>(28).fill(0.5) } };

const ofSmall = (graph: SmallGraph): string => widths(analyzeModel(readModel(smallModel(graph), 'model.onnx')).index);

describe('the outputs of a model that are logits', () => {
  for (const [name, found] of Object.entries(expected))
    it(`are told by the graph: ${name}`, async () => {
      const { analysis } = await readModelFiles(fixtureAccess, `${name}/model.onnx`);
      expect(widths(analysis.index)).to.equal(found);
    });

  it('are what is behind a cap, a bias and a conversion', () => {
    const nodes = [
      { operator: 'MatMul', inputs: ['hidden', 'weight'], outputs: ['product'] },
      { operator: 'Div', inputs: ['product', 'cap'], outputs: ['divided'] },
      { operator: 'Tanh', inputs: ['divided'], outputs: ['bounded'] },
      { operator: 'Mul', inputs: ['bounded', 'cap'], outputs: ['capped'] },
      { operator: 'Cast', inputs: ['capped'], outputs: ['logits'], attributes: { to: { integer: 1 } } },
    ];
    const inputs = { hidden: [1, 'sequence', 4] };
    const cap = { ...weights, cap: { dims: [1], values: [30] } };
    expect(ofSmall({ nodes, inputs, outputs: ['logits'], weights: cap })).to.equal('logits:7');
    // What two things that are computed are the sum of is none.
    const sum = [...nodes.slice(0, 1), { operator: 'Add', inputs: ['product', 'other'], outputs: ['logits'] }];
    expect(
      ofSmall({ nodes: sum, inputs: { ...inputs, other: [1, 'sequence', 7] }, outputs: ['logits'], weights }),
    ).to.equal('');
  });

  it('are a product of bytes that is multiplied by both scales', () => {
    expect(
      ofSmall({
        nodes: [
          { operator: 'DynamicQuantizeLinear', inputs: ['hidden'], outputs: ['bytes', 'scale', 'zero'] },
          { operator: 'MatMulInteger', inputs: ['bytes', 'weight', 'zero'], outputs: ['integers'] },
          { operator: 'Cast', inputs: ['integers'], outputs: ['floats'], attributes: { to: { integer: 1 } } },
          { operator: 'Mul', inputs: ['scale', 'weightScale'], outputs: ['scales'] },
          { operator: 'Mul', inputs: ['floats', 'scales'], outputs: ['logits'] },
        ],
        inputs: { hidden: [1, 'sequence', 4] },
        outputs: ['logits'],
        weights: {
          weight: { dims: [4, 7], values: new Array<number>(28).fill(2) },
          weightScale: { dims: [1], values: [0.1] },
        },
        types: { weight: dataType.int64 },
      }),
    ).to.equal('logits:7');
  });
});
