// The part of the integration floor that runs inside VS Code.
import * as vscode from 'vscode';
import type { Counts } from './mochaInside';

/** The file in the workspace that tells the runner outside what the tests came to: a way out that every host has. */
export const resultsFile = '.results.json';

/** Leaves the counts for the runner; throws when a test failed, so that VS Code ends with an error. */
export async function reportToWorkspace(counts: Counts): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error('The tests need a workspace folder.');
  await vscode.workspace.fs.writeFile(
    vscode.Uri.joinPath(folder.uri, resultsFile),
    new TextEncoder().encode(JSON.stringify({ ...counts, isWeb: typeof process === 'undefined' })),
  );
  if (counts.failed > 0) throw new Error(`${counts.failed} tests failed.`);
}
