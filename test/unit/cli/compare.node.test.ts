import { expect } from 'chai';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type CompareOptions } from '../../../src/cli/compare';
import { openTextModel } from '../../../src/cli/readWith';
import { codeOf, errorOf } from '../../harness/codeOf';
import { tinyTokenizer } from '../../harness/tinyTokenizer';

const asked: Omit<CompareOptions, 'files'> = {
  model: 'media/models/code-decoder',
  withModel: undefined,
  tokenizer: undefined,
  withTokenizer: undefined,
  target: undefined,
  component: undefined,
  pairing: undefined,
  wantsPredictions: false,
  head: undefined,
  backend: 'wasm',
  isJson: true,
};

interface Told {
  readonly alignments: readonly {
    readonly by: string;
    readonly numCommon: number;
    readonly units: readonly number[];
    readonly isCommon: readonly boolean[];
  }[];
  readonly pairing: string;
  readonly components: readonly {
    readonly numHeads: readonly [number, number];
    readonly areHeadsAlike: boolean;
    readonly heads: readonly {
      readonly head: string;
      readonly other: string;
      readonly jensenShannon: number;
      readonly meanAbsolute: number;
      readonly largest: { readonly query: number; readonly key: number; readonly difference: number };
      readonly unaligned: { readonly a: number; readonly b: number };
    }[];
  }[];
  readonly predictions?: {
    readonly kind?: string;
    readonly refused?: string;
    readonly places: readonly {
      readonly unit: number;
      readonly a: { readonly surprisal: number };
      readonly b: { readonly surprisal: number };
    }[];
  };
}

describe('two texts or models compared on the command line', function () {
  this.timeout(60_000);
  let folder: string;
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const told = async (options: Partial<CompareOptions> & Pick<CompareOptions, 'files'>): Promise<Told> =>
    JSON.parse(await compare({ ...asked, ...options })) as Told;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-compare-'));
    writeFileSync(join(folder, 'tokenizer.json'), tinyTokenizer());
    for (const [variant, name] of [
      ['bert.sdpa.legacy', 'model.onnx'],
      ['bert.sdpa.legacy.int8', 'model_int8.onnx'],
    ])
      copyFileSync(`test/fixtures/zoo/${variant}/model.onnx`, join(folder, name));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('a text with itself has no difference', async () => {
    const text = file('same.py', 'def f(n):\n    return n');
    const { alignments, pairing, components } = await told({ files: [text, text] });
    expect([alignments[0].by, pairing, components[0].heads.length]).to.deep.equal(['same', 'index', 32]);
    for (const { head, other, jensenShannon, meanAbsolute } of components[0].heads)
      expect([other, jensenShannon, meanAbsolute]).to.deep.equal([head, 0, 0]);
  });

  it('an edited text is compared at the tokens that both have, with what both predict', async () => {
    const texts = [
      file('a.py', 'def area(width, height):\n    return width * height\n'),
      file('b.py', 'def area(width, depth):\n    return width * depth\n'),
    ];
    const result = await told({ files: texts, wantsPredictions: true });
    const [alignment] = result.alignments;
    expect(alignment.by).to.equal('ids');
    expect(alignment.numCommon).to.be.within(5, alignment.units.length - 1);
    // Before the edit a causal model has read the same, so nothing there differs.
    const { heads } = result.components[0];
    for (const { largest } of heads) expect(largest.query).to.be.greaterThan(alignment.isCommon.indexOf(false));
    expect(Math.max(...heads.map(({ jensenShannon }) => jensenShannon))).to.be.within(0.01, 1);
    expect(heads.map(({ jensenShannon }) => jensenShannon)).to.deep.equal(
      heads.map(({ jensenShannon }) => jensenShannon).sort((x, y) => y - x),
    );
    expect(heads.some(({ unaligned }) => unaligned.a > 0.01 && unaligned.b > 0.01)).to.equal(true);
    expect(result.predictions?.kind).to.equal('next');
    const places = result.predictions?.places ?? [];
    expect(places.length).to.be.greaterThan(5);
    const before = places.filter(({ unit }) => unit < 3);
    for (const { a, b } of before) expect(a.surprisal).to.be.closeTo(b.surprisal, 1e-4);
    expect(places.some(({ a, b }) => Math.abs(a.surprisal - b.surprisal) > 0.1)).to.equal(true);
  });

  it('of two precisions in one folder the heads stand beside their own, and differ as their weights do', async () => {
    const text = 'for i in range(9): print(i)';
    const models = ['model.onnx', 'model_int8.onnx'].map((name) => join(folder, name));
    const options = { files: [file('loop.py', text)], model: models[0], withModel: models[1] };
    const { pairing, components } = await told(options);
    expect(pairing).to.equal('index');
    const { heads, areHeadsAlike } = components[0];
    expect(areHeadsAlike).to.equal(true);
    const rows: Float32Array[][] = [];
    for (const model of models) {
      const loaded = await openTextModel({ ...asked, model });
      const { layers } = await loaded.explain({ text, tokenLimit: 0 });
      const own: Float32Array[] = [];
      for (const layer of layers)
        for (let head = 0; head < layer.numHeads; head++)
          own.push((await layer.rows(head, 0, layer.numQueries)).slice());
      rows.push(own);
      await loaded.release();
    }
    const numTokens = Math.sqrt(rows[0][0].length);
    expect(heads).to.have.length(rows[0].length);
    const perLayer = heads.filter(({ head }) => head.startsWith('0.')).length;
    for (const { head, jensenShannon, meanAbsolute, largest } of heads) {
      const [layer, index] = head.split('.').map(Number);
      const [a, b] = rows.map((each) => each[layer * perLayer + index]);
      const changes = Array.from(a, (weight, i) => b[i] - weight);
      expect(meanAbsolute).to.be.closeTo(changes.reduce((sum, each) => sum + Math.abs(each), 0) / changes.length, 1e-7);
      expect(largest.difference).to.be.closeTo(changes[largest.query * numTokens + largest.key], 1e-7);
      const kl = (p: Float32Array): number =>
        p.reduce((sum, weight, i) => sum + (weight > 0 ? weight * Math.log2((2 * weight) / (a[i] + b[i])) : 0), 0);
      expect(jensenShannon)
        .to.be.closeTo((kl(a) + kl(b)) / 2 / numTokens, 1e-6)
        .and.be.greaterThan(0);
    }
  });

  it('of two models each head stands beside the nearest one, by characters, and what they have not alike is said', async () => {
    const files = [file('other.py', 'def f(n):\n    return n + 1\n')];
    const options = { files, withModel: join(folder, 'model.onnx') };
    const result = await told({ ...options, pairing: 'nearest', wantsPredictions: true });
    expect([result.alignments[0].by, result.pairing]).to.deep.equal(['characters', 'nearest']);
    const [{ areHeadsAlike, numHeads, heads }] = result.components;
    expect(areHeadsAlike).to.equal(false);
    expect(heads).to.have.length(numHeads[0]);
    expect(result.predictions?.refused).to.match(/cannot be shown/);
    const text = await compare({ ...asked, ...options, isJson: false });
    expect(text)
      .to.match(/nearest by Jensen–Shannon divergence/)
      .and.match(/A has 32 heads and B has \d+, not as many in each layer/)
      .and.match(/by their characters, as their tokenizers differ/);
  });

  it('puts two pictures together patch by patch, with what both are said to be', async () => {
    const samples = 'media/models/shapes-vit/samples';
    const files = ['red-circle.png', 'blue-star.png'].map((name) => join(samples, name));
    const options = { ...asked, model: 'media/models/shapes-vit', files, wantsPredictions: true };
    const result = JSON.parse(await compare(options)) as Told; // what the command prints
    expect(result.alignments[0].by).to.equal('same');
    expect(result.alignments[0].numCommon).to.equal(result.alignments[0].units.length);
    expect(result.components[0].heads[0].jensenShannon).to.be.greaterThan(0);
    expect(result.predictions?.kind).to.equal('labels');
  });

  it('says what it needs', async () => {
    const text = file('one.py', 'x = 1');
    expect(await codeOf(compare({ ...asked, files: [text] }))).to.equal('wrongUsage');
    expect(await codeOf(compare({ ...asked, files: [text, text], pairing: 'some' }))).to.equal('wrongUsage');
    expect(await codeOf(compare({ ...asked, files: [text, 'picture.png'] }))).to.equal('wrongUsage');
    expect(await codeOf(compare({ ...asked, files: [text, text], withTokenizer: 'none.json' }))).to.equal('wrongUsage');
    expect(await codeOf(compare({ ...asked, files: [text, text], component: 'cross' }))).to.equal('invalidArgument');
    const { args } = await errorOf(compare({ ...asked, files: [text, file('none.txt', '')] }));
    expect(args).to.deep.equal([join(folder, 'none.txt'), 'there is no text in it']);
    expect(await codeOf(compare({ ...asked, files: [text, file('none.py', '鼎 ∮')] }))).to.equal('notCompared');
  });
});
