import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../src/base/errors';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import type { WholeLayer } from '../../src/engine/weights/heldLayer';
import { inspectModel } from '../../src/engine/serve/inspectModel';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { Component } from '../../src/model/head';
import type { EngineEvents } from '../../src/protocol';
import { codeOf } from '../harness/codeOf';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { fixtureAccess, memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers makes of the texts of a fixture; see scripts/fixtures/seq2seq.py. */
interface Expected {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly text: string;
    readonly source: readonly number[];
    readonly greedy: readonly number[];
    readonly output: string;
  }[];
}

const endIds: Readonly<Record<string, number>> = { 't5.split': 1, 'marian.merged': 1, 'bart.whole': 2 };

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

function floats({ data }: StoredTensor): Float32Array {
  return new Float32Array(data.slice().buffer);
}

describe('encoder–decoder models', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const load = (path: string): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });

  for (const name of Object.keys(endIds)) {
    it(`write what transformers writes, and attend as it does: ${name}`, async () => {
      const { tolerance, cases } = JSON.parse(await readFixtureText(`seq2seq/${name}/expected.json`)) as Expected; // written by our own script
      const expected = readSafetensors(await readFixture(`seq2seq/${name}/expected.safetensors`), name);
      const model = await load(`seq2seq/${name}`);
      for (const [number, { text, source, greedy, output }] of cases.entries()) {
        const { streams, layers, components } = await model.explain({ text, tokenLimit: 0 });
        expect(streams.map(({ role }) => role)).to.deep.equal(['source', 'target']);
        expect(
          streams[0].tokens.map(({ id }) => id),
          text,
        ).to.deep.equal(source);
        const read = greedy.at(-1) === endIds[name] ? greedy.slice(0, -1) : greedy;
        expect(
          streams[1].tokens.map(({ id }) => id),
          text,
        ).to.deep.equal(read);
        expect(streams[1].text).to.equal(output);
        expect(
          components.map(({ component, queryStream, keyStream, isCausal }) => [
            component,
            queryStream,
            keyStream,
            isCausal,
          ]),
        ).to.deep.equal([
          ['encoder', 0, 0, false],
          ['decoder', 1, 1, true],
          ['cross', 1, 0, false],
        ]);
        const seen = new Map<Component, number>();
        for (const layer of layers as readonly WholeLayer[]) {
          const index = seen.get(layer.component) ?? 0;
          seen.set(layer.component, index + 1);
          const tensor = expected.get(`${number}.${layer.component}.${index}`);
          expect(tensor?.shape, `${layer.component} ${index}`).to.deep.equal([
            1,
            layer.numHeads,
            layer.numQueries,
            layer.numKeys,
          ]);
          if (tensor !== undefined)
            expect(
              largestDifference(layer.weights, floats(tensor)),
              `${text}: ${layer.component} ${index}`,
            ).to.be.below(tolerance);
        }
        expect(Object.fromEntries(seen)).to.deep.equal({ encoder: 2, decoder: 2, cross: 2 });
      }
      await model.release();
    });
  }

  it('are found under the shorter names of their files', async () => {
    const names = [
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'encoder_model.onnx',
      'decoder_model.onnx',
    ];
    const files = Object.fromEntries(
      await Promise.all(
        names.map(
          async (name) => [`m/${name.replace('_model', '')}`, await readFixture(`seq2seq/t5.split/${name}`)] as const,
        ),
      ),
    );
    const model = await LoadedModel.load({ runtime, reason: '' }, memoryAccess(files), {
      path: 'm',
      backend: 'wasm',
      threads: 1,
    });
    const { cases } = JSON.parse(await readFixtureText('seq2seq/t5.split/expected.json')) as Expected; // written by our own script
    const { streams, components } = await model.explain({ text: cases[0].text, tokenLimit: 0 });
    expect(streams[1].text).to.equal(cases[0].output);
    expect(components.map(({ component }) => component)).to.deep.equal(['encoder', 'decoder', 'cross']);
    expect(model.input().python).to.match(
      /# encoder\.onnx\nfeeds_1 = \{[^}]*"input_ids"[^]*# decoder\.onnx\nfeeds_2 = \{[^}]*"encoder_hidden_states"/,
    );
    await model.release();
  });

  it("read the person's own target", async () => {
    const model = await load('seq2seq/t5.split');
    const { streams, components, layers, notices } = await model.explain({
      text: '3rd of May 1979',
      tokenLimit: 6,
      target: '1979-05-03, 12/31/1999',
    });
    expect(streams[1].text.startsWith('1979')).to.equal(true);
    expect(streams[1].tokens).to.have.lengthOf(6);
    expect(streams[1].tokens[0]).to.deep.equal({ id: 0, piece: '<pad>', start: 0, end: 0, isSpecial: true });
    expect(streams[1].target).to.deep.equal({ isWritten: false, ending: undefined });
    expect(notices.map(({ code }) => code)).to.deep.equal(['cutToLimit', 'targetTextCut']);
    const cross = layers.find(({ component }) => component === 'cross');
    expect([cross?.numQueries, cross?.numKeys]).to.deep.equal([6, 6]);
    expect(components.map(({ isCausal }) => isCausal)).to.deep.equal([false, true, false]);
    await model.release();
  });

  it('say how far they are, let messages in between steps, and can be ended there', async () => {
    const model = await load('seq2seq/marian.merged');
    const told: EngineEvents['progress'][] = [];
    let turns = 0;
    const steps = {
      onProgress: (progress: EngineEvents['progress']) => void told.push(progress),
      turn: async () => {
        if (++turns === 5) throw new ExplorerError('cancelled');
      },
    };
    expect(await codeOf(model.explain({ text: 'a', tokenLimit: 0 }, steps))).to.equal('cancelled');
    expect(told.map(({ stage }) => stage)).to.deep.equal([
      'tokenize',
      'run',
      'generate',
      'generate',
      'generate',
      'generate',
    ]);
    const fractions = told.flatMap(({ fraction }) => fraction ?? []);
    expect(fractions[0]).to.equal(0);
    expect(fractions[3]).to.be.closeTo(3 / 13, 1e-9);
    // The model can go on with another text.
    const { cases } = JSON.parse(await readFixtureText('seq2seq/marian.merged/expected.json')) as Expected; // written by our own script
    expect(await model.write(cases[0].text)).to.equal(cases[0].output);
    await model.release();
  });

  it('are one report, of both files', async () => {
    const { markdown, json } = await inspectModel(fixtureAccess, { path: 'seq2seq/marian.merged' });
    expect(markdown)
      .to.include('# Extraction report: `marian.merged`, `encoder_model.onnx`')
      .and.to.include('# Extraction report: `marian.merged`, `decoder_model_merged.onnx`')
      .and.not.to.include('cannot be made');
    const { files } = JSON.parse(json) as { files: { sites: { component: string }[] }[] }; // our own
    expect(files.map(({ sites }) => sites.map(({ component }) => component))).to.deep.equal([
      ['encoder', 'encoder'],
      ['decoder', 'cross', 'decoder', 'cross'],
    ]);
  });

  it('must say how a target begins', async () => {
    const [model, tokenizer] = [
      await readFixture('seq2seq/bart.whole/model.onnx'),
      await readFixture('seq2seq/bart.whole/tokenizer.json'),
    ];
    const access = memoryAccess({ 'm/model.onnx': model, 'm/tokenizer.json': tokenizer });
    expect(
      await codeOf(LoadedModel.load({ runtime, reason: '' }, access, { path: 'm', backend: 'wasm', threads: 1 })),
    ).to.equal('targetStartUnknown');
  });
});
