import * as vscode from 'vscode';
import { readFileAtMost } from '../readFileAtMost';
import { IgnoredFiles, type IgnoreFile } from './ignoredFiles';

/** Which files are to be read. */
export interface WantedFiles {
  /** Globs with commas between. */
  readonly include: string;
  /** Likewise; may be empty. */
  readonly exclude: string;
  /** In each folder of the workspace no more are looked for. */
  readonly most: number;
}

/** A file that is to be read. */
export interface FoundText {
  readonly uri: vscode.Uri;
  /** Within its folder of the workspace. */
  readonly path: string;
  readonly size: number;
}

const maxIgnoreFiles = 500;

/** The files that are to be read, in the order of their paths: the same each time; `isAll`: whether there are no others. */
export async function findTexts({
  include,
  exclude,
  most,
}: WantedFiles): Promise<{ readonly found: readonly FoundText[]; readonly isAll: boolean }> {
  const found: FoundText[] = [];
  let isAll = true;
  for (const { uri: root } of vscode.workspace.workspaceFolders ?? []) {
    const within = (glob: string): vscode.RelativePattern => new vscode.RelativePattern(root, glob);
    const pathOf = (uri: vscode.Uri): string => uri.path.slice(root.path.replace(/\/$/, '').length + 1);
    const textOf = async (uri: vscode.Uri): Promise<string> =>
      new TextDecoder().decode(await readFileAtMost(uri, 'template', pathOf(uri)).catch(() => new Uint8Array(0)));
    const ignoreFiles = await vscode.workspace.findFiles(within('**/.gitignore'), '**/node_modules/**', maxIgnoreFiles);
    const ignored = new IgnoredFiles(
      await Promise.all(
        ignoreFiles.map(async (uri): Promise<IgnoreFile> => ({
          folder: pathOf(uri).split('/').slice(0, -1).join('/'),
          text: await textOf(uri),
        })),
      ),
      await textOf(vscode.Uri.joinPath(root, '.git', 'config')),
    );
    // The search itself leaves them out, beside what the settings do (files.exclude): they take none of the places of files that are to be read.
    const uris = await vscode.workspace.findFiles(within(globOf(include)), globOf(exclude) || undefined, most + 1);
    if (uris.length > most) isAll = false;
    for (const uri of uris.slice(0, most)) {
      const path = pathOf(uri);
      if (ignored.has(path)) continue;
      // One that is gone by now is told of as one that cannot be read.
      const { size } = await Promise.resolve(vscode.workspace.fs.stat(uri)).catch(() => ({ size: 0 }));
      found.push({ uri, path, size });
    }
  }
  return { found: found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)), isAll };
}

/** Globs with commas between, as one: commas in braces part alternatives. */
function globOf(text: string): string {
  const parts = text
    .split(/,(?![^{]*\})/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.length > 1 ? `{${parts.join(',')}}` : (parts[0] ?? '');
}
