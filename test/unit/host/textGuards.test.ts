import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import { scaleNotices } from '../../../src/host/run/notices';
import { checkText } from '../../../src/host/run/textGuards';

function failure(run: () => void): ExplorerError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return ExplorerError.from(error);
  }
}

describe('A text to explain', () => {
  it('must not be empty', () => {
    expect(failure(() => checkText('', 'a.py'))?.code).to.equal('emptyText');
    expect(failure(() => checkText(' ', 'a.py'))).to.equal(undefined);
  });

  it('must not be binary, by a NUL or by many bytes that are no text', () => {
    expect(failure(() => checkText('\u007fELF\0\0', 'a.out'))?.message).to.equal(
      'a.out is a binary file: open a text file to explain its attention.',
    );
    expect(failure(() => checkText('\ufffd\u0001'.repeat(40), 'a.bin'))?.code).to.equal('binaryFile');
  });

  it('may have a few broken characters, and any language', () => {
    expect(failure(() => checkText(`caf\ufffd ${'x'.repeat(500)}`, 'latin.txt'))).to.equal(undefined);
    expect(failure(() => checkText('\ufeff한국어 😀\r\n\t', 'a.txt'))).to.equal(undefined);
  });
});

describe('The notices of a text that was cut before the engine saw it', () => {
  it('count the tokens of the whole text, as an estimate', () => {
    expect(scaleNotices([{ code: 'cutToContext', args: [256, '≈ 1000', 'm'] }], 2.5)).to.deep.equal([
      { code: 'cutToContext', args: [256, '≈ 2500', 'm'] },
    ]);
    expect(scaleNotices([{ code: 'cutToLimit', args: [16, 100] }], 2)).to.deep.equal([
      { code: 'cutToLimit', args: [16, '≈ 200'] },
    ]);
  });

  it('are left alone where nothing was cut, or where they count nothing', () => {
    const notices = [
      { code: 'cutToContext', args: [256, 1000, 'm'] },
      { code: 'wholeDocument', args: [] },
    ] as const;
    expect(scaleNotices(notices, 1)).to.equal(notices);
    expect(scaleNotices(notices, 2)[1]).to.equal(notices[1]);
  });
});
