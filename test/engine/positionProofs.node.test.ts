import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../src/base/errors';
import { extract } from '../../src/cli/extract';
import { writeSafetensors } from '../../src/cli/safetensors';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { proofShelfIn } from '../../src/engine/files/proofShelf.node';
import { ImageModel } from '../../src/engine/image/imageModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { dataType } from '../../src/onnx/file/dataType';
import { planInputs } from '../../src/onnx/inputs/inputs';
import { node, smallModel, weight, type SmallNode } from '../unit/onnx/smallModel';
import { importRuntime } from './ortRuntime';

const width = 6;
const swap = { perm: { integers: [0, 2, 1] } };
const opaque = { bias: { float: 0 }, lambd: { float: 0 } };

/** Attention over embeddings that went through an operator of which nothing tells what the axes of its result count. */
const nodes = (asks: string, keys: string, values: string): SmallNode[] => [
  node('Gather', ['table', 'input_ids'], ['embedded']),
  node('Shrink', ['embedded'], ['x'], opaque),
  node('Transpose', ['x'], ['xt'], swap),
  node('MatMul', [asks, keys], ['s']),
  node('Softmax', ['s'], ['p'], { axis: { integer: -1 } }),
  node('MatMul', ['p', values], ['y']),
];

describe('what shapes leave open of an attention', () => {
  let ort: typeof Ort;
  let folder: string;
  before(async () => {
    ort = await importRuntime();
    folder = mkdtempSync(join(tmpdir(), 'attention-positions-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Loads a model and reads texts of these lengths: what came of each, and of how many tokens every run was. */
  const read = async (
    name: string,
    graph: SmallNode[],
    texts: readonly number[],
    { dims = ['batch', 'n'] as readonly (string | number)[] } = {},
  ) => {
    const path = join(folder, `${name}.onnx`);
    // A file that is as it was keeps its time.
    const bytes = smallModel({
      nodes: graph,
      inputs: { input_ids: dims },
      types: { input_ids: dataType.int64 },
      outputs: ['y'],
      weights: { table: weight(40, width) },
    });
    if (!written.has(path)) writeFileSync(path, bytes);
    written.add(path);
    const access = { ...nodeFileAccess, proofs: proofShelfIn(join(folder, 'proofs.json')) };
    const files = await readModelFiles(access, path);
    const runs: number[] = [];
    const InferenceSession = {
      create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...args);
        const run = session.run.bind(session);
        session.run = async (feeds: Ort.InferenceSession.FeedsType, fetches: unknown) => {
          runs.push((feeds['input_ids'] as Ort.Tensor).dims[1]); // a tensor, as all that is fed
          return run(feeds, fetches as Ort.InferenceSession.FetchesType); // names, as this backend is asked
        };
        return session;
      },
    } as unknown as typeof ort.InferenceSession; // all of it that a session is made with
    const session = await AttentionSession.create({ ort: { ...ort, InferenceSession }, files });
    const plan = planInputs(files.analysis.index, session.inputNames);
    const results = [];
    for (const length of texts) {
      const ids = Array.from({ length }, (_, i) => (i * 7) % 40);
      const { layers, failed, report } = await session.run(plan.make({ ids }).inputs, {
        numPositions: length,
        numTokens: length,
      });
      results.push({
        drawn: layers.length,
        reasons: failed.map(({ reason }) => reason),
        told: report.sites.map(({ checks }) => checks?.failure),
      });
    }
    await session.release();
    return { results, runs };
  };
  const written = new Set<string>();

  it('is proven by a text of another length in the first run, and kept by the file', async () => {
    const first = await read('positions', nodes('x', 'xt', 'x'), [7, 7]);
    expect(first.results.map(({ drawn, reasons }) => [drawn, reasons])).to.deep.equal([
      [1, []],
      [1, []],
    ]);
    expect(first.runs).to.deep.equal([5, 7, 7]);
    const later = await read('positions', nodes('x', 'xt', 'x'), [7]);
    expect([later.results[0].drawn, later.runs]).to.deep.equal([1, [7]]);
  });

  it('is refused where features are by chance as many as the text has tokens', async () => {
    const reason = `its ${width} keys do not grow with the text, so they are no positions of it`;
    for (let load = 0; load < 2; load++) {
      const { results, runs } = await read('channels', nodes('xt', 'x', 'xt'), [width, width]);
      for (const { drawn, reasons, told } of results)
        expect([drawn, reasons, told]).to.deep.equal([0, [reason], [reason]]);
      // What fails is tried at each load, and once.
      expect(runs).to.deep.equal([5, width + 1, width, width]);
    }
    // Of any other length its shape tells.
    const { results } = await read('channels', nodes('xt', 'x', 'xt'), [9]);
    expect(results[0].reasons[0]).to.match(/^its shape \[6, 6\] does not agree with the 9 positions/);
  });

  it('is not refused where texts are filled up to blocks, which are as long for several lengths', async () => {
    // To the next eight.
    const filled: SmallNode[] = [
      node('Gather', ['table', 'input_ids'], ['embedded']),
      node('Shape', ['embedded'], ['shape']),
      node('Slice', ['shape', 'one', 'two'], ['count']),
      node('Neg', ['count'], ['less']),
      node('Mod', ['less', 'eight'], ['fill']),
      node('Concat', ['zeros', 'fill', 'zero'], ['pads'], { axis: { integer: 0 } }),
      node('Pad', ['embedded', 'pads'], ['padded']),
      ...nodes('x', 'xt', 'x')
        .slice(1)
        .map((each) => (each.operator === 'Shrink' ? { ...each, inputs: ['padded'] } : each)),
    ];
    const path = join(folder, 'blocks.onnx');
    writeFileSync(
      path,
      smallModel({
        nodes: filled,
        inputs: { input_ids: ['batch', 'n'] },
        types: { input_ids: dataType.int64 },
        outputs: ['y'],
        weights: { table: weight(40, width) },
        integers: { one: [1], two: [2], eight: [8], zeros: [0, 0, 0, 0], zero: [0] },
      }),
    );
    written.add(path);
    const { results, runs } = await read('blocks', [], [8]);
    expect([results[0].drawn, results[0].reasons, runs]).to.deep.equal([1, [], [5, 9, 8]]);
  });

  /** Attention over a picture's patches of eight pixels, six features each, or between these features. */
  const pictured = (name: string, asks: string, keys: string, values: string): string => {
    const path = join(folder, `${name}.onnx`);
    if (written.has(path)) return path;
    written.add(path);
    const cut = { strides: { integers: [8, 8] }, kernel_shape: { integers: [8, 8] } };
    const bytes = smallModel({
      nodes: [
        node('Conv', ['pixel_values', 'kernel'], ['c'], cut),
        node('Shrink', ['c'], ['d'], opaque),
        node('Reshape', ['d', 'flat'], ['xt']),
        node('Transpose', ['xt'], ['x'], swap),
        ...nodes(asks, keys, values).slice(3),
      ],
      inputs: { pixel_values: ['batch', 3, 'height', 'width'] },
      outputs: ['y'],
      weights: { kernel: weight(width, 3, 8, 8) },
      integers: { flat: [0, 0, -1] },
    });
    writeFileSync(path, bytes);
    return path;
  };
  /** A picture of six patches. */
  const picture = (() => {
    const whole = { left: 0, top: 0, width: 24, height: 16 };
    return { ...whole, pixels: new Uint8Array(24 * 16 * 4).fill(90), content: whole, source: whole, placed: whole };
  })();
  const runPicture = async (path: string) => {
    const sizes: string[] = [];
    const InferenceSession = {
      create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
        const session = await ort.InferenceSession.create(...args);
        const run = session.run.bind(session);
        session.run = async (feeds: Ort.InferenceSession.FeedsType, fetches: unknown) => {
          sizes.push((feeds['pixel_values'] as Ort.Tensor).dims.slice(2).join('×')); // a tensor, as all that is fed
          return run(feeds, fetches as Ort.InferenceSession.FetchesType); // names, as this backend is asked
        };
        return session;
      },
    } as unknown as typeof ort.InferenceSession; // all of it that a session is made with
    const runtime = new Runtime({ ...ort, InferenceSession }, 1);
    await runtime.initialize(1);
    const access = { ...nodeFileAccess, proofs: proofShelfIn(join(folder, 'proofs.json')) };
    const model = await ImageModel.load({ runtime, reason: '' }, access, { path, backend: 'wasm', threads: 1 });
    const results: string[] = [];
    for (let i = 0; i < 2; i++)
      results.push(
        await model.run(picture).then(
          ({ streams, layers }) => `${layers.length} over ${streams[0].tokens.length}`,
          (error: unknown) => (error instanceof ExplorerError ? error.code : String(error)),
        ),
      );
    await model.release();
    return { results, sizes };
  };

  it('is proven of pictures by two other sizes, once and kept by the file', async () => {
    const path = pictured('patches', 'x', 'xt', 'x');
    expect(await runPicture(path)).to.deep.equal({
      results: ['1 over 6', '1 over 6'],
      sizes: ['64×96', '96×160', '16×24', '16×24'],
    });
    expect(await runPicture(path)).to.deep.equal({ results: ['1 over 6', '1 over 6'], sizes: ['16×24', '16×24'] });
  });

  it('is drawn over no patches where features are by chance as many as a picture has of these', async () => {
    const { results, sizes } = await runPicture(pictured('features', 'xt', 'x', 'xt'));
    expect(results).to.deep.equal(['imageNoGrid', 'imageNoGrid']);
    expect(sizes.slice(0, 3)).to.deep.equal(['64×96', '96×160', '16×24']);
  });

  it('is proven for what is written of a file’s own inputs, too', async () => {
    const [feeds, out] = ['feeds', 'out'].map((name) => join(folder, `${name}.safetensors`));
    const given = (name: string, shape: readonly number[], data: BigInt64Array | Float32Array): void =>
      writeFileSync(
        feeds,
        writeSafetensors(
          new Map([
            [
              `in.${name}`,
              {
                dtype: data instanceof Float32Array ? 'F32' : 'I64',
                shape: [...shape],
                data: new Uint8Array(data.buffer),
              },
            ],
          ]),
        ),
      );
    const write = async (model: string): Promise<string> =>
      extract({ model, feeds, out, backend: 'wasm' }).catch((error: unknown) => String(error));
    given(
      'input_ids',
      [1, width],
      BigInt64Array.from({ length: width }, (_, i) => BigInt(i)),
    );
    expect(await write(join(folder, 'positions.onnx'))).to.match(/^1 attention layer written/);
    expect(await write(join(folder, 'channels.onnx'))).to.match(/its 6 keys do not grow with the text/);
    given('pixel_values', [1, 3, 16, 24], new Float32Array(3 * 16 * 24).fill(0.4));
    expect(await write(join(folder, 'patches.onnx'))).to.match(/^1 attention layer written/);
    expect(await write(join(folder, 'features.onnx'))).to.match(/do not grow with the picture/);
  });

  it('costs no run where shapes tell, and none where the file takes one length alone', async () => {
    const plain = nodes('x', 'xt', 'x').map((each) =>
      each.operator === 'Shrink' ? { ...each, operator: 'Relu', attributes: {} } : each,
    );
    const told = await read('told', plain, [7]);
    expect([told.results[0].drawn, told.runs]).to.deep.equal([1, [7]]);
    const fixed = await read('fixed', nodes('x', 'xt', 'x'), [7], { dims: ['batch', 7] });
    expect([fixed.results[0].drawn, fixed.runs]).to.deep.equal([1, [7]]);
  });
});
