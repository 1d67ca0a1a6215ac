import type { FileKind } from '../../model/fileLimits';
import type { Crc32 } from '../../model/numbers/zip';
import type { ProofShelf } from './proofShelf';
import type { RandomAccessFile } from '../../onnx/file/compactModel';

/** Reads files where the engine runs, and nothing but files. Paths use `/`; failures are `fileNotFound` or `fileUnreadable`. */
export interface FileAccess {
  /** All of a file. Throws what `checkFileLimit` throws, before anything is read, where it is larger than its kind may be. */
  read(path: string, kind: FileKind): Promise<Uint8Array>;
  /** Whether there is a file (not a folder) at the path. */
  exists(path: string): Promise<boolean>;
  /** Names of the files and folders in a folder. */
  list(folder: string): Promise<string[]>;
  /** Opens a file to read parts of it, where this host can do so at once (without waiting). */
  open?(path: string): Promise<OpenFile>;
  /** Where links lead, where this host can tell; a host that cannot is served by one that checks what it reads. */
  readonly links?: FileLinks;
  /** What a file is now: its size, and when it was changed last, in milliseconds since 1970. */
  version?(path: string): Promise<FileVersion>;
  /** Where this host keeps what was proven of models. */
  readonly proofs?: ProofShelf;
  /** The check sum of a zip's files, where it is faster here than in our own code. */
  readonly crc32?: Crc32 | undefined;
  /** Is told of files before the runtime maps them into memory. */
  willMap?(paths: readonly string[]): Promise<void>;
}

/** What tells whether a file is still what it was. */
interface FileVersion {
  readonly size: number;
  readonly modified: number;
}

/** Tells where files really lie. */
export interface FileLinks {
  /** The path of a file or folder with all links resolved. Throws as reading it would. */
  realPath(path: string): Promise<string>;
  /** Whether such a path is a folder, however that is written or linked to, or lies in it; not where there is no such folder. */
  isWithin(realPath: string, folder: string): Promise<boolean>;
}

/** A file whose parts are read as they are needed. */
export interface OpenFile extends RandomAccessFile {
  close(): void;
}

/** Joins a folder and a relative path. */
export function joinPath(folder: string, relative: string): string {
  return folder === '' ? relative : `${folder.replace(/[/\\]+$/, '')}/${relative}`;
}

/** The folder of a path; `.` for a bare name, the root for what lies in it. */
export function folderOf(path: string): string {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return at < 0 ? '.' : at === 0 ? path.slice(0, 1) : path.slice(0, at);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return (
    path
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .pop() ?? path
  );
}
