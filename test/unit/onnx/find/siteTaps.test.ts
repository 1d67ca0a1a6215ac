import { expect } from 'chai';
import { analyzeModel } from '../../../../src/onnx/find/analyzeModel';
import { siteTaps } from '../../../../src/onnx/find/siteTaps';
import { readModel } from '../../../../src/onnx/file/readModel';
import type { SiteTaps } from '../../../../src/onnx/name/taps';
import { plainAttention, smallModel, type SmallGraph, type SmallNode } from '../smallModel';

const matrix = { dims: [8, 8], values: Array.from({ length: 64 }, (_, i) => i) };
const shapes = { integers: { merged: [0, 0, 8] } };
const arranged: readonly SmallNode[] = [
  { operator: 'Transpose', inputs: ['y'], outputs: ['t'], attributes: { perm: { integers: [0, 2, 1, 3] } } },
  { operator: 'Reshape', inputs: ['t', 'merged'], outputs: ['r'] },
];

function tapsOf(graph: Partial<SmallGraph>): SiteTaps {
  const analysis = analyzeModel(
    readModel(smallModel({ ...plainAttention, ...shapes, weights: { w: matrix }, ...graph }), 'model.onnx'),
  );
  expect(analysis.sites).to.have.length(1);
  return siteTaps(analysis.index, analysis.sites[0]);
}

const withProjection = (...nodes: readonly SmallNode[]): Partial<SmallGraph> => ({
  nodes: [...plainAttention.nodes, ...arranged, ...nodes],
  outputs: ['o'],
});

describe('where the parts of an attention are in its graph', () => {
  it('queries and keys are operands of the scores’ product, values that of the weights’, each with its axes', () => {
    const { queries, keys, values, scores, projection } = tapsOf({});
    expect(queries).to.deep.equal({ tensor: 'q', positionAxis: -2, featureAxis: -1 });
    expect(keys).to.deep.equal({ tensor: 'kt', positionAxis: -1, featureAxis: -2 });
    expect(values).to.deep.equal({ tensor: 'v', positionAxis: -2, featureAxis: -1 });
    expect(scores).to.deep.equal({ tensor: 's', queryAxis: -2, keyAxis: -1, isZeroWhereMasked: false });
    expect(projection).to.equal('the graph projects its result nowhere');
  });

  it('the projection is the first product with a weight behind what only rearranges; a bias behind it is apart', () => {
    const { projection } = tapsOf({
      ...withProjection(
        { operator: 'MatMul', inputs: ['r', 'w'], outputs: ['m'] },
        { operator: 'Add', inputs: ['m', 'b'], outputs: ['o'] },
      ),
      weights: { w: matrix, b: { dims: [8], values: [1, 2, 3, 4, 5, 6, 7, 8] } },
    });
    expect(projection).to.deep.include({ between: [3, 4], context: 'r', result: 'm', output: 'o', isRounded: false });
    expect(projection).to.have.deep.property('weight', {
      tensor: 'w',
      order: [0, 1],
      numSummed: 1,
      scale: undefined,
    });
  });

  it('a Gemm’s weight may be turned and its bias is in what it gives; an Einsum’s weight may keep heads and features apart', () => {
    const gemm = tapsOf({
      ...withProjection(
        { operator: 'Reshape', inputs: ['r', 'rows'], outputs: ['g'] },
        { operator: 'Gemm', inputs: ['g', 'w', 'b'], outputs: ['o'], attributes: { transB: { integer: 1 } } },
      ),
      integers: { merged: [0, 0, 8], rows: [-1, 8] },
      weights: { w: matrix, b: { dims: [8], values: [1, 2, 3, 4, 5, 6, 7, 8] } },
    }).projection;
    expect(gemm).to.have.property('bias', 'b');
    expect(gemm).to.have.nested.property('weight.order').that.deep.equals([1, 0]);
    const einsum = tapsOf({
      nodes: [
        ...plainAttention.nodes,
        {
          operator: 'Einsum',
          inputs: ['y', 'w'],
          outputs: ['o'],
          attributes: { equation: { text: 'bhqd,mhd->bqm' } },
        },
      ],
      weights: { w: { dims: [8, 2, 4], values: matrix.values } },
      outputs: ['o'],
    }).projection;
    expect(einsum)
      .to.have.property('weight')
      .that.deep.includes({ order: [1, 2, 0], numSummed: 2 });
  });

  it('factors, and weights of few bits, are known to the projection’s own nodes alone', () => {
    const scaled = tapsOf({
      ...withProjection(
        { operator: 'Reshape', inputs: ['r', 'rows'], outputs: ['g'] },
        { operator: 'Gemm', inputs: ['g', 'w'], outputs: ['o'], attributes: { alpha: { float: 0.5 } } },
      ),
      integers: { merged: [0, 0, 8], rows: [-1, 8] },
    }).projection;
    expect(scaled).to.include({ weight: undefined, context: 'g' });
    const packed = tapsOf(
      withProjection({ operator: 'com.microsoft.MatMulNBits', inputs: ['r', 'w'], outputs: ['o'] }),
    ).projection;
    expect(packed).to.include({ weight: undefined, context: 'r', isRounded: false });
  });

  it('a gate or a norm before the projection is refused, with its operator', () => {
    expect(
      tapsOf({
        ...withProjection(
          { operator: 'Mul', inputs: ['r', 'gate'], outputs: ['gated'] },
          { operator: 'MatMul', inputs: ['gated', 'w'], outputs: ['o'] },
        ),
        inputs: { ...plainAttention.inputs, gate: [1, 'n', 8] },
      }).projection,
    ).to.equal('its result goes into Mul before any projection');
  });

  it('scores are those before a maximum is taken off and before a sink stands beside them', () => {
    const { scores } = tapsOf({
      nodes: [
        { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] },
        { operator: 'Concat', inputs: ['s', 'sink'], outputs: ['c'], attributes: { axis: { integer: 3 } } },
        {
          operator: 'ReduceMax',
          inputs: ['c'],
          outputs: ['max'],
          attributes: { axes: { integers: [-1] }, keepdims: { integer: 1 } },
        },
        { operator: 'Sub', inputs: ['c', 'max'], outputs: ['less'] },
        { operator: 'Softmax', inputs: ['less'], outputs: ['all'], attributes: { axis: { integer: -1 } } },
        { operator: 'Slice', inputs: ['all', 'from', 'to', 'along'], outputs: ['p'] },
        { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
      ],
      integers: { from: [0], to: [-1], along: [-1] },
      weights: { sink: { dims: [1, 2, 1, 1], values: [1, 2] } },
    });
    expect(scores).to.have.property('tensor', 's');
  });

  it('where the weights have a row for each key, queries and keys change places', () => {
    const { queries, keys, values } = tapsOf({
      nodes: [
        { operator: 'MatMul', inputs: ['k', 'qt'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -2 } } },
        { operator: 'MatMul', inputs: ['vt', 'p'], outputs: ['y'] },
      ],
      inputs: { k: [1, 2, 'n', 4], qt: [1, 2, 4, 'n'], vt: [1, 2, 4, 'n'] },
    });
    expect(queries).to.deep.equal({ tensor: 'qt', positionAxis: -1, featureAxis: -2 });
    expect(keys).to.deep.equal({ tensor: 'k', positionAxis: -2, featureAxis: -1 });
    expect(values).to.deep.equal({ tensor: 'vt', positionAxis: -1, featureAxis: -2 });
  });

  it('of grouped queries in one tensor with keys and values, the features of queries come first', () => {
    const { queries, keys } = tapsOf({
      nodes: [
        {
          operator: 'com.microsoft.GroupQueryAttention',
          inputs: ['qkv', '', '', '', '', 'lengths', 'total'],
          outputs: ['y'],
          attributes: { num_heads: { integer: 4 }, kv_num_heads: { integer: 2 } },
        },
      ],
      inputs: { qkv: [1, 'n', 64], lengths: [1], total: [] },
      types: { lengths: 6, total: 6 },
    });
    expect(queries).to.have.deep.property('merged', { numHeads: 4, first: 0, all: 8 });
    expect(keys).to.deep.equal({ tensor: 'attention-explorer/0/taps/key', positionAxis: -2, featureAxis: -1 });
  });

  describe('what an attention is added to', () => {
    /** Values are made of x; m is what the projection gives. */
    const residualOf = (...nodes: readonly SmallNode[]): SiteTaps['residual'] =>
      tapsOf({
        nodes: [
          { operator: 'MatMul', inputs: ['x', 'u'], outputs: ['v'] },
          ...plainAttention.nodes,
          ...arranged,
          { operator: 'MatMul', inputs: ['r', 'w'], outputs: ['m'] },
          ...nodes,
        ],
        inputs: { q: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], x: [1, 2, 'n', 4], other: [1, 'n', 8] },
        outputs: ['o'],
        weights: {
          w: matrix,
          u: { dims: [4, 4], values: Array.from({ length: 16 }, (_, i) => i) },
          gamma: { dims: [8], values: [1, 2, 3, 4, 5, 6, 7, 8] },
        },
      }).residual;
    const node = (operator: string, inputs: readonly string[], output: string): SmallNode => ({
      operator,
      inputs,
      outputs: [output],
    });

    it('is the stream that its values were made of, behind a factor and beside other branches', () => {
      expect(residualOf(node('Add', ['m', 'x'], 'o'))).to.deep.include({ isOfKeys: true, branch: undefined });
      const scaled = residualOf(node('Mul', ['m', 'gamma'], 'f'), node('Add', ['f', 'x'], 'o'));
      if (typeof scaled === 'string') throw new Error(scaled);
      expect(scaled.branch?.steps.map(({ kind }) => kind)).to.deep.equal(['factor']);
      const parallel = residualOf(node('Add', ['m', 'other'], 'both'), node('Add', ['both', 'x'], 'o'));
      expect(parallel).to.deep.include({ isOfKeys: true, branch: undefined });
      // In cross-attention it is what the queries were made of.
      expect(residualOf(node('Add', ['m', 'q'], 'o'))).to.deep.include({ isOfKeys: false, branch: undefined });
    });

    it('is told behind what moves rows, a shift that is undone by two slices among it, whose rows stand where the stream’s do', () => {
      const slices = [node('Slice', ['turned', 'from', 'to'], 'a'), node('Slice', ['turned', 'to', 'end'], 'b')];
      const moved = residualOf(
        node('Transpose', ['m'], 'turned'),
        ...slices,
        node('Concat', ['b', 'a'], 'rolled'),
        node('Add', ['rolled', 'x'], 'o'),
      );
      if (typeof moved === 'string') throw new Error(moved);
      expect([moved.isMoved, moved.branch?.steps, moved.origins.get(moved.stream)]).to.deep.equal([true, [], 'x']);
      expect([moved.branch?.given, moved.branch?.output].map((name) => moved.origins.get(name ?? ''))).to.deep.equal([
        'm',
        'rolled',
      ]);
      // Of slices that are not put together again a part is missing.
      expect(
        residualOf(
          node('Transpose', ['m'], 'turned'),
          ...slices,
          node('Concat', ['b', 'other'], 'c'),
          node('Add', ['c', 'x'], 'o'),
        ),
      ).to.match(/more than one place/);
    });

    it('is not told behind a factor of the input, behind what is not linear, or where several branches are changed together', () => {
      expect(residualOf(node('Mul', ['m', 'other'], 'f'), node('Add', ['f', 'x'], 'o'))).to.match(/goes through Mul/);
      expect(residualOf(node('Tanh', ['m'], 'f'), node('Add', ['f', 'x'], 'o'))).to.match(/goes through Tanh/);
      expect(
        residualOf(node('Add', ['m', 'other'], 'a'), node('Mul', ['a', 'gamma'], 'f'), node('Add', ['f', 'x'], 'o')),
      ).to.match(/together with other branches/);
      expect(residualOf(node('Tanh', ['m'], 'f'), node('Mul', ['m', 'f'], 'o'))).to.match(/more than one place/);
    });
  });
});
