import { expect } from 'chai';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import type { Component } from '../../src/model/head';
import { codeOf } from '../harness/codeOf';
import { readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch makes of the last layer where a head of the first is silent; see scripts/fixtures/intervened.py. */
interface Expected {
  readonly component: Component;
  readonly head: number;
  readonly shown: Component;
  readonly shape: readonly [heads: number, queries: number, keys: number];
  readonly weights: readonly number[];
}

/** Of a weight, absolute. */
const tolerance = 1e-5;

describe('the attention of an intervened run', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  for (const name of ['gpt2.legacy', 'bert.legacy', 't5.legacy'])
    it(`is behind the intervention that of PyTorch with hooks, and before it that of the plain run: ${name}`, async () => {
      const read = JSON.parse(await readFixtureText(`effects/${name}/effects.json`)) as {
        readonly model: string;
        readonly text: string;
        readonly target?: string;
      }; // both by our own scripts
      const expected = JSON.parse(await readFixtureText(`effects/${name}/intervened.json`)) as Expected;
      const spec = { path: read.model, backend: 'wasm', threads: 1 } as const;
      const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, spec);
      try {
        const { layers, ...explained } = await model.explain({ text: read.text, tokenLimit: 0, target: read.target });
        const run = { ...explained, fed: model.fed };
        const layersOf = (component: Component) => layers.filter((layer) => layer.component === component);
        const heads = [{ layer: 0, head: expected.head }];
        const interventions = [{ kind: 'silence', component: expected.component, heads, by: 'zero' } as const];
        const made = await model.effects.intervene(run, { interventions }, layersOf);
        expect(made.length).to.equal(layers.length);
        const last = made.filter(({ component }) => component === expected.shown).at(-1);
        if (last === undefined) throw new Error('no layer');
        const [numHeads, numQueries, numKeys] = expected.shape;
        expect([last.numHeads, last.numQueries, last.numKeys]).to.deep.equal(expected.shape);
        for (let head = 0; head < numHeads; head++) {
          const from = head * numQueries * numKeys;
          const rows = await last.rows(head, 0, numQueries);
          rows.forEach((weight, i) => {
            expect(weight, `head ${head}, cell ${i}`).to.be.closeTo(expected.weights[from + i], tolerance);
          });
        }
        const first = layers.findIndex(({ component }) => component === expected.component);
        expect([...(await made[first].rows(0, 0, 1))]).to.deep.equal([...(await layers[first].rows(0, 0, 1))]);
        // Nothing is changed, and nothing is other.
        const same = await model.effects.intervene(run, { interventions: [] }, layersOf);
        for (const [i, layer] of same.entries())
          expect([...(await layer.column(0, 1))], `layer ${i}`).to.deep.equal([...(await layers[i].column(0, 1))]);
        const swap = [{ kind: 'swap', component: expected.component, heads } as const];
        expect(await codeOf(model.effects.intervene(run, { interventions: swap }, layersOf))).to.equal('noEffects');
      } finally {
        await model.release();
      }
    });
});
