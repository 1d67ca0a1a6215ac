import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { readSafetensors } from '../../src/cli/safetensors';
import { toModelInputs } from '../../src/cli/storedInputs';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { ModelInput } from '../../src/onnx/inputs/inputs';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { readFixture } from '../harness/fixtures';
import { listedHead } from '../harness/listedHead';
import { encodeByReference, readReference, toPlain } from '../unit/tokenizer/reference';

// The bundled date models, measured on the dates of test/fixtures/dates, which were never trained on.
const root = process.cwd();
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const heldOut = JSON.parse(read('test/fixtures/dates/heldOut.json')) as Record<
  'knownForms' | 'unknownForms',
  readonly (readonly [text: string, date: string])[]
>; // written by scripts/models

interface Config {
  readonly pad_token_id: number;
  readonly eos_token_id: number;
  readonly decoder_start_token_id: number;
}

function rows(name: string, all: readonly (readonly number[])[], pad: number): ModelInput {
  const length = Math.max(...all.map((row) => row.length));
  return {
    name,
    type: 'int64',
    dims: [all.length, length],
    data: BigInt64Array.from(
      all.flatMap((row) => [...row, ...new Array<number>(length - row.length).fill(pad)]),
      BigInt,
    ),
  };
}

/**
 * Whether greedy generation gives each date and then ends: it does if the best id after every part of the true target is the
 * next of it, which one run shows.
 */
async function areWritten(
  session: AttentionSession,
  tokenizer: Tokenizer,
  config: Config,
  pairs: readonly (readonly [text: string, date: string])[],
): Promise<boolean[]> {
  const sources = pairs.map(([text]) => [...tokenizer.encode(text).ids]);
  const targets = pairs.map(([, date]) => [...tokenizer.encode(date).ids]);
  const outputs = await session.outputs(
    [
      rows('input_ids', sources, config.pad_token_id),
      rows(
        'attention_mask',
        sources.map((row) => row.map(() => 1)),
        0,
      ),
      rows(
        'decoder_input_ids',
        targets.map((row) => [config.decoder_start_token_id, ...row.slice(0, -1)]),
        config.pad_token_id,
      ),
    ],
    ['logits'],
  );
  const logits = outputs.get('logits');
  if (logits === undefined || !(logits.data instanceof Float32Array)) throw new Error('no logits');
  const {
    data,
    dims: [, length, width],
  } = logits;
  return targets.map((row, i) =>
    row.every((id, position) => {
      const scores = data.subarray((i * length + position) * width, (i * length + position + 1) * width);
      return scores.indexOf(Math.max(...scores)) === id;
    }),
  );
}

for (const name of ['date-transformer', 'date-seq2seq']) {
  describe(`the bundled ${name}`, () => {
    const folder = `media/models/${name}`;
    const config = JSON.parse(read(`${folder}/config.json`)) as Config; // a file of this repository
    const tokenizer = Tokenizer.fromJson(read(`${folder}/tokenizer.json`));
    let session: AttentionSession;
    let model: LoadedModel;
    before(async () => {
      const runtime = new Runtime(ort, 1);
      await runtime.initialize(1);
      model = await LoadedModel.load({ runtime, reason: '' }, nodeFileAccess, {
        path: `${root}/${folder}`,
        backend: 'wasm',
        threads: 1,
      });
      session = await AttentionSession.create({
        ort,
        runtime,
        files: await readModelFiles(nodeFileAccess, `${root}/${folder}/model.onnx`),
        wantOutputs: true,
      });
    });
    after(async () => {
      await session.release();
      await model.release();
    });

    it('reads at least 98 % of dates that it never saw, in forms that it knows and in combinations that it does not', async function () {
      this.timeout(60_000);
      for (const [forms, pairs] of Object.entries(heldOut)) {
        const areRight: boolean[] = [];
        for (let from = 0; from < pairs.length; from += 50)
          areRight.push(...(await areWritten(session, tokenizer, config, pairs.slice(from, from + 50))));
        const wrong = pairs.filter((_, i) => areRight[i] !== true).map(([text]) => text);
        expect(areRight.length).to.equal(pairs.length);
        expect(wrong.length / pairs.length, `${forms}: ${wrong.join('; ')}`).to.be.at.most(0.02);
      }
    });

    it('writes in generation what one run says that it will', async () => {
      const pairs = [...heldOut.knownForms.slice(0, 12), ...heldOut.unknownForms.slice(0, 12)];
      const areRight = await areWritten(session, tokenizer, config, pairs);
      for (const [i, [text, date]] of pairs.entries())
        expect((await model.write(text)) === date, text).to.equal(areRight[i]);
    });

    it('shows the cross-attention of what it writes, and first a head in which that aligns with the text', async () => {
      const { streams, components, layers } = await model.explain({ text: '3rd of May 1979', tokenLimit: 0 });
      expect(streams.map(({ text }) => text)).to.deep.equal(['3rd of May 1979', '1979-05-03']);
      expect(components.map(({ component }) => component)).to.include('cross');
      // The recurrent model has only one head.
      const { component, layer, head } =
        name === 'date-transformer' ? listedHead(name) : { component: 'cross', layer: 0, head: 0 };
      const cross = layers.filter((each) => each.component === component)[layer];
      const year = streams[0].tokens.flatMap(({ start, end }, position) =>
        start >= 11 && end <= 15 && end > start ? [position] : [],
      );
      // Row i is where the model looks to write character i.
      for (const query of [0, 1, 2, 3]) {
        const row = await cross.rows(head, query, query + 1);
        expect(
          year.reduce((sum, position) => sum + row[position], 0),
          `character ${query}`,
        ).to.be.at.least(0.6);
      }
    });

    it("attends as PyTorch's model does with the same weights", async () => {
      const { index } = (await readModelFiles(nodeFileAccess, `${root}/${folder}/model.onnx`)).analysis;
      for (const number of [0, 1, 2]) {
        const expected = readSafetensors(await readFixture(`dates/${name}/expected.${number}.safetensors`), 'expected');
        const { layers, failed } = await session.run(toModelInputs(index, expected));
        expect(failed).to.deep.equal([]);
        const wanted = [...expected.keys()].filter((key) => key.startsWith('attention.')).sort();
        expect(layers.map((layer) => `attention.${layer.component}.${layer.layer}`).sort()).to.deep.equal(wanted);
        for (const layer of layers) {
          const reference = expected.get(`attention.${layer.component}.${layer.layer}`);
          if (reference === undefined) throw new Error(layer.path);
          expect([layer.batch, layer.numHeads, layer.numQueries, layer.numKeys]).to.deep.equal(reference.shape);
          const weights = new Float32Array(reference.data.slice().buffer);
          expect(
            Math.max(...weights.map((weight, i) => Math.abs(weight - layer.weights[i]))),
            layer.path,
          ).to.be.at.most(1e-4);
        }
      }
    });

    it('has a tokenizer that is read as the Rust library reads it', async () => {
      const reference = readReference(read(`${folder}/tokenizer.json`));
      for (const text of [
        ...heldOut.unknownForms.map(([text]) => text),
        '',
        ' \t\r\n',
        '3ᵉ mai 1979 – 🗓️ </s>x<pad>',
        'May\u00a03',
      ]) {
        expect(toPlain(tokenizer.encode(text)), text).to.deep.equal(await encodeByReference(reference, text));
      }
    });
  });
}
