import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { corpusItems, mostLineBytes, type CorpusItem } from '../../../src/cli/profile/corpus';
import { indexResults } from '../../../src/cli/profile/results';
import { codeOf } from '../../harness/codeOf';

describe('Texts that are profiled', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ae-corpus-'))));
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const items = async (lists: { readonly jsonl?: string; readonly filesFrom?: string }): Promise<CorpusItem[]> => {
    const found: CorpusItem[] = [];
    const options = { files: [], filesFrom: undefined, jsonl: undefined, shard: { index: 0, count: 1 }, ...lists };
    for await (const item of corpusItems(options)) found.push(item);
    return found;
  };
  const textOf = async (item: CorpusItem): Promise<string> => new TextDecoder().decode(await item.read());

  it('are read line by line, whatever ends a line and wherever the pieces end that are read', async () => {
    const text = 'é'.repeat(100_000);
    const lines = ['"a"', '', `{"text": "${text}", "name": "n.py"}`, '  ', '"c"'];
    for (const [end, last] of [
      ['\n', ''],
      ['\r\n', '\r\n'],
    ]) {
      const found = await items({ jsonl: write('texts.jsonl', `\ufeff${lines.join(end)}${last}`) });
      expect(await Promise.all(found.map(textOf))).to.deep.equal(['a', text, 'c']);
      expect([found[1].name, found[1].language]).to.deep.equal(['n.py', 'py']);
    }
    const [file] = await items({ filesFrom: write('list', `${write('a.py', 'x = 1')}\r\n\r\n`) });
    expect(await textOf(file)).to.equal('x = 1');
  });

  it('are left out where their line is too long, which is not held, and the next ones are read', async function () {
    this.timeout(20_000);
    const long = Buffer.alloc(mostLineBytes + 1, 'a');
    const most = `"${'b'.repeat(mostLineBytes - 2)}"`;
    const found = await items({
      jsonl: write('long.jsonl', Buffer.concat([long, Buffer.from('\n'), Buffer.from(`${most}\n"c"\n`), long])),
    });
    expect(await Promise.all(found.slice(1, 3).map(textOf))).to.deep.equal([most.slice(1, -1), 'c']);
    expect(await Promise.all([found[0], found[3]].map((item) => codeOf(item.read())))).to.deep.equal([
      'fileTooLarge',
      'fileTooLarge',
    ]);
    // Without the end of a line, of which nothing is kept: putting it together again with each piece would take minutes.
    const sparse = write('sparse', '');
    const handle = openSync(sparse, 'r+');
    ftruncateSync(handle, 2 ** 28);
    closeSync(handle);
    const [none, ...others] = await items({ filesFrom: sparse });
    expect(await codeOf(none.read())).to.equal('fileTooLarge');
    expect(others).to.deep.equal([]);
  });

  it('are not waited for in a pipe that nobody writes to, nor are results', async function () {
    if (process.platform === 'win32') this.skip();
    mkdirSync(join(folder, 'profile'));
    for (const name of ['pipe', 'profile/results.jsonl']) execFileSync('mkfifo', [join(folder, name)]);
    for (const list of [{ jsonl: join(folder, 'pipe') }, { filesFrom: join(folder, 'pipe') }, { jsonl: folder }])
      expect(await codeOf(items(list))).to.equal('fileUnreadable');
    expect(await codeOf(items({ jsonl: join(folder, 'none') }))).to.equal('fileNotFound');
    expect(await codeOf(indexResults([join(folder, 'profile')]))).to.equal('profileInvalid');
  });
});
