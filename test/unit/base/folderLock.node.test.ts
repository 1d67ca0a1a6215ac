import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkFree, FolderLock, lockName, type LockOptions } from '../../../src/base/folderLock.node';
import { makeFolder } from '../../../src/base/makeFolder.node';
import { writeFolder } from '../../../src/host/profiles/writeFolder.node';
import { codeOf, errorOf } from '../../harness/codeOf';

describe('A folder that one process at a time writes into', () => {
  let place: string;
  before(() => (place = mkdtempSync(join(tmpdir(), 'ae-lock-'))));
  after(() => rmSync(place, { recursive: true }));

  const folderOf = (name: string): string => join(place, name);
  const take = (name: string, options: Partial<LockOptions> = {}): Promise<FolderLock> =>
    FolderLock.take(folderOf(name), { program: 'a test', patience: 0, ...options });
  const lockOf = (name: string): string => join(folderOf(name), lockName);
  /** Puts the lock there that another process would have, of which this differs. */
  const lockBy = async (name: string, other: object): Promise<void> => {
    const own = await take(name);
    const text = readFileSync(lockOf(name), 'utf8');
    await own.release();
    mkdirSync(folderOf(name), { recursive: true });
    writeFileSync(lockOf(name), JSON.stringify({ ...(JSON.parse(text) as object), ...other }));
  };
  /** Much less long than another machine is waited for. */
  const isAtOnce = async (work: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    await work();
    expect(performance.now() - started).to.be.lessThan(15_000);
  };

  it('refuses others with who holds it, and is free and as it was when that is done', async () => {
    const lock = await take('one');
    const { code, args } = await errorOf(take('one'));
    expect([code, ...args]).to.deep.equal([
      'folderInUse',
      folderOf('one'),
      `a test, process ${process.pid} of this machine`,
    ]);
    expect(await codeOf(checkFree(folderOf('one'), 0))).to.equal('folderInUse');
    await lock.check();
    await lock.release();
    expect(existsSync(folderOf('one'))).to.equal(false);
    await checkFree(folderOf('one'), 0);
    // One that is about to end is waited for.
    const ending = await take('one');
    setTimeout(() => void ending.release(), 200);
    await (await take('one', { patience: 5000 })).release();
  });

  it('is taken at once from a process of this machine that has ended, or whose number another one has by now', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await lockBy('ended', { pid });
    await isAtOnce(async () => checkFree(folderOf('ended'), 0));
    await isAtOnce(async () => (await take('ended')).release());
    if (process.platform !== 'win32') {
      await lockBy('again', { started: 'another time' });
      await isAtOnce(async () => (await take('again')).release());
    }
    // As several windows find it that start together.
    await lockBy('several', { pid });
    const ends = await Promise.all(
      Array.from({ length: 8 }, () =>
        take('several').then(
          () => 'held',
          (error: { readonly code?: string }) => error.code,
        ),
      ),
    );
    expect(ends.filter((each) => each === 'held')).to.have.length(1);
    expect(ends.filter((each) => each !== 'held' && each !== 'folderInUse')).to.deep.equal([]);
  });

  it('is taken from another machine, or one that does not say who it is, only when it gave no sign of life for long', async () => {
    for (const other of [{ place: 'elsewhere', host: 'node7' }, { pid: -1 }]) {
      await lockBy('away', other);
      const beating = setInterval(() => utimesSync(lockOf('away'), new Date(), new Date()), 30);
      const { code, args } = await errorOf(take('away', { silence: 5000 }));
      clearInterval(beating);
      expect(code).to.equal('folderInUse');
      expect(args[1]).to.equal('host' in other ? `a test, process ${process.pid} on node7` : 'another process');
      await (await take('away', { silence: 200 })).release();
    }
  });

  it('is not written into by one from which it was taken', async () => {
    const lock = await take('taken');
    await lockBy('other', { place: 'elsewhere' });
    writeFileSync(lockOf('taken'), readFileSync(lockOf('other')));
    expect(await codeOf(lock.check())).to.equal('folderTaken');
    await lock.release();
    expect(readdirSync(folderOf('taken'))).to.deep.equal([lockName]);
    rmSync(lockOf('taken'));
    expect(await codeOf(lock.check())).to.equal('folderTaken');
  });

  it('keeps what a window writes apart from what the command line, or another window, writes', async () => {
    const files = [{ name: 'profile.json', bytes: new Uint8Array([123, 125]) }];
    const held = await take('made');
    expect(await writeFolder({ place, name: 'made', files })).to.equal(folderOf('made-2'));
    await held.release();
    expect(await writeFolder({ place, name: 'made', files })).to.equal(folderOf('made'));
    expect(await writeFolder({ place, name: 'made', files })).to.equal(folderOf('made-3'));
    expect(readdirSync(folderOf('made'))).to.deep.equal(['profile.json']);
  });

  it('is refused in words where nothing can be written, and never waited for', async () => {
    writeFileSync(folderOf('file'), '');
    const reasonOf = async (folder: string): Promise<unknown> => {
      const { code, args } = await errorOf(makeFolder(folder));
      expect(code).to.equal('folderNotWritten');
      return args[1];
    };
    for (const path of ['file', 'file/in/it'])
      expect(await reasonOf(folderOf(path))).to.equal('it is a file, or lies in one');
    expect(await makeFolder(folderOf('a/b/c'))).to.equal(true);
    expect(await makeFolder(folderOf('a/b/c'))).to.equal(false);
    // Where Node's own way does not end.
    if (process.platform === 'linux') expect(await reasonOf('/proc/none/deep')).to.equal('nothing can be made there');
    mkdirSync(lockOf('odd'), { recursive: true });
    expect((await errorOf(take('odd'))).args[1]).to.equal(`${lockName} in it is no file`);
    rmdirSync(lockOf('odd'));
    if (process.platform === 'win32') return;
    symlinkSync('nowhere', lockOf('odd'));
    expect((await errorOf(take('odd'))).args[1]).to.equal(`${lockName} in it is no file`);
  });
});
