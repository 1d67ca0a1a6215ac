import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession, type AttentionResult } from '../../src/engine/session/attentionSession';
import { AttentionStore } from '../../src/engine/weights/attentionStore';
import { describeComponents, storedLayers } from '../../src/engine/session/layerInfo';
import { LeanRuns } from '../../src/engine/long/leanRuns';
import { LeanSession } from '../../src/engine/long/leanSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { smallPicture } from '../../src/engine/weights/smallPicture';
import { Turns } from '../../src/base/turns';
import { maxPool } from '../../src/model/pattern';
import { planInputs, type ModelInput } from '../../src/onnx/inputs/inputs';
import { leanReplacements } from '../../src/onnx/rewrite/leanNodes';
import { planLean } from '../../src/onnx/rewrite/leanPlan';
import { readModel } from '../../src/onnx/file/readModel';
import { rewriteModel } from '../../src/onnx/rewrite/rewriteModel';
import { readFixture } from '../harness/fixtures';
import { node, plainAttention, smallModel, type SmallGraph, type SmallNode } from '../unit/onnx/smallModel';
import { firstItem } from './firstItem';
import { fixtureAccess, memoryAccess } from './fixtureAccess';
import { leanDifferences } from './leanDifferences';
import { importRuntime } from './ortRuntime';

/** Nothing is held whole that can be held otherwise. */
const limits = { wholeAttentionBytes: 0, engineBytes: 2 ** 32 };

/** Small pictures that are not smaller. */
const everyCell = { source: 0, target: 0 };

interface Runs {
  readonly whole: AttentionResult;
  readonly lean: AttentionResult;
  /** Paths of layers in the order in which they were handed on. */
  readonly handed: readonly string[];
  readonly runs: LeanRuns;
  readonly session: AttentionSession;
}

describe('long texts', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  const run = async (
    name: string,
    make?: (
      files: Awaited<ReturnType<typeof readModelFiles>>,
      names: readonly string[],
    ) => { readonly inputs: readonly ModelInput[]; readonly numPositions: number; readonly numTokens: number },
    isStaged = false,
  ): Promise<Runs> => {
    const folder = name.includes('/') ? name : `zoo/${name}`;
    const expected = readSafetensors(await readFixture(`${folder}/expected.safetensors`), 'expected.safetensors');
    const files = await readModelFiles(
      fixtureAccess,
      `${folder}/model.onnx`,
      (input) => (expected.get(`in.${input}`)?.data[0] ?? 0) !== 0,
    );
    const session = await AttentionSession.create({ ort, files });
    const stored = { inputs: toModelInputs(files.analysis.index, expected).map(firstItem) };
    const { inputs, ...made } = make?.(files, session.inputNames) ?? stored;
    const whole = await session.run(inputs, made);
    const { numQueries } = whole.layers[0];
    const runs = new LeanRuns({ ort, files, isStaged }, session, limits);
    const numPositions = 'numPositions' in made ? made.numPositions : numQueries;
    expect(runs.isFor(numPositions)).to.equal(true);
    const handed: string[] = [];
    const lean = await runs.run(inputs, { numPositions, ...made, onLayer: ({ path }) => handed.push(path) });
    return { whole, lean, handed, runs, session };
  };
  const end = async ({ lean, runs, session }: Runs): Promise<void> => {
    for (const { inParts } of lean.layers) inParts?.release?.();
    await runs.suspend();
    await session.release();
  };

  const inStages = new Set(['bert.sdpa.legacy', 'gpt2.sdpa.legacy.merged', 'craft.sink_logits.legacy']);
  for (const name of [
    'bert.sdpa.legacy',
    'bert.sdpa.legacy.fp16',
    'gemma2.eager.legacy',
    'gpt2.eager.dynamo',
    'gpt2.sdpa.legacy.merged',
    'craft.sink_logits.legacy',
    'craft.sigmoid.legacy',
    'vit.eager.dynamo',
  ]) {
    const recomputes = async (isStaged: boolean): Promise<void> => {
      const all = await run(name, undefined, isStaged);
      const { whole, lean, handed } = all;
      expect(lean.failed).to.deep.equal([]);
      expect(handed).to.deep.equal(whole.layers.map(({ path }) => path));
      expect(lean.report.stages?.count ?? 1).to.equal(isStaged ? lean.layers.length : 1);
      expect(lean.layers.map(({ path, isCausal, inParts }) => [path, isCausal, inParts?.held])).to.deep.equal(
        whole.layers.map(({ path, isCausal }) => [path, isCausal, 'recomputed']),
      );
      for (const [i, layer] of lean.layers.entries()) {
        const { rows, vectors } = await leanDifferences(layer, whole.layers[i]);
        const tolerance = name.endsWith('fp16') ? 2 ** -11 : 1e-6;
        expect(rows).to.be.at.most(tolerance);
        expect(vectors).to.be.at.most(tolerance);
      }
      expect(lean.report.sites.map(({ checks }) => checks?.failure)).to.deep.equal(whole.report.sites.map(() => ''));
      await end(all);
    };
    it(`recomputes ${name}`, () => recomputes(false));
    if (inStages.has(name)) it(`recomputes ${name}, layer by layer`, () => recomputes(true));
  }

  for (const name of [
    'craft.gqa_window',
    'craft.qattention',
    'deberta_v2.eager.legacy',
    'craft.additive.legacy',
    'llama.sdpa.op23',
    'craft.linear.legacy',
    'linear/not_divided.dynamo',
  ]) {
    for (const isStaged of name.startsWith('deberta') ? [true] : [true, false])
      it(`runs layers of ${name} again, ${isStaged ? 'each alone' : 'with the others'}, with exact weights`, async () => {
        const all = await run(name, undefined, isStaged);
        const { whole, lean, session, runs } = all;
        expect(lean.failed).to.deep.equal([]);
        expect(lean.report.stages?.count ?? 1).to.equal(isStaged ? lean.layers.length : 1);
        expect(lean.layers.map(({ path, inParts }) => [path, inParts?.held])).to.deep.equal(
          whole.layers.map(({ path }) => [path, 'recomputed']),
        );
        const compare = async (): Promise<void> => {
          for (const [i, layer] of lean.layers.entries())
            expect(await leanDifferences(layer, whole.layers[i])).to.satisfy(
              ({ rows, vectors }: { rows: number; vectors: number }) => rows <= 1e-6 && vectors <= 1e-6,
            );
        };
        await compare();
        // Also while its sessions are freed, whoever asks first.
        await runs.suspend();
        await session.release();
        await compare();
        await end(all);
      });
  }

  it('shows no padding', async () => {
    const all = await run('bert.eager.dynamo', (files, names) =>
      planInputs(files.analysis.index, names).make({ ids: [3, 1, 4] }),
    );
    for (const [i, layer] of all.lean.layers.entries())
      expect((await leanDifferences(layer, all.whole.layers[i])).rows).to.be.at.most(1e-6);
    expect(all.lean.layers[0].inParts?.summary?.(0)).to.equal(undefined);
    await end(all);
  });

  it('gives the small pictures and sinks without reading rows, and aggregates heads', async () => {
    const all = await run('gpt2.sdpa.legacy.merged', (files, names) =>
      planInputs(files.analysis.index, names).make({ ids: Array.from({ length: 20 }, (_, i) => (i * 7) % 50) }),
    );
    const stores = [all.whole, all.lean].map(({ layers }) => {
      const store = new AttentionStore(1e9);
      store.add(1, storedLayers(layers, describeComponents(layers)));
      return store;
    });
    const [whole, lean] = stores;
    for (const size of [20, 7]) {
      const params = { runId: 1, component: 'self', size, isCausal: true } as const;
      const pictures = await lean.thumbnails(params);
      const wanted = await whole.thumbnails(params);
      expect(pictures.sinks).to.deep.equal(wanted.sinks);
      pictures.pixels.forEach((pixel, i) => expect(pixel).to.be.within(wanted.pixels[i] - 1, wanted.pixels[i] + 1));
    }
    const selection = {
      component: 'self',
      heads: [
        { layer: 0, head: 1 },
        { layer: 2, head: 3 },
      ],
      aggregation: 'mean',
    } as const;
    const [exact, anew] = await Promise.all(stores.map((store) => store.pattern({ runId: 1, selection })));
    anew.weights.forEach((weight, i) => expect(weight).to.be.closeTo(exact.weights[i], 1e-6));
    expect(describeComponents(all.lean.layers)[0].layers.map(({ held }) => held)).to.deep.equal([
      'recomputed',
      'recomputed',
      'recomputed',
    ]);
    // A row is there while the model that made it is not.
    await all.runs.suspend();
    await all.session.release();
    const row = await lean.row({ runId: 1, selection, position: 5, direction: 'reads' });
    row.forEach((weight, key) => expect(weight).to.be.closeTo(exact.weights[5 * 20 + key], 1e-6));
    lean.release(1);
  });

  it('reduces blocks to their maxima, those at the edge too, and loses no hot cell on the way to a picture', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const lean = await LeanSession.create({ ort, files }, { source: 2, target: 0 });
    const { inputs, ...made } = planInputs(files.analysis.index, session.inputNames).make({
      ids: Array.from({ length: 22 }, (_, i) => (i * 7) % 50),
    });
    const whole = (await session.run(inputs, made)).layers;
    const { layers } = await lean.run(inputs, made);
    for (const [i, { inParts }] of layers.entries()) {
      for (let head = 0; head < 4; head++) {
        const { pooled, block, columnSums } = inParts?.summary?.(head) ?? {};
        if (pooled === undefined || columnSums === undefined) throw new Error('no summary');
        expect([pooled.numQueries, pooled.numKeys, block]).to.deep.equal([6, 6, [4, 4]]);
        const maxima = new Float32Array(36);
        const sums = new Float64Array(22);
        const weights = whole[i].weights.subarray(head * 22 ** 2, (head + 1) * 22 ** 2);
        weights.forEach((weight, cell) => {
          const block = (Math.floor(cell / 22) >> 2) * 6 + ((cell % 22) >> 2);
          maxima[block] = Math.max(maxima[block], weight);
          sums[cell % 22] += weight;
        });
        pooled.weights.forEach((maximum, block) => expect(maximum).to.be.closeTo(maxima[block], 1e-6));
        columnSums.forEach((sum, key) => expect(sum).to.be.closeTo(sums[key], 1e-5));
        for (const size of [22, 10, 6, 5]) {
          const layer = layers[i].inParts;
          if (layer === undefined) throw new Error('held whole');
          const picture = (await smallPicture({ layer, head }, { size, isCausal: true }, new Turns())).pooled;
          const wanted = maxPool({ numQueries: 22, numKeys: 22, weights }, size);
          picture.weights.forEach((maximum, cell) => expect(maximum).to.be.at.least(wanted.weights[cell] - 1e-6));
          expect(Math.max(...picture.weights)).to.be.closeTo(Math.max(...weights), 1e-6);
        }
      }
    }
    await session.release();
    await lean.release();
  });

  it('shows queries that may read no key as rows of zeros, recomputed and run again', async () => {
    // softmax(q kᵀ + mask) v, where two rows of the mask are −∞ throughout.
    const numPositions = 12;
    const graph: SmallGraph = {
      ...plainAttention,
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
    const made = (name: string, dims: readonly number[]): ModelInput => ({
      name,
      type: 'float32',
      dims,
      data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) =>
        Math.sin(dims.length + name.length + i * 1.7),
      ),
    });
    const mask = (rows: readonly number[]): ModelInput => ({
      name: 'mask',
      type: 'float32',
      dims: [1, 1, numPositions, numPositions],
      data: Float32Array.from({ length: numPositions ** 2 }, (_, i) =>
        rows.includes(Math.floor(i / numPositions)) ? -Infinity : 0,
      ),
    });
    const inputs = [
      made('q', [1, 2, numPositions, 4]),
      made('kt', [1, 2, 4, numPositions]),
      made('v', [1, 2, numPositions, 4]),
    ];
    for (const isRecomputed of [true, false]) {
      let lean = await LeanSession.create(
        { ort, files },
        everyCell,
        isRecomputed
          ? undefined
          : new Map(files.analysis.sites.map((site) => [site, { held: 'rerun', reason: 'it is not to be' }])),
      );
      const first = await lean.run([...inputs, mask([0, 5])], { numPositions });
      expect(first.needsWhole).to.equal(true);
      lean = await lean.asWritten();
      const {
        failed,
        layers: [layer],
        report,
      } = await lean.run([...inputs, mask([0, 5])], { numPositions });
      expect(failed).to.deep.equal([]);
      expect(report.sites[0].checks).to.deep.include({ isFinite: true, numWithoutKey: 4, failure: '' });
      const whole = await AttentionSession.create({ ort, files });
      const exact = (await whole.run([...inputs, mask([0, 5])], { numPositions })).layers[0].weights;
      for (const query of [0, 1, 5, 11]) {
        const row = await layer.inParts?.rows(1, query, query + 1);
        row?.forEach((weight, key) =>
          expect(weight).to.be.closeTo(exact[(numPositions + query) * numPositions + key], 1e-6),
        );
      }
      const none = await lean.run([...inputs, mask([...Array(numPositions).keys()])], { numPositions });
      expect(none.failed.map(({ reason }) => reason)).to.deep.equal(['it holds numbers that are not finite']);
      await lean.release();
      await whole.release();
    }
  });

  it('reads short and long texts in turn, and ends where it is told to', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    const session = await AttentionSession.create({ ort, files });
    const runs = new LeanRuns({ ort, files }, session, { ...limits, wholeAttentionBytes: 4 * 12 * 10 ** 2 });
    const make = (length: number) =>
      planInputs(files.analysis.index, session.inputNames).make({ ids: Array.from({ length }, (_, i) => i) });
    expect([10, 11].map((length) => runs.isFor(length))).to.deep.equal([false, true]);
    const long = make(11);
    const first = await runs.run(long.inputs, long);
    await runs.suspend();
    const short = make(10);
    const { layers } = await session.run(short.inputs, short);
    expect(layers[0].weights.length).to.equal(4 * 10 ** 2);
    const again = await runs.run(long.inputs, long);
    const [a, b] = await Promise.all([first, again].map((result) => result.layers[1].inParts?.rows(2, 3, 9)));
    expect(a).to.deep.equal(b);
    const controller = new AbortController();
    controller.abort(new Error('not wanted'));
    const ended = await again.layers[0].inParts?.rows(0, 0, 5, controller.signal).catch((error: unknown) => error);
    expect(ended).to.be.an('error').with.property('message', 'not wanted');
    await runs.suspend();
    await session.release();
  });

  describe('of models that choose among whole matrices', () => {
    const softmax = (input: string, output: string): SmallNode =>
      node('Softmax', [input], [output], { axis: { integer: -1 } });
    const scalar = (value: number) => ({ dims: [], values: [value] });
    const models: Record<
      string,
      { readonly graph: SmallGraph; readonly mask: ModelInput; readonly isTrimmed: boolean; readonly numWheres: number }
    > = (() => {
      const behind = Array.from({ length: 36 }, (_, i) => (i % 6 <= Math.floor(i / 6) ? 1 : 0));
      const chosen: SmallGraph = {
        nodes: [
          node('MatMul', ['q', 'kt'], ['s']),
          node('Where', ['mask', 's', 'low'], ['m']),
          softmax('m', 'p'),
          node('MatMul', ['p', 'v'], ['y']),
        ],
        inputs: { ...plainAttention.inputs, mask: [1, 1, 'n', 'n'] },
        types: { mask: 9 },
        outputs: ['y'],
        weights: { low: scalar(-3.4028234663852886e38) },
      };
      const guarded: SmallGraph = {
        nodes: [
          node('MatMul', ['q', 'kt'], ['s']),
          node('Add', ['s', 'mask'], ['m']),
          softmax('m', 'raw'),
          node('IsNaN', ['raw'], ['none']),
          node('Where', ['none', 'zero', 'raw'], ['p']),
          node('MatMul', ['p', 'v'], ['y']),
        ],
        inputs: { ...plainAttention.inputs, mask: [1, 1, 'n', 'n'] },
        outputs: ['y'],
        weights: { zero: scalar(0) },
      };
      const bias = (isSeen: (i: number) => boolean): ModelInput => ({
        name: 'mask',
        type: 'float32',
        dims: [1, 1, 6, 6],
        data: Float32Array.from(behind, (_, i) => (isSeen(i) ? 0 : -Infinity)),
      });
      return {
        'scores that are put down': {
          graph: chosen,
          mask: { name: 'mask', type: 'bool', dims: [1, 1, 6, 6], data: Uint8Array.from(behind) },
          isTrimmed: true,
          numWheres: 1,
        },
        'weights that are numbers all': {
          graph: guarded,
          mask: bias((i) => behind[i] === 1),
          isTrimmed: true,
          numWheres: 0,
        },
        'rows without any key': {
          graph: guarded,
          mask: bias((i) => behind[i] === 1 && i >= 12),
          isTrimmed: false,
          numWheres: 1,
        },
      };
    })();
    for (const [name, { graph, mask, isTrimmed, numWheres }] of Object.entries(models)) {
      it(name, async () => {
        const files = await readModelFiles(memoryAccess({ 'm/model.onnx': smallModel(graph) }), 'm/model.onnx');
        const replacements = leanReplacements(files.analysis.index);
        const left = readModel(
          rewriteModel(files.analysis, { sites: files.analysis.sites, isWhole: false, replacements }).bytes,
          'trimmed',
        ).graph.nodes;
        expect(
          left.filter(
            ({ opType }) =>
              opType === 'IsNaN' || (opType === 'Where' && left.some(({ opType: other }) => other === 'IsNaN')),
          ),
        ).to.deep.equal([]);
        expect(left.filter(({ opType }) => opType === 'Where').length).to.equal(isTrimmed ? numWheres : 0);
        const session = await AttentionSession.create({ ort, files });
        const runs = new LeanRuns({ ort, files }, session, limits);
        const random = (inputName: string, dims: number[]): ModelInput => ({
          name: inputName,
          type: 'float32',
          dims,
          data: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i * (inputName.length + 1.7))),
        });
        const inputs = [random('q', [1, 2, 6, 4]), random('kt', [1, 2, 4, 6]), random('v', [1, 2, 6, 4]), mask];
        const whole = await session.run(inputs, { numPositions: 6, numTokens: 6 });
        for (let i = 0; i < 2; i++) {
          const { layers, failed } = await runs.run(inputs, { numPositions: 6, numTokens: 6 });
          expect(failed).to.deep.equal([]);
          expect(layers[0].inParts?.held).to.equal('recomputed');
          expect((await leanDifferences(layers[0], whole.layers[0])).rows).to.be.at.most(1e-6);
          expect(layers[0].isCausal).to.equal(whole.layers[0].isCausal);
          layers[0].inParts?.release?.();
        }
        await runs.suspend();
        await session.release();
        const full = await AttentionSession.create({ ort, files, wantOutputs: true });
        const kept = new LeanRuns({ ort, files, keptOutputs: ['y'] }, full, limits);
        // The rows that are no numbers reach the outputs too, before anybody has looked at attention.
        const [own, wanted] = [
          await kept.outputs(inputs, ['y'], { numPositions: 6 }),
          await full.outputs(inputs, ['y']),
        ].map((outputs) => outputs.get('y')?.data as Float32Array); // as the graph says
        expect(own.length).to.equal(48);
        own.forEach((value, i) => expect(value).to.be.closeTo(wanted[i], 1e-6));
        await kept.suspend();
        await full.release();
        const lean = await LeanSession.create({ ort, files }, everyCell);
        expect((await lean.run(inputs, { numPositions: 6 })).needsWhole).to.equal(!isTrimmed);
        await lean.release();
      });
    }
  });

  it('runs again what does not prove to be recomputable', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/gpt2.sdpa.legacy.merged/model.onnx');
    const { index, sites } = files.analysis;
    const plans = new Map(sites.map((site) => [site, planLean(index, site)]));
    const [plan, other] = plans.values();
    if (plan.held !== 'recomputed' || other.held !== 'recomputed') throw new Error('not recomputable');
    // As if the queries of one layer were those of another.
    plans.set(sites[0], { ...plan, graph: { ...plan.graph, queries: other.graph.queries } });
    const lean = await LeanSession.create({ ort, files, isStaged: true }, everyCell, plans);
    const whole = await AttentionSession.create({ ort, files });
    const { inputs, ...made } = planInputs(index, whole.inputNames).make({
      ids: Array.from({ length: 40 }, (_, i) => (i * 7) % 50),
    });
    const { layers } = await whole.run(inputs, made);
    const held = await lean.run(inputs, made);
    expect(held.layers.length).to.equal(3);
    for (const [i, layer] of held.layers.entries()) {
      expect((await leanDifferences(layer, layers[i])).rows).to.be.at.most(1e-6);
      layer.inParts?.release?.();
    }
    await lean.release();
    await whole.release();
  });

  it('refuses to show what comes out otherwise when it is run again', async () => {
    const files = await readModelFiles(fixtureAccess, 'zoo/craft.linear.legacy/model.onnx');
    const stored = readSafetensors(await readFixture('zoo/craft.linear.legacy/expected.safetensors'), 'expected');
    const inputs = toModelInputs(files.analysis.index, stored).map(firstItem);
    const whole = await AttentionSession.create({ ort, files });
    const numPositions = (await whole.run(inputs)).layers[0].numQueries;
    await whole.release();
    const lean = await LeanSession.create({ ort, files }, everyCell);
    const { layers } = await lean.run(inputs, { numPositions });
    // As if the model's file were another by now.
    const data = inputs[0].data as Float32Array;
    data.forEach((value, i) => (data[i] = -2 * value));
    const failure = await layers[0].inParts?.rows(0, 0, 1).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('code', 'runtimeFailed');
    expect(failure)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/run again, and a weight differs by/);
    await lean.release();
  });
});
