import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { extract } from '../../../src/cli/extract';
import { writeSafetensors } from '../../../src/cli/safetensors';
import { ExplorerError } from '../../../src/base/errors';
import { checkWritable } from '../../../src/base/wholeFile.node';
import { writeWhole } from '../../../src/cli/writeWhole';
import { errorOf } from '../../harness/codeOf';

describe('what the command line writes', () => {
  const bytes = new TextEncoder().encode('content');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'attention-out-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('stands there whole, in the place of what stood there, and nothing beside it', async () => {
    const out = join(folder, 'out');
    for (let i = 0; i < 2; i++) {
      await checkWritable(out);
      await writeWhole(out, bytes);
      expect([readFileSync(out, 'utf8'), readdirSync(folder)]).to.deep.equal(['content', ['out']]);
    }
  });

  it('goes through links to the file that they name', async function () {
    if (process.platform === 'win32') this.skip();
    const [file, link] = [join(folder, 'file'), join(folder, 'link')];
    writeFileSync(file, 'former');
    symlinkSync(file, link);
    await writeWhole(link, bytes);
    expect([readFileSync(file, 'utf8'), readdirSync(folder).sort()]).to.deep.equal(['content', ['file', 'link']]);
  });

  it('is refused with the true reason where it cannot be written, and leaves nothing behind', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'former');
    mkdirSync(join(folder, 'inner'));
    for (const [path, reason] of [
      ['gone/out', 'its folder does not exist'],
      ['file/out', 'its folder is a file'],
      ['inner', 'it is a folder'],
    ] as const) {
      const out = join(folder, path);
      for (const error of [await errorOf(checkWritable(out)), await errorOf(writeWhole(out, bytes))])
        expect(error.message).to.equal(
          `${out} cannot be written (${reason}): choose a file in a folder that exists, where you may write and there is room.`,
        );
    }
    expect(readdirSync(folder).sort()).to.deep.equal(['file', 'inner']);
  });

  it('is refused where there is no room', async function () {
    if (!existsSync('/dev/full')) this.skip();
    expect((await errorOf(writeWhole('/dev/full', bytes))).args).to.deep.equal(['/dev/full', 'there is no room left']);
    expect(statSync('/dev/full').isCharacterDevice()).to.equal(true);
  });

  it('comes in pieces, and leaves what stood there where one of them fails', async () => {
    const out = join(folder, 'out');
    async function* pieces(fails: boolean): AsyncGenerator<Uint8Array> {
      yield bytes;
      if (fails) throw new ExplorerError('cancelled');
      yield bytes;
    }
    await writeWhole(out, pieces(false));
    expect((await errorOf(writeWhole(out, pieces(true)))).code).to.equal('cancelled');
    expect([readFileSync(out, 'utf8'), readdirSync(folder)]).to.deep.equal(['contentcontent', ['out']]);
    if (existsSync('/dev/full'))
      expect((await errorOf(writeWhole('/dev/full', pieces(false)))).code).to.equal('fileNotWritten');
  });

  it('is refused where it is not allowed', async function () {
    if (process.platform === 'win32' || process.getuid?.() === 0) this.skip(); // everything is allowed to root
    chmodSync(folder, 0o500);
    expect((await errorOf(writeWhole(join(folder, 'out'), bytes))).args[1]).to.equal('it is not allowed');
    chmodSync(folder, 0o700);
  });

  it('is looked at before a model is run for it', async () => {
    const feeds = join(folder, 'feeds');
    writeFileSync(feeds, writeSafetensors(new Map()));
    expect(
      (await errorOf(extract({ model: 'no such model', feeds, out: join(folder, 'gone/out'), backend: 'wasm' }))).code,
    ).to.equal('fileNotWritten');
    expect(
      (await errorOf(extract({ model: 'no such model', feeds, out: join(folder, 'out'), backend: 'wasm' }))).code,
    ).to.equal('modelNotFound');
  });
});
