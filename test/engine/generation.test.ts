import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { drawnFrom } from '../../src/engine/text/continueText';
import type { Explanation } from '../../src/engine/text/textModel';
import type { Continuation } from '../../src/model/continuation';
import { predictionAt } from '../../src/model/predictions';
import { codeOf } from '../harness/codeOf';
import { readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What transformers writes, and draws from; see scripts/fixtures/generation.py. */
interface Expected {
  readonly greedy: Readonly<Record<string, readonly number[]>>;
  readonly scores: readonly number[];
  readonly drawn: readonly {
    readonly temperature: number;
    readonly topP: number;
    readonly shares: readonly number[];
  }[];
}

const text = 'w7 w19 w3 w88 w3 w19 w7 w42 w60';
const numRead = 9;

const idsOf = ({ streams: [{ tokens, written }] }: Explanation): readonly number[] =>
  tokens.slice(written?.from ?? tokens.length).map(({ id }) => id);

describe('what a model writes after a text', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  let expected: Expected;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
    expected = JSON.parse(await readFixtureText('generation.json')) as Expected; // written by our own script
  });

  const withModel = async <T>(
    name: string,
    work: (explain: (continuation: Continuation | undefined) => Promise<Explanation>, model: LoadedModel) => Promise<T>,
  ): Promise<T> => {
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, {
      path: `${name === 'qwen2.legacy' ? 'writes' : 'predictions'}/${name}`,
      backend: 'wasm',
      threads: 1,
    });
    try {
      return await work((continuation) => model.explain({ text, tokenLimit: 0, continuation }), model);
    } finally {
      await model.release();
    }
  };

  // Of those made by the other exporter, the length is that of their text.
  for (const name of ['gpt2.legacy', 'gemma2.legacy', 'qwen2.legacy'])
    it(`is greedily what transformers writes: ${name}`, async () => {
      const wanted = expected.greedy[name];
      const read = await withModel(name, (explain) =>
        explain({ written: [], tokens: wanted.length, sampling: undefined }),
      );
      expect(idsOf(read)).to.deep.equal(wanted);
      const [{ tokens, written, text: own }] = read.streams;
      expect(own, 'the text itself is as it was').to.equal(text);
      expect(written?.from).to.equal(numRead);
      expect(tokens[numRead]).to.include({ isWritten: true, template: `w${wanted[0] - 6}`, start: text.length });
      expect(tokens[numRead - 1].isWritten).to.equal(undefined);
      expect(read.components[0].layers).to.have.length(2);
      expect(read.layers[0].numQueries).to.equal(numRead + wanted.length);
    });

  it('is drawn from what transformers’ processors leave', () => {
    for (const { temperature, topP, shares } of expected.drawn) {
      const own = drawnFrom(Float32Array.from(expected.scores), { temperature, topP });
      shares.forEach((share, id) => expect(own[id], `${temperature} ${topP} ${id}`).to.be.closeTo(share, 1e-5));
    }
  });

  it('is the same for the same seed; a token in the place of another makes a branch, whose places are drawn by the same numbers', async () => {
    await withModel('gpt2.legacy', async (explain, model) => {
      const sampling = { temperature: 1.3, topP: 0.95, seed: 7 };
      const [first, again] = [
        await explain({ written: [], tokens: 8, sampling }),
        await explain({ written: [], tokens: 8, sampling }),
      ];
      expect(idsOf(again)).to.deep.equal(idsOf(first));
      const other = await explain({ written: [], tokens: 8, sampling: { ...sampling, seed: 8 } });
      expect(idsOf(other)).to.not.deep.equal(idsOf(first));
      // Each was drawn with its share, and is predicted with its alternatives.
      const shares = first.streams[0].written?.shares ?? [];
      expect(shares).to.have.length(8);
      for (const share of shares) expect(share).to.be.within(0.0001, 1);
      const found = await model.predict({ ...other, fed: model.fed });
      if (found.kind !== 'next') throw new Error('it predicts what comes next');
      expect(predictionAt(found, numRead + 3)?.alternatives).to.have.length(5);
      const kept = idsOf(first).slice(0, 3);
      const branch = await explain({ written: kept, tokens: 5, sampling });
      expect(idsOf(branch), 'what was written stands, and goes on as it did').to.deep.equal(idsOf(first));
      expect(branch.streams[0].written?.shares.slice(0, 3)).to.deep.equal([null, null, null]);
      const elsewhere = await explain({ written: [...kept.slice(0, 2), 50], tokens: 5, sampling });
      expect(idsOf(elsewhere).slice(0, 3)).to.deep.equal([...kept.slice(0, 2), 50]);
    });
  });

  it('has in each step the attention that the finished text has', async () => {
    await withModel('qwen2.legacy', async (explain) => {
      const rows = async (tokens: number): Promise<Float32Array> => {
        const { layers } = await explain({ written: [], tokens, sampling: undefined });
        return (await layers[1].rows(2, numRead + 2, numRead + 3)).slice(0, numRead + 3);
      };
      const [step, finished] = [await rows(3), await rows(8)];
      step.forEach((weight, key) => expect(weight).to.be.closeTo(finished[key], 1e-5));
    });
  });

  it('is refused where a model reads both ways, gives no scores, writes a text of its own, or has no room', async () => {
    const asked = { written: [], tokens: 1, sampling: undefined };
    for (const [name, code] of [
      ['bert.legacy', 'noContinuation'],
      ['electra.headless', 'noPredictions'],
      ['t5.legacy', 'noContinuation'],
    ] as const)
      expect(await withModel(name, (explain) => codeOf(explain(asked))), name).to.equal(code);
    const code = await withModel('gpt2.legacy', (explain) => codeOf(explain({ ...asked, tokens: 1e9 })));
    expect(code).to.equal('noContinuation');
  });
});
