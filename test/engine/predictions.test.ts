import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../src/base/errors';
import type { MaskedPlaces } from '../../src/engine/predict/predictionRuns';
import { Runtime } from '../../src/engine/runtime/runtime';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { predictionAt, type Predictions, type TokenPredictions } from '../../src/model/predictions';
import { codeOf } from '../harness/codeOf';
import { readFixtureText } from '../harness/fixtures';
import { fixtureAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

/** What PyTorch predicts of a text; see scripts/fixtures/predictions.py. */
interface Expected {
  readonly text: string;
  readonly target?: string;
  readonly kind?: TokenPredictions['kind'];
  readonly places?: readonly {
    readonly position: number;
    readonly logProbability: number | null;
    readonly rank: number;
    readonly entropy: number;
    readonly ids: readonly number[];
    readonly probabilities: readonly number[];
  }[];
  readonly labels?: Readonly<Record<string, number>> | readonly Readonly<Record<string, number>>[];
}

/** Relative, beside the rounding of numbers around one. */
const tolerance = 1e-4;

function expectClose(own: number, wanted: number, what: string): void {
  expect(Math.abs(own - wanted), `${what}: ${own} and ${wanted}`).to.be.at.most(
    tolerance * Math.max(0.01, Math.abs(wanted)),
  );
}

const predicting = [
  'gpt2.legacy',
  'llama.dynamo',
  'llama.fused',
  'gemma2.legacy',
  'gpt_neox.dynamo',
  'bert.legacy',
  'modernbert.dynamo',
  'distilbert.legacy',
  't5.legacy',
  'bart.dynamo',
];

describe('what a model predicts', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const read = async (name: string): Promise<Expected> =>
    JSON.parse(await readFixtureText(`predictions/${name}/expected.json`)) as Expected; // written by our own script

  const withModel = async <T>(
    name: string,
    work: (predict: (masked?: MaskedPlaces) => Promise<Predictions>, model: LoadedModel) => Promise<T>,
    { text, target }: Partial<Expected> = {},
  ): Promise<T> => {
    const expected = await read(name);
    const model = await LoadedModel.load({ runtime, reason: '' }, fixtureAccess, {
      path: `predictions/${name}`,
      backend: 'wasm',
      threads: 1,
    });
    try {
      const ran = await model.explain({
        text: text ?? expected.text,
        tokenLimit: 0,
        target: target ?? expected.target,
      });
      const { fed } = model;
      return await work((masked) => model.predict({ ...ran, fed }, masked), model);
    } finally {
      await model.release();
    }
  };

  for (const name of predicting) {
    it(`is what PyTorch predicts: ${name}`, async () => {
      const { kind, places = [] } = await read(name);
      const found = await withModel(name, (predict) => predict('each'));
      if (found.kind === 'labels') throw new Error('no labels');
      expect(found.kind).to.equal(kind);
      expect([...found.positions]).to.deep.equal(places.map(({ position }) => position));
      expect(found.vocabularySize).to.equal(120);
      for (const wanted of places) {
        const own = predictionAt(found, wanted.position);
        if (own === undefined) throw new Error('no place');
        const at = `${name} ${wanted.position}`;
        expect(own.actual?.rank ?? 0, at).to.equal(wanted.rank);
        if (wanted.logProbability !== null)
          expectClose(own.actual?.surprisal ?? NaN, -wanted.logProbability / Math.LN2, `${at} surprisal`);
        expectClose(own.entropy, wanted.entropy / Math.LN2, `${at} entropy`);
        expect(own.alternatives.map(({ id }) => id)).to.deep.equal(wanted.ids);
        own.alternatives.forEach(({ probability, text, id }, i) => {
          expectClose(probability, wanted.probabilities[i], `${at} probability ${i}`);
          expect(text).to.equal(['<pad>', '</s>', '<unk>', '[CLS]', '[SEP]', '[MASK]'][id] ?? `w${id - 6}`);
        });
      }
    });
  }

  it('is one token that is masked, and where the text itself has mask tokens', async () => {
    const { places = [] } = await read('bert.legacy');
    const [, , wanted] = places;
    await withModel('bert.legacy', async (predict) => {
      const one = await predict(wanted.position);
      if (one.kind === 'labels') throw new Error('no labels');
      expect([...one.positions]).to.deep.equal([wanted.position]);
      expectClose(one.surprisal[0], -(wanted.logProbability ?? NaN) / Math.LN2, 'surprisal');
      const none = await predict();
      expect(none.kind === 'masked' && none.positions.length).to.equal(0);
      expect(await codeOf(predict(0)), 'a special token').to.equal('invalidArgument');
      expect(await codeOf(predict(99)), 'no token').to.equal('invalidArgument');
    });
    const text = 'w7 w19 [MASK] w88 w3 w19 w7 w42 w60';
    await withModel(
      'bert.legacy',
      async (predict) => {
        const standing = await predict();
        if (standing.kind === 'labels') throw new Error('no labels');
        expect([...standing.positions]).to.deep.equal([wanted.position]);
        expect(predictionAt(standing, wanted.position)?.actual).to.equal(undefined);
        expect([...standing.ids]).to.deep.equal(wanted.ids);
      },
      { text },
    );
  });

  it('is the labels of a classifier', async () => {
    const labels = (await read('roberta.labels')).labels as Readonly<Record<string, number>>; // as the script writes them of a whole text
    const found = await withModel('roberta.labels', (predict) => predict());
    if (found.kind !== 'labels') throw new Error('no labels');
    const [question] = found.questions;
    expect(question.map(({ label }) => label)).to.deep.equal(
      Object.entries(labels)
        .sort(([, a], [, b]) => b - a)
        .map(([label]) => label),
    );
    for (const { label, probability } of question) expectClose(probability, labels[label], label);
  });

  it('is the label of each token that a classifier of tokens reads', async () => {
    const wanted = (await read('bert.tokens')).labels as readonly Readonly<Record<string, number>>[]; // as the script writes them of tokens
    const found = await withModel('bert.tokens', (predict) => predict());
    if (found.kind !== 'tokenLabels') throw new Error('no labels of tokens');
    // [CLS] and [SEP] are no tokens of the text.
    expect([...found.positions]).to.deep.equal(Array.from({ length: wanted.length - 2 }, (_, i) => i + 1));
    expect(found.surprisal.every(Number.isNaN)).to.equal(true);
    for (const position of found.positions) {
      const { alternatives = [], actual, entropy = NaN } = predictionAt(found, position) ?? {};
      const own = wanted[position];
      expect(actual).to.equal(undefined);
      expect(alternatives.map(({ text }) => text)).to.deep.equal(
        Object.entries(own)
          .sort(([, a], [, b]) => b - a)
          .map(([label]) => label),
      );
      for (const { text, probability } of alternatives) expectClose(probability, own[text], `${position} ${text}`);
      expectClose(entropy, -Object.values(own).reduce((sum, p) => sum + p * Math.log2(p), 0), `${position} entropy`);
    }
    expect(await withModel('bert.tokens', (predict) => codeOf(predict(1)))).to.equal('invalidArgument');
  });

  it('is refused with the reason where there is none, and where nothing can be masked', async () => {
    const failure = await withModel('electra.headless', (predict) =>
      predict().then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(failure).to.be.instanceOf(ExplorerError);
    expect((failure as ExplorerError).message).to.contain('export it with its head'); // as was just seen
    const lackOf = (name: string) => withModel(name, async (_, model) => model.lackOfSurprisal);
    expect(await lackOf('electra.headless')).to.contain('export it with its head');
    expect(await lackOf('bert.tokens')).to.equal('it tells labels, and predicts no tokens');
    expect(await lackOf('bert.legacy')).to.equal(undefined);
    expect(await withModel('gpt2.legacy', (predict) => codeOf(predict(1)))).to.equal('invalidArgument');
  });

  it('is the same for as long as nothing else is read', async () => {
    await withModel('gpt2.legacy', async (predict) => {
      const [first, second] = [await predict(), await predict()];
      expect(first).to.deep.equal(second);
    });
  });
});
