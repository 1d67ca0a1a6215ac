import { expect } from 'chai';
import { readModel } from '../../../../src/onnx/file/readModel';
import { scaledOperand } from '../../../../src/onnx/follow/innerProduct';
import { isOneNumber } from '../../../../src/onnx/follow/oneNumber';
import { GraphIndex } from '../../../../src/onnx/graph/graphIndex';
import { node, smallModel, weight, type SmallGraph } from '../smallModel';

const float = { to: { integer: 1 } };

describe('what is sure to hold one number', () => {
  const graph: SmallGraph = {
    nodes: [
      node('Shape', ['x'], ['dims']),
      node('Slice', ['dims', 'last', 'end'], ['length']),
      node('Cast', ['length'], ['width'], float),
      node('Sqrt', ['width'], ['root']),
      node('Slice', ['dims', 'first', 'end'], ['all']),
      node('Cast', ['all'], ['widths'], float),
      node('Mul', ['root', 'row'], ['scaled']),
      node('Gather', ['dims', 'last'], ['gathered']),
      node('Gather', ['dims', 'both'], ['two']),
      node('Size', ['x'], ['size']),
      node('Cast', ['size'], ['count'], float),
      node('Max', ['root', 'count', 'one'], ['most']),
      node('DynamicQuantizeLinear', ['x'], ['bytes', 'step', 'zero']),
      node('Div', ['step', 'most'], ['rate']),
      node('Mul', ['x', 'rate'], ['y']),
      node('Mul', ['x', 'given'], ['z']),
      node('Mul', ['x', 'row'], ['w']),
    ],
    inputs: { x: ['n', 4], given: [1, 1] },
    outputs: ['w', 'y', 'z', 'widths', 'scaled', 'gathered', 'two', 'bytes', 'zero'],
    weights: { row: weight(4), one: weight(1) },
    integers: { last: [-1], first: [0], both: [0, 1], end: [2 ** 31 - 1] },
    types: { gathered: 7, two: 7, bytes: 2, zero: 2 },
  };
  const index = new GraphIndex(readModel(smallModel(graph), 'small'));
  const ofOne = (withActivations: boolean): string[] =>
    [
      'one',
      'root',
      'gathered',
      'count',
      'most',
      'step',
      'zero',
      'rate',
      'given',
      'widths',
      'two',
      'scaled',
      'bytes',
      'x',
      'row',
    ].filter((name) => isOneNumber(index, name, { withActivations }));

  it('is what is made of constants, of lengths, of counts and of scales of rounding', () => {
    const made = ['one', 'root', 'gathered', 'count', 'most', 'step', 'zero', 'rate'];
    expect(ofOne(false)).to.deep.equal(made);
    expect(ofOne(true)).to.deep.equal([...made, 'given']);
  });

  it('and where scales are looked for, nothing that the model reads', () => {
    const scaled = (name: string): string | undefined => scaledOperand(index, index.producer(name) ?? -1);
    expect(['y', 'z', 'w'].map(scaled)).to.deep.equal(['x', undefined, undefined]);
  });
});
