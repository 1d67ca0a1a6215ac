import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { smallModel, type SmallGraph } from '../unit/onnx/smallModel';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const numHeads = 2;
const width = 4;
const numNew = 3;
const numPast = 4;

/** MultiHeadAttention with keys and values of before, which hands on the outputs that are named. */
function cachedAttention(
  outputs: readonly string[],
  inputs: readonly string[] = ['q', 'k', 'v', '', '', '', 'pk', 'pv'],
): SmallGraph {
  return {
    nodes: [
      {
        operator: 'com.microsoft.MultiHeadAttention',
        inputs,
        outputs,
        attributes: { num_heads: { integer: numHeads } },
      },
    ],
    inputs: {
      q: [1, 's', numHeads * width],
      k: [1, 's', numHeads * width],
      v: [1, 's', numHeads * width],
      pk: [1, numHeads, 'p', width],
      pv: [1, numHeads, 'p', width],
      ...(inputs.includes('bias') ? { bias: [1, 1, 's', 't'] } : {}),
    },
    outputs: outputs.filter((output) => output !== ''),
  };
}

const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed * 97 + i * 1.7));
const input = (name: string, dims: readonly number[], seed: number) =>
  ({
    name,
    type: 'float32',
    dims,
    data: values(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
  }) as const;
const feeds = [
  input('q', [1, numNew, numHeads * width], 1),
  input('k', [1, numNew, numHeads * width], 2),
  input('v', [1, numNew, numHeads * width], 3),
  input('pk', [1, numHeads, numPast, width], 4),
  input('pv', [1, numHeads, numPast, width], 5),
];

describe('MultiHeadAttention that is given keys and values of before', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });
  const open = async (graph: SmallGraph) => {
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx');
    return { files, session: await AttentionSession.create({ ort, files, wantOutputs: true }) };
  };
  /** The largest difference between the operator's own result and values weighted by what is drawn. */
  const difference = async (graph: SmallGraph): Promise<{ readonly numKeys: number; readonly largest: number }> => {
    const { session } = await open(graph);
    const {
      layers: [layer],
      outputs,
    } = await session.run(feeds);
    await session.release();
    const result = outputs.get('y')?.data as Float32Array; // the operator's first output is a float tensor
    const [, , v, , pv] = feeds;
    let largest = 0;
    const past = layer.numKeys - numNew;
    for (let head = 0; head < numHeads; head++) {
      for (let query = 0; query < numNew; query++) {
        for (let at = 0; at < width; at++) {
          let sum = 0;
          for (let key = 0; key < layer.numKeys; key++) {
            const value =
              key < past
                ? pv.data[(head * numPast + key) * width + at]
                : v.data[(key - past) * numHeads * width + head * width + at];
            sum += layer.weights[(head * numNew + query) * layer.numKeys + key] * value;
          }
          largest = Math.max(largest, Math.abs(sum - result[query * numHeads * width + head * width + at]));
        }
      }
    }
    return { numKeys: layer.numKeys, largest };
  };

  it('reads them where it hands them on', async () => {
    const { numKeys, largest } = await difference(cachedAttention(['y', 'ok', 'ov']));
    expect(numKeys).to.equal(numPast + numNew);
    expect(largest).to.be.below(1e-5);
  });

  it('does not read them where it does not: what is drawn is what it used, and the report says so', async () => {
    const { numKeys, largest } = await difference(cachedAttention(['y']));
    expect(numKeys).to.equal(numNew);
    expect(largest).to.be.below(1e-5);
    const { files, session } = await open(cachedAttention(['y']));
    await session.release();
    expect(files.analysis.sites[0].notes).to.deep.equal([
      'keys of before are given and not handed on: the runtime reads the new ones alone',
    ]);
  });

  it('is refused where it is not known what it reads', async () => {
    for (const graph of [
      cachedAttention(['y', 'ok']),
      cachedAttention(['y'], ['q', 'k', 'v', '', '', 'bias', 'pk', 'pv']),
    ]) {
      const files = await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx');
      expect(files.analysis.sites).to.have.length(0);
      expect(files.analysis.missed.map(({ reason }) => reason).join()).to.match(
        /the runtime (?:does not read|then reads)/,
      );
    }
  });
});

describe('a query that may read no key', () => {
  it('is a row without a key, and the other rows are drawn', async () => {
    const ort = await importRuntime();
    // softmax(q kᵀ + mask) v, where a row of the mask is −∞ throughout.
    const graph: SmallGraph = {
      nodes: [
        { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] },
        { operator: 'Add', inputs: ['s', 'mask'], outputs: ['m'] },
        { operator: 'Softmax', inputs: ['m'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
        { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
      ],
      inputs: { q: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4], mask: [1, 1, 'n', 'n'] },
      outputs: ['y'],
    };
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const mask = (rows: readonly number[]) =>
      ({
        name: 'mask',
        type: 'float32',
        dims: [1, 1, 3, 3],
        data: Float32Array.from({ length: 9 }, (_, i) => (rows.includes(Math.floor(i / 3)) ? -Infinity : 0)),
      }) as const;
    const read = [input('q', [1, 2, 3, 4], 1), input('kt', [1, 2, 4, 3], 2), input('v', [1, 2, 3, 4], 3)];
    const { layers, failed, report } = await session.run([...read, mask([1])], { numPositions: 3 });
    expect(failed).to.deep.equal([]);
    const sums = Array.from({ length: 6 }, (_, row) =>
      layers[0].weights.slice(row * 3, row * 3 + 3).reduce((sum, weight) => sum + weight, 0),
    );
    sums.forEach((sum, row) => expect(sum).to.be.closeTo(row % 3 === 1 ? 0 : 1, 1e-6));
    expect(report.sites[0].checks).to.deep.include({ isFinite: true, numWithoutKey: 2, failure: '' });
    // Where no row holds numbers, nothing is to be drawn.
    const none = await session.run([...read, mask([0, 1, 2])], { numPositions: 3 });
    expect(none.failed.map(({ reason }) => reason)).to.deep.equal(['it holds numbers that are not finite']);
    await session.release();
  });
});

describe('queries that a model has learned', () => {
  it('are given by themselves, and beside the tokens of a text refused for what they are', async () => {
    const ort = await importRuntime();
    // Three learned queries ask what two projections make of a text's features.
    const graph: SmallGraph = {
      nodes: [
        { operator: 'MatMul', inputs: ['x', 'wk'], outputs: ['k'] },
        { operator: 'Transpose', inputs: ['k'], outputs: ['kt'], attributes: { perm: { integers: [0, 2, 1] } } },
        { operator: 'MatMul', inputs: ['queries', 'kt'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
        { operator: 'MatMul', inputs: ['x', 'wv'], outputs: ['v'] },
        { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
      ],
      inputs: { x: [1, 'n', 4] },
      outputs: ['y'],
      weights: {
        queries: { dims: [3, 4], values: [...values(12, 1)] },
        wk: { dims: [4, 4], values: [...values(16, 2)] },
        wv: { dims: [4, 4], values: [...values(16, 3)] },
      },
    };
    const files = await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const read = [input('x', [1, 5, 4], 4)];
    const { layers } = await session.run(read);
    expect(layers.map(({ numQueries, numKeys }) => [numQueries, numKeys])).to.deep.equal([[3, 5]]);
    const beside = await session.run(read, { numPositions: 5 });
    await session.release();
    expect(beside.failed.map(({ reason }) => reason)).to.deep.equal([
      'its 3 queries are the model’s own, which it has learned: they stand for no tokens of the text',
    ]);
  });
});
