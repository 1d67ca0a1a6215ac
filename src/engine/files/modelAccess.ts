import { ExplorerError } from '../../base/errors';
import { companionName } from '../../model/companionName';
import type { ModelSpec } from '../../protocol';
import { baseName, folderOf, type FileAccess, type FileLinks } from './fileAccess';
import { mostFoldersAbove } from './findModel';

/** Reads the files of one model: those of its folder, and what the person chose. */
export interface ModelAccess extends FileAccess {
  /** Names of the files that were links into the blobs of the Hugging Face cache. */
  readonly cachedFiles: ReadonlySet<string>;
  /** Paths of the files that were read, wholly or in part, as they were asked for. */
  readonly readFiles: ReadonlySet<string>;
}

/** What says where a model's files may lie. */
export type ModelPlace = Pick<ModelSpec, 'path' | 'tokenizerPath' | 'barred'>;

/** Where the Hugging Face hub's cache puts a model's folder; its files are links to `blobs` beside `snapshots`. */
const snapshot = /^(.*[/\\]models--[^/\\]+)[/\\]snapshots[/\\][^/\\]+(?:[/\\].*)?$/;

/**
 * Access to a model's files that keeps to where they may really lie, all links resolved, and hands on the very path that was
 * checked. What the person chose may be a link to anywhere; a file that was only found there must lie in its folder, or among the
 * blobs of the same model in the hub's cache. Nothing may lie in a barred folder. Where the other side reads the files for us, it checks them.
 * Throws `untrustedModel`; reading and asking for a file throws that too, and `fileOutside`.
 */
export async function modelAccess(
  access: FileAccess,
  { path, tokenizerPath, barred }: ModelPlace,
): Promise<ModelAccess> {
  const cachedFiles = new Set<string>();
  const readFiles = new Set<string>();
  const noted = <Result>(file: string, result: Result): Result => {
    readFiles.add(file);
    return result;
  };
  const { links } = access;
  const open = access.open?.bind(access);
  const version = access.version?.bind(access);
  const willMap = access.willMap?.bind(access);
  if (links === undefined)
    return {
      ...access,
      cachedFiles,
      readFiles,
      read: async (file, kind) => noted(file, await access.read(file, kind)),
      ...(open === undefined ? {} : { open: async (file: string) => noted(file, await open(file)) }),
    };
  const chosen = new Set([path, ...(tokenizerPath === undefined ? [] : [tokenizerPath])]);
  const roots = await rootsOf(access, path, tokenizerPath);
  const check = async (file: string): Promise<string> => {
    const real = await links.realPath(file);
    await refuseBarred(links, real, barred, baseName(file));
    if (!chosen.has(file) && !(await isAtHome(links, roots, file, real))) {
      if (!(await isCached(links, roots, file, real))) throw new ExplorerError('fileOutside', [baseName(file)]);
      cachedFiles.add(baseName(file));
    }
    return real;
  };
  for (const each of chosen) {
    const real = await links.realPath(each).catch(() => undefined); // what is not there is told by whoever opens it
    if (real !== undefined) await refuseBarred(links, real, barred, baseName(each));
  }
  return {
    cachedFiles,
    readFiles,
    links,
    read: async (file, kind) => noted(file, await access.read(await check(file), kind)),
    exists: async (file) => {
      if (!(await access.exists(file))) return false;
      await check(file);
      return true;
    },
    list: (folder) => access.list(folder),
    ...(open === undefined ? {} : { open: async (file: string) => noted(file, await open(await check(file))) }),
    ...(version === undefined ? {} : { version: async (file: string) => version(await check(file)) }),
    // The runtime is handed the folder by itself; these paths were checked when they were looked for.
    ...(willMap === undefined ? {} : { willMap }),
    ...(access.proofs === undefined ? {} : { proofs: access.proofs }),
  };
}

/** A folder that files are looked for in, with the folders in which they may really lie. */
interface Root {
  readonly path: string;
  readonly homes: readonly string[];
  /** The names of what may lie there, and only there; all where it is missing. */
  readonly holds?: RegExp;
}

/** The folders of a model and of its tokenizer; of those that lie in each other the inner one first. */
async function rootsOf(access: FileAccess, path: string, tokenizerPath: string | undefined): Promise<Root[]> {
  const isFile = await access.exists(path);
  const folder = isFile ? folderOf(path) : withoutEnd(path);
  // What lies beside the file that a chosen link leads to lies beside the model too.
  const beside = async (file: string): Promise<string[]> => {
    const real = await access.links?.realPath(file).catch(() => undefined);
    return real === undefined ? [] : [folderOf(real)];
  };
  const roots = [{ path: folder, homes: [folder, ...(isFile ? await beside(path) : [])] }];
  // A repository may have its models in folders, and what goes with them above.
  let above = folder;
  for (let i = 0; i < mostFoldersAbove && folderOf(above) !== above && folderOf(above) !== '.'; i++) {
    // Beside a folder `onnx`, in the layout of the Hugging Face hub, lies the model itself.
    const isOwn = i === 0 && baseName(folder) === 'onnx';
    above = folderOf(above);
    roots.push({ path: above, homes: [above], ...(isOwn ? {} : { holds: companionName }) });
  }
  if (tokenizerPath !== undefined)
    roots.push({ path: folderOf(tokenizerPath), homes: [folderOf(tokenizerPath), ...(await beside(tokenizerPath))] });
  return roots.sort((a, b) => b.path.length - a.path.length);
}

async function refuseBarred(links: FileLinks, real: string, barred: ModelSpec['barred'], name: string): Promise<void> {
  if (barred === undefined || (await links.isWithin(real, barred.except))) return;
  for (const folder of barred.folders)
    if (await links.isWithin(real, folder)) throw new ExplorerError('untrustedModel', [name]);
}

/** Whether a file really lies where it was looked for. */
async function isAtHome(links: FileLinks, roots: readonly Root[], file: string, real: string): Promise<boolean> {
  const { homes = [], holds, path = '' } = rootOf(roots, file) ?? {};
  if (holds !== undefined && !(holds.test(file) && holds.test(real) && folderOf(file) === path)) return false;
  for (const home of homes) if (await links.isWithin(real, home)) return true;
  return false;
}

/** Whether a file of a snapshot in the hub's cache is a link to a blob of the same model. */
async function isCached(links: FileLinks, roots: readonly Root[], file: string, real: string): Promise<boolean> {
  const root = rootOf(roots, file);
  const model = root && snapshot.exec(await links.realPath(root.path))?.[1];
  if (model === undefined) return false;
  const blobs = folderOf(real);
  return baseName(blobs) === 'blobs' && folderOf(blobs) === model;
}

function rootOf(roots: readonly Root[], file: string): Root | undefined {
  return roots.find(
    ({ path }) => file.startsWith(path) && (/[/\\]$/.test(path) || /^[/\\]/.test(file.slice(path.length))),
  );
}

function withoutEnd(path: string): string {
  return path.replace(/(?<=.)[/\\]+$/, '');
}
