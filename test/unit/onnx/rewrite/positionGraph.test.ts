import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { positionGraph } from '../../../../src/onnx/rewrite/positionGraph';
import { readModel } from '../../../../src/onnx/file/readModel';
import { node, smallModel, weight, type SmallGraph, type SmallNode } from '../smallModel';

/** Attention among the cells of a convolution, with something between. */
const tower = (between: readonly SmallNode[], kernel: readonly number[] = [2, 2]): SmallGraph => ({
  nodes: [
    node('Conv', ['pixels', 'patches'], ['c'], { strides: { integers: [2, 2] }, kernel_shape: { integers: kernel } }),
    ...between,
    node('Reshape', ['d', 'flat'], ['f']),
    node('Transpose', ['f'], ['x'], { perm: { integers: [0, 2, 1] } }),
    node('MatMul', ['x', 'wq'], ['q']),
    node('MatMul', ['x', 'wk'], ['k']),
    node('Transpose', ['k'], ['kt'], { perm: { integers: [0, 2, 1] } }),
    node('MatMul', ['q', 'kt'], ['s']),
    node('Softmax', ['s'], ['p'], { axis: { integer: -1 } }),
    node('MatMul', ['p', 'x'], ['y']),
  ],
  inputs: { pixels: [1, 3, 8, 8] },
  outputs: ['y'],
  weights: { patches: weight(4, 3, 2, 2), wq: weight(4, 4), wk: weight(4, 4) },
  integers: { flat: [1, 4, -1] },
});
const placesOf = (graph: SmallGraph): unknown[] => {
  const { index, sites } = analyzeModel(readModel(smallModel(graph), 'model.onnx'));
  return [...positionGraph(index, sites, 'pixels').sites.values()];
};

describe('the graph that carries positions', () => {
  it('follows patches to queries and keys', () => {
    const [place] = placesOf(tower([node('Relu', ['c'], ['d'])]));
    expect(place).to.have.keys('rows', 'columns', 'numOwnAxes');
  });

  it('names the operator behind which patches are lost', () => {
    expect(placesOf(tower([node('CumSum', ['c', 'flat'], ['d'])]))).to.deep.equal([
      'the way from the picture’s patches to it goes through CumSum',
    ]);
  });

  it('is told by values what of it is chosen, as where tiles that are empty are left out', () => {
    const graph = tower([node('Relu', ['c'], ['d'])]);
    const chosen: SmallGraph = {
      ...graph,
      nodes: [
        node('Equal', ['pixels', 'none'], ['empty']),
        node('Not', ['empty'], ['there']),
        node('Cast', ['there'], ['counts'], { to: { integer: 1 } }),
        node('ReduceMax', ['counts'], ['any'], { axes: { integers: [1, 2, 3] }, keepdims: { integer: 0 } }),
        node('NonZero', ['any'], ['items']),
        node('Transpose', ['items'], ['places'], { perm: { integers: [1, 0] } }),
        node('GatherND', ['pixels', 'places'], ['chosen']),
        ...graph.nodes.map((each) =>
          each.operator === 'Conv' ? { ...each, inputs: ['chosen', ...each.inputs.slice(1)] } : each,
        ),
      ],
      weights: { ...graph.weights, none: weight(1) },
    };
    const { index, sites } = analyzeModel(readModel(smallModel(chosen), 'model.onnx'));
    const made = positionGraph(index, sites, 'pixels');
    expect(made.values).to.have.length(1);
    expect([...made.sites.values()][0]).to.have.keys('rows', 'columns', 'numOwnAxes');
    expect(positionGraph(index, [], 'pixels').values).to.deep.equal([]);
  });

  it('makes no kernel of the size that a file likes to state', () => {
    for (const kernel of [
      [2 ** 20, 2 ** 20],
      [-1, 4],
      [0, 0],
    ])
      expect(placesOf(tower([node('Relu', ['c'], ['d'])], kernel)), String(kernel)).to.deep.equal([
        'the way from the picture’s patches to it goes through Conv',
      ]);
  });
});
