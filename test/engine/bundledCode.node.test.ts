import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';
import { AttentionSession, type LayerWeights } from '../../src/engine/session/attentionSession';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { headMetrics } from '../../src/model/metrics/headTable';
import { textOf } from '../harness/metricText';
import { planInputs } from '../../src/onnx/inputs/inputs';
import { Tokenizer } from '../../src/tokenizer/tokenizer';
import { listedHead } from '../harness/listedHead';
import { readFixtureText } from '../harness/fixtures';

/** A bundled model of code with its tokenizer. */
interface CodeModel {
  readonly tokenizer: Tokenizer;
  readonly read: (
    ids: readonly number[],
  ) => Promise<{ readonly layers: readonly LayerWeights[]; readonly logits: Float32Array }>;
  readonly release: () => Promise<void>;
}

async function openModel(name: string): Promise<CodeModel> {
  const folder = `media/models/${name}`;
  const tokenizer = Tokenizer.fromJson(await readFile(`${folder}/tokenizer.json`, 'utf8'), name);
  const files = await readModelFiles(nodeFileAccess, `${folder}/model.onnx`);
  const session = await AttentionSession.create({ ort, files, wantOutputs: true });
  const plan = planInputs(files.analysis.index, session.inputNames);
  return {
    tokenizer,
    async read(ids) {
      const { inputs, numTokens, numPositions } = plan.make({ ids });
      const { layers, failed, outputs } = await session.run(inputs, { numTokens, numPositions });
      expect(failed).to.deep.equal([]);
      const logits = outputs.get('logits')?.data;
      if (!(logits instanceof Float32Array)) throw new Error('no logits');
      return { layers, logits };
    },
    release: () => session.release(),
  };
}

const texts = ['code/heldOut.ts.txt', 'code/heldOut2.ts.txt', 'code/heldOut.py.txt'];

/** Every head's pattern, in order. */
function* heads(layers: readonly LayerWeights[]): Generator<{
  readonly label: string;
  readonly pattern: { readonly numQueries: number; readonly numKeys: number; readonly weights: Float32Array };
}> {
  for (const { layer, numHeads, numQueries, numKeys, weights } of layers) {
    const size = numQueries * numKeys;
    for (let head = 0; head < numHeads; head++)
      yield {
        label: `${layer}.${head}`,
        pattern: { numQueries, numKeys, weights: weights.subarray(head * size, (head + 1) * size) },
      };
  }
}

/** The mean of a value over several texts, by head. */
class HeadMeans {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(label: string, value: number): void {
    const entry = this.#sums.get(label) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count++;
    this.#sums.set(label, entry);
  }

  get(label: string): number {
    const { sum, count } = this.#sums.get(label) ?? { sum: 0, count: 1 };
    return sum / count;
  }

  best(): { readonly label: string; readonly value: number } {
    return [...this.#sums.keys()]
      .map((label) => ({ label, value: this.get(label) }))
      .reduce((a, b) => (b.value > a.value ? b : a));
  }
}

/** (closer, opener) positions of brackets that match; a mismatch forgets what is open. */
function bracketPairs(pieces: readonly string[]): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let open: { kind: number; position: number }[] = [];
  pieces.forEach((piece, position) => {
    const kind = piece.trim().length === 1 ? '()[]{}'.indexOf(piece.trim()) : -1;
    if (kind < 0) return;
    const last = open.at(-1);
    if (kind % 2 === 0) open.push({ kind, position });
    else if (last?.kind === kind - 1) {
      open.pop();
      pairs.push([position, last.position]);
    } else open = [];
  });
  return pairs;
}

/** Different ids in an order that looks random: the same at every call. */
function shuffledIds(count: number, size: number, seed: number): number[] {
  let state = seed;
  const ids = new Set<number>();
  while (ids.size < count) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    ids.add(1 + ((state >>> 8) % (size - 1)));
  }
  return [...ids];
}

describe('the bundled code-decoder', function () {
  this.timeout(120_000);
  let model: CodeModel;
  before(async () => {
    model = await openModel('code-decoder');
  });
  after(() => model.release());

  it('has a previous-token head and a head that finds the open bracket', async () => {
    const previous = new HeadMeans();
    const bracket = new HeadMeans();
    const beside = new HeadMeans();
    let numPairs = 0;
    for (const path of texts) {
      const text = await readFixtureText(path);
      const encoding = model.tokenizer.encode(text);
      const ids = [...encoding.ids.subarray(0, 700)];
      const pairs = bracketPairs(ids.map((_, i) => text.slice(encoding.starts[i], encoding.ends[i])));
      numPairs += pairs.length;
      const { layers } = await model.read(ids);
      for (const { label, pattern } of heads(layers)) {
        previous.add(label, headMetrics(pattern, textOf(ids)).previousToken);
        const { numKeys, weights } = pattern;
        const atDistance = (distance: number): number => {
          let sum = 0;
          for (let query = distance; query < ids.length; query++) sum += weights[query * numKeys + query - distance];
          return sum / (ids.length - distance);
        };
        for (const [closer, opener] of pairs) {
          bracket.add(label, weights[closer * numKeys + opener]);
          beside.add(label, atDistance(closer - opener));
        }
      }
    }
    expect(numPairs).to.be.greaterThan(90);
    expect(previous.best().value).to.be.at.least(0.6);
    const { label, value } = bracket.best();
    expect(value).to.be.at.least(0.3);
    expect(value).to.be.at.least(3 * beside.get(label));
  });

  it('has an induction head: on random tokens that repeat, it reads what followed the same token before', async () => {
    const overAllRows = new HeadMeans();
    let copied = 0;
    let numCopies = 0;
    for (const [size, times, seed] of [
      [32, 4, 1],
      [64, 4, 2],
      [100, 4, 3],
    ]) {
      const segment = shuffledIds(size, 3072, seed);
      const ids = [0, ...Array.from({ length: times }, () => segment).flat()];
      const { layers, logits } = await model.read(ids);
      // The rows of the first time, a quarter, can have no induction and count all the same.
      for (const { label, pattern } of heads(layers))
        overAllRows.add(label, headMetrics(pattern, textOf(ids)).induction);
      const numIds = logits.length / ids.length;
      for (let position = size + 1; position < ids.length - 1; position++) {
        const row = logits.subarray(position * numIds, (position + 1) * numIds);
        numCopies++;
        if (row.indexOf(Math.max(...row)) === ids[position + 1]) copied++;
      }
    }
    expect(overAllRows.best().value).to.be.at.least(0.5);
    expect(overAllRows.get(listedHead('code-decoder').label), 'the head shown first').to.be.at.least(
      0.9 * overAllRows.best().value,
    );
    expect(copied / numCopies).to.be.at.least(0.9);
  });

  it('foretells code that it never read in at most two bits a byte', async () => {
    let bits = 0;
    let bytes = 0;
    for (const path of texts) {
      const text = await readFixtureText(path);
      const encoding = model.tokenizer.encode(text);
      const ids = [...encoding.ids.subarray(0, 1000)];
      const { logits } = await model.read(ids);
      bits += bitsOf(logits, ids);
      bytes += new TextEncoder().encode(text.slice(0, encoding.ends[ids.length - 1])).length;
    }
    expect(bits / bytes).to.be.at.most(2);
  });
});

/** −log₂ P of every token but the first, summed. */
function bitsOf(logits: Float32Array, ids: readonly number[]): number {
  const size = logits.length / ids.length;
  let bits = 0;
  for (let position = 1; position < ids.length; position++) {
    const row = logits.subarray((position - 1) * size, position * size);
    const largest = Math.max(...row);
    let sum = 0;
    for (const value of row) sum += Math.exp(value - largest);
    bits += (largest + Math.log(sum) - row[ids[position]]) / Math.LN2;
  }
  return bits;
}

describe('the bundled code-encoder', function () {
  this.timeout(120_000);
  const mask = 3075;
  let model: CodeModel;
  before(async () => {
    model = await openModel('code-encoder');
  });
  after(() => model.release());

  it('reads both ways, with heads for the token before and the token after, and shows one first that finds the open bracket', async () => {
    const previous = new HeadMeans();
    const next = new HeadMeans();
    const bracket = new HeadMeans();
    for (const path of texts) {
      const text = await readFixtureText(path);
      const { ids, specialAt } = framed(model.tokenizer, text, 400);
      expect(specialAt).to.deep.equal([0, ids.length - 1]);
      const { layers } = await model.read(ids);
      const pairs = bracketPairs(ids.map((id) => model.tokenizer.decode([id])));
      for (const { label, pattern } of heads(layers)) {
        previous.add(label, meanAt(pattern, 1));
        next.add(label, meanAt(pattern, -1));
        for (const [closer, opener] of pairs) bracket.add(label, pattern.weights[closer * pattern.numKeys + opener]);
      }
      expect(layers.every(({ isCausal }) => !isCausal)).to.equal(true);
    }
    expect(previous.best().value).to.be.at.least(0.6);
    expect(next.best().value).to.be.at.least(0.4);
    expect(bracket.get(listedHead('code-encoder').label), 'the head shown first').to.be.at.least(
      Math.max(0.25, 0.8 * bracket.best().value),
    );
  });

  it('gives back masked tokens of code that it never read', async () => {
    let right = 0;
    let count = 0;
    for (const path of texts) {
      const { ids } = framed(model.tokenizer, await readFixtureText(path), 400);
      const hidden = [...ids.keys()].filter(
        (position) => position > 0 && position < ids.length - 1 && position % 8 === 4,
      );
      const { logits } = await model.read(ids.map((id, position) => (hidden.includes(position) ? mask : id)));
      const size = logits.length / ids.length;
      for (const position of hidden) {
        const row = logits.subarray(position * size, (position + 1) * size);
        count++;
        if (row.indexOf(Math.max(...row)) === ids[position]) right++;
      }
    }
    expect(right / count).to.be.at.least(0.4);
  });
});

/** The first tokens of a text with the special ones around them. */
function framed(
  tokenizer: Tokenizer,
  text: string,
  length: number,
): { readonly ids: number[]; readonly specialAt: number[] } {
  const { ids, isSpecial } = tokenizer.encode(text);
  const kept = [...ids.subarray(0, length - 1), ids[ids.length - 1]];
  const special = [...isSpecial.subarray(0, length - 1), isSpecial[isSpecial.length - 1]];
  return { ids: kept, specialAt: [...special.keys()].filter((position) => special[position] === 1) };
}

/** The mean weight on the token so many positions before (negative: after). */
function meanAt(
  {
    numKeys,
    numQueries,
    weights,
  }: { readonly numQueries: number; readonly numKeys: number; readonly weights: Float32Array },
  back: number,
): number {
  let sum = 0;
  let count = 0;
  for (let query = Math.max(0, back); query < Math.min(numQueries, numKeys + back); query++) {
    sum += weights[query * numKeys + query - back];
    count++;
  }
  return sum / count;
}
