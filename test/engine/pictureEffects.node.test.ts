import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { ImageModel } from '../../src/engine/image/imageModel';
import type { PredictedRun } from '../../src/engine/predict/predictedFile';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { Silencing } from '../../src/model/effects/effects';
import { codeOf } from '../harness/codeOf';
import { listFixtures, readFixtureText } from '../harness/fixtures';
import { expectClose, questionOf, type WrittenQuestion } from './askedOfHeads';
import { importRuntime } from './ortRuntime';

/** What PyTorch makes of experiments; see scripts/fixtures/picture_effects.py. */
interface Expected {
  readonly answers: readonly {
    readonly question: WrittenQuestion;
    readonly plain: number;
    readonly heads: Readonly<Record<Silencing, readonly (readonly number[])[]>>;
    readonly direct: readonly (readonly number[])[];
    readonly blocks: readonly {
      readonly layer: number;
      readonly head: number;
      readonly query: number | null;
      readonly key: number | null;
      readonly isRenormalized: boolean;
      readonly value: number;
    }[];
  }[];
}

/** The same of swapped heads. */
interface Swapped {
  readonly answers: readonly {
    readonly question: WrittenQuestion;
    readonly plain: number;
    readonly other: number;
    readonly heads: readonly (readonly number[])[];
  }[];
}

const names = (await listFixtures('pictureEffects')).filter((name) => !name.endsWith('.png')).sort();

describe('effects of heads on what classifiers of pictures say', () => {
  let runtime: Runtime;
  before(async () => {
    const ort: typeof Ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const withPicture = async (
    path: string,
    file: string,
    work: (model: ImageModel, run: PredictedRun) => Promise<void>,
  ): Promise<void> => {
    const spec = { path, backend: 'wasm', threads: 1 } as const;
    const model = await ImageModel.load({ runtime, reason: '' }, nodeFileAccess, spec);
    try {
      const { picture } = await model.prepare(await nodeFileAccess.read(file, 'picture'), file);
      const run = await model.run(picture);
      await work(model, { ...run, fed: model.fed });
    } finally {
      await model.release();
    }
  };

  it('are known of several architectures', () => {
    expect(names.length).to.be.at.least(3);
  });

  for (const name of names)
    it(`are those of PyTorch with hooks: ${name}`, async () => {
      const { answers } = JSON.parse(await readFixtureText(`pictureEffects/${name}/effects.json`)) as Expected; // our own file
      const folder = 'test/fixtures/pictureEffects';
      await withPicture(`${folder}/${name}`, `${folder}/picture.png`, async ({ effects }, run) => {
        for (const { question: written, plain, heads, direct, blocks } of answers) {
          const question = questionOf(written);
          const nothing = await effects.effect(run, { question, interventions: [], path: 'total' });
          expectClose(nothing.plain.value, plain, 'plain');
          expect(Math.abs(nothing.effect), 'nothing intervened').to.be.at.most(1e-6);
          for (const by of ['zero', 'mean'] as const) {
            const found = await effects.headEffects(run, { question, by, path: 'total' });
            expect(found.layers.map(({ layer }) => layer)).to.deep.equal([0, 1]);
            expect(found.oneByOne).to.equal(
              name.endsWith('.legacy') ? undefined : 'its file takes a batch of one alone',
            );
            for (const { layer, effects: own } of found.layers)
              own.forEach((effect, head) => {
                expectClose(effect + found.plain.value, heads[by][layer][head], `${by} ${layer}.${head}`);
              });
          }
          const ofPath = await effects.headEffects(run, { question, by: 'zero', path: 'direct' });
          for (const { layer, effects: own } of ofPath.layers)
            own.forEach((effect, head) => {
              expectClose(effect + nothing.plain.value, direct[layer][head], `direct ${layer}.${head}`);
            });
          for (const { layer, head, query, key, isRenormalized, value } of blocks) {
            const heads = [{ layer, head }];
            const where = { query: query ?? undefined, key: key ?? undefined, isRenormalized };
            const { intervened } = await effects.effect(run, {
              question,
              interventions: [{ kind: 'block', component: 'self', heads, ...where }],
              path: 'total',
            });
            expectClose(intervened.value, value, `block ${layer}.${head} ${query}:${key} ${isRenormalized}`);
          }
        }
      });
    });

  for (const name of names)
    it(`of heads that are swapped with those of another picture are those of PyTorch: ${name}`, async () => {
      const folder = 'test/fixtures/pictureEffects';
      const { answers } = JSON.parse(await readFixtureText(`pictureEffects/${name}/swaps.json`)) as Swapped; // our own file
      await withPicture(`${folder}/${name}`, `${folder}/picture.png`, async (model, run) => {
        const { picture } = await model.prepare(
          await nodeFileAccess.read(`${folder}/other.png`, 'picture'),
          'other.png',
        );
        const other: PredictedRun = { ...(await model.run(picture)), fed: model.fed };
        for (const { question: written, plain, other: there, heads } of answers) {
          const question = questionOf(written);
          const found = await model.effects.headEffects(run, { question, by: 'swap', path: 'total', other });
          expectClose(found.plain.value, plain, 'plain');
          expectClose(found.other?.value ?? NaN, there, 'the other picture');
          for (const { layer, effects: own, shares } of found.layers)
            own.forEach((effect, head) => {
              expectClose(effect + found.plain.value, heads[layer][head], `swapped ${layer}.${head}`);
              expect(shares?.[head]).to.be.closeTo((heads[layer][head] - plain) / (there - plain), 1e-3);
            });
        }
        // The first question is ln p of the label with the place 2, which is also what both pictures are said to be.
        const lnOf = async (asked: PredictedRun): Promise<number> => {
          const predicted = await model.predict(asked);
          const labels = predicted.kind === 'labels' ? predicted.questions[0] : [];
          return Math.log(labels.find(({ label }) => label === 'high')?.probability ?? 0);
        };
        expectClose(await lnOf(run), answers[0].plain, 'predicted');
        expectClose(await lnOf(other), answers[0].other, 'predicted of the other picture');
      });
    });

  it('are shown by the bundled model: its label is less probable without some head; a name that is no label is told of', async () => {
    const sample = 'media/models/shapes-vit/samples';
    const [file] = await listFixtures(`../../${sample}`);
    await withPicture('media/models/shapes-vit', `${sample}/${file}`, async ({ effects }, run) => {
      const { alternatives } = (
        await effects.effect(run, { question: { kind: 'label', label: 0 }, interventions: [], path: 'total' })
      ).plain;
      const question = { kind: 'label', label: String(alternatives[0].text) } as const;
      const found = await effects.headEffects(run, { question, by: 'zero', path: 'total' });
      expect(found.plain.choices[0]).to.include({ text: alternatives[0].text, rank: 1 });
      const all = found.layers.flatMap((layer) => [...layer.effects]);
      expect(all).to.have.length(16);
      expect(Math.min(...all)).to.be.below(-0.001);
      const unknown = effects.headEffects(run, {
        question: { kind: 'label', label: 'cat' },
        by: 'zero',
        path: 'total',
      });
      expect(await codeOf(unknown)).to.equal('invalidArgument');
      const against = effects.effect(run, {
        question: { ...question, against: alternatives[0].id },
        interventions: [],
        path: 'total',
      });
      expect(await codeOf(against), 'a label against itself').to.equal('sameTwice');
      const token = effects.effect(run, { question: { kind: 'loss' }, interventions: [], path: 'total' });
      expect(await codeOf(token)).to.equal('invalidArgument');
    });
  });
});
