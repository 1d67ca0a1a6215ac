import * as v from 'valibot';
import type { HubDownload, HubFile, HubModel, HubRepository } from './hub';

/** The most files of a repository that are looked at. */
export const maxFiles = 10_000;
/** The most models that a search lists. */
export const maxFound = 50;

const maxPathUnits = 240;
const maxDepth = 6;

/** Names that Windows gives to devices, whatever follows a dot. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Whether a path is relative, leads nowhere else, and means the same file on every system: names of Latin letters, digits and a few marks, none of them hidden. */
function isPlainPath(path: string): boolean {
  const parts = path.split('/');
  return (
    path.length <= maxPathUnits &&
    parts.length <= maxDepth &&
    parts.every((part) => /^\w(?:[\w.+=@-]*[\w+=@-])?$/.test(part) && !deviceName.test(part))
  );
}

/** Whether a text is the name of a repository, `owner/name`, and of nothing else. */
export function isRepositoryName(text: string): boolean {
  return (
    /^[\w-](?:[\w.-]*[\w-])?\/[\w-](?:[\w.-]*[\w-])?$/.test(text) &&
    text.length <= 2 * 96 + 1 &&
    !text.split('/').some((part) => deviceName.test(part))
  );
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const sha1 = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const repositoryName = v.pipe(v.string(), v.check(isRepositoryName));

const foundModel = v.object({
  name: repositoryName,
  task: v.nullish(v.pipe(v.string(), v.maxLength(60))),
  downloads: count,
  gated: v.optional(v.union([v.literal(false), v.string()])),
});

/** A model of a search's answer; undefined for what is none. */
export function readFoundModel(entry: unknown): HubModel | undefined {
  const { success, output } = v.safeParse(foundModel, entry);
  if (!success) return undefined;
  const { name, task, downloads, gated = false } = output;
  return { name, task: task ?? undefined, downloads, isGated: gated !== false };
}

const state = v.object({ name: repositoryName, sha: sha1 });

/** Name and commit of a repository; undefined where an answer has none. */
export function readState(entry: unknown): { readonly name: string; readonly revision: string } | undefined {
  const { success, output } = v.safeParse(state, entry);
  return success ? { name: output.name, revision: output.sha } : undefined;
}

const treeFile = v.object({
  type: v.literal('file'),
  path: v.pipe(v.string(), v.check(isPlainPath)),
  size: v.pipe(count, v.maxValue(Number.MAX_SAFE_INTEGER)),
  oid: sha1,
  lfs: v.optional(v.object({ oid: sha256, size: count })),
});

/** A file of a repository's listing; undefined for folders, and for what cannot be downloaded safely. */
export function readTreeFile(entry: unknown): HubFile | undefined {
  const { success, output } = v.safeParse(treeFile, entry);
  if (!success) return undefined;
  const { path, size, oid, lfs } = output;
  return lfs === undefined
    ? { path, size, hash: { kind: 'gitBlob', digits: oid } }
    : { path, size: lfs.size, hash: { kind: 'sha256', digits: lfs.oid } };
}

const keptFile = v.pipe(
  v.object({
    path: v.pipe(v.string(), v.check(isPlainPath)),
    size: count,
    hash: v.union([
      v.object({ kind: v.literal('sha256'), digits: sha256 }),
      v.object({ kind: v.literal('gitBlob'), digits: sha1 }),
    ]),
  }),
);

const ledger = v.object({
  version: v.literal(1),
  address: v.string(),
  name: repositoryName,
  revision: sha1,
  downloads: v.pipe(
    v.array(v.object({ model: v.string(), files: v.pipe(v.array(keptFile), v.minLength(1), v.maxLength(maxFiles)) })),
    v.check((downloads) => downloads.every(({ model, files }) => files.some(({ path }) => path === model))),
  ),
});

/** What a folder of downloads says of itself. */
export interface Ledger extends Omit<HubRepository, 'files'> {
  readonly version: 1;
  readonly downloads: readonly Pick<HubDownload, 'model' | 'files'>[];
}

/** Reads a ledger; undefined where it is none, or of a later version. */
export function readLedger(text: string): Ledger | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { success, output } = v.safeParse(ledger, parsed);
  return success ? output : undefined;
}
