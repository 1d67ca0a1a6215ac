import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { Runtime } from '../../src/engine/runtime/runtime';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import type {
  EffectAnswer,
  EffectQuestion,
  HeadEffects,
  Intervention,
  Silencing,
} from '../../src/model/effects/effects';
import { isMaskedOut, standsBehind } from '../../src/model/effects/causalReach';
import type { Component, ComponentInfo } from '../../src/model/head';
import { codeOf } from '../harness/codeOf';
import { listFixtures, readFixtureText } from '../harness/fixtures';
import { expectClose, questionOf, type WrittenQuestion } from './askedOfHeads';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch makes of experiments; see scripts/fixtures/effects.py. */
interface Expected {
  readonly model: string;
  readonly text: string;
  readonly target?: string;
  readonly answers: readonly {
    readonly question: WrittenQuestion;
    readonly plain: number;
    readonly heads: Readonly<Record<Silencing, Readonly<Partial<Record<Component, readonly (readonly number[])[]>>>>>;
    /** Of components that have a direct path; none where the model has none. */
    readonly direct: Readonly<Partial<Record<Component, readonly (readonly number[])[]>>>;
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

interface Asking {
  readonly effect: (
    question: EffectQuestion,
    interventions: readonly Intervention[],
    path?: EffectAnswer['path'],
  ) => Promise<EffectAnswer>;
  readonly headEffects: (question: EffectQuestion, by: Silencing, path?: EffectAnswer['path']) => Promise<HeadEffects>;
}

async function expectDirect(
  asked: EffectQuestion,
  expected: Expected['answers'][number]['direct'],
  { effect, headEffects }: Asking,
): Promise<void> {
  const components = Object.keys(expected);
  if (components.length === 0) {
    const refused = await headEffects(asked, 'zero', 'direct').catch((error: unknown) => String(error));
    expect(refused, 'no direct path').to.match(/no direct path: .+/);
    return;
  }
  const found = await headEffects(asked, 'zero', 'direct');
  for (const [component, layers = []] of Object.entries(expected)) {
    const own = found.layers.filter((each) => each.component === component);
    expect(own.length, `direct ${component}`).to.equal(layers.length);
    layers.forEach((values, layer) => {
      values.forEach((value, head) => {
        expectClose(own[layer].effects[head] + found.plain.value, value, `direct ${component} ${layer}.${head}`);
      });
    });
    const [{ effects }] = own;
    const one = await effect(
      asked,
      [{ kind: 'silence', component: own[0].component, heads: [{ layer: 0, head: 1 }], by: 'zero' }],
      'direct',
    );
    expect(Math.abs(one.effect - effects[1]), 'one head').to.be.below(1e-5);
  }
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
    work: (asking: Asking & { readonly components: readonly ComponentInfo[] }) => Promise<T>,
  ): Promise<T> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });
    try {
      const run = { ...(await model.explain({ text, tokenLimit: 0, target })), fed: model.fed };
      return await work({
        components: run.components,
        effect: (question, interventions, kind = 'total') =>
          model.effects.effect(run, { question, interventions, path: kind }),
        headEffects: (question, by, kind = 'total') => model.effects.headEffects(run, { question, by, path: kind }),
      });
    } finally {
      await model.release();
    }
  };

  it('are known of many architectures', () => {
    expect(names.length).to.be.at.least(12);
  });

  const bundled = async <T>(
    name: string,
    read: { readonly text: string; readonly target?: string },
    work: (asking: Asking) => Promise<T>,
  ): Promise<T> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, nodeFileAccess, {
      path: `media/models/${name}`,
      backend: 'wasm',
      threads: 1,
    });
    try {
      const run = { ...(await model.explain({ ...read, tokenLimit: 0 })), fed: model.fed };
      return await work({
        effect: (question, interventions, kind = 'total') =>
          model.effects.effect(run, { question, interventions, path: kind }),
        headEffects: (question, by, kind = 'total') => model.effects.headEffects(run, { question, by, path: kind }),
      });
    } finally {
      await model.release();
    }
  };

  it('are those of the scan of the bundled decoder on its sample, in nats of its mean loss', async () => {
    const models = JSON.parse(await readFile('media/models/models.json', 'utf8')) as {
      readonly 'code-decoder': { readonly sample: { readonly lines: readonly string[] } };
    }; // our own file
    const text = models['code-decoder'].sample.lines.join('\n');
    await bundled('code-decoder', { text }, async ({ headEffects }) => {
      const scan = {
        zero: [0.79, 0.58, 0.46, 0.25, 0.14, -0.03],
        mean: [0.82, 0.55, 0.48, 0.3, 0.13, -0.01],
      };
      const heads = [
        [0, 1],
        [0, 4],
        [0, 7],
        [0, 0],
        [1, 1],
        [3, 2],
      ];
      for (const by of ['zero', 'mean'] as const) {
        const { plain, layers } = await headEffects({ kind: 'loss' }, by);
        expect(plain.value).to.be.closeTo(3.068, 0.001);
        const effects = layers.map((layer) => layer.effects);
        expect(
          heads.map(([layer, head]) => Number(effects[layer][head].toFixed(2))),
          by,
        ).to.deep.equal(scan[by]);
        const [strongest, next] = effects.flatMap((each) => [...each]).sort((a, b) => b - a);
        expect([strongest, next]).to.deep.equal([effects[0][1], effects[0][4]]);
      }
    });
  });

  it('lower the right digit where the aligning head of the date model is silent', async () => {
    const text = 'Thursday, 12/31/1897';
    await bundled('date-transformer', { text }, async ({ effect }) => {
      // The tens of the day, which the head reads from the text.
      const digit: EffectQuestion = { kind: 'token', position: 9, token: '3' };
      const silent = { kind: 'silence', component: 'cross', heads: [{ layer: 2, head: 1 }], by: 'zero' } as const;
      const { plain, intervened, effect: lowered } = await effect(digit, [silent]);
      expect(plain.choices[0].probability).to.be.above(0.99);
      expect(plain.choices[0].rank).to.equal(1);
      expect(intervened.choices[0].probability).to.be.below(0.2);
      expect(intervened.choices[0].rank).to.be.above(1);
      expect(lowered).to.be.closeTo(intervened.value - plain.value, 1e-9);
    });
  });

  it('are refused in a sentence where they cannot be asked', async () => {
    const token = { kind: 'token', position: 3, token: 7 } as const;
    const text = 'w7 w19 w3 w88';
    await withModel({ model: 'predictions/electra.headless', text }, async ({ headEffects }) => {
      expect(await codeOf(headEffects(token, 'zero')), 'no logits').to.equal('noPredictions');
    });
    await withModel({ model: 'predictions/gpt2.legacy', text }, async ({ effect }) => {
      const heads = [{ layer: 0, head: 0 }];
      const ask = (question: EffectQuestion, more: Partial<Intervention> = {}): Promise<unknown> =>
        codeOf(effect(question, [{ kind: 'silence', component: 'self', heads, by: 'zero', ...more } as Intervention]));
      expect(await ask({ ...token, token: 9999 }), 'an id too high').to.equal('noSuchToken');
      expect(await ask({ ...token, token: 'nowhere' }), 'a word that is none').to.equal('noSuchToken');
      expect(await ask({ ...token, against: 'w1' }), 'a token against itself, by its text').to.equal('sameTwice');
      expect(await ask({ ...token, position: 0 }), 'the first token').to.equal('invalidArgument');
      expect(await ask({ kind: 'label', label: 0 }), 'a label').to.equal('invalidArgument');
      expect(await ask(token, { component: 'cross' }), 'a component').to.equal('invalidArgument');
      expect(await ask(token, { heads: [{ layer: 0, head: 9 }] }), 'a head').to.equal('invalidArgument');
    });
  });

  it('are those of each head by itself where a model quantises as it runs: a batch would share its ranges', async () => {
    const text = 'w7 w19 w3 w88 w3 w19';
    await withModel({ model: 'predictions/bert.int8', text }, async ({ effect, headEffects }) => {
      const question = { kind: 'token', position: 3, token: 7 } as const;
      const { layers, oneByOne } = await headEffects(question, 'zero');
      expect(oneByOne).to.match(/^it quantises as it runs/);
      for (const head of [0, 3]) {
        const heads = [{ layer: 0, head }];
        const one = await effect(question, [{ kind: 'silence', component: 'self', heads, by: 'zero' }]);
        expect(layers[0].effects[head], `head ${head}`).to.equal(Math.fround(one.effect));
      }
    });
  });

  it('are zero in a causal model of what stands at or behind the predicted token, and are known to be', async () => {
    const text = 'w7 w19 w3 w88 w3 w19';
    await withModel({ model: 'predictions/gpt2.legacy', text }, async ({ effect, components }) => {
      const blocked = async (
        query: number | undefined,
        key: number | undefined,
      ): Promise<readonly [number, boolean]> => {
        const found = await effect({ kind: 'token', position: 3, token: 7 }, [
          { kind: 'block', component: 'self', heads: [{ layer: 0, head: 0 }], query, key, isRenormalized: true },
        ]);
        return [found.effect, standsBehind(found, components)];
      };
      for (const [query, key] of [
        [3, 1],
        [5, 2],
        [undefined, 3],
        [4, undefined],
      ]) {
        const [value, isBehind] = await blocked(query, key);
        expect(Math.abs(value), `${query}:${key}`).to.be.below(1e-5);
        expect(isBehind, `${query}:${key}`).to.equal(true);
      }
      // What the mask has taken out was no weight.
      const ahead = {
        kind: 'block',
        component: 'self',
        heads: [{ layer: 0, head: 0 }],
        isRenormalized: false,
      } as const;
      const [masked, read] = [
        { ...ahead, query: 1, key: 4 },
        { ...ahead, query: 4, key: 1 },
      ];
      expect((await effect({ kind: 'loss' }, [masked])).effect).to.be.closeTo(0, 1e-6);
      expect([masked, read, { ...ahead, key: 5 }].map((each) => isMaskedOut(each, components))).to.deep.equal([
        true,
        false,
        false,
      ]);
      for (const [query, key] of [
        [2, 1],
        [undefined, 2],
      ]) {
        const [value, isBehind] = await blocked(query, key);
        expect([Math.abs(value) < 1e-5, isBehind], `${query}:${key}`).to.deep.equal([false, false]);
      }
    });
    const masked = { model: 'predictions/bert.legacy', text };
    await withModel(masked, async ({ effect, components }) => {
      const found = await effect({ kind: 'token', position: 3, token: 7 }, [
        { kind: 'block', component: 'self', heads: [{ layer: 0, head: 0 }], query: 5, key: 1, isRenormalized: true },
      ]);
      expect([Math.abs(found.effect) < 1e-5, standsBehind(found, components)]).to.deep.equal([false, false]);
      // Nor is anything ahead in a model that reads both ways.
      const ahead = { kind: 'block', component: 'self', heads: [], query: 1, key: 4, isRenormalized: true } as const;
      expect(isMaskedOut(ahead, components)).to.equal(false);
    });
  });

  it('stack: each is made in the run that those before it have changed', async () => {
    const text = 'w7 w19 w3 w88 w3 w19';
    await withModel({ model: 'predictions/gpt2.legacy', text }, async ({ effect }) => {
      const question = { kind: 'loss' } as const;
      const silent = (layer: number): Intervention => ({
        kind: 'silence',
        component: 'self',
        heads: [0, 1, 2, 3].map((head) => ({ layer, head })),
        by: 'zero',
      });
      const column: Intervention = {
        kind: 'block',
        component: 'self',
        heads: [{ layer: 1, head: 2 }],
        key: 1,
        isRenormalized: true,
      };
      const [first, both, blocked, all] = [
        await effect(question, [silent(0)]),
        await effect(question, [silent(0), silent(1)]),
        await effect(question, [silent(0), column]),
        await effect(question, [silent(0), column, silent(1)]),
      ].map((each) => each.effect);
      expect(new Set([first, both, blocked]).size).to.equal(3);
      expect(all, 'what is silent has nothing that could be blocked').to.equal(both);
    });
  });

  for (const name of names)
    it(`are those of PyTorch with hooks: ${name}`, async () => {
      const expected = JSON.parse(await readFixtureText(`effects/${name}/effects.json`)) as Expected; // by our own script
      await withModel(expected, async ({ effect, headEffects }) => {
        for (const { question, plain, heads, direct, blocks } of expected.answers) {
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
          await expectDirect(asked, direct, { effect, headEffects });
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
