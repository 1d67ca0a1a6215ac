import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeFileAccess } from '../../../../src/engine/files/nodeFileAccess.node';
import { fileLimits, type FileKind } from '../../../../src/model/fileLimits';
import { readAtMost } from '../../../../src/model/readAtMost';
import { errorOf } from '../../../harness/codeOf';

describe('files of this machine', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-files-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A file of a size that takes no room on the disk. */
  const sparse = (name: string, bytes: number): string => {
    const path = join(folder, name);
    writeFileSync(path, '');
    truncateSync(path, bytes);
    return path;
  };

  it('are refused, unread, where they are larger than their kind may be', async () => {
    const codes: Partial<Record<FileKind, string>> = { picture: 'imageTooLarge', text: 'textTooLarge' };
    for (const kind of Object.keys(fileLimits) as FileKind[] /* its own keys */) {
      const path = sparse(kind, fileLimits[kind].maxBytes + 1);
      const held = process.memoryUsage().rss;
      const error = await errorOf(nodeFileAccess.read(path, kind));
      expect([kind, error.code]).to.deep.equal([kind, codes[kind] ?? 'fileTooLarge']);
      expect(process.memoryUsage().rss - held, kind).to.be.below(2 ** 24);
    }
    expect((await errorOf(nodeFileAccess.read(sparse('config.json', 3 * 2 ** 30), 'settings'))).message).to.equal(
      `${join(folder, 'config.json')} is 3 GB large, more than the 16 MB that are read of such a file: check that it is the right one, or use a smaller one.`,
    );
  });

  it('may be as large as their kind may be', async () => {
    expect(await nodeFileAccess.read(sparse('template', fileLimits.template.maxBytes), 'template')).to.have.lengthOf(
      fileLimits.template.maxBytes,
    );
  });

  it('are read as far as they went when they were opened, also where they grow or shrink meanwhile', async () => {
    const path = join(folder, 'growing');
    writeFileSync(path, 'a'.repeat(1000));
    const reading = nodeFileAccess.read(path, 'text');
    appendFileSync(path, 'b'.repeat(2000));
    const text = new TextDecoder().decode(await reading);
    expect(text.length).to.be.oneOf([1000, 3000]); // opened before or after
    expect(text.startsWith('a'.repeat(1000))).to.equal(true);
  });

  it('are read where the system makes them up, and do not say how long they are', async function () {
    if (process.platform !== 'linux') this.skip();
    expect(new TextDecoder().decode(await nodeFileAccess.read('/proc/self/status', 'text'))).to.match(/^Name:/);
  });

  it('are no pipes, devices, sockets or folders: these are refused at once', async function () {
    if (process.platform === 'win32') this.skip();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const linked = join(folder, 'linked');
    symlinkSync(pipe, linked);
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    for (const [path, reason] of [
      [pipe, 'it is a pipe, a socket or a device'],
      [linked, 'it is a pipe, a socket or a device'],
      ['/dev/zero', 'it is a pipe, a socket or a device'],
      [inner, 'it is a folder'],
    ] as const) {
      for (const kind of Object.keys(fileLimits) as FileKind[] /* its own keys */) {
        const error = await errorOf(nodeFileAccess.read(path, kind));
        expect([error.code, ...error.args]).to.deep.equal(['fileUnreadable', path, reason]);
      }
      expect((await errorOf(nodeFileAccess.open?.(path) ?? Promise.resolve())).args).to.deep.equal([path, reason]);
      expect(await nodeFileAccess.exists(path)).to.equal(false);
    }
    expect((await errorOf(nodeFileAccess.read(join(folder, 'gone'), 'text'))).code).to.equal('fileNotFound');
  });
});

describe('what comes in pieces', () => {
  it('is joined, and refused as soon as it is more than its kind may have', async () => {
    let given = 0;
    async function* pieces(count: number): AsyncGenerator<Uint8Array> {
      for (; given < count; given++) yield new Uint8Array(2 ** 20).fill(given);
    }
    const whole = await readAtMost('settings', 'x', pieces(3));
    expect([whole.length, whole[0], whole[3 * 2 ** 20 - 1]]).to.deep.equal([3 * 2 ** 20, 0, 2]);
    given = 0;
    expect((await errorOf(readAtMost('settings', 'x', pieces(Infinity)))).code).to.equal('fileTooLarge');
    expect(given).to.equal(16);
  });
});
