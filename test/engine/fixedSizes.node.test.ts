import { expect } from 'chai';
import * as web from 'onnxruntime-web';
import { ExplorerError } from '../../src/base/errors';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { ImageModel } from '../../src/engine/image/imageModel';
import { findBakedLength } from '../../src/engine/text/bakedLength';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtimes } from '../../src/engine/runtime/runtimes';
import { analyzeModel } from '../../src/onnx/find/analyzeModel';
import { readModel } from '../../src/onnx/file/readModel';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { smallModel, type SmallGraph } from '../unit/onnx/smallModel';

const values = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i));
const attention = [
  { operator: 'Transpose', inputs: ['x'], outputs: ['xt'], attributes: { perm: { integers: [0, 2, 1] } } },
  { operator: 'MatMul', inputs: ['x', 'xt'], outputs: ['s'] },
  { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
  { operator: 'MatMul', inputs: ['p', 'x'], outputs: ['y'] },
];

/** One head over the embeddings of a text whose shape the file fixes. */
const textOf = (dims: readonly (number | string)[]): SmallGraph => ({
  nodes: [{ operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['x'] }, ...attention],
  inputs: { input_ids: dims },
  types: { input_ids: 7 },
  outputs: ['y'],
  weights: { table: { dims: [99, 4], values: values(99 * 4) } },
});

/** One head over the patches of 4 × 4 pixels of a picture. */
const picturesOf = (numItems: number | string): SmallGraph => ({
  nodes: [
    {
      operator: 'Conv',
      inputs: ['pixel_values', 'kernel'],
      outputs: ['c'],
      attributes: { strides: { integers: [4, 4] }, kernel_shape: { integers: [4, 4] } },
    },
    { operator: 'Reshape', inputs: ['c', 'shape'], outputs: ['r'] },
    { operator: 'Transpose', inputs: ['r'], outputs: ['x'], attributes: { perm: { integers: [0, 2, 1] } } },
    ...attention,
  ],
  inputs: { pixel_values: [numItems, 3, 16, 16] },
  outputs: ['y'],
  weights: { kernel: { dims: [8, 3, 4, 4], values: values(8 * 48) } },
  integers: { shape: [0, 8, -1] },
});

describe('a file that fixes the sizes of its runs', () => {
  const accessTo = (graph: SmallGraph): FileAccess => {
    const files = new Map<string, Uint8Array>([
      ['m/model.onnx', smallModel(graph)],
      ['m/tokenizer.json', new TextEncoder().encode(tinyTokenizer())],
    ]);
    return {
      read: (path) => Promise.resolve(files.get(path) ?? new Uint8Array()),
      exists: (path) => Promise.resolve(files.has(path)),
      list: () => Promise.resolve(['model.onnx', 'tokenizer.json']),
    };
  };
  const spec = { path: 'm', backend: 'wasm', threads: 1 } as const;
  let numSessions = 0;
  const counted = {
    ...web,
    InferenceSession: {
      create: (...args: Parameters<typeof web.InferenceSession.create>) => (
        numSessions++,
        web.InferenceSession.create(...args)
      ),
    } as typeof web.InferenceSession,
  };
  const chosen = () => new Runtimes({ wasm: () => Promise.resolve(counted) }, 1).choose('wasm', 1);
  const failure = async (run: Promise<unknown>): Promise<ExplorerError> => {
    try {
      await run;
    } catch (error) {
      if (error instanceof ExplorerError) return error;
      throw error;
    }
    throw new Error('Nothing failed.');
  };

  it('is refused with true numbers before anything is loaded, where no run of it would fit', async () => {
    const runtime = await chosen();
    numSessions = 0;
    for (const graph of [textOf([1, 2 ** 24]), textOf([10 ** 8, 'n']), textOf([60_000, 512])]) {
      const { code, args } = await failure(LoadedModel.load(runtime, accessTo(graph), spec));
      expect([code, args[0]]).to.deep.equal(['modelTooLarge', 'm']);
      expect(Number(args[1])).to.be.above(Number(args[2]));
    }
    for (const numItems of [10 ** 7, 600_000]) {
      const { code, args } = await failure(ImageModel.load(runtime, accessTo(picturesOf(numItems)), spec));
      expect([code, Number(args[1]) > Number(args[2])]).to.deep.equal(['modelTooLarge', true]);
    }
    expect(numSessions).to.equal(0);
  });

  it('is shown by the first of the items that it takes, all filled with the text, wherever they stand among the heads', async () => {
    const runtime = await chosen();
    const weightsOf = async (graph: SmallGraph): Promise<readonly number[][]> => {
      const text = await LoadedModel.load(runtime, accessTo(graph), spec);
      const { layers, notices } = await text.explain({ text: 'abca', tokenLimit: 0 });
      await text.release();
      expect(notices).to.deep.equal([]);
      return Promise.all(
        layers.flatMap((layer) =>
          Array.from({ length: layer.numHeads }, async (_, head) => [...(await layer.rows(head, 0, layer.numQueries))]),
        ),
      );
    };
    const one = await weightsOf(textOf(['batch', 'n']));
    expect(one[0]).to.have.length(16);
    for (const dims of [
      [2, 'n'],
      [3, 4],
    ])
      expect(await weightsOf(textOf(dims))).to.deep.equal(one);
    // Heads before the items, and items folded into the heads behind them: [heads · items, position, width].
    const folded = (items: number | string, perm: readonly number[]): SmallGraph => ({
      ...textOf([items, 4]),
      nodes: [
        { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['e'] },
        { operator: 'Reshape', inputs: ['e', 'split'], outputs: ['h'] },
        { operator: 'Transpose', inputs: ['h'], outputs: ['t'], attributes: { perm: { integers: perm } } },
        { operator: 'Reshape', inputs: ['t', 'folded'], outputs: ['x'] },
        ...attention,
      ],
      integers: { split: [0, 4, 2, 2], folded: [-1, 4, 2] },
    });
    const heads = await weightsOf(folded('batch', [0, 2, 1, 3]));
    expect(heads).to.have.length(2);
    for (const perm of [
      [0, 2, 1, 3],
      [2, 0, 1, 3],
    ])
      expect(await weightsOf(folded(3, perm))).to.deep.equal(heads);
  });

  it('is shown without the padding that a grouped attention computes nothing for', async () => {
    const grouped = (dims: readonly (number | string)[]): SmallGraph => ({
      nodes: [
        { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['x'] },
        ...['q', 'k', 'v'].map((name) => ({ operator: 'MatMul', inputs: ['x', `W${name}`], outputs: [name] })),
        {
          operator: 'com.microsoft.GroupQueryAttention',
          inputs: ['q', 'k', 'v', '', '', 'seqlens_k', 'total_sequence_length'],
          outputs: ['y', 'present_k', 'present_v'],
          attributes: { num_heads: { integer: 2 }, kv_num_heads: { integer: 2 } },
        },
      ],
      inputs: { input_ids: dims, seqlens_k: [1], total_sequence_length: [1] },
      types: { input_ids: 7, seqlens_k: 6, total_sequence_length: 6 },
      outputs: ['y'],
      weights: {
        table: { dims: [99, 16], values: values(99 * 16) },
        ...Object.fromEntries(
          ['q', 'k', 'v'].map((name, i) => [`W${name}`, { dims: [16, 16], values: values(256 + i).slice(i) }]),
        ),
      },
    });
    const runtime = await chosen();
    const rowsOf = async (graph: SmallGraph): Promise<readonly number[][]> => {
      const model = await LoadedModel.load(runtime, accessTo(graph), spec);
      const {
        layers: [layer],
      } = await model.explain({ text: 'abc', tokenLimit: 0 });
      await model.release();
      return Promise.all([0, 1].map(async (head) => [...(await layer.rows(head, 0, layer.numQueries))]));
    };
    const open = await rowsOf(grouped([1, 'n']));
    expect(open[0]).to.have.length(9);
    const padded = await rowsOf(grouped([1, 12]));
    for (const [head, weights] of open.entries())
      weights.forEach((weight, i) => expect(padded[head][i]).to.be.closeTo(weight, 1e-6));
  });

  it('says how much of a row is spent on padding where no mask keeps it off', async () => {
    const padded = await LoadedModel.load(await chosen(), accessTo(textOf([2, 8])), spec);
    const { notices, layers } = await padded.explain({ text: 'abc', tokenLimit: 0 });
    await padded.release();
    expect(notices.map(({ code }) => code)).to.deep.equal(['paddedToShape', 'paddingRead']);
    const row = (await layers[0].rows(0, 0, 1)).slice(0, 3);
    const shown = row.reduce((sum, weight) => sum + weight, 0);
    expect(Number(notices[1].args[0]))
      .to.be.at.least(Math.ceil((1 - shown) * 100))
      .and.at.most(100);
  });

  describe('of which its signature says nothing', () => {
    const embedded = { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['e'] };
    const open = textOf(['batch', 'n']);
    const shaped = (shape: readonly number[]): SmallGraph => ({
      ...open,
      nodes: [embedded, { operator: 'Reshape', inputs: ['e', 'shape'], outputs: ['x'] }, ...attention],
      integers: { shape },
    });
    const inBlocks: SmallGraph = {
      ...open,
      nodes: [
        embedded,
        { operator: 'Reshape', inputs: ['e', 'blocks'], outputs: ['b'] },
        { operator: 'Reshape', inputs: ['b', 'back'], outputs: ['x'] },
        ...attention,
      ],
      integers: { blocks: [-1, 4, 4], back: [1, -1, 4] },
    };
    const masked: SmallGraph = {
      ...open,
      nodes: [
        { ...embedded, outputs: ['x'] },
        ...attention.flatMap((node) =>
          node.operator === 'Softmax'
            ? [
                { operator: 'Add', inputs: ['s', 'mask'], outputs: ['m'] },
                { ...node, inputs: ['m'] },
              ]
            : [node],
        ),
      ],
      weights: {
        ...open.weights,
        mask: { dims: [6, 6], values: Array.from({ length: 36 }, (_, i) => (i % 6 > i / 6 ? -1e4 : 0)) },
      },
    };
    const placed: SmallGraph = {
      ...open,
      nodes: [
        embedded,
        { operator: 'Shape', inputs: ['input_ids'], outputs: ['ids'] },
        { operator: 'Slice', inputs: ['ids', 'one', 'two', 'zero'], outputs: ['n'] },
        { operator: 'Slice', inputs: ['places', 'zero', 'n', 'one'], outputs: ['p0'] },
        { operator: 'Add', inputs: ['e', 'p0'], outputs: ['x'] },
        ...attention,
      ],
      integers: { zero: [0], one: [1], two: [2] },
      weights: { ...open.weights, places: { dims: [1, 6, 4], values: values(24) } },
    };
    const seen = async (graph: SmallGraph, texts: readonly string[]): Promise<unknown[]> => {
      const model = await LoadedModel.load(await chosen(), accessTo(graph), spec);
      const results = [];
      for (const text of texts) {
        const { streams, layers, notices } = await model.explain({ text, tokenLimit: 0 });
        expect([layers[0].numQueries, layers[0].numKeys]).to.deep.equal([
          streams[0].tokens.length,
          streams[0].tokens.length,
        ]);
        results.push([
          streams[0].text,
          ...notices
            .map(({ code, args }) => `${code} ${args[0]}`)
            .filter((notice) => !notice.startsWith('paddingRead')),
        ]);
      }
      await model.release();
      return results;
    };

    it('is found once a run has failed, and texts are cut or filled up to it from then on', async () => {
      const [short, long] = [
        ['abc', 'paddedToShape 6'],
        ['abcdef', 'cutToShape 6'],
      ];
      expect(await seen(shaped([1, 6, 4]), ['abc', 'abcdefgh', 'abcdef'])).to.deep.equal([short, long, ['abcdef']]);
      expect(await seen(shaped([1, 6, 4]), ['abcdefgh'])).to.deep.equal([long]);
      expect(await seen(masked, ['abc', 'abcdefgh'])).to.deep.equal([short, long]);
    });

    it('is only a bound where shorter texts run, and a step where multiples do', async () => {
      expect(await seen(placed, ['abc', 'abcdefgh', 'abc'])).to.deep.equal([
        ['abc'],
        ['abcdef', 'cutToContext 6'],
        ['abc'],
      ]);
      expect(await seen(inBlocks, ['abcd', 'abcdef', 'abc'])).to.deep.equal([
        ['abcd'],
        ['abcdef', 'paddedToShape 8'],
        ['abc', 'paddedToShape 4'],
      ]);
    });

    it('is not sought where something else is wrong', async () => {
      let numRuns = 0;
      const failing = new ExplorerError('runtimeFailed', ['the device was lost']);
      const { index } = analyzeModel(readModel(smallModel(open), 'm'));
      const runs = (): Promise<boolean> => (numRuns++, Promise.resolve(false));
      for (const error of [failing, new ExplorerError('outOfMemory', ['shape 4 by 5']), new Error('shape')])
        expect(await findBakedLength(error, 9, index, runs)).to.equal(undefined);
      expect(numRuns).to.equal(0);
      expect(
        await findBakedLength(
          new ExplorerError('runtimeFailed', [`shapes ${Array.from({ length: 99 }, (_, i) => i + 10).join(' ')}`]),
          9,
          index,
          runs,
        ),
      ).to.equal(undefined);
      expect(numRuns).to.be.below(33);
    });
  });

  it('runs where it does', async () => {
    const runtime = await chosen();
    const text = await LoadedModel.load(runtime, accessTo(textOf([1, 64])), spec);
    expect((await text.explain({ text: 'abc', tokenLimit: 0 })).streams[0].tokens).to.have.length(3);
    await text.release();
    const open = await LoadedModel.load(runtime, accessTo(textOf(['batch', 'n'])), spec);
    expect((await open.explain({ text: 'abcd', tokenLimit: 0 })).layers[0].numQueries).to.equal(4);
    await open.release();
    const pictures = await ImageModel.load(runtime, accessTo(picturesOf(2)), spec);
    expect(pictures.info.reads).to.equal('image');
    await pictures.release();
  });
});
