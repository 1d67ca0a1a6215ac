import { expect } from 'chai';
import { analyzeModel, type ModelAnalysis } from '../../../../src/onnx/find/analyzeModel';
import { readModel } from '../../../../src/onnx/file/readModel';
import { readFixture } from '../../../harness/fixtures';
import { plainAttention, smallGraph, smallModel, type SmallGraph, type SmallNode } from '../smallModel';

const analyze = (graph: SmallGraph): ModelAnalysis => analyzeModel(readModel(smallModel(graph), 'model.onnx'));
const node = (
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: SmallNode['attributes'] = {},
  name = '',
): SmallNode => ({ operator, inputs, outputs, attributes, name });
const square = (name: string, size: number): SmallGraph['weights'] => ({
  [name]: { dims: [size, size], values: new Array<number>(size * size).fill(0.5) },
});

describe('finding attention', () => {
  it('finds a product of values with the softmax of scores', () => {
    const [site] = analyze(plainAttention).sites;
    expect(site).to.include({
      tensor: 'p',
      method: 'exposed',
      rowSum: 'one',
      queryAxis: -2,
      keyAxis: -1,
      component: 'self',
      layer: 0,
    });
  });

  it('takes the tensor that the values are really multiplied with', () => {
    const { sites } = analyze({
      ...plainAttention,
      nodes: [
        node('MatMul', ['q', 'kt'], ['s']),
        node('Softmax', ['s'], ['raw']),
        node('IsNaN', ['raw'], ['isNaN']),
        node('Where', ['isNaN', 'q', 'raw'], ['kept']),
        node('Cast', ['kept'], ['half'], { to: { integer: 10 } }),
        node('Reshape', ['half', 'shape'], ['flat']),
        node('MatMul', ['flat', 'v'], ['y']),
      ],
      weights: { shape: { dims: [3], values: [0, 0, 0] } },
    });
    expect(sites.map((site) => site.tensor)).to.deep.equal(['kept']);
  });

  it('knows queries from keys where the values stand on the left', () => {
    const left = analyze({
      ...plainAttention,
      nodes: [
        node('MatMul', ['k', 'qt'], ['s']),
        node('Softmax', ['s'], ['p'], { axis: { integer: -2 } }),
        node('MatMul', ['vt', 'p'], ['y']),
      ],
      inputs: { k: [1, 2, 'n', 4], qt: [1, 2, 4, 'n'], vt: [1, 2, 4, 'n'] },
    });
    expect(left.sites[0]).to.include({ tensor: 'p', queryAxis: -1, keyAxis: -2 });
    const turned = analyze({
      ...plainAttention,
      nodes: [
        ...plainAttention.nodes.slice(0, 2),
        node('Transpose', ['p'], ['pt'], { perm: { integers: [0, 1, 3, 2] } }),
        node('MatMul', ['vt', 'pt'], ['y']),
      ],
      inputs: { ...plainAttention.inputs, vt: [1, 2, 4, 'n'] },
    });
    expect(turned.sites[0]).to.include({ tensor: 'p', queryAxis: -2, keyAxis: -1 });
  });

  it('knows them where the last state of a recurrent layer asks all of them', () => {
    const asked = (attributes: SmallNode['attributes'], states: SmallNode[], ofLast: string): ModelAnalysis =>
      analyze({
        inputs: { x: [1, 'n', 4] },
        outputs: ['y'],
        weights: {
          w: { dims: [1, 12, 4], values: new Array<number>(48).fill(0.5) },
          r: { dims: [1, 12, 4], values: new Array<number>(48).fill(0.5) },
        },
        integers: { first: [1], second: [2], third: [3], zero: [0] },
        nodes: [
          ...states,
          node('GRU', ['steps', 'w', 'r'], ['all', 'last'], { hidden_size: { integer: 4 }, ...attributes }),
          node('Squeeze', ['last', ofLast], ['state']),
          node('Unsqueeze', ['state', 'second'], ['asking']),
          node('MatMul', ['o', 'asking'], ['s']),
          node('Squeeze', ['s', 'second'], ['flat']),
          node('Softmax', ['flat'], ['p'], { axis: { integer: 1 } }),
          node('Unsqueeze', ['p', 'second'], ['column']),
          node('Transpose', ['o'], ['ot'], { perm: { integers: [0, 2, 1] } }),
          node('MatMul', ['ot', 'column'], ['y']),
        ],
      });
    const swap = { perm: { integers: [1, 0, 2] } };
    const byStep = asked(
      {},
      [
        node('Transpose', ['x'], ['steps'], swap),
        node('Squeeze', ['all', 'first'], ['states']),
        node('Transpose', ['states'], ['o'], swap),
      ],
      'zero',
    );
    const byItem = asked(
      { layout: { integer: 1 } },
      [node('Identity', ['x'], ['steps']), node('Squeeze', ['all', 'second'], ['o'])],
      'first',
    );
    for (const { sites } of [byStep, byItem])
      expect(sites.map(({ tensor, queryAxis, keyAxis }) => [tensor, queryAxis, keyAxis])).to.deep.equal([
        ['column', -1, -2],
      ]);
  });

  it('reads the axes of an Einsum off its subscripts', () => {
    const { sites } = analyze({
      ...plainAttention,
      nodes: [
        node('Einsum', ['q', 'k'], ['s'], { equation: { text: 'ibnd,jbnd->ijbn' } }),
        node('Softmax', ['s'], ['p'], { axis: { integer: 1 } }),
        node('Einsum', ['p', 'v'], ['y'], { equation: { text: 'ijbn, jbnd -> ibnd' } }),
      ],
      inputs: { q: ['n', 1, 2, 4], k: ['n', 1, 2, 4], v: ['n', 1, 2, 4] },
    });
    expect(sites[0]).to.include({ tensor: 'p', queryAxis: -4, keyAxis: -3 });
  });

  it('divides exponentials that the model divides only after the values', () => {
    const { sites } = analyze({
      ...plainAttention,
      nodes: [
        node('MatMul', ['q', 'kt'], ['s']),
        node('Exp', ['s'], ['e']),
        node('ReduceSum', ['e'], ['z']),
        node('MatMul', ['e', 'v'], ['o']),
        node('Div', ['o', 'z'], ['y']),
      ],
    });
    expect(sites[0]).to.include({ tensor: 'e', method: 'derived', isUndivided: true, rowSum: 'one' });
  });

  it('knows rows that sum to less than one by design', () => {
    const { sites } = analyze({
      ...plainAttention,
      nodes: [
        node('MatMul', ['q', 'kt'], ['s']),
        node('Exp', ['s'], ['e']),
        node('ReduceSum', ['e'], ['z']),
        node('Add', ['z', 'one'], ['z1']),
        node('Div', ['e', 'z1'], ['p']),
        node('MatMul', ['p', 'v'], ['y']),
      ],
      weights: { one: { dims: [], values: [1] } },
    });
    expect(sites[0]).to.include({ tensor: 'p', rowSum: 'atMostOne', isUndivided: false });
  });

  it('does not take a gate, a normalisation, a router or an output distribution for attention', () => {
    const weights = { ...square('w', 4), ...square('u', 4) };
    const inputs = { x: [1, 'n', 4] };
    const graphs: SmallGraph[] = [
      // SwiGLU: a gate times an activation, then a weight.
      {
        nodes: [
          node('MatMul', ['x', 'w'], ['g']),
          node('Sigmoid', ['g'], ['h']),
          node('MatMul', ['x', 'u'], ['a']),
          node('Mul', ['h', 'a'], ['m']),
          node('MatMul', ['m', 'w'], ['y']),
        ],
        inputs,
        outputs: ['y'],
        weights,
      },
      // RMS normalisation of the result of a product of activations, then another product.
      {
        nodes: [
          node('MatMul', ['x', 'xt'], ['a']),
          node('Pow', ['a', 'two'], ['b']),
          node('ReduceMean', ['b'], ['c']),
          node('Sqrt', ['c'], ['d']),
          node('Div', ['a', 'd'], ['e']),
          node('Add', ['e', 'x'], ['f']),
          node('MatMul', ['f', 'x'], ['y']),
        ],
        inputs: { ...inputs, xt: [1, 4, 'n'] },
        outputs: ['y'],
        weights: { two: { dims: [], values: [2] } },
      },
      // A router: softmax of a projection, the best of which are chosen.
      {
        nodes: [
          node('MatMul', ['x', 'w'], ['r']),
          node('Softmax', ['r'], ['p']),
          node('TopK', ['p', 'k'], ['best', 'which']),
        ],
        inputs,
        outputs: ['best'],
        weights: { ...weights, k: { dims: [1], values: [1] } },
      },
      // Output probabilities.
      { nodes: [node('MatMul', ['x', 'w'], ['r']), node('Softmax', ['r'], ['y'])], inputs, outputs: ['y'], weights },
    ];
    for (const graph of graphs) expect(analyze(graph).sites).to.deep.equal([]);
    expect(analyze(graphs[2]).missed[0]?.reason).to.contain('router');
    expect(analyze(graphs[3]).missed[0]?.reason).to.contain('output of the model');
  });

  it('leaves out what leads to no output', () => {
    expect(
      analyze({
        ...plainAttention,
        nodes: [...plainAttention.nodes, node('Relu', ['q'], ['other'])],
        outputs: ['other'],
      }).sites,
    ).to.deep.equal([]);
  });

  it('counts one matrix that weights two values as one attention', () => {
    expect(
      analyze({
        ...plainAttention,
        nodes: [...plainAttention.nodes, node('MatMul', ['p', 'q'], ['y2'])],
        outputs: ['y', 'y2'],
      }).sites.length,
    ).to.equal(1);
  });

  it('tells encoder, decoder and cross-attention apart by what they read', () => {
    const attention = (name: string, from: string, to: string): SmallNode[] => [
      node('MatMul', [from, 'w'], [`${name}q`]),
      node('MatMul', [to, 'w'], [`${name}k`]),
      node('MatMul', [to, 'u'], [`${name}v`]),
      node('Transpose', [`${name}k`], [`${name}kt`], { perm: { integers: [0, 2, 1] } }),
      node('MatMul', [`${name}q`, `${name}kt`], [`${name}s`]),
      node('Softmax', [`${name}s`], [`${name}p`]),
      node('MatMul', [`${name}p`, `${name}v`], [`${name}o`]),
    ];
    const { sites } = analyze({
      nodes: [
        ...attention('a', 'src', 'src'),
        ...attention('b', 'tgt', 'tgt'),
        ...attention('c', 'bo', 'ao'),
        ...attention('d', 'co', 'co'),
      ],
      inputs: { src: [1, 'n', 4], tgt: [1, 'm', 4] },
      outputs: ['do'],
      weights: { ...square('w', 4), ...square('u', 4) },
    });
    expect(sites.map(({ component, layer, tensor }) => `${tensor} ${component} ${layer}`)).to.deep.equal([
      'ap encoder 0',
      'bp decoder 0',
      'cp cross 0',
      'dp decoder 1',
    ]);
  });

  it('puts the branch that an input decides in the place of its If', () => {
    const branch = smallGraph({ nodes: plainAttention.nodes, inputs: {}, outputs: ['y'] });
    const attribute = (name: string): Uint8Array => {
      const body = branch.toBytes();
      return Uint8Array.from([
        0x0a,
        name.length,
        ...new TextEncoder().encode(name),
        0x32,
        (body.length & 127) | 128,
        body.length >> 7,
        ...body,
      ]);
    };
    const conditional = smallModel({
      nodes: [
        node('If', ['use_cache'], ['result'], {
          then_branch: { raw: attribute('then_branch') },
          else_branch: { raw: attribute('else_branch') },
        }),
      ],
      inputs: { ...plainAttention.inputs, use_cache: [1] },
      outputs: ['result'],
      types: { use_cache: 9 },
    });
    const { sites, hoisted, index } = analyzeModel(readModel(conditional, 'model.onnx'));
    expect(hoisted).to.deep.equal([{ input: 'use_cache', value: false }]);
    expect(sites.map((site) => site.tensor)).to.deep.equal(['p']);
    expect(index.nodes.map((each) => each.opType)).to.include('Identity');
  });

  it('says of softmaxes in the bodies of loops why they are left out', () => {
    const body = smallGraph({ nodes: plainAttention.nodes, inputs: {}, outputs: ['y'] }).toBytes();
    const raw = Uint8Array.from([
      0x0a,
      4,
      ...new TextEncoder().encode('body'),
      0x32,
      (body.length & 127) | 128,
      body.length >> 7,
      ...body,
    ]);
    const { sites, missed } = analyze({
      nodes: [node('Loop', ['', '', 'q'], ['y'], { body: { raw } })],
      inputs: plainAttention.inputs,
      outputs: ['y'],
    });
    expect(sites).to.deep.equal([]);
    expect(missed[0]?.reason).to.contain('Loop');
  });

  it('finds heads, key–value heads and paths of real exports', async () => {
    const describe = async (name: string): Promise<string[]> =>
      analyzeModel(readModel(await readFixture(`zoo/${name}/model.onnx`), 'model.onnx')).sites.map(
        (site) => `${site.path} ${site.numHeads}/${site.numKeyValueHeads}`,
      );
    expect(await describe('llama.sdpa.dynamo')).to.deep.equal(
      [0, 1, 2].map((i) => `m.model.layers.${i}.self_attn 4/2`),
    );
    expect(await describe('qwen2.sdpa.legacy')).to.deep.equal(
      [0, 1, 2].map((i) => `m.model.layers.${i}.self_attn 4/2`),
    );
    expect((await describe('t5.eager.legacy'))[3]).to.equal('m.decoder.block.0.layer.1.EncDecAttention 4/4');
  });

  it('names layers that mix positions without any matrix of weights', () => {
    const { missed, sites } = analyzeModel(
      readModel(
        smallModel({
          ...plainAttention,
          nodes: [
            {
              operator: 'GRU',
              inputs: ['q', 'w', 'r'],
              outputs: ['rolled'],
              name: '/model/layers.3/gru/GRU',
              attributes: { hidden_size: { integer: 4 } },
            },
            {
              operator: 'GridSample',
              inputs: ['v', 'rolled'],
              outputs: ['sampled'],
              name: '/model/layers.4/GridSample',
            },
            ...plainAttention.nodes,
          ],
          inputs: { ...plainAttention.inputs, w: [1, 12, 4], r: [1, 12, 4] },
          outputs: ['y', 'sampled'],
        }),
        'm.onnx',
      ),
    );
    expect(sites).to.have.length(1);
    expect(missed.map(({ path, operator, isOther }) => ({ path, operator, isOther }))).to.deep.equal([
      { path: 'model.layers.3.gru', operator: 'GRU', isOther: true },
      { path: 'model.layers.4', operator: 'GridSample', isOther: true },
    ]);
    expect(missed.map(({ reason }) => reason.split(':')[0])).to.deep.equal([
      'it is recurrent',
      'it samples at places that the model computes (deformable attention, or a picture that is warped)',
    ]);
  });

  it('names recurrent layers that are written out position by position, and no gates over layers', () => {
    const step = (module: string, i: number, from: string, to: string): SmallNode[] => [
      node('Mul', ['g', from], [`${to}m`], {}, `/${module}/Mul_${i}`),
      node('Add', [`${to}m`, 'u'], [to], {}, `/${module}/Add_${i}`),
    ];
    const chain = (module: (i: number) => string, prefix: string): SmallNode[] =>
      Array.from({ length: 6 }, (_, i) =>
        step(module(i), i, i === 0 ? 'q' : `${prefix}${i - 1}`, `${prefix}${i}`),
      ).flat();
    const nodes = [
      ...chain(() => 'model/layers.0/mixer', 'r'),
      ...chain((i) => `model/layers.${i + 1}/gate`, 's'),
      node('Add', ['r5', 's5'], ['sum']),
      ...plainAttention.nodes,
    ];
    const { missed } = analyze({
      ...plainAttention,
      nodes,
      inputs: { ...plainAttention.inputs, g: ['b', 'n', 4], u: ['b', 'n', 4] },
      outputs: [...plainAttention.outputs, 'sum'],
    });
    expect(missed.map(({ path, reason }) => `${path}: ${reason.split(':')[0]}`)).to.deep.equal([
      'model.layers.0.mixer: a recurrent layer, written out for 6 positions',
    ]);
  });

  it('names layers whose operator mixes positions by a kernel', () => {
    const { missed } = analyze({
      ...plainAttention,
      nodes: [
        node('com.microsoft.CausalConvWithState', ['v', 'q'], ['conv'], {}, '/model/layers.2/conv/CausalConvWithState'),
        ...plainAttention.nodes,
      ],
      outputs: [...plainAttention.outputs, 'conv'],
    });
    expect(
      missed.map(({ path, reason, isOther }) => ({ path, reason: reason.split(' by ')[0], isOther })),
    ).to.deep.equal([
      { path: 'model.layers.2.conv', reason: 'it mixes each position with the few before it', isOther: true },
    ]);
  });
});
