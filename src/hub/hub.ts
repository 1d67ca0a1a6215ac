// What is known of the Hugging Face hub, and of what was downloaded from it.

/** The hub's own address. */
export const hubAddress = 'https://huggingface.co';

/** A model that a search found. */
export interface HubModel {
  /** `owner/name`. */
  readonly name: string;
  readonly task: string | undefined;
  readonly downloads: number;
  /** Whether its owner asks for conditions to be accepted before files are given. */
  readonly isGated: boolean;
}

/** By what a file is known to be the right one: the SHA-256 of its bytes where it is large, else the SHA-1 of it as a blob of git. */
interface HubHash {
  readonly kind: 'sha256' | 'gitBlob';
  /** In hexadecimal digits of lower case. */
  readonly digits: string;
}

/** A file of a repository. */
export interface HubFile {
  /** Relative to the repository, with `/`; each of its parts is a name that no system takes for something else. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly hash: HubHash;
}

/** A repository as it is at one commit. */
export interface HubRepository {
  /** Where it was asked for. */
  readonly address: string;
  /** `owner/name`. */
  readonly name: string;
  /** The commit, in 40 hexadecimal digits. */
  readonly revision: string;
  readonly files: readonly HubFile[];
}

/** What is downloaded together: a model's file, and all that it needs. */
export interface HubDownload extends HubRepository {
  /** The path of the file that is chosen as the model; one of `files`. */
  readonly model: string;
}

/** A download, whole or not yet. */
export interface KeptDownload extends HubDownload {
  /** Where the model's file stands, or will. */
  readonly modelPath: string;
  /** Bytes of all its files, and how many of them are there. */
  readonly totalBytes: number;
  readonly presentBytes: number;
  readonly isComplete: boolean;
}

/** How a download is watched and ended. */
export interface DownloadWatch {
  /** Ends it; what has come stays, and the next download goes on from there. */
  readonly signal: AbortSignal;
  /** Is told the bytes that are there, of all files. */
  report(presentBytes: number): void;
}

/** Gives a file's bytes from some place on. Throws `hubUnreachable` where they break off, and what else keeps it from being had. */
export type OpenHubFile = (file: HubFile, offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** The hub, as one person sees it. All throw `hubUnreachable`, `hubTokenNeeded`, `hubNotAllowed`, `hubNotFound`, `hubBusy` or `hubAnswerInvalid`. */
export interface Hub {
  /** The models of ONNX whose names have what was written in them, those downloaded most first. */
  search(text: string, signal: AbortSignal): Promise<readonly HubModel[]>;
  /** A model's repository as it is now, without files whose names could be taken for something else. */
  repository(name: string, signal: AbortSignal): Promise<HubRepository>;
  /** Makes what opens the files of a repository. */
  opener(repository: HubRepository): OpenHubFile;
}

/** What is in the folder of downloads. */
export interface Downloads {
  /** What is there, in the order of names. */
  list(): Promise<readonly KeptDownload[]>;
  /**
   * Downloads what is not there yet, and resolves to where the model's file stands. Throws `hubNoRoom`, `hubInUse`, `hubFileWrong`,
   * `fileNotWritten`, `cancelled`, and what `open` throws. What stands under a file's name is always whole and proven.
   */
  download(wanted: HubDownload, open: OpenHubFile, watch: DownloadWatch): Promise<string>;
  /** Removes a download, but what another one needs too. Throws `hubNotRemoved` or `hubInUse`. */
  remove(download: HubDownload): Promise<void>;
}

/** Where the hub is asked, and on whose behalf. */
export interface HubPlace {
  /** Its address, such as `https://huggingface.co`: a protocol, a host and perhaps a port. */
  readonly address: string;
  /** Goes to that address and nowhere else. */
  readonly token: string | undefined;
}

/** What a machine that can download gives. */
export interface HubAccess {
  /** The address of a hub as it is used. Throws `invalidArgument` for what is neither HTTPS nor of this machine. */
  checkedAddress(written: string): string;
  /** Those in a folder. All that is done with them throws `untrustedModel` where it really lies in one of the `barred` folders. */
  downloadsIn(folder: string, barred: readonly string[]): Downloads;
  /** Asks nothing yet. Throws `invalidArgument` for a token that is none. */
  connect(place: HubPlace): Hub;
}
