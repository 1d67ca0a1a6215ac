import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { noAttention } from '../../../../src/onnx/find/definition';
import { readModel } from '../../../../src/onnx/file/readModel';
import { node, smallModel, weight, type SmallGraph, type SmallNode } from '../smallModel';

const swap = { perm: { integers: [0, 2, 1] } };
const last = { axis: { integer: -1 } };
const projections = { wq: weight(4, 4), wk: weight(4, 4), wv: weight(4, 4) };
const projected = [
  node('MatMul', ['x', 'wq'], ['q']),
  node('MatMul', ['x', 'wk'], ['k']),
  node('MatMul', ['x', 'wv'], ['v']),
];
const turned = [
  node('Transpose', ['q'], ['qt'], swap),
  node('Transpose', ['k'], ['kt'], swap),
  node('Transpose', ['v'], ['vt'], swap),
];
/** What is drawn, and the reasons that are named, of a graph over x: [b, n, 4]. */
const found = (nodes: SmallNode[], more: Partial<SmallGraph> = {}): { drawn: string[]; reasons: string[] } => {
  const graph = { nodes, inputs: { x: ['b', 'n', 4] }, outputs: ['y'], weights: projections, ...more };
  const { sites, missed } = analyzeModel(readModel(smallModel(graph), 'model.onnx'));
  return { drawn: sites.map(({ method }) => method), reasons: missed.map(({ reason }) => reason) };
};

/** Softmax of scores between positions, then values: and each of the two with features in the place of positions. */
const plain = (asks: string, keys: string, values: string): SmallNode[] => [
  ...projected,
  ...turned,
  node('MatMul', [asks, keys], ['s']),
  node('Softmax', ['s'], ['p'], last),
  node('MatMul', ['p', values], ['y']),
];
const fused = (...inputs: string[]): SmallNode[] => [
  ...projected,
  ...turned,
  node('com.microsoft.MultiHeadAttention', inputs, ['y'], { num_heads: { integer: 1 } }),
];
const linear = (asks: string, keys: string, values: string): SmallNode[] => [
  ...projected,
  ...turned,
  node('MatMul', [keys, values], ['kv']),
  node('MatMul', [asks, 'kv'], ['y']),
];

describe('the definition of attention', () => {
  it('refuses keys that are features, in every form', () => {
    const { keysAreFeatures } = noAttention;
    expect(found(plain('q', 'kt', 'v'))).to.deep.equal({ drawn: ['exposed'], reasons: [] });
    expect(found(plain('qt', 'k', 'vt'))).to.deep.equal({ drawn: [], reasons: [keysAreFeatures] });
    expect(found(fused('q', 'k', 'v'))).to.deep.equal({ drawn: ['probed'], reasons: [] });
    expect(found(fused('qt', 'kt', 'vt'))).to.deep.equal({ drawn: [], reasons: [keysAreFeatures] });
    expect(found(linear('q', 'kt', 'v'))).to.deep.equal({ drawn: ['derived'], reasons: [] });
    expect(found(linear('qt', 'k', 'vt'))).to.deep.equal({ drawn: [], reasons: [keysAreFeatures] });
  });

  it('also where the weights are a quantised operator’s result', () => {
    const quantized = (asks: string, keys: string, values: string): SmallNode[] => [
      ...plain(asks, keys, values).slice(0, -2),
      node('QuantizeLinear', ['s', 'scale', 'zero'], ['s8']),
      node('com.microsoft.QLinearSoftmax', ['s8', 'scale', 'zero', 'scale', 'zero'], ['p8'], {
        axis: { integer: -1 },
        opset: { integer: 13 },
      }),
      node('QuantizeLinear', [values, 'scale', 'zero'], ['v8']),
      node('QLinearMatMul', ['p8', 'scale', 'zero', 'v8', 'scale', 'zero', 'scale', 'zero'], ['y8']),
      node('DequantizeLinear', ['y8', 'scale', 'zero'], ['y']),
    ];
    const weights = { ...projections, scale: weight(), zero: { dims: [], values: [0] } };
    expect(found(quantized('q', 'kt', 'v'), { weights }).drawn).to.deep.equal(['rebuilt']);
    expect(found(quantized('qt', 'k', 'vt'), { weights })).to.deep.equal({
      drawn: [],
      reasons: [noAttention.keysAreFeatures],
    });
  });

  it('refuses queries that are features, but not those that the model has learned', () => {
    const { queriesAreFeatures } = noAttention;
    // Every feature asks the positions: a softmax over positions of features times positions.
    const pooled: SmallNode[] = [
      ...projected,
      ...turned,
      node('MatMul', ['qt', 'z'], ['s']),
      node('Softmax', ['s'], ['p'], last),
      node('MatMul', ['p', 'v'], ['y']),
    ];
    expect(found(pooled, { inputs: { x: ['b', 'n', 4], z: ['b', 'n', 'n'] } })).to.deep.equal({
      drawn: [],
      reasons: [queriesAreFeatures],
    });
    expect(found(fused('qt', 'mem', 'mem'), { inputs: { x: ['b', 'n', 4], mem: ['b', 'm', 'n'] } })).to.deep.equal({
      drawn: [],
      reasons: [queriesAreFeatures],
    });
    const asks = { ...projections, asks: weight(1, 3, 4) };
    expect(found(fused('asks', 'k', 'v'), { weights: asks }).drawn).to.deep.equal(['probed']);
    expect(found(plain('asks', 'kt', 'v'), { weights: asks }).drawn).to.deep.equal(['exposed']);
  });

  it('refuses keys that are the items of a batch, where its axis has that name or a convolution begins with it', () => {
    const { keysAreItems } = noAttention;
    const first = { perm: { integers: [1, 0, 2] } };
    const across = [
      ...projected,
      node('Transpose', ['q'], ['qi'], first),
      node('Transpose', ['k'], ['ki'], { perm: { integers: [1, 2, 0] } }),
      node('Transpose', ['v'], ['vi'], first),
      node('MatMul', ['qi', 'ki'], ['s']),
      node('Softmax', ['s'], ['p'], last),
      node('MatMul', ['p', 'vi'], ['y']),
    ];
    const refused = { drawn: [], reasons: [keysAreItems] };
    expect(found(across, { inputs: { x: ['batch_size', 'n', 4] } })).to.deep.equal(refused);
    // Of another name they may be positions.
    expect(found(across, { inputs: { x: ['m', 'n', 4] } }).drawn).to.deep.equal(['exposed']);
    const pictures: SmallNode[] = [
      node('Conv', ['pixels', 'kernel'], ['patches']),
      node('Reshape', ['patches', 'flat'], ['turned']),
      node('Transpose', ['turned'], ['x'], swap),
      ...across,
    ];
    const conv = {
      inputs: { pixels: ['m', 3, 8, 8] },
      weights: { ...projections, kernel: weight(4, 3, 4, 4) },
      integers: { flat: [0, 4, -1] },
    };
    expect(found(pictures, conv)).to.deep.equal(refused);
    expect(
      found(
        [
          ...across.slice(0, 5),
          node('Transpose', ['k'], ['kt'], first),
          node('com.microsoft.MultiHeadAttention', ['qi', 'kt', 'vi'], ['y'], { num_heads: { integer: 1 } }),
        ],
        { inputs: { x: ['batch', 'n', 4] } },
      ),
    ).to.deep.equal(refused);
  });

  it('but not the one patch that keys were pooled to, in a batch of one', () => {
    const heads = { perm: { integers: [0, 2, 1, 3] } };
    const pooled: SmallNode[] = [
      node('Conv', ['pixels', 'kernel'], ['patches'], { strides: { integers: [4, 4] } }),
      node('Reshape', ['patches', 'four'], ['turned']),
      node('Transpose', ['turned'], ['x'], swap),
      node('Reshape', ['x', 'ofFour'], ['asked']),
      node('Transpose', ['asked'], ['q'], heads),
      node('Conv', ['patches', 'pool'], ['one']),
      node('Reshape', ['one', 'alone'], ['only']),
      node('Transpose', ['only'], ['read'], swap),
      node('Reshape', ['read', 'ofOne'], ['key']),
      node('Transpose', ['key'], ['kt'], { perm: { integers: [0, 2, 3, 1] } }),
      node('Transpose', ['key'], ['v'], heads),
      node('MatMul', ['q', 'kt'], ['s']),
      node('Softmax', ['s'], ['p'], last),
      node('MatMul', ['p', 'v'], ['y']),
    ];
    const pictured = {
      inputs: { pixels: [1, 3, 8, 8] },
      weights: { kernel: weight(4, 3, 4, 4), pool: weight(4, 4, 2, 2) },
      integers: { four: [1, 4, 4], alone: [1, 4, 1], ofFour: [1, 4, 1, 4], ofOne: [1, 1, 1, 4] },
    };
    expect(found(pooled, pictured)).to.deep.equal({ drawn: ['exposed'], reasons: [] });
  });

  it('of what a weight scores, refuses what sums over the weight’s own axis, and values of another stream', () => {
    const { sumsOthers, valuesAreOthers } = noAttention;
    const scored = (axis: number, rest: SmallNode[]): SmallNode[] => [
      node('MatMul', ['x', 'wq'], ['s']),
      node('Softmax', ['s'], ['p'], { axis: { integer: axis } }),
      ...rest,
    ];
    const inputs = { x: ['b', 'n', 4], z: ['b', 'n', 4], memory: ['b', 4, 3] };
    const turnedWeights = [node('Transpose', ['p'], ['pt'], swap)];
    expect(found(scored(1, [...turnedWeights, node('MatMul', ['pt', 'x'], ['y'])]), { inputs }).drawn).to.deep.equal([
      'exposed',
    ]);
    expect(found(scored(1, [...turnedWeights, node('MatMul', ['pt', 'z'], ['y'])]), { inputs })).to.deep.equal({
      drawn: [],
      reasons: [valuesAreOthers],
    });
    const { drawn, reasons } = found(scored(-1, [node('MatMul', ['p', 'memory'], ['y'])]), { inputs });
    expect(drawn).to.deep.equal([]);
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.match(new RegExp(`^${sumsOthers.replace(/[()]/g, '\\$&')}$|^it weighs alternatives`));
  });

  it('knows values that are weighted by a product and a sum only where that is sure to be over the keys', () => {
    const { sumsOthers, valuesAreOthers } = noAttention;
    const notKnown = 'the way from its result to a product with values is not one that is known';
    const summed = (axis: number, values: string, to = axis): SmallNode[] => [
      node('MatMul', ['x', 'column'], ['s']),
      node('Softmax', ['s'], ['p'], { axis: { integer: axis } }),
      node('Mul', [values, 'p'], ['m']),
      node('ReduceSum', ['m', `to${to}`], ['y'], { keepdims: { integer: 0 } }),
    ];
    const given: Partial<SmallGraph> = {
      inputs: { x: ['batch_size', 'n', 4], z: ['batch_size', 'n', 4] },
      weights: { column: weight(4, 1), table: weight(7, 4), four: weight(4, 4) },
      integers: { to0: [0], to1: [1], to2: [2], both: [1, 2] },
    };
    const pooled = { drawn: ['exposed'], reasons: [] };
    expect(found(summed(1, 'x'), given)).to.deep.equal(pooled);
    // Of an old version, in which a softmax is over all axes from one on.
    const before = (nodes: SmallNode[]): SmallNode[] => [
      ...nodes.slice(0, -1),
      node('ReduceSum', ['m'], ['y'], { axes: { integers: [1] } }),
    ];
    expect(found(before(summed(1, 'x')), { ...given, opset: 11 })).to.deep.equal(pooled);
    expect(found(before(summed(0, 'x')), { ...given, opset: 11 }).drawn).to.deep.equal([]);
    // Of the other axes, and of values of another stream.
    expect(found(summed(2, 'x', 1), given).drawn).to.deep.equal([]);
    expect(found(summed(1, 'x', 2), given).drawn).to.deep.equal([]);
    expect(found(summed(0, 'x'), given).drawn).to.deep.equal([]);
    expect(found(summed(1, 'z'), given)).to.deep.equal({ drawn: [], reasons: [valuesAreOthers] });
    const both = [...summed(1, 'x').slice(0, -1), node('ReduceSum', ['m', 'both'], ['y'])];
    expect(found(both, given)).to.deep.equal({ drawn: [], reasons: [notKnown] });
    // What is weighted with is not the weights: something is added to them, or another function made of them.
    for (const operator of ['Add', 'Log', 'Relu']) {
      const changed = [
        ...summed(1, 'x').slice(0, 2),
        node(operator, operator === 'Add' ? ['p', 's'] : ['p'], ['c']),
        node('Mul', ['x', 'c'], ['m']),
        node('ReduceSum', ['m', 'to1'], ['y']),
      ];
      expect(found(changed, given).drawn, operator).to.deep.equal([]);
    }
    // A router of whole texts weighs as many experts as there are, whose outputs lie beside one another.
    const routed = [
      node('MatMul', ['x', 'four'], ['s']),
      node('Softmax', ['s'], ['p'], last),
      node('Unsqueeze', ['p', 'to2'], ['u']),
      node('Mul', ['u', 'e'], ['m']),
      node('ReduceSum', ['m', 'to1'], ['y']),
    ];
    const { drawn, reasons } = found(routed, { ...given, inputs: { x: ['t', 4], e: ['t', 4, 4] } });
    expect(drawn).to.deep.equal([]);
    expect(reasons.join()).to.match(new RegExp(`^${sumsOthers.replace(/[()]/g, '\\$&')}$|^it weighs alternatives`));
  });

  it('and scores that are normalised both ways: positions handed to experts and taken back', () => {
    const { drawn, reasons } = found([
      ...projected,
      node('MatMul', ['x', 'wq'], ['s']),
      node('Transpose', ['s'], ['st'], swap),
      node('Softmax', ['st'], ['other'], { axis: { integer: 1 } }),
      node('Softmax', ['s'], ['p'], { axis: { integer: 1 } }),
      node('Softmax', ['s'], ['back'], last),
      node('Transpose', ['p'], ['pt'], swap),
      node('MatMul', ['pt', 'v'], ['handed']),
      node('Relu', ['handed'], ['done']),
      node('MatMul', ['back', 'done'], ['y']),
    ]);
    expect(drawn).to.deep.equal([]);
    expect(reasons).to.include(noAttention.normalizedTwice);
  });
});
