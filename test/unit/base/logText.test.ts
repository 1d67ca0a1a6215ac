import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import { entry, entryOf, failureEntry } from '../../../src/base/logText';
import { Sparing } from '../../../src/base/sparing';
import { jsonAsIs, jsonText } from '../../../src/base/terminalText';
import { hostileTexts, unseenCharacters } from '../../harness/hostileTexts';

describe('an entry of the log', () => {
  it('is one entry, bounded, whatever it tells of', () => {
    for (const [name, text] of Object.entries(hostileTexts)) {
      for (const told of [
        entry`Told: ${text}`,
        entryOf('Told: ', text),
        failureEntry(new ExplorerError('internal', [text], { details: text }), 'Told: '),
      ]) {
        expect(told.replaceAll(/[\n\t]/g, ''), name).to.not.match(unseenCharacters);
        expect(told.length, name).to.be.at.most(5000);
        expect(told.split('\n').length, name).to.be.at.most(32);
        // No line looks as if it began an entry.
        expect(
          told
            .split('\n')
            .slice(1)
            .every((further) => further.startsWith('    ')),
          name,
        ).to.equal(true);
      }
    }
    expect(entry`a ${1} b ${'c\nd'}`).to.equal('a 1 b c↵d');
  });
});

describe('telling what comes in floods', () => {
  it('tells the first ones, and then how many more came in each interval', async () => {
    const told: (string | number)[] = [];
    const sparing = new Sparing({ first: 2, milliseconds: 20, tellCount: (count) => told.push(count) });
    for (let i = 0; i < 1000; i++) sparing.tell(() => told.push(`told ${i}`));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(told).to.deep.equal(['told 0', 'told 1', 998]);
    sparing.tell(() => told.push('again'));
    sparing.dispose();
    expect(told).to.deep.equal(['told 0', 'told 1', 998, 'again']);
  });
});

describe('JSON in a terminal', () => {
  it('says the same without a character that a terminal would obey', () => {
    const json = jsonText(hostileTexts);
    expect(json).to.not.match(unseenCharacters);
    expect(JSON.parse(json)).to.deep.equal(hostileTexts);
    expect(jsonAsIs(JSON.stringify(hostileTexts, undefined, 2)).replaceAll('\n', '')).to.not.match(unseenCharacters);
  });
});
