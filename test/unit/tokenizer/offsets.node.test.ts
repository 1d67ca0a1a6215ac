import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { encodeByReference, readReference } from './reference';

/** The parts of a text that its tokens stand for, special ones left out, with the ids. */
function spans(tokenizer: Tokenizer, text: string): { ids: number[]; parts: string[] } {
  const { ids, starts, ends, isSpecial } = tokenizer.encode(text);
  return {
    ids: [...ids],
    parts: Array.from(starts, (start, i) => (isSpecial[i] === 1 ? '' : text.slice(start, ends[i]))).filter(
      (part) => part !== '',
    ),
  };
}

describe('Offsets where the reference library misplaces them', () => {
  const open = (name: string): { tokenizer: Tokenizer; json: string } => {
    const json = readFileSync(`test/fixtures/tokenizers/${name}.json`, 'utf8');
    return { json, tokenizer: Tokenizer.fromJson(json, name) };
  };
  const compare = async (name: string, text: string, parts: readonly string[]): Promise<void> => {
    const { tokenizer, json } = open(name);
    const found = spans(tokenizer, text);
    expect(found.ids).to.deep.equal((await encodeByReference(readReference(json), text)).ids);
    expect(found.parts).to.deep.equal(parts);
  };

  it('a token that replaces digits stands for all of them', () =>
    compare('replace-longer', 'test 12345 test', ['test', '12345', 'test']));
  it('a space that was put in front of a word after an added token takes no letter from it', () =>
    compare('prefix-space-after-added', '<device_name>hello</device_name> hello', [
      '<device_name>',
      'hello',
      '</device_name>',
      'hello',
    ]));

  it('what follows characters that are dropped stays at its place', () => {
    const json = JSON.stringify({ model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] } });
    expect(spans(Tokenizer.fromJson(json), 'xx ab a')).to.deep.equal({ ids: [2, 0], parts: ['ab', 'a'] });
  });
});
