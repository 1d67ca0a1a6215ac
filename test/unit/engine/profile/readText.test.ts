import { expect } from 'chai';
import { patternSummer } from '../../../../src/engine/profile/patternSums';
import { readText, type ProfiledModel } from '../../../../src/engine/profile/readText';
import { ReusedArrays } from '../../../../src/engine/runtime/reusedArrays';
import { CodeParser } from '../../../../src/engine/syntax/parseCode';
import type { Explanation } from '../../../../src/engine/text/textModel';
import type { TokenStream } from '../../../../src/model/token';

/** The words of a text as its tokens, so many of them; as tokenizers that throw blanks away do, it refuses blanks alone. */
function wordsOf(text: string, most: number): TokenStream {
  const words = [...text.matchAll(/\S+/g)];
  if (words.length === 0) throw new RangeError('no tokens');
  const tokens = words.slice(0, most).map(({ 0: piece, index }, id) => {
    return { id, piece, start: index, end: index + piece.length, isSpecial: false };
  });
  return { role: 'source', text: words.length > most ? text.slice(0, tokens[most - 1].end) : text, tokens };
}

const model: ProfiledModel = {
  tokens: (text, tokenLimit) => Promise.resolve(wordsOf(text, tokenLimit)),
  explain: ({ text }, _) =>
    Promise.resolve({ streams: [wordsOf(text, Infinity)], layers: [], components: [] } as unknown as Explanation), // all that is read of it
};

/** The first and last line of each chunk, and its words. */
async function chunksOf(text: string, length: number): Promise<(readonly number[])[]> {
  const none = (): Promise<never> => Promise.reject(new Error('nothing is parsed'));
  const { chunks } = await readText(model, text, {
    parser: new CodeParser({ module: none, read: none }),
    arrays: new ReusedArrays(),
    summer: patternSummer(undefined),
    ...{ grammar: undefined, length, overlapLines: 0, withTexts: false },
  });
  return chunks.map(([line, , endLine, , tokens]) => [line, endLine, tokens]);
}

describe('a text that is read in chunks', () => {
  const wanted = [
    [1, 3, 4],
    [3, 5, 4],
    [5, 7, 4],
  ];

  it('has as many whole lines in each as fit, however long its words are', async () => {
    for (const size of [1, 7, 30, 500]) {
      const word = 'w'.repeat(size);
      expect(await chunksOf(`${word} ${word}\n`.repeat(6), 5), `words of ${size}`).to.deep.equal(wanted);
    }
  });

  it('may begin with more blanks than a chunk has room for', async () => {
    expect(await chunksOf(' '.repeat(999) + 'a b\n'.repeat(6), 5)).to.deep.equal(wanted);
    expect(await chunksOf('a b\n'.repeat(6) + ' '.repeat(999), 5)).to.deep.equal(wanted);
  });
});
