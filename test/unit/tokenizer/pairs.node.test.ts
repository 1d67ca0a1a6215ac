import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ExplorerError } from '../../../src/base/errors';
import { pairLengths } from '../../../src/tokenizer/pairLengths';
import { Tokenizer, type Encoding } from '../../../src/tokenizer/tokenizer';
import { codeOfCall } from '../../harness/codeOf';
import { openFolder, readCases } from './compareFolder';
import { readReference } from './reference';
import { whyOffsetsDiffer } from './trueOffsets';
import { variants } from './variants';

/** What the reference makes of texts: offsets in code points. */
interface Expected {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly offsets: readonly (readonly [number, number])[];
  readonly error?: string;
}

interface FolderPairs {
  readonly name: string;
  /** All lengths of the first pair, then of the next. */
  readonly pairs: readonly Expected[];
  readonly single: Expected;
}

const readLines = (name: string): string =>
  gunzipSync(readFileSync(`test/fixtures/tokenizers/${name}`)).toString('utf8');
const cases = readCases(readLines('cases.jsonl.gz'));
const [head, ...folders] = readLines('pairs.jsonl.gz')
  .trim()
  .split('\n')
  .map((each) => JSON.parse(each) as unknown) as [
  { versions: Record<string, string>; pairs: [string, string][]; lengths: (number | null)[] },
  ...FolderPairs[],
];

const unitsOf = (text: string): number[] =>
  [...text].reduce((units, character) => [...units, units[units.length - 1] + character.length], [0]);

/** Why an encoding is not as expected; undefined where it is. */
function difference(
  { ids, typeIds, starts, ends }: Encoding,
  { error, ...expected }: Expected,
  texts: readonly string[],
  secondFrom = ids.length,
): string | undefined {
  if (error !== undefined) return `the reference refuses it: ${error}`;
  if (JSON.stringify([...ids]) !== JSON.stringify(expected.ids))
    return `ids ${JSON.stringify([...ids])}, not ${JSON.stringify(expected.ids)}`;
  if (JSON.stringify([...typeIds]) !== JSON.stringify(expected.types))
    return `types ${JSON.stringify([...typeIds])}, not ${JSON.stringify(expected.types)}`;
  const offsets = Array.from(starts, (start, i) => [start, ends[i]]);
  for (const [i, [from, to]] of [
    [0, secondFrom],
    [secondFrom, ids.length],
  ].entries()) {
    const units = unitsOf(texts[i] ?? '');
    const [own, right] = [
      offsets.slice(from, to),
      expected.offsets.slice(from, to).map(([start, end]) => [units[start], units[end]]),
    ];
    if (JSON.stringify(own) !== JSON.stringify(right) && whyOffsetsDiffer(texts[i] ?? '', own, right) === undefined)
      return `offsets ${JSON.stringify(own)}, not ${JSON.stringify(right)}`;
  }
  return undefined;
}

describe(`Pairs of texts as transformers ${head.versions['transformers']} makes them`, function () {
  this.timeout(60_000);

  it('have the same ids, types and offsets with every class, whole and cut', () => {
    let numEqual = 0;
    const wrong: string[] = [];
    for (const { name, pairs, single } of folders) {
      const folder = cases.folders.find((each) => each.name === name);
      if (folder === undefined) throw new Error(`${name} is not among the cases`);
      const made = openFolder(cases, folder);
      // What is told is not as there.
      if (made.remarks.length > 0) continue;
      const check = (where: string, run: () => string | undefined): void => {
        try {
          const why = run();
          if (why === undefined) numEqual++;
          else wrong.push(`${name}, ${where}: ${why}`);
        } catch (error) {
          if (!(error instanceof ExplorerError)) throw error;
        }
      };
      check('one text', () => difference(made.tokenizer.encode(head.pairs[0][0]), single, [head.pairs[0][0]]));
      head.pairs.forEach(([first, second], i) =>
        head.lengths.forEach((length, j) => {
          const expected = pairs[i * head.lengths.length + j];
          check(`pair ${i}, ${length}`, () => {
            const encoding = made.tokenizer.encodePair(first, second, length === null ? {} : { maxLength: length });
            return difference(encoding, expected, [first, second], encoding.secondFrom);
          });
        }),
      );
    }
    expect(wrong.slice(0, 20)).to.deep.equal([]);
    expect(numEqual).to.be.greaterThan(2900);
  });

  it('are as the Rust library has them, also where steps follow one another', async () => {
    for (const [name, config] of Object.entries(variants).filter(([each]) => /^zoo |post-processor/.test(each))) {
      const json = JSON.stringify(config);
      const [tokenizer, reference] = [Tokenizer.fromJson(json), readReference(json)];
      for (const addSpecialTokens of [true, false]) {
        const texts = ['def  the(self)', ' return é'] as const;
        let encoding;
        try {
          encoding = tokenizer.encodePair(...texts, { addSpecialTokens });
        } catch (error) {
          // A second template in a row, at which the library itself stops.
          expect(name).to.match(/template, |twice/);
          expect(error).to.be.instanceOf(ExplorerError);
          continue;
        }
        const expected = await reference.encode(texts[0], texts[1], { addSpecialTokens });
        expect([...encoding.ids], name).to.deep.equal(expected.getIds());
        expect([...encoding.typeIds], name).to.deep.equal(expected.getTypeIds());
        expect([...encoding.isSpecial], name).to.deep.equal(expected.getSpecialTokensMask());
      }
    }
  });

  it('are cut at the longer text first, and in halves where that is not enough', () => {
    expect([
      pairLengths([3, 9], 20),
      pairLengths([3, 9], 8),
      pairLengths([9, 3], 8),
      pairLengths([9, 3], 5),
      pairLengths([3, 9], 5),
      pairLengths([9, 8], 0),
    ]).to.deep.equal([
      [3, 9],
      [3, 5],
      [5, 3],
      [3, 2],
      [2, 3],
      [0, 0],
    ]);
    // The library stops to look at a text after the word that reaches the length: then both seem equally long, and the second has one more.
    const words = Tokenizer.fromJson(JSON.stringify({ ...variants['zoo bertCased'], post_processor: null }));
    const kept = (first: number, second: number, maxLength: number): number[] =>
      words.encodePair('a '.repeat(first), 'a '.repeat(second), { maxLength }).counts.map((count) => count.kept);
    expect([kept(9, 8, 7), kept(9, 4, 7)]).to.deep.equal([
      [3, 4],
      [4, 3],
    ]);
  });

  it('say how two texts are told apart', () => {
    const form = (name: string): unknown => Tokenizer.fromJson(JSON.stringify(variants[name])).pairForm;
    expect(form('zoo bertCased')).to.deep.equal({ isSeparated: true, isTyped: true });
    expect(form('zoo roberta')).to.deep.equal({ isSeparated: true, isTyped: false });
    expect(form('post-processor none')).to.deep.equal({ isSeparated: false, isTyped: true });
  });

  it('are refused where a template turns the texts around', () => {
    const bert = JSON.parse(JSON.stringify(variants['zoo bertCased'])) as { post_processor: { pair: unknown[] } };
    bert.post_processor.pair = ['B', 'A'].map((id) => ({ Sequence: { id, type_id: 0 } }));
    expect(codeOfCall(() => Tokenizer.fromJson(JSON.stringify(bert)).encodePair('a', 'b'))).to.equal(
      'tokenizerUnsupported',
    );
  });
});
