import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession, type AttentionResult } from '../../src/engine/session/attentionSession';
import { LeanRuns } from '../../src/engine/long/leanRuns';
import { LeanSession } from '../../src/engine/long/leanSession';
import { WholeLayer, type HeldLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { usualLimits, type MemoryLimits } from '../../src/engine/long/memoryPlan';
import { readModelFiles, type ModelFiles } from '../../src/engine/files/modelFiles';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { Explanation, Reading } from '../../src/engine/text/textModel';
import type { ModelInput } from '../../src/onnx/inputs/inputs';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { fixtureAccess, memoryAccess } from './fixtureAccess';
import { expectSummaries, leanDifferences } from './leanDifferences';
import { importRuntime } from './ortRuntime';

/** Nothing is held whole that can be held otherwise. */
const limits = { wholeAttentionBytes: 0, engineBytes: 2 ** 32 };

/** Encoder–decoder models of the zoo, with the positions of both texts that are stored for them. */
const sizes = { 'bart.sdpa.legacy': [12, 9], 't5.eager.legacy': [12, 9], 'whisper.sdpa.dynamo': [20, 9] } as const;

describe('long texts of an encoder and a decoder in one file', () => {
  let ort: typeof Ort;
  before(async () => {
    ort = await importRuntime();
  });

  interface Stored {
    readonly files: ModelFiles;
    readonly inputs: readonly ModelInput[];
    readonly options: { readonly numPositions: number; readonly numTargetPositions: number };
    readonly session: AttentionSession;
  }
  const stored = async (name: keyof typeof sizes): Promise<Stored> => {
    const expected = readSafetensors(await readFixture(`zoo/${name}/expected.safetensors`), name);
    const files = await readModelFiles(fixtureAccess, `zoo/${name}/model.onnx`);
    const [numPositions, numTargetPositions] = sizes[name];
    return {
      files,
      inputs: toModelInputs(files.analysis.index, expected),
      options: { numPositions, numTargetPositions },
      session: await AttentionSession.create({ ort, files, wantOutputs: true }),
    };
  };
  const outline = ({ layers }: AttentionResult): unknown[] =>
    layers.map(({ component, path, numHeads, numQueries, numKeys, isCausal }) => [
      component,
      path,
      numHeads,
      numQueries,
      numKeys,
      isCausal,
    ]);

  for (const name of ['bart.sdpa.legacy', 't5.eager.legacy', 'whisper.sdpa.dynamo'] as const) {
    it(`are recomputed, padded or not: ${name}`, async () => {
      const { files, inputs, options, session } = await stored(name);
      const runs = new LeanRuns({ ort, files }, session, limits);
      expect(runs.isFor(options.numPositions, options.numTargetPositions)).to.equal(true);
      for (const tokens of [
        {},
        { numTokens: options.numPositions - 5, numTargetTokens: options.numTargetPositions - 2 },
      ]) {
        const whole = await session.run(inputs, { ...options, ...tokens, outputs: [] });
        const lean = await runs.run(inputs, { ...options, ...tokens });
        expect(lean.failed).to.deep.equal([]);
        expect(outline(lean)).to.deep.equal(outline(whole));
        expect(new Set(lean.layers.map(({ component }) => component))).to.deep.equal(
          new Set(['encoder', 'decoder', 'cross']),
        );
        for (const [i, layer] of lean.layers.entries()) {
          expect(layer.inParts?.held, layer.path).to.equal('recomputed');
          const { rows, vectors } = await leanDifferences(layer, whole.layers[i]);
          expect(
            [rows, vectors].every((difference) => difference <= 1e-6),
            layer.path,
          ).to.equal(true);
          layer.inParts?.release?.();
        }
        expect(lean.report.sites.map(({ checks }) => checks?.shape)).to.deep.equal(
          whole.report.sites.map(({ checks }) => checks?.shape),
        );
      }
      await runs.suspend();
      await session.release();
    });
  }

  it('are run again where they cannot be recomputed', async () => {
    const { files, inputs, options, session } = await stored('bart.sdpa.legacy');
    const { sites } = files.analysis;
    const lean = await LeanSession.create(
      { ort, files, isStaged: true },
      { source: 0, target: 0 },
      new Map(sites.map((site) => [site, { held: 'rerun', reason: 'as the test wants it' }])),
    );
    for (const tokens of [{}, { numTokens: 7, numTargetTokens: 8 }]) {
      const whole = await session.run(inputs, { ...options, ...tokens, outputs: [] });
      const result = await lean.run(inputs, { ...options, ...tokens });
      expect(outline(result)).to.deep.equal(outline(whole));
      for (const [i, layer] of result.layers.entries()) {
        const { rows, vectors } = await leanDifferences(layer, whole.layers[i]);
        expect(Math.max(rows, vectors)).to.be.at.most(1e-6);
      }
    }
    await lean.release();
    await session.release();
  });

  it('are reduced to blocks of each side by itself', async () => {
    const { files, inputs, options, session } = await stored('bart.sdpa.legacy');
    const whole = await session.run(inputs, { ...options, outputs: [] });
    const lean = await LeanSession.create({ ort, files }, { source: 2, target: 1 });
    const { layers } = await lean.run(inputs, options);
    for (const [i, layer] of layers.entries()) {
      const { component } = layer;
      const [height, width] = component === 'encoder' ? [4, 4] : component === 'decoder' ? [2, 2] : [2, 4];
      expectSummaries(layer, whole.layers[i], [height, width], { maxima: 1e-6, sums: 1e-5 });
      layer.inParts?.release?.();
    }
    await lean.release();
    await session.release();
  });

  it('are refused where their shapes do not fit the two texts', async () => {
    const { files, inputs, options, session } = await stored('bart.sdpa.legacy');
    const runs = new LeanRuns({ ort, files }, session, limits);
    const { layers, failed } = await runs.run(inputs, { ...options, numTargetPositions: 8 });
    expect(layers.map(({ component }) => component)).to.deep.equal(['encoder', 'encoder']);
    expect(failed.map(({ reason }) => reason)).to.include(
      'its shape [9, 12] does not agree with the 8 and 12 positions that were read',
    );
    for (const { inParts } of layers) inParts?.release?.();
    await runs.suspend();
    await session.release();
  });

  it('give the outputs of their own that are asked for, with attention and without', async () => {
    const { files, inputs, options, session } = await stored('t5.eager.legacy');
    const [name] = files.analysis.index.graph.outputs.map((output) => output.name);
    const runs = new LeanRuns({ ort, files, keptOutputs: [name] }, session, limits);
    const wanted = (await session.outputs(inputs, [name])).get(name)?.data as Float32Array; // numbers, in the zoo
    const result = await runs.run(inputs, { ...options, outputs: [name] });
    for (const outputs of [result.outputs, await runs.outputs(inputs, [name], options)]) {
      const given = outputs.get(name)?.data as Float32Array; // as above
      expect(given.length).to.equal(wanted.length);
      expect(given.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0)).to.be.below(1e-5);
    }
    for (const { inParts } of result.layers) inParts?.release?.();
    await runs.suspend();
    await session.release();
  });
});

describe('long texts of encoder–decoder models', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  const load = (name: string, given: MemoryLimits): Promise<LoadedModel> =>
    LoadedModel.load(
      { runtime, reason: '' },
      fixtureAccess,
      { path: `seq2seq/${name}`, backend: 'wasm', threads: 1 },
      { memory: given },
    );

  /** The largest difference between a layer's rows and those of another, which is held whole. */
  const largestDifference = async (layer: HeldLayer, whole: HeldLayer): Promise<number> => {
    if (!(whole instanceof WholeLayer)) throw new Error('not held whole');
    const { numHeads, numQueries, numKeys, weights } = whole;
    expect([layer.numHeads, layer.numQueries, layer.numKeys]).to.deep.equal([numHeads, numQueries, numKeys]);
    let largest = 0;
    for (let head = 0; head < numHeads; head++) {
      const rows = await layer.rows(head, 0, numQueries);
      rows.forEach(
        (weight, cell) => (largest = Math.max(largest, Math.abs(weight - weights[head * numQueries * numKeys + cell]))),
      );
    }
    return largest;
  };
  const expectSame = async (lean: Explanation, whole: Explanation): Promise<void> => {
    expect(lean.streams).to.deep.equal(whole.streams);
    expect(lean.notices).to.deep.equal(whole.notices);
    expect(
      lean.components.map(({ component, queryStream, keyStream, isCausal }) => [
        component,
        queryStream,
        keyStream,
        isCausal,
      ]),
    ).to.deep.equal(
      whole.components.map(({ component, queryStream, keyStream, isCausal }) => [
        component,
        queryStream,
        keyStream,
        isCausal,
      ]),
    );
    for (const [i, layer] of lean.layers.entries()) {
      expect(await largestDifference(layer, whole.layers[i])).to.be.below(1e-5);
      layer.release?.();
    }
  };
  const heldOf = ({ components }: Explanation): Record<string, string> =>
    Object.fromEntries(
      components.map(({ component, layers }) => [component, [...new Set(layers.map(({ held }) => held))].join()]),
    );

  const text = 'Grüße, 17. März 2024 🎉 and the 3rd of May 1979';
  for (const name of ['t5.split', 'marian.merged', 'bart.whole']) {
    it(`are written and attend as short ones do, with a target of their own too: ${name}`, async () => {
      const model = await load(name, limits);
      const reference = await load(name, usualLimits);
      for (const reading of [
        { text, tokenLimit: 0 },
        { text: 'a', tokenLimit: 0, target: '1979-05-03, 12/31/1999 noon' },
      ] satisfies Reading[]) {
        const lean = await model.explain(reading);
        expect(heldOf(lean)).to.deep.equal({ encoder: 'recomputed', decoder: 'recomputed', cross: 'recomputed' });
        const whole = await reference.explain(reading);
        expect(heldOf(whole)).to.deep.equal({ encoder: 'whole', decoder: 'whole', cross: 'whole' });
        await expectSame(lean, whole);
      }
      expect(await model.write(text)).to.equal(await reference.write(text));
      await model.release();
      await reference.release();
    });
  }

  it('take turns with short ones, file by file', async () => {
    const reference = await load('t5.split', usualLimits);
    const short = await reference.explain({ text: 'a', tokenLimit: 0, target: '1979' });
    // What the short source takes, with a short target beside it, is just within the limit.
    const bytesOf = (counted: (layer: HeldLayer) => boolean): number =>
      short.layers.filter(counted).reduce((sum, layer) => sum + layer.bytes, 0);
    const model = await load('t5.split', {
      ...limits,
      wholeAttentionBytes: Math.max(
        bytesOf(({ component }) => component === 'encoder'),
        bytesOf(({ component }) => component !== 'encoder'),
      ),
    });
    const readings = [
      [{ text: 'a', tokenLimit: 0, target: '1979' }, 'whole', 'whole'],
      [{ text: 'a', tokenLimit: 0, target: '1979-05-03, 12/31/1999' }, 'whole', 'recomputed'],
      [{ text, tokenLimit: 0 }, 'recomputed', 'recomputed'],
      [{ text: 'a', tokenLimit: 0, target: '1979' }, 'whole', 'whole'],
    ] as const;
    for (const [reading, encoder, decoder] of readings) {
      const explanation = await model.explain(reading);
      expect(heldOf(explanation)).to.deep.equal({ encoder, decoder, cross: decoder });
      await expectSame(explanation, await reference.explain(reading));
    }
    await model.release();
    await reference.release();
  });

  it('are cut, source and target, only beyond the memory of the engine', async () => {
    const folder = 'seq2seq/t5.split';
    const config = JSON.parse(await readFixtureText(`${folder}/config.json`)) as object; // our own
    const names = ['encoder_model.onnx', 'decoder_model.onnx', 'tokenizer.json', 'generation_config.json'];
    const files = await Promise.all(
      names.map(async (name) => [`m/${name}`, await readFixture(`${folder}/${name}`)] as const),
    );
    // Its positions are relative: without the setting nothing bounds them.
    const access = memoryAccess({
      ...Object.fromEntries(files),
      'm/config.json': JSON.stringify({ ...config, n_positions: undefined }),
    });
    const long = text.repeat(30);
    const read = async (given: MemoryLimits, target: string): Promise<{ codes: string[]; lengths: number[] }> => {
      const model = await LoadedModel.load(
        { runtime, reason: '' },
        access,
        { path: 'm', backend: 'wasm', threads: 1 },
        { memory: given },
      );
      const { streams, notices, layers } = await model.explain({ text: long, tokenLimit: 0, target });
      for (const layer of layers) layer.release?.();
      await model.release();
      return { codes: notices.map(({ code }) => code), lengths: streams.map(({ tokens }) => tokens.length) };
    };
    const narrow = await read({ wholeAttentionBytes: 0, engineBytes: 1.6e8 }, long);
    const wider = await read({ wholeAttentionBytes: 0, engineBytes: 1.7e8 }, long);
    expect(narrow.codes).to.deep.equal(['cutToMemory', 'targetTextCut']);
    expect(wider.lengths[0]).to.be.above(narrow.lengths[0]);
    // Beside a source that fills the memory there is still room for what the model writes.
    expect(narrow.lengths[1]).to.be.at.least(129);
    expect((await read(usualLimits, long)).codes).to.deep.equal([]);
  });
});
