import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import type {
  EffectAnswer,
  EffectQuestion,
  HeadEffects,
  Intervention,
  Silencing,
} from '../../src/model/effects/effects';
import type { Component } from '../../src/model/head';
import { listFixtures, readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch makes of experiments; see scripts/fixtures/effects.py. */
interface Expected {
  readonly model: string;
  readonly text: string;
  readonly target?: string;
  readonly answers: readonly {
    readonly question: {
      readonly kind: 'token' | 'loss' | 'label';
      readonly position?: number;
      readonly token?: number;
      readonly label?: number;
      readonly against?: number | null;
    };
    readonly plain: number;
    readonly heads: Readonly<Record<Silencing, Readonly<Partial<Record<Component, readonly (readonly number[])[]>>>>>;
    readonly blocks: readonly {
      readonly component: Component;
      readonly layer: number;
      readonly head: number;
      readonly query: number | null;
      readonly key: number | null;
      readonly isRenormalized: boolean;
      readonly value: number;
    }[];
  }[];
}

/** Relative, of what the prediction is with the intervention. */
const tolerance = 1e-4;

function expectClose(own: number, wanted: number, what: string): void {
  expect(Math.abs(own - wanted), `${what}: ${own} and ${wanted}`).to.be.at.most(
    tolerance * Math.max(0.1, Math.abs(wanted)),
  );
}

function questionOf({
  kind,
  position,
  token,
  label,
  against,
}: Expected['answers'][number]['question']): EffectQuestion {
  if (kind === 'loss') return { kind };
  if (kind === 'label') return { kind, label: label ?? -1, against: against ?? undefined };
  return { kind, position: position ?? -1, token: token ?? -1, against: against ?? undefined };
}

interface Asking {
  readonly effect: (
    question: EffectQuestion,
    interventions: readonly Intervention[],
    path?: EffectAnswer['path'],
  ) => Promise<EffectAnswer>;
  readonly headEffects: (question: EffectQuestion, by: Silencing, path?: EffectAnswer['path']) => Promise<HeadEffects>;
}

const names = (await listFixtures('effects')).sort();

describe('effects of heads on predictions', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const withModel = async <T>(
    { model: path, text, target }: Pick<Expected, 'model' | 'text' | 'target'>,
    work: (asking: Asking) => Promise<T>,
  ): Promise<T> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });
    try {
      const run = { ...(await model.explain({ text, tokenLimit: 0, target })), fed: model.fed };
      return await work({
        effect: (question, interventions, kind = 'total') => model.effect(run, { question, interventions, path: kind }),
        headEffects: (question, by, kind = 'total') => model.headEffects(run, { question, by, path: kind }),
      });
    } finally {
      await model.release();
    }
  };

  it('are known of many architectures', () => {
    expect(names.length).to.be.at.least(12);
  });

  for (const name of names)
    it(`are those of PyTorch with hooks: ${name}`, async () => {
      const expected = JSON.parse(await readFixtureText(`effects/${name}/effects.json`)) as Expected; // by our own script
      await withModel(expected, async ({ effect, headEffects }) => {
        for (const { question, plain, heads, blocks } of expected.answers) {
          const asked = questionOf(question);
          for (const by of ['zero', 'mean'] as const) {
            const found = await headEffects(asked, by);
            expectClose(found.plain.value, plain, `${name} ${question.kind} plain`);
            expect(found.failed, name).to.deep.equal([]);
            for (const [component, layers = []] of Object.entries(heads[by])) {
              const own = found.layers.filter((each) => each.component === component);
              expect(own.length, component).to.equal(layers.length);
              layers.forEach((values, layer) => {
                values.forEach((value, head) => {
                  expectClose(
                    own[layer].effects[head] + found.plain.value,
                    value,
                    `${name} ${question.kind} ${by} ${component} ${layer}.${head}`,
                  );
                });
              });
            }
          }
          for (const { component, layer, head, query, key, isRenormalized, value } of blocks) {
            const { intervened, plain: before } = await effect(asked, [
              {
                kind: 'block',
                component,
                heads: [{ layer, head }],
                query: query ?? undefined,
                key: key ?? undefined,
                isRenormalized,
              },
            ]);
            expectClose(before.value, plain, `${name} plain`);
            expectClose(
              intervened.value,
              value,
              `${name} ${question.kind} ${component} ${layer}.${head} ${query} ${key} ${isRenormalized}`,
            );
          }
          const nothing = await effect(asked, []);
          expect(nothing.intervened, `${name}: nothing`).to.deep.equal(nothing.plain);
        }
      });
    });
});
