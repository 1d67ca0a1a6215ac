import type { HubAccess } from '../hub/hub';
import type { HostFilesApi } from '../protocol';
import type { Server } from '../rpc/connection';
import type { EngineLauncher } from './engine/engineLauncher';
import type { WriteWhole } from './export/writeFile';
import type { WriteFolder } from './profiles/keepFiles';

/** What differs between the desktop and the web, given by the entries. */
export interface HostEnvironment {
  /** Whether the engine reads files by itself, by path; else it asks the window for them, by address. */
  readonly hasFilePaths: boolean;
  /** The folder that `~` stands for; undefined where there is none. */
  readonly homePath: string | undefined;
  /** Undefined where files are written through VS Code alone, each as a whole. */
  readonly writeWhole: WriteWhole | undefined;
  /** Undefined where the window has no files of its own. */
  readonly writeFolder: WriteFolder | undefined;
  /** Undefined where nothing can be downloaded to. */
  readonly hub: HubAccess | undefined;
  /** Makes the launcher; `files` serves an engine that cannot read by itself, `onOutput` gets what the engine prints. */
  createLauncher(files: Server<HostFilesApi>, onOutput: (text: string) => void): EngineLauncher;
}
