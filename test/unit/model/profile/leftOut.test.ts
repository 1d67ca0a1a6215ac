import { expect } from 'chai';
import { leftOutOf } from '../../../../src/model/profile/leftOut';

describe('texts that are not profiled', () => {
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const long = `${'word '.repeat(150)}\n`.repeat(3);

  it('are programs whose lines are long, and no prose, whose paragraphs may be lines', () => {
    expect(leftOutOf('a.js', bytesOf(long))).to.equal('generated');
    for (const name of ['story.txt', 'docs/a.md', 'README', 'a.b/story', ''])
      expect(leftOutOf(name, bytesOf(long)), name).to.equal(undefined);
  });

  it('have lines by their characters, whatever bytes these take', () => {
    const chinese = `${'注'.repeat(300)}\n`;
    expect(leftOutOf('a.js', bytesOf(chinese))).to.equal(undefined);
    expect(leftOutOf('a.js', bytesOf(chinese.replace('\n', '').repeat(2)))).to.equal('generated');
  });
});
