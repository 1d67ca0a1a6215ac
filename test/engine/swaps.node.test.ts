import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import type { PredictedRun } from '../../src/engine/predict/predictedFile';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { shareOf } from '../../src/model/effects/effects';
import { headsOf, type Component } from '../../src/model/head';
import { codeOf } from '../harness/codeOf';
import { listFixtures, readFixtureText } from '../harness/fixtures';
import { expectClose, questionOf, type WrittenQuestion } from './askedOfHeads';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch makes of swapped heads; see scripts/fixtures/swaps.py. */
interface Expected {
  readonly other: string;
  readonly component: Component;
  readonly answers: readonly {
    readonly question: WrittenQuestion;
    readonly plain: number;
    readonly other: number;
    readonly heads: Readonly<Partial<Record<Component, readonly (readonly number[])[]>>>;
    /** Of heads of the first layer of components that have a direct path. */
    readonly direct: Readonly<Partial<Record<Component, readonly number[]>>>;
    /** Heads 0 and 1 of every layer of the component that is named. */
    readonly together: number;
  }[];
}

/** What is to be of all heads: read from where it stands in effects.json. */
interface Model {
  readonly model: string;
  readonly text: string;
  readonly target?: string;
}

const names = (await listFixtures('effects')).sort();

describe('heads that are swapped with those of another text', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const withTexts = async (
    { model: path, text, target }: Model,
    other: { readonly text: string; readonly target?: string },
    work: (model: LoadedModel, run: PredictedRun, other: PredictedRun) => Promise<void>,
  ): Promise<void> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });
    try {
      const run = { ...(await model.explain({ text, tokenLimit: 0, target })), fed: model.fed };
      await work(model, run, { ...(await model.explain({ ...other, tokenLimit: 0 })), fed: model.fed });
    } finally {
      await model.release();
    }
  };

  for (const name of names)
    it(`come to what PyTorch with hooks has: ${name}`, async () => {
      const own = JSON.parse(await readFixtureText(`effects/${name}/effects.json`)) as Model; // both by our own scripts
      const expected = JSON.parse(await readFixtureText(`effects/${name}/swaps.json`)) as Expected;
      // Of an encoder–decoder model another target than the one of the run, which both are asked about.
      const read = own.target === undefined ? {} : { target: 'w2' };
      await withTexts(own, { text: expected.other, ...read }, async (model, run, other) => {
        for (const { question, plain, other: there, heads, direct, together } of expected.answers) {
          const asked = questionOf(question);
          const found = await model.effects.headEffects(run, { question: asked, by: 'swap', path: 'total', other });
          expectClose(found.plain.value, plain, 'plain');
          expectClose(found.other?.value ?? NaN, there, 'the other text');
          expect(found.failed).to.deep.equal([]);
          for (const [component, layers = []] of Object.entries(heads)) {
            const measured = found.layers.filter((each) => each.component === component);
            expect(measured.length, component).to.equal(layers.length);
            for (const [layer, values] of layers.entries())
              for (const [head, value] of values.entries())
                expectClose(
                  measured[layer].effects[head] + found.plain.value,
                  value,
                  `${question.kind} ${component} ${layer}.${head}`,
                );
          }
          const components = run.components.map(({ component }) => component).filter((each) => each in direct);
          if (components.length > 0) {
            const straight = { question: asked, by: 'swap', path: 'direct', components, other } as const;
            const { layers } = await model.effects.headEffects(run, straight);
            for (const each of components)
              for (const [head, value] of (direct[each] ?? []).entries()) {
                const first = layers.find(({ component, layer }) => component === each && layer === 0);
                expectClose((first?.effects[head] ?? NaN) + plain, value, `direct ${each} ${head}`);
              }
          }
          const component = run.components.find((each) => each.component === expected.component);
          const swapped = headsOf(component ?? run.components[0]).filter(({ head }) => head < 2);
          const all = await model.effects.effect(run, {
            question: asked,
            interventions: [{ kind: 'swap', component: expected.component, heads: swapped }],
            path: 'total',
            other,
          });
          expectClose(all.intervened.value, together, `${question.kind} together`);
        }
      });
    });

  it('come to all of the difference where nothing else passes it on, and to none where nothing differs', async () => {
    const own = { model: 'predictions/gpt2.legacy', text: 'w7 w19 w3 w88 w3 w19' };
    // What stands at the last place is the same: only attention brings the difference there.
    await withTexts(own, { text: 'w7 w19 w12 w88 w3 w19' }, async (model, run, other) => {
      const heads = headsOf(run.components[0]);
      const question = { kind: 'token', position: 6, token: 30, against: 17 } as const;
      const {
        effect,
        plain,
        other: there,
      } = await model.effects.effect(run, {
        question,
        interventions: [{ kind: 'swap', component: 'self', heads }],
        path: 'total',
        other,
      });
      expect(there && shareOf(effect, plain, there)).to.be.closeTo(1, 1e-4);
      // Before the span is replaced, both have read the same.
      const before = await model.effects.headEffects(run, {
        question: { ...question, position: 2 },
        by: 'swap',
        path: 'total',
        other,
      });
      expect(before.other && shareOf(0, before.plain, before.other)).to.equal(undefined);
      for (const { effects } of before.layers) for (const effect of effects) expect(effect).to.be.closeTo(0, 1e-5);
    });
  });

  it('are refused in a sentence where the tokens do not stand one beside the other', async () => {
    const own = { model: 'predictions/gpt2.legacy', text: 'w7 w19 w3' };
    await withTexts(own, { text: 'w7 w19 w3 w88' }, async (model, run, other) => {
      const question = { kind: 'loss' } as const;
      const refused = await model.effects
        .headEffects(run, { question, by: 'swap', path: 'total', other })
        .catch((error: unknown) => String(error));
      expect(refused).to.match(/this text has 3 tokens and the other 4, which must stand one beside the other/);
      expect(await codeOf(model.effects.headEffects(run, { question, by: 'swap', path: 'total' }))).to.equal(
        'noEffects',
      );
    });
  });
});
