import { mkdir, open, readdir, readFile, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExplorerError } from '../base/errors';
import { FolderLock } from '../base/folderLock.node';
import { isWithinFolder } from '../base/sameFile.node';
import { systemReason } from '../base/systemReason';
import { checkWritable, writeWhole } from '../base/wholeFile.node';
import { formatBytes } from '../model/fileLimits';
import { fetchFile, partOf, type OpenPart } from './fetchFile.node';
import type { Downloads, DownloadWatch, HubDownload, HubFile, HubRepository, KeptDownload, OpenHubFile } from './hub';
import { readLedger, type Ledger } from './hubAnswers';

/** What a folder of downloads says of itself. */
const ledgerName = '.attention-explorer.json';
const maxLedgerBytes = 2 ** 22;
/** The most folders that are looked at. */
const maxFolders = 1000;

/** Where the machine is asked; tests have disks of their own. */
export interface Disk {
  readonly openPart: OpenPart;
  /** The bytes that are free where a folder is; undefined where that cannot be told. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
}

const thisDisk: Disk = {
  openPart: async (path) => {
    const file = await open(path, 'a');
    return { write: (piece) => file.writeFile(piece), close: () => file.sync().finally(() => file.close()) };
  },
  freeBytes: async (folder) => {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch {
      return undefined;
    }
  },
};

/**
 * The downloads in a folder: each repository, at each commit, in `owner/name@commit`, laid out as it is on the hub. A file has its name only
 * once it is whole and its hash is right; until then it is a `.part` beside it, from whose end a later download goes on. Nothing is read or
 * written where the folder really lies in one of the `barred`: a workspace that is not trusted would say whom the network is asked, and for what.
 */
export function downloadsIn(
  root: string,
  barred: readonly string[] = [],
  { openPart, freeBytes }: Disk = thisDisk,
): Downloads {
  const isBarred = async (folder: string): Promise<boolean> => {
    if (barred.length === 0) return false;
    const real = await realPlace(folder);
    return barred.some((each) => isWithinFolder(real, each));
  };
  const checkPlace = async (folder: string): Promise<void> => {
    if (await isBarred(folder)) throw new ExplorerError('untrustedModel', [folder]);
  };

  const list = async (): Promise<KeptDownload[]> => {
    await checkPlace(root);
    const kept: KeptDownload[] = [];
    for (const folder of await repositoryFolders(root)) {
      if (await isBarred(folder)) continue;
      const ledger = await ledgerIn(folder);
      // What stands in another folder than its own was put there by hand: it can be browsed for.
      if (ledger === undefined || folderOf(root, ledger) !== folder) continue;
      for (const download of ledger.downloads) kept.push(await keptOf(folder, { ...ledger, ...download }));
    }
    return kept.sort((a, b) => (`${a.name}/${a.model}` < `${b.name}/${b.model}` ? -1 : 1));
  };

  const download = async (wanted: HubDownload, openFile: OpenHubFile, watch: DownloadWatch): Promise<string> => {
    const folder = folderOf(root, wanted);
    await checkPlace(folder);
    const present = new Map<string, number>();
    const report = (file: HubFile, bytes: number): void => {
      present.set(file.path, bytes);
      watch.report([...present.values()].reduce((sum, each) => sum + each, 0));
    };
    return locked(folder, wanted.name, async () => {
      await checkWritable(join(folder, ledgerName));
      const known = (await ledgerIn(folder))?.downloads.filter(({ model }) => model !== wanted.model) ?? [];
      await writeLedger(folder, wanted, [...known, wanted]);
      for (const file of wanted.files) report(file, await presentBytes(folder, file));
      await checkRoom(folder, wanted.files, present);
      // What is small comes first: who goes on later has then less to ask for.
      for (const file of [...wanted.files].sort((a, b) => a.size - b.size)) {
        const path = join(folder, file.path);
        if (await isWhole(path, file)) continue;
        await mkdir(dirname(path), { recursive: true });
        await fetchFile(file, path, {
          openFile,
          openPart,
          signal: watch.signal,
          report: (bytes) => report(file, bytes),
        });
      }
      return join(folder, wanted.model);
    });
  };

  const checkRoom = async (
    folder: string,
    files: readonly HubFile[],
    present: ReadonlyMap<string, number>,
  ): Promise<void> => {
    const missing = files.reduce((sum, { path, size }) => sum + size - (present.get(path) ?? 0), 0);
    const free = await freeBytes(folder);
    if (free !== undefined && free < missing)
      throw new ExplorerError('hubNoRoom', [formatBytes(missing), formatBytes(free), root]);
  };

  const remove = async (unwanted: HubDownload): Promise<void> => {
    const folder = folderOf(root, unwanted);
    await checkPlace(folder);
    const remaining = await locked(folder, unwanted.name, async () => {
      const downloads = (await ledgerIn(folder))?.downloads.filter(({ model }) => model !== unwanted.model) ?? [];
      const needed = new Set(downloads.flatMap(({ files }) => files.map(({ path }) => path)));
      const paths = unwanted.files.filter(({ path }) => !needed.has(path)).map(({ path }) => join(folder, path));
      for (const path of paths)
        for (const each of [path, partOf(path)])
          await rm(each, { force: true }).catch((error: unknown) => {
            throw new ExplorerError('hubNotRemoved', [each, systemReason(error)], { cause: error });
          });
      if (downloads.length > 0) await writeLedger(folder, unwanted, downloads);
      else await rm(join(folder, ledgerName), { force: true });
      for (const path of paths) await removeEmpty(dirname(path), folder);
      return downloads.length;
    });
    if (remaining === 0) await removeEmpty(folder, root);
  };

  return { list, download, remove };
}

/** Where a folder really lies, or would: links of what is there already are resolved. */
async function realPlace(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined || dirname(at) === at) return real ?? at;
  }
}

/** Where a repository is kept at one commit. */
function folderOf(root: string, { name, revision }: Pick<HubRepository, 'name' | 'revision'>): string {
  const [owner, repository] = name.split('/');
  return join(root, owner, `${repository}@${revision.slice(0, 8)}`);
}

async function repositoryFolders(root: string): Promise<string[]> {
  const below = async (folder: string): Promise<string[]> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  };
  const folders: string[] = [];
  for (const owner of (await below(root)).slice(0, maxFolders)) folders.push(...(await below(owner)));
  return folders.slice(0, maxFolders);
}

async function ledgerIn(folder: string): Promise<Ledger | undefined> {
  const path = join(folder, ledgerName);
  try {
    const stats = await stat(path);
    return stats.isFile() && stats.size <= maxLedgerBytes ? readLedger(await readFile(path, 'utf8')) : undefined;
  } catch {
    return undefined;
  }
}

function writeLedger(
  folder: string,
  { address, name, revision }: HubRepository,
  downloads: Ledger['downloads'],
): Promise<void> {
  const listed = downloads.map(({ model, files }) => ({ model, files }));
  const ledger: Ledger = { version: 1, address, name, revision, downloads: listed };
  return writeWhole(join(folder, ledgerName), new TextEncoder().encode(`${JSON.stringify(ledger, undefined, 1)}\n`));
}

async function keptOf(folder: string, { address, name, revision, files, model }: HubDownload): Promise<KeptDownload> {
  const present = await Promise.all(files.map((file) => presentBytes(folder, file)));
  const whole = await Promise.all(files.map((file) => isWhole(join(folder, file.path), file)));
  return {
    ...{ address, name, revision, files, model },
    modelPath: join(folder, model),
    totalBytes: files.reduce((sum, { size }) => sum + size, 0),
    presentBytes: present.reduce((sum, bytes) => sum + bytes, 0),
    isComplete: whole.every(Boolean),
  };
}

async function isWhole(path: string, { size }: HubFile): Promise<boolean> {
  return (await sizeOf(path)) === size;
}

/** How much of a file is there, proven or not. */
async function presentBytes(folder: string, file: HubFile): Promise<number> {
  const path = join(folder, file.path);
  return (await isWhole(path, file)) ? file.size : Math.min(file.size, (await sizeOf(partOf(path))) ?? 0);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a folder and those above it, up to another one that stays, as long as nothing is in them. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let at = folder; at !== last && at.startsWith(last); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return; // something is in it
    }
  }
}

/** Does something with a folder that no other process does anything with meanwhile. Throws `hubInUse` or `folderNotWritten`. */
async function locked<T>(folder: string, name: string, work: () => Promise<T>): Promise<T> {
  let lock: FolderLock;
  try {
    lock = await FolderLock.take(folder, { program: 'attention-explorer', patience: 0 });
  } catch (error) {
    throw error instanceof ExplorerError && error.code === 'folderInUse'
      ? new ExplorerError('hubInUse', [name])
      : error;
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
