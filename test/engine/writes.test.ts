import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../src/base/errors';
import { Runtime } from '../../src/engine/runtime/runtime';
import type { WritesAsked } from '../../src/engine/predict/writeRuns';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { headsOf, strongestWriters, type Writes } from '../../src/model/writes';
import { readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch with hooks adds up; see scripts/fixtures/writes.py. */
interface Expected {
  readonly position: number;
  readonly token: number;
  readonly against: number;
  readonly logit: number;
  readonly embedding: number;
  readonly mlps: readonly number[];
  /** [layer, head, key]. */
  readonly sources: readonly (readonly (readonly number[])[])[];
}

const tolerance = 1e-4;

function expectClose(own: number, wanted: number, what: string): void {
  expect(Math.abs(own - wanted), `${what}: ${own} and ${wanted}`).to.be.at.most(
    tolerance * Math.max(0.1, Math.abs(wanted)),
  );
}

const text = 'w7 w19 w3 w88 w3 w19 w7 w42 w60';

describe('what a head writes', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const withModel = async <T>(
    path: string,
    work: (writes: (asked: WritesAsked) => Promise<Writes>) => Promise<T>,
  ): Promise<T> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, { path, backend: 'wasm', threads: 1 });
    try {
      const ran = await model.explain({ text, tokenLimit: 0, target: path.includes('t5') ? 'w50 w2 w71' : undefined });
      const run = {
        ...ran,
        fed: model.fed,
        layersOf: (name: string) => ran.layers.filter(({ component }) => component === name),
      };
      return await work((asked) => model.writes(run, asked));
    } finally {
      await model.release();
    }
  };

  const reasonOf = async (path: string, asked: WritesAsked): Promise<string> => {
    const failure = await withModel(path, (writes) =>
      writes(asked).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    if (!(failure instanceof ExplorerError)) throw new Error('it was not refused');
    return `${failure.code}: ${failure.message}`;
  };

  for (const name of ['gpt2.legacy', 'llama.dynamo', 'llama.fused', 'qwen2.legacy', 'gemma2.legacy', 'gpt_neox.dynamo'])
    it(`is what PyTorch adds up to the logit: ${name}`, async () => {
      const cases = JSON.parse(await readFixtureText(`writes/${name}.json`)) as readonly Expected[]; // written by our own script
      const folder = name === 'qwen2.legacy' ? 'writes' : 'predictions';
      await withModel(`${folder}/${name}`, async (writes) => {
        for (const { position, token, against, logit, embedding, mlps, sources } of cases) {
          const found = await writes({ position, token, against });
          const at = `${name} at ${position}`;
          expectClose(found.logit, logit, `${at} logit`);
          expect(found.behind).to.equal(name === 'gemma2.legacy' ? 'softCap' : 'nothing');
          const of = (kind: string) => found.parts.filter((part) => part.kind === kind).map(({ value }) => value);
          expectClose(of('embedding')[0], embedding, `${at} embedding`);
          of('mlp').forEach((value, layer) => expectClose(value, mlps[layer], `${at} MLP ${layer}`));
          expect(of('mlp')).to.have.length(mlps.length);
          expect(found.layers).to.have.length(sources.length);
          found.layers.forEach((layer, number) => {
            const { numHeads, numKeys } = layer;
            expect([numHeads, numKeys]).to.deep.equal([sources[number].length, sources[number][0].length]);
            headsOf(layer).forEach((value, head) => {
              expectClose(value, sum(sources[number][head]), `${at} head ${number}.${head}`);
              sources[number][head].forEach((wanted, key) =>
                expectClose(layer.sources[head * numKeys + key], wanted, `${at} head ${number}.${head} from ${key}`),
              );
            });
          });
          // All parts together, the model's own logit.
          const total = sum(found.parts.map(({ value }) => value));
          expect(Math.abs(total - found.logit)).to.be.at.most(tolerance * Math.max(1, Math.abs(found.logit)));
          const [first, ...others] = strongestWriters(found).map(({ value }) => Math.abs(value));
          expect(Math.max(...others)).to.be.at.most(first);
        }
      });
    });

  it('is told of a decoder with cross-attention, too, whose logits are scaled before the last product', async () => {
    await withModel('predictions/t5.legacy', async (writes) => {
      const { layers, parts, logit, stream } = await writes({ position: 3, token: 'w71' });
      expect(stream).to.equal(1);
      expect(new Set(layers.map(({ component }) => component))).to.deep.equal(new Set(['decoder', 'cross']));
      expectClose(sum(parts.map(({ value }) => value)), logit, 'logit');
    });
  });

  it('may be asked by a token’s text; a text that is none, or several, is refused', async () => {
    await withModel('predictions/gpt2.legacy', async (writes) => {
      const { token, against } = await writes({ position: 9, token: 'w34', against: 'w11' });
      expect([token.id, token.text, against?.id]).to.deep.equal([40, 'w34', 17]);
    });
    expect(await reasonOf('predictions/gpt2.legacy', { position: 9, token: 120 })).to.contain(
      'its ids are from 0 to 119',
    );
    expect(await reasonOf('predictions/gpt2.legacy', { position: 9, token: 'w1 w2' })).to.contain(
      'it is 2 tokens: w1 · w2',
    );
    expect(await reasonOf('predictions/gpt2.legacy', { position: 0, token: 3 })).to.match(/^invalidArgument/);
  });

  it('is refused with the reason where the path is none', async () => {
    const asked = { position: 2, token: 3 };
    expect(await reasonOf('predictions/bert.legacy', asked)).to.match(/^noWrites: .*not linear/);
    expect(await reasonOf('predictions/bart.dynamo', asked)).to.match(/^noWrites: .*post-norm/);
    expect(await reasonOf('predictions/electra.headless', asked)).to.match(/^noPredictions/);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
