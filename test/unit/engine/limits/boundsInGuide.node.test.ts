import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { memoryBound } from '../../../../src/base/memoryBound';
import { drawingSeconds, mostAnswered } from '../../../../src/cli/drawInBrowser';
import { maxItems, maxMade } from '../../../../src/engine/jinja/bound';
import { timeLimits } from '../../../../src/engine/limits/timeLimits';
import { maxExpressionUnits, maxParts, maxPieces, mostUnits } from '../../../../src/tokenizer/workBounds';

describe('The bounds of time and memory in SECURITY.md', () => {
  const guide = readFileSync('SECURITY.md', 'utf8');
  const kinds: Readonly<Record<keyof typeof timeLimits, string>> = {
    readTokenizer: 'characters of its file',
    tokenize: 'characters of the text',
    chatTemplate: 'characters of the message',
    preparePicture: 'pixels',
    readProfile: 'bytes of its files',
  };

  it('are those of the code', () => {
    for (const [step, { title, seconds, perMillion }] of Object.entries(timeLimits)) {
      expect(guide).to.include(
        `| ${title} | ${seconds} s, and ${perMillion} s for each million ${kinds[step as keyof typeof timeLimits /* its own key */]} |`,
      );
    }
    expect(guide).to.include(`| ${maxParts}; ${maxExpressionUnits} |`);
    expect(guide).to.include(
      `| ${mostUnits(1) - mostUnits(0)} times as long as it was, and ${mostUnits(0)} characters |`,
    );
    expect(guide).to.include(`of SentencePiece | ${maxPieces} |`);
    expect(guide).to.include(`| ${maxMade} characters; ${maxItems} items |`);
    expect(guide).to.include(`characters of its answer | ${drawingSeconds} s; ${mostAnswered} |`);
    expect(memoryBound(64e9)).to.equal(48e9);
    expect(memoryBound(1e9)).to.equal(2 ** 30);
  });
});
