import { expect } from 'chai';
import { analyzeModel, type ModelAnalysis } from '../../../../src/onnx/find/analyzeModel';
import { axesOf } from '../../../../src/onnx/follow/axisInference';
import { dataType } from '../../../../src/onnx/file/dataType';
import { readModel } from '../../../../src/onnx/file/readModel';
import { smallModel, type SmallGraph, type SmallNode } from '../smallModel';

const analyze = (graph: SmallGraph): ModelAnalysis => analyzeModel(readModel(smallModel(graph), 'model.onnx'));
const node = (
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: SmallNode['attributes'] = {},
  name = '',
): SmallNode => ({ operator, inputs, outputs, attributes, name });
const weight = (...dims: number[]): { dims: number[]; values: number[] } => ({
  dims,
  values: new Array<number>(dims.reduce((product, dim) => product * dim, 1)).fill(0.5),
});
const swap = { perm: { integers: [0, 2, 1] } };
const last = { axis: { integer: -1 } };

/** One attention without heads: `name`o = softmax(from·wq (to·wk)ᵀ) (to·wv). */
const attention = (name: string, from: string, to = from): SmallNode[] => [
  node('MatMul', [from, 'wq'], [`${name}q`]),
  node('MatMul', [to, 'wk'], [`${name}k`]),
  node('MatMul', [to, 'wv'], [`${name}v`]),
  node('Transpose', [`${name}k`], [`${name}kt`], swap),
  node('MatMul', [`${name}q`, `${name}kt`], [`${name}s`]),
  node('Softmax', [`${name}s`], [`${name}p`], last),
  node('MatMul', [`${name}p`, `${name}v`], [`${name}o`]),
];
const projections = { wq: weight(4, 4), wk: weight(4, 4), wv: weight(4, 4), wo: weight(4, 4) };
const projected = [
  node('MatMul', ['x', 'wq'], ['q']),
  node('MatMul', ['x', 'wk'], ['k']),
  node('MatMul', ['x', 'wv'], ['v']),
];
/** … with its projection and the residual sum behind it. */
const block = (name: string, from: string, to = from): SmallNode[] => [
  ...attention(name, from, to),
  node('MatMul', [`${name}o`, 'wo'], [`${name}r`]),
  node('Add', [from, `${name}r`], [`${name}x`]),
];
const places = ({ sites }: ModelAnalysis): string[] =>
  sites.map(({ tensor, component, layer }) => `${tensor} ${component} ${layer}`);
const input = { x: ['b', 'n', 4] };

describe('what is attention and what is not', () => {
  /** Two products with experts' matrices, and a gate of the kind between them. */
  const experts = (select: (weights: string, to: string) => SmallNode[], gate: SmallNode[]): SmallGraph => ({
    nodes: [
      node('MatMul', ['x', 'router'], ['r']),
      node('Softmax', ['r'], ['chances'], last),
      node('ArgMax', ['chances'], ['best'], { axis: { integer: -1 }, keepdims: { integer: 0 } }),
      node('Unsqueeze', ['x', 'axis'], ['rows']),
      ...select('up', 'u'),
      ...select('down', 'd'),
      node('MatMul', ['rows', 'u'], ['h']),
      ...gate,
      node('MatMul', ['g', 'd'], ['y']),
    ],
    inputs: { x: ['n', 4] },
    outputs: ['y'],
    weights: { router: weight(4, 3), up: weight(3, 4, 4), down: weight(3, 4, 4), two: weight() },
    integers: { axis: [1] },
  });
  const silu = [node('Sigmoid', ['h'], ['o']), node('Mul', ['h', 'o'], ['g'])];
  const squaredRelu = [node('Relu', ['h'], ['o']), node('Pow', ['o', 'two'], ['g'])];

  it('does not draw experts, however a router selects their matrices', () => {
    const selections: ((weights: string, to: string) => SmallNode[])[] = [
      (weights, to) => [node('Gather', [weights, 'best'], [to])],
      (weights, to) => [node('Unsqueeze', ['best', 'axis'], [`${to}i`]), node('GatherND', [weights, `${to}i`], [to])],
      (weights, to) => [
        node('Gather', [weights, 'best'], [`${to}g`]),
        node('Transpose', [`${to}g`], [`${to}t`], swap),
        node('Mul', [`${to}t`, 'two'], [to]),
      ],
      (weights, to) => [node('Einsum', ['chances', weights], [to], { equation: { text: 'ne,edf->ndf' } })],
    ];
    for (const select of selections)
      for (const gate of [silu, squaredRelu]) expect(analyze(experts(select, gate)).sites).to.deep.equal([]);
  });

  it('still draws attention to rows of an embedding table', () => {
    const graph: SmallGraph = {
      nodes: [
        node('Gather', ['table', 'ids'], ['x']),
        node('Transpose', ['x'], ['xt'], swap),
        node('MatMul', ['x', 'xt'], ['s']),
        node('Softmax', ['s'], ['p'], last),
        node('MatMul', ['p', 'x'], ['y']),
      ],
      inputs: { ids: ['b', 'n'] },
      types: { ids: 7 },
      outputs: ['y'],
      weights: { table: weight(9, 4) },
    };
    expect(places(analyze(graph))).to.deep.equal(['p self 0']);
  });

  it('takes no table of places for features: the parts of it that a text needs are its positions', () => {
    const graph: SmallGraph = {
      nodes: [
        node('Shape', ['ids'], ['shape']),
        node('Gather', ['shape', 'one'], ['length'], { axis: { integer: 0 } }),
        node('Slice', ['places', 'zero', 'length', 'one'], ['own']),
        node('Gather', ['table', 'own'], ['x']),
        ...attention('a', 'x'),
      ],
      inputs: { ids: [1, 'n'] },
      types: { ids: 7, places: 7 },
      outputs: ['ao'],
      weights: { ...projections, places: { dims: [1, 9], values: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, table: weight(9, 4) },
      integers: { zero: [0], one: [1] },
    };
    expect(places(analyze(graph))).to.deep.equal(['ap self 0']);
  });

  it('names attention between channels and does not draw it', () => {
    const { sites, missed } = analyze({
      nodes: [
        ...projected,
        node('Transpose', ['q'], ['qt'], swap),
        node('MatMul', ['qt', 'k'], ['s']),
        node('Softmax', ['s'], ['p'], last),
        node('Transpose', ['v'], ['vt'], swap),
        node('MatMul', ['p', 'vt'], ['y']),
      ],
      inputs: input,
      outputs: ['y'],
      weights: projections,
    });
    expect(sites).to.deep.equal([]);
    expect(missed.map(({ operator, reason }) => `${operator}: ${reason}`)).to.deep.equal([
      'Softmax: it weights features, not positions',
    ]);
  });

  it('does not draw rows that are cut along their keys and weight values in several products', () => {
    /** Queries read keys in two parts, of which one row of weights is made; `cut` parts them again. */
    const parts = (cut: SmallNode[]): SmallGraph => ({
      nodes: [
        node('MatMul', ['x', 'wq'], ['q']),
        node('MatMul', ['x', 'wk'], ['k']),
        node('MatMul', ['g', 'wk'], ['gk']),
        node('MatMul', ['x', 'wv'], ['v']),
        node('MatMul', ['g', 'wv'], ['gv']),
        node('Transpose', ['k'], ['kt'], swap),
        node('Transpose', ['gk'], ['gkt'], swap),
        node('MatMul', ['q', 'gkt'], ['gs']),
        node('MatMul', ['q', 'kt'], ['ls']),
        node('Concat', ['gs', 'ls'], ['s'], last),
        node('Softmax', ['s'], ['p'], last),
        ...cut,
        node('MatMul', ['pg', 'gv'], ['yg']),
        node('MatMul', ['pl', 'v'], ['yl']),
        node('Add', ['yg', 'yl'], ['y']),
      ],
      inputs: { x: ['b', 'n', 4], g: ['b', 3, 4] },
      outputs: ['y'],
      weights: projections,
      integers: { zero: [0], three: [3], end: [1000], axis: [2], sizes: [3, 8] },
    });
    const cuts = [
      [node('Slice', ['p', 'zero', 'three', 'axis'], ['pg']), node('Slice', ['p', 'three', 'end', 'axis'], ['pl'])],
      [node('Cast', ['p'], ['c'], { to: { integer: 1 } }), node('Split', ['c', 'sizes'], ['pg', 'pl'], last)],
    ];
    for (const cut of cuts) {
      const { sites, missed } = analyze(parts(cut));
      expect(sites).to.deep.equal([]);
      expect(missed.map(({ operator, reason, isOther }) => `${operator}: ${reason}: ${isOther}`)).to.deep.equal([
        'Softmax: its rows are cut along the keys and weight values in several products (blocks beside global tokens): undefined',
      ]);
    }
  });

  it('nor a part of them, where another goes a way that is not known', () => {
    const graph: SmallGraph = {
      nodes: [
        ...attention('a', 'x').slice(0, -1),
        node('Slice', ['ap', 'zero', 'three', 'axis'], ['pg']),
        node('Slice', ['ap', 'three', 'end', 'axis'], ['pl']),
        node('Slice', ['av', 'zero', 'three', 'positions'], ['vg']),
        node('MatMul', ['pg', 'vg'], ['y']),
        node('Pad', ['pl', 'pads'], ['band']),
      ],
      inputs: input,
      outputs: ['y', 'band'],
      weights: projections,
      integers: { zero: [0], three: [3], end: [1000], axis: [-1], positions: [1], pads: [0, 0, 0, 0, 0, 1] },
    };
    expect(analyze(graph).sites).to.deep.equal([]);
  });

  it('but draws what is left of rows without a sink, and heads that are parted from one another', () => {
    const sink: SmallGraph = {
      nodes: [
        ...attention('a', 'x').slice(0, -2),
        node('Concat', ['as', 'as'], ['s'], last),
        node('Softmax', ['s'], ['p'], last),
        node('Shape', ['as'], ['shape']),
        node('Gather', ['shape', 'two'], ['length'], { axis: { integer: 0 } }),
        node('Slice', ['p', 'zero', 'length', 'two'], ['kept']),
        node('MatMul', ['kept', 'av'], ['y']),
      ],
      inputs: input,
      outputs: ['y'],
      weights: projections,
      integers: { zero: [0], two: [2] },
    };
    expect(analyze(sink).sites.map(({ tensor }) => tensor)).to.deep.equal(['kept']);
    const heads: SmallGraph = {
      nodes: [
        ...attention('a', 'x').slice(0, -1),
        node('Split', ['ap', 'sizes'], ['p0', 'p1'], { axis: { integer: 0 } }),
        node('Split', ['av', 'sizes'], ['v0', 'v1'], { axis: { integer: 0 } }),
        node('MatMul', ['p0', 'v0'], ['y0']),
        node('MatMul', ['p1', 'v1'], ['y1']),
      ],
      inputs: { x: [2, 'n', 4] },
      outputs: ['y0', 'y1'],
      weights: projections,
      integers: { sizes: [1, 1] },
    };
    expect(analyze(heads).sites.map(({ tensor }) => tensor)).to.deep.equal(['p0', 'p1']);
  });

  it('follows scores into a part of which a bias is written in place', () => {
    const { sites } = analyze({
      nodes: [
        ...projected,
        node('Transpose', ['k'], ['kt'], swap),
        node('MatMul', ['q', 'kt'], ['s']),
        node('Slice', ['s', 'from', 'to', 'axes'], ['part']),
        node('Add', ['part', 'bias'], ['biased']),
        node('ScatterND', ['s', 'places', 'biased'], ['all']),
        node('Softmax', ['all'], ['p'], last),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      inputs: { ...input, places: ['b', 'n', 'm', 3] },
      types: { places: dataType.int64 },
      outputs: ['y'],
      weights: { ...projections, bias: weight(1) },
      integers: { from: [1, 1], to: [99, 99], axes: [1, 2] },
    });
    expect(sites.map(({ tensor, queries, keys, chain }) => ({ tensor, queries, keys, chain }))).to.deep.equal([
      { tensor: 'p', queries: 'q', keys: 'kt', chain: ['MatMul', 'ScatterND', 'Softmax'] },
    ]);
  });

  it('says of linear attention that is scaled at the end that its matrix lacks the factor', () => {
    const linear = (end: SmallNode[]): string[] =>
      analyze({
        nodes: [
          ...projected,
          node('Softmax', ['k'], ['over'], { axis: { integer: 1 } }),
          node('Transpose', ['over'], ['kt'], swap),
          node('MatMul', ['kt', 'v'], ['kv']),
          node('MatMul', ['q', 'kv'], ['z']),
          ...end,
        ],
        inputs: input,
        outputs: ['y'],
        weights: { ...projections, factor: weight(1) },
      }).sites.flatMap(({ notes }) => notes);
    const told = 'up to a constant factor';
    expect(linear([node('Mul', ['z', 'factor'], ['y'])])).to.include(told);
    expect(linear([node('MatMul', ['z', 'wq'], ['y'])]))
      .to.have.length.above(0)
      .and.not.include(told);
  });

  it('finds queries that are a constant, on either side of the product', () => {
    const left: SmallGraph = {
      nodes: [
        node('MatMul', ['x', 'wk'], ['k']),
        node('Transpose', ['k'], ['kt'], swap),
        node('MatMul', ['asks', 'kt'], ['s']),
        node('Softmax', ['s'], ['p'], last),
        node('MatMul', ['x', 'wv'], ['v']),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      inputs: input,
      outputs: ['y'],
      weights: { ...projections, asks: weight(1, 5, 4) },
    };
    expect(analyze(left).sites[0]).to.include({ tensor: 'p', queryAxis: -2, keyAxis: -1, queries: 'asks', keys: 'kt' });
    const right: SmallGraph = {
      ...left,
      nodes: [
        node('MatMul', ['x', 'column'], ['s']),
        node('Softmax', ['s'], ['p'], { axis: { integer: 1 } }),
        node('Transpose', ['p'], ['pt'], swap),
        node('MatMul', ['pt', 'x'], ['y']),
      ],
      weights: { column: weight(4, 1) },
    };
    expect(analyze(right).sites[0]).to.include({ tensor: 'p', queryAxis: -1, keyAxis: -2 });
    const pooled: SmallGraph = {
      ...right,
      nodes: [
        node('MatMul', ['x', 'column'], ['s']),
        node('Squeeze', ['s', 'end'], ['flat']),
        node('Softmax', ['flat'], ['w'], last),
        node('Unsqueeze', ['w', 'middle'], ['p']),
        node('MatMul', ['p', 'x'], ['y']),
      ],
      integers: { end: [-1], middle: [1] },
    };
    expect(analyze(pooled).sites[0]).to.include({ tensor: 'p', queryAxis: -2, keyAxis: -1 });
  });

  it('follows heads that talk to one another, before the softmax and behind it, in every notation', () => {
    const toLast = { perm: { integers: [0, 2, 3, 1] } };
    const back = { perm: { integers: [0, 3, 1, 2] } };
    type Mix = (from: string, to: string) => SmallNode[];
    const linear: Mix = (from, to) => [
      node('Transpose', [from], [`${to}t`], toLast),
      node('MatMul', [`${to}t`, 'mix'], [`${to}m`]),
      node('Transpose', [`${to}m`], [to], back),
    ];
    const einsum: Mix = (from, to) => [node('Einsum', [from, 'mix'], [to], { equation: { text: 'bhij,hg->bgij' } })];
    const pointwise: Mix = (from, to) => [node('Conv', [from, 'points'], [to])];
    const talking = (before: Mix, behind: Mix): SmallGraph => ({
      nodes: [
        node('MatMul', ['q', 'k'], ['s']),
        node('Mul', ['s', 'scale'], ['scaled']),
        ...before('scaled', 'talked'),
        node('Softmax', ['talked'], ['p'], last),
        ...behind('p', 'w'),
        node('MatMul', ['w', 'v'], ['y']),
      ],
      inputs: { q: ['b', 2, 'n', 4], k: ['b', 2, 4, 'n'], v: ['b', 2, 'n', 4] },
      outputs: ['y'],
      weights: { mix: weight(2, 2), points: weight(2, 2, 1, 1), scale: weight() },
    });
    for (const mix of [linear, einsum, pointwise]) {
      const { sites, missed } = analyze(talking(mix, mix));
      expect(sites.map(({ tensor, rowSum, notes }) => ({ tensor, rowSum, notes }))).to.deep.equal([
        { tensor: 'w', rowSum: 'any', notes: ['heads are mixed with one another'] },
      ]);
      expect(missed).to.deep.equal([]);
    }
  });

  it('names scores that only a decay is multiplied by, and no gates', () => {
    const { sites, missed } = analyze({
      nodes: [
        ...projected,
        node('Transpose', ['k'], ['kt'], swap),
        node('MatMul', ['q', 'kt'], ['s']),
        node('Mul', ['s', 'decay'], ['d']),
        node('MatMul', ['d', 'v'], ['kept']),
        node('Mul', ['kept', 'q'], ['gated']),
        node('Transpose', ['v'], ['vt'], swap),
        node('MatMul', ['gated', 'vt'], ['y']),
      ],
      inputs: { x: ['b', 'n', 4], decay: ['n', 'n'] },
      outputs: ['y'],
      weights: projections,
    });
    expect(sites).to.deep.equal([]);
    expect(missed.map(({ operator, reason }) => `${operator}: ${reason}`)).to.deep.equal([
      'MatMul: scores weight values without any normalisation between',
    ]);
  });

  it('but no products that mix what queries or keys count, or features in the last place', () => {
    const mixed = (nodes: SmallNode[]): SmallGraph => ({
      nodes: [
        node('MatMul', ['q', 'k'], ['s']),
        node('Softmax', ['s'], ['p'], last),
        ...nodes,
        node('MatMul', ['w', 'v'], ['y']),
      ],
      inputs: { q: ['b', 2, 3, 4], k: ['b', 2, 4, 3], v: ['b', 2, 3, 4] },
      outputs: ['y'],
      weights: { other: weight(3, 3) },
    });
    for (const nodes of [
      [node('MatMul', ['p', 'other'], ['w'])],
      [node('Einsum', ['p', 'other'], ['w'], { equation: { text: 'bhij,ik->bhkj' } })],
    ])
      expect(analyze(mixed(nodes)).sites).to.deep.equal([]);
    // A layer over channels that stand last, as in ConvNeXt, behind a gate that an attention lies before.
    expect(
      analyze({
        nodes: [
          ...attention('a', 'x'),
          node('Reshape', ['ao', 'picture'], ['grid']),
          node('Transpose', ['grid'], ['last'], { perm: { integers: [0, 2, 3, 1] } }),
          node('MatMul', ['last', 'wo'], ['wide']),
          node('Sigmoid', ['wide'], ['gate']),
          node('MatMul', ['gate', 'z'], ['y']),
        ],
        inputs: { ...input, z: ['b', 3, 4, 4] },
        outputs: ['y'],
        weights: projections,
        integers: { picture: [-1, 4, 3, 3] },
      }).sites.map(({ tensor }) => tensor),
    ).to.deep.equal(['ap']);
  });

  it('does not take for it what weights experts, or values of another stream', () => {
    const mixture: SmallGraph = {
      nodes: [
        node('MatMul', ['x', 'router'], ['r']),
        node('Softmax', ['r'], ['p'], last),
        node('Unsqueeze', ['x', 'axis'], ['rows']),
        node('MatMul', ['rows', 'each'], ['made']),
        node('Transpose', ['made'], ['turned'], swap),
        node('Unsqueeze', ['p', 'axis'], ['weights']),
        node('MatMul', ['weights', 'turned'], ['y']),
      ],
      inputs: { x: ['n', 4] },
      outputs: ['y'],
      weights: { router: weight(4, 3), each: weight(4, 3) },
      integers: { axis: [1] },
    };
    expect(analyze(mixture).sites).to.deep.equal([]);
    const other: SmallGraph = {
      nodes: [
        node('MatMul', ['x', 'column'], ['s']),
        node('Softmax', ['s'], ['p'], { axis: { integer: 1 } }),
        node('Transpose', ['p'], ['pt'], swap),
        node('MatMul', ['pt', 'z'], ['y']),
      ],
      inputs: { ...input, z: ['b', 'n', 4] },
      outputs: ['y'],
      weights: { column: weight(4, 1) },
    };
    expect(analyze(other).sites).to.deep.equal([]);
  });

  it('does not take for it a convolution whose kernel is made for every position and head', () => {
    const kernels = [
      node('MatMul', ['x', 'wide'], ['s']),
      node('Reshape', ['s', 'one'], ['kernels']),
      node('Softmax', ['kernels'], ['p'], { axis: { integer: 1 } }),
    ];
    const { sites, missed } = analyze({
      nodes: [
        ...kernels,
        node('MatMul', ['x', 'wide'], ['v']),
        node('Reshape', ['v', 'windows'], ['around']),
        node('MatMul', ['around', 'p'], ['y']),
      ],
      inputs: input,
      outputs: ['y'],
      weights: { wide: weight(4, 6) },
      integers: { one: [-1, 3, 1], windows: [-1, 2, 3] },
    });
    expect(sites).to.deep.equal([]);
    expect(missed.map(({ operator }) => operator)).to.deep.equal(['Softmax']);
  });

  it('reads a fused product whose queries come with their positions first, before the heads', () => {
    const { sites, index } = analyze({
      nodes: [
        node('MatMul', ['x', 'wq'], ['q']),
        node('Reshape', ['q', 'heads'], ['qh']),
        node('MatMul', ['x', 'wk'], ['k']),
        node('Reshape', ['k', 'heads'], ['kh']),
        node('Transpose', ['kh'], ['kt'], { perm: { integers: [1, 0, 2] } }),
        node('com.microsoft.FusedMatMul', ['qh', 'kt'], ['s'], { transBatchA: { integer: 1 }, transB: { integer: 1 } }),
        node('Softmax', ['s'], ['p'], last),
        node('MatMul', ['p', 'kt'], ['y']),
      ],
      inputs: { x: ['n', 1, 4] },
      outputs: ['y'],
      weights: projections,
      integers: { heads: [0, 2, 2] },
    });
    expect(sites.map(({ tensor, queryAxis, keyAxis }) => ({ tensor, queryAxis, keyAxis }))).to.deep.equal([
      { tensor: 'p', queryAxis: -2, keyAxis: -1 },
    ]);
    expect(axesOf(index, 's')?.map(({ kind }) => kind)).to.deep.equal(['feature', 'position', 'position']);
  });

  it('reads a softmax that was flattened in the shape that the values are weighted in', () => {
    const { sites, index } = analyze({
      nodes: [
        node('MatMul', ['q', 'kt'], ['s']),
        node('Shape', ['s'], ['shape']),
        node('Flatten', ['s'], ['rows'], { axis: { integer: 3 } }),
        node('Softmax', ['rows'], ['w'], last),
        node('Reshape', ['w', 'shape'], ['p']),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      inputs: { q: ['b', 2, 'n', 4], kt: ['b', 2, 4, 'n'], v: ['b', 2, 'n', 4] },
      outputs: ['y'],
    });
    expect(sites.map((site) => site.tensor)).to.deep.equal(['p']);
    expect(axesOf(index, 'p')?.map(({ size }) => size)).to.deep.equal([undefined, 2, undefined, undefined]);
  });
});

describe('axes', () => {
  it('knows what the last parts of one axis are where others are merged with its first', () => {
    const { index } = analyze({
      nodes: [node('MatMul', ['x', 'wide'], ['s']), node('Reshape', ['s', 'shape'], ['y'])],
      inputs: input,
      outputs: ['y'],
      weights: { wide: weight(4, 6) },
      integers: { shape: [-1, 3, 1] },
    });
    expect(axesOf(index, 'y')?.map(({ kind, size }) => `${kind} ${size}`)).to.deep.equal([
      'unknown undefined',
      'feature 3',
      'unknown 1',
    ]);
  });

  it('follows features and positions through heads, whatever tells the shape', () => {
    const { index } = analyze({
      nodes: [
        node('MatMul', ['x', 'wide'], ['q']),
        node('Shape', ['x'], ['shape']),
        node('Gather', ['shape', 'first'], ['batch']),
        node('Gather', ['shape', 'second'], ['length']),
        node('Concat', ['batch', 'length', 'heads', 'rest'], ['split'], { axis: { integer: 0 } }),
        node('Reshape', ['q', 'split'], ['h']),
        node('Transpose', ['h'], ['t'], { perm: { integers: [0, 2, 1, 3] } }),
        node('Reshape', ['t', 'merged'], ['m']),
        node('Identity', ['m'], ['y']),
      ],
      inputs: { x: ['b', 'n', 8] },
      outputs: ['y'],
      weights: { wide: weight(8, 6) },
      integers: { first: [0], second: [1], heads: [2], rest: [-1], merged: [0, 2, -1] },
    });
    const kinds = (tensor: string): string | undefined =>
      axesOf(index, tensor)
        ?.map(({ size, kind }) => `${size ?? '?'} ${kind}`)
        .join(', ');
    expect(kinds('t')).to.equal('? position, 2 feature, ? position, 3 feature');
    expect(kinds('m')).to.equal('? position, 2 feature, ? unknown');
  });

  it('takes what weights mix beside features for no features, nor what is written into a constant', () => {
    const { index } = analyze({
      nodes: [
        node('MatMul', ['x', 'wq'], ['f']),
        node('Transpose', ['f'], ['turned'], swap),
        node('MatMul', ['turned', 'up'], ['u']),
        node('Relu', ['u'], ['r']),
        node('MatMul', ['r', 'down'], ['d']),
        node('Transpose', ['d'], ['groups'], swap),
        node('MatMul', ['groups', 'wk'], ['projected']),
        node('Softmax', ['f'], ['p'], last),
        node('ArgMax', ['p'], ['best'], { axis: { integer: 1 } }),
        node('ScatterElements', ['zeros', 'best', 'f'], ['chosen'], { axis: { integer: 1 } }),
      ],
      inputs: { x: [1, 6, 4] },
      outputs: ['projected', 'chosen'],
      weights: { ...projections, up: weight(6, 5), down: weight(5, 3), zeros: weight(1, 6, 4) },
    });
    const kinds = (tensor: string): string | undefined =>
      axesOf(index, tensor)
        ?.map(({ kind }) => kind)
        .join(', ');
    expect(kinds('projected')).to.equal('position, unknown, feature');
    expect(kinds('chosen')).to.equal('unknown, unknown, unknown');
  });

  it('goes along the residual stream, past what each layer adds to it', () => {
    const numLayers = 4000;
    const layers = Array.from({ length: numLayers }, (_, i) => [
      node('MatMul', [`h${i}`, 'w'], [`m${i}`]),
      node('Relu', [`m${i}`], [`r${i}`]),
      node('Add', [`r${i}`, `h${i}`], [`h${i + 1}`]),
    ]).flat();
    const { index } = analyze({
      nodes: [node('MatMul', ['x', 'w'], ['h0']), ...layers],
      inputs: { x: ['b', 'n', 4] },
      outputs: [`h${numLayers}`],
      weights: { w: weight(4, 4) },
    });
    const spent: number[] = [];
    const count = index.spend.bind(index);
    index.spend = (steps) => void (spent.push(steps), count(steps));
    expect(axesOf(index, 'h1')?.map(({ kind }) => kind)).to.deep.equal(['position', 'position', 'feature']);
    const first = spent.length;
    expect(axesOf(index, `r${numLayers - 1}`)?.map(({ kind }) => kind)).to.deep.equal([
      'position',
      'position',
      'feature',
    ]);
    // Two visits of each sum, one of them before and one after what it is told by.
    expect(spent.length - first).to.be.lessThan(9 * numLayers);
    expect(axesOf(index, `h${numLayers}`)?.map(({ kind }) => kind)).to.deep.equal(['position', 'position', 'feature']);
  });

  it('stretches an axis of length one, whatever it is added to first', () => {
    const { index } = analyze({
      nodes: [node('Add', ['row', 'x'], ['a']), node('Add', ['x', 'row'], ['c']), node('Add', ['a', 'c'], ['y'])],
      inputs: { x: ['b', 'n', 'm', 8], row: ['b', 1, 'm', 8] },
      outputs: ['y'],
    });
    for (const tensor of ['a', 'c', 'y']) expect(axesOf(index, tensor)?.[1], tensor).to.equal(axesOf(index, 'x')?.[1]);
  });
});

describe('self-attention and cross-attention', () => {
  const graph = (
    nodes: readonly SmallNode[],
    outputs: readonly string[],
    more: Partial<SmallGraph> = {},
  ): SmallGraph => ({
    nodes,
    inputs: input,
    outputs,
    weights: { ...projections, ...more.weights },
    ...(more.integers === undefined ? {} : { integers: more.integers }),
  });

  it('tells them apart where encoder and decoder read one input', () => {
    const nodes = [
      node('MatMul', ['x', 'in'], ['e']),
      node('MatMul', ['x', 'out'], ['d']),
      ...block('a', 'e'),
      ...block('b', 'd'),
      ...block('c', 'bx', 'ax'),
      ...block('f', 'cx'),
      ...block('g', 'fx', 'ax'),
    ];
    expect(places(analyze(graph(nodes, ['gx'], { weights: { in: weight(4, 4), out: weight(4, 4) } })))).to.deep.equal([
      'ap encoder 0',
      'bp decoder 0',
      'cp cross 0',
      'fp decoder 1',
      'gp cross 1',
    ]);
  });

  it('and where the decoder asks with what it has learned, to which positions are added', () => {
    const nodes = [
      ...block('a', 'x'),
      node('Expand', ['asks', 'size'], ['d']),
      ...block('b', 'd'),
      node('Add', ['bx', 'x'], ['asked']),
      node('MatMul', ['asked', 'wq'], ['cq']),
      node('Add', ['ax', 'x'], ['placed']),
      node('MatMul', ['placed', 'wk'], ['ck']),
      ...block('c', 'bx', 'ax').slice(2),
      ...block('f', 'cx'),
    ];
    expect(
      places(analyze(graph(nodes, ['fx'], { weights: { asks: weight(1, 5, 4) }, integers: { size: [1, 5, 4] } }))),
    ).to.deep.equal(['ap encoder 0', 'bp decoder 0', 'cp cross 0', 'fp decoder 1']);
  });

  it('and in the second layer where an operator that is not known lies on the stream that asks', () => {
    const nodes = [
      ...block('a', 'x'),
      node('Expand', ['asks', 'size'], ['e']),
      node('Log', ['e'], ['d']),
      ...block('b', 'd'),
      ...block('c', 'bx', 'ax'),
      ...block('f', 'cx'),
      ...block('g', 'fx', 'ax'),
    ];
    expect(
      places(analyze(graph(nodes, ['gx'], { weights: { asks: weight(1, 5, 4) }, integers: { size: [1, 5, 4] } }))),
    ).to.deep.equal(['ap encoder 0', 'bp decoder 0', 'cp cross 0', 'fp decoder 1', 'gp cross 1']);
  });

  it('calls self-attention what reads its own stream, made smaller, or of an earlier layer', () => {
    const smaller = [
      node('Transpose', ['x'], ['xt'], swap),
      node('Conv', ['xt', 'kernel'], ['less'], { strides: { integers: [2] } }),
      node('Transpose', ['less'], ['m'], swap),
      ...block('a', 'x', 'm'),
    ];
    expect(places(analyze(graph(smaller, ['ax'], { weights: { kernel: weight(4, 4, 2) } })))).to.deep.equal([
      'ap self 0',
    ]);
    const shared = [
      ...block('a', 'x'),
      ...block('b', 'ax'),
      node('MatMul', ['bx', 'wq'], ['cq']),
      node('MatMul', ['cq', 'akt'], ['cs']),
      node('Softmax', ['cs'], ['cp'], last),
      node('MatMul', ['cp', 'av'], ['y']),
    ];
    expect(places(analyze(graph(shared, ['y'])))).to.deep.equal(['ap self 0', 'bp self 1', 'cp self 2']);
  });
});

describe('layers, heads and their names', () => {
  /** Attention whose nodes all lie in one module. */
  const named = (name: string, from: string, path: string): SmallNode[] =>
    attention(name, from).map((each, i) => ({ ...each, name: `${path}/${each.operator}_${i}` }));
  const numbers = ({ sites }: ModelAnalysis): (number | undefined)[] => sites.map((site) => site.modelLayer);
  const chain = (paths: readonly string[]): SmallGraph => ({
    nodes: paths.flatMap((path, i) => named(`n${i}`, i === 0 ? 'x' : `n${i - 1}o`, path)),
    inputs: input,
    outputs: [`n${paths.length - 1}o`],
    weights: projections,
  });

  it('joins heads that are modules of their own, in the order in which the model joins them', () => {
    const heads = [0, 1, 2].flatMap((i) => named(`h${i}`, 'x', `/blocks.0/sa/heads.${i}`));
    const { sites } = analyze({
      nodes: [
        ...heads,
        node('Concat', ['h2o', 'h0o', 'h1o'], ['all'], { axis: { integer: 2 } }),
        node('MatMul', ['all', 'project'], ['y']),
      ],
      inputs: input,
      outputs: ['y'],
      weights: { ...projections, project: weight(12, 4) },
    });
    expect(sites.length).to.equal(1);
    expect(sites[0]).to.include({ numHeads: 3, path: 'blocks.0.sa', layer: 0, modelLayer: 0 });
    expect(sites[0].heads?.map((head) => head.tensor)).to.deep.equal(['h2p', 'h0p', 'h1p']);
  });

  it('does not join what reads different streams, or what is joined by positions', () => {
    const pair = [...attention('a', 'x'), ...attention('c', 'z')];
    const joined = (axis: number, from: SmallNode[]): SmallGraph => ({
      nodes: [
        ...from,
        node('Concat', ['ao', 'co'], ['all'], { axis: { integer: axis } }),
        node('MatMul', ['all', 'project'], ['y']),
      ],
      inputs: { ...input, z: ['b', 'n', 4] },
      outputs: ['y'],
      weights: { ...projections, project: weight(axis === 2 ? 8 : 4, 4) },
    });
    expect(analyze(joined(2, pair)).sites.length).to.equal(2);
    expect(analyze(joined(1, [...attention('a', 'x'), ...attention('c', 'x')])).sites.length).to.equal(2);
  });

  it('takes a number for a layer’s only in a list of blocks, where it differs', () => {
    expect(numbers(analyze(chain(['/m/layers.3/attn', '/m/layers.7/attn'])))).to.deep.equal([3, 7]);
    expect(numbers(analyze(chain(['/1/layers.0/attn', '/1/layers.1/attn'])))).to.deep.equal([0, 1]);
    expect(numbers(analyze(chain(['/m/block.0/layer.1/attn', '/m/block.1/layer.1/attn'])))).to.deep.equal([0, 1]);
    expect(
      numbers(analyze(chain(['/stages.0/blocks.0/attn', '/stages.0/blocks.1/attn', '/stages.1/blocks.0/attn']))),
    ).to.deep.equal([undefined, undefined, undefined]);
    expect(numbers(analyze(chain(['/text/layers.0/attn', '/vision/layers.0/attn'])))).to.deep.equal([
      undefined,
      undefined,
    ]);
    expect(numbers(analyze(chain(['/net/net.1/attn', '/net/net.4/attn'])))).to.deep.equal([undefined, undefined]);
  });

  it('reads no layer off what counts operators', () => {
    const graph = chain(['a', 'b']);
    const counted = analyze({
      ...graph,
      nodes: graph.nodes.map((each, i) => ({ ...each, name: `p2o.${each.operator}.${3 * i}` })),
    });
    expect(counted.sites.map((site) => `${site.path} ${site.modelLayer}`)).to.deep.equal([
      'attention 0 undefined',
      'attention 1 undefined',
    ]);
  });

  it('names a layer by its own weights, not by the norm below it nor by a weight that several share', () => {
    const layer = (i: number, from: string): SmallNode[] => [
      node('LayerNormalization', [from, `layers.${i}.norm.weight`], [`n${i}`]),
      ...attention(`a${i}`, `n${i}`).map((each) =>
        each.outputs[0] === `a${i}k`
          ? { ...each, inputs: [each.inputs[0], i === 1 ? 'wk' : `layers.${i}.attn.key.weight`] }
          : each,
      ),
      node('Add', [from, `a${i}o`], [`x${i}`]),
    ];
    const { sites } = analyze({
      nodes: [...layer(0, 'x'), ...layer(1, 'x0'), ...layer(2, 'x1')],
      inputs: input,
      outputs: ['x2'],
      weights: {
        ...projections,
        ...Object.fromEntries([0, 1, 2].map((i) => [`layers.${i}.norm.weight`, weight(4)])),
        'layers.0.attn.key.weight': weight(4, 4),
        'layers.2.attn.key.weight': weight(4, 4),
      },
    });
    expect(sites.map((site) => site.path)).to.deep.equal(['layers.0.attn', 'attention 1', 'layers.2.attn']);
  });

  it('reads the module off what a node makes where nodes are only counted', () => {
    const graph = chain(['a']);
    const renamed = (name: string): string => (name === 'n0p' ? '/layers.2/self_attn/Softmax_output_0' : name);
    const { sites } = analyze({
      ...graph,
      nodes: graph.nodes.map((each, i) => ({
        ...each,
        name: `${each.operator}_${i}`,
        inputs: each.inputs.map(renamed),
        outputs: each.outputs.map(renamed),
      })),
    });
    expect(sites[0]).to.include({ path: 'layers.2.self_attn', modelLayer: 2 });
  });
});
