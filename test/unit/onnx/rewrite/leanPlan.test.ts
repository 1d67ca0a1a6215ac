import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { planLean } from '../../../../src/onnx/rewrite/leanPlan';
import { node, plainAttention, smallModel, type SmallGraph } from '../smallModel';

const softmax = node('Softmax', ['s'], ['p'], { axis: { integer: -1 } });
const [scores] = plainAttention.nodes;
const weighted = node('MatMul', ['p', 'v'], ['y']);

/** What is said against computing the only attention of a graph in blocks. */
function whyWhole(graph: SmallGraph): string | undefined {
  const { index, sites } = analyzeModel(readModel(smallModel(graph), 'small'));
  expect(sites.length).to.equal(1);
  const plan = planLean(index, sites[0]);
  if (plan.held !== 'recomputed') throw new Error(plan.reason);
  return plan.whyNotBlocked;
}

describe('attention that is computed in blocks', () => {
  it('is what has nothing but rows between queries and what values are weighted to', () => {
    expect(whyWhole(plainAttention)).to.equal(undefined);
    const cast = node('Cast', ['p'], ['c'], { to: { integer: 1 } });
    expect(whyWhole({ ...plainAttention, nodes: [scores, softmax, cast, node('MatMul', ['c', 'v'], ['y'])] })).to.equal(
      undefined,
    );
  });

  const { inputs } = plainAttention;
  const others: Readonly<Record<string, SmallGraph>> = {
    'its numbers may be of another width than 32 bits': {
      ...plainAttention,
      inputs: { ...inputs, half: [1] },
      types: { half: 10 },
    },
    'something else needs its scores or its weights': {
      ...plainAttention,
      nodes: [...plainAttention.nodes, node('Relu', ['p'], ['z'])],
      outputs: ['y', 'z'],
    },
    'its scores change the number of their axes': {
      ...plainAttention,
      nodes: [node('MatMul', ['q', 'kt'], ['r']), node('Reshape', ['r', 'shape'], ['s']), softmax, weighted],
      inputs: { ...inputs, v: [2, 'n', 4] },
      integers: { shape: [2, 6, 6] },
    },
    'its products are rounded with what they are made of': {
      ...plainAttention,
      nodes: [scores, softmax, weighted, node('QuantizeLinear', ['y', 'scale'], ['z'])],
      inputs: { ...inputs, scale: [] },
      outputs: ['z'],
      types: { z: 2 },
    },
  };
  for (const [reason, graph] of Object.entries(others))
    it(`is none where ${reason}`, () => {
      expect(whyWhole(graph)).to.equal(reason);
    });
});
