import { expect } from 'chai';
import { readSafetensors } from '../../src/cli/safetensors';
import type { WholeLayer } from '../../src/engine/weights/heldLayer';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers makes of texts that are filled up and cut on the left; see scripts/fixtures/sides.py. */
interface Expected {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly first: string;
    readonly second: string | null;
    readonly count: number;
    readonly fed: Readonly<Record<string, readonly number[]>>;
    readonly offsets: readonly (readonly [number, number])[];
  }[];
}

describe('the sides on which texts are filled up and cut', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  for (const name of ['bert', 'gpt2']) {
    it(`are the left ones where the tokenizer's settings say so: ${name}`, async () => {
      const { tolerance, cases } = JSON.parse(await readFixtureText(`sides/${name}/expected.json`)) as Expected; // written by our own script
      const expected = readSafetensors(await readFixture(`sides/${name}/expected.safetensors`), 'expected');
      const spec = { path: `sides/${name}`, backend: 'wasm', threads: 1 } as const;
      const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, spec);
      for (const [number, { first, second, count, fed, offsets }] of cases.entries()) {
        const { streams, layers, notices } = await model.explain({
          text: first,
          tokenLimit: 0,
          ...(second === null ? {} : { second }),
        });
        const { python } = model.input();
        for (const [input, values] of Object.entries(fed))
          if (new Set(values).size > 1) expect(python).to.contain(`"${input}": np.array([${values.join(', ')}]`);
        const { tokens, second: start } = streams[0];
        expect(tokens.length).to.equal(count);
        tokens.forEach(({ start: from, end }, i) => {
          const moved = start !== undefined && i >= start.from ? start.start : 0;
          if (offsets[i][1] > 0) expect([from - moved, end - moved], `${number}, ${i}`).to.deep.equal(offsets[i]);
        });
        const codes = notices.map(({ code }) => code);
        expect(codes.includes('paddedToShape')).to.equal(count < fed['input_ids'].length);
        expect(codes.includes('cutFromLeft')).to.equal(number > 0);
        expect(codes).to.not.include('paddedOnRight');
        expect(layers).to.have.length(2);
        for (const [layer, { weights, numQueries, numKeys }] of (layers as readonly WholeLayer[]).entries()) {
          const tensor = expected.get(`${number}.${layer}`);
          expect([numQueries, numKeys]).to.deep.equal([count, count]);
          const right = new Float32Array(tensor?.data.slice().buffer ?? new ArrayBuffer(0));
          expect(right.length).to.equal(weights.length);
          expect(weights.reduce((largest, weight, i) => Math.max(largest, Math.abs(weight - right[i])), 0)).to.be.below(
            tolerance,
          );
        }
      }
      expect(model.report().markdown).to.contain('padding\\_side');
      await model.release();
    });
  }
});
