import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { placeInText, readFilePart } from '../../../src/cli/filePart';
import { codeOf } from '../../harness/codeOf';

describe('A part of a file on the command line', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-part-'));
    writeFileSync(join(folder, 'a.txt'), 'one two\nthree\n\nfour 😀 five');
  });
  after(() => rmSync(folder, { recursive: true }));
  const part = async (range: string): Promise<string | undefined> => {
    const { text, span } = await readFilePart(`${join(folder, 'a.txt')}${range}`);
    return span && text.slice(span.start, span.end);
  };

  it('is lines, or runs from a column to another', async () => {
    expect(await part('')).to.equal(undefined);
    expect(await part(':2')).to.equal('three\n');
    expect(await part(':2-3')).to.equal('three\n\n');
    expect(await part(':1-99')).to.equal('one two\nthree\n\nfour 😀 five');
    expect(await part(':1:5-1:7')).to.equal('two');
    expect(await part(':1:5-2:2')).to.equal('two\nth');
    expect(await part(':1:5-1:99')).to.equal('two\n');
  });

  it('is a file of its own before it is a line of another', async () => {
    writeFileSync(join(folder, 'a.txt:4'), 'its own');
    expect(await readFilePart(join(folder, 'a.txt:4'))).to.deep.equal({ text: 'its own', span: undefined });
    rmSync(join(folder, 'a.txt:4'));
    expect(await part(':4')).to.equal('four 😀 five');
  });

  it('is refused where the file does not have it', async () => {
    for (const range of [':0', ':9', ':0-1', ':9-10', ':3-2', ':1:0-1:3', ':1:5-1:4', ':9:1-9:2', ':1:99-1:100'])
      expect(await codeOf(readFilePart(`${join(folder, 'a.txt')}${range}`)), range).to.equal('invalidArgument');
  });

  it('stands in its lines, whatever breaks they have', () => {
    for (const eol of ['\n', '\r\n']) {
      const text = ['one two', 'three', 'four'].join(eol);
      const place = placeInText(text, { start: text.indexOf('hre'), end: text.indexOf('hre') + 3 });
      expect(place.firstLineStart).to.equal(text.indexOf('three'));
      expect(text.slice(0, place.lastLineEnd)).to.equal(`one two${eol}three`);
      expect(place.lineStartFrom(1)).to.equal(text.indexOf('three'));
      expect(place.lineStartFrom(0)).to.equal(0);
      expect(text.slice(0, place.lineEndUntil(text.indexOf('ee')))).to.equal('one two');
      expect(place.lineEndUntil(3)).to.equal(0);
      expect(place.lineEndUntil(text.length)).to.equal(text.length);
      const lines = placeInText(text, { start: 0, end: text.indexOf('three') });
      expect(lines.lastLineEnd).to.equal(text.indexOf('three'));
    }
  });
});
