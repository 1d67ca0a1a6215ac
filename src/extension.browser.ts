import { Uri, workspace, type ExtensionContext } from 'vscode';
import { activateExtension } from './host/activateExtension';
import { browserEngineLauncher } from './host/engine/launchEngine.browser';
import type { TestApi } from './host/testApi';

/** Entry of the web: the engine is a Worker, and files are read through the window. */
export function activate(context: ExtensionContext): TestApi | undefined {
  const readAsset = (name: string): Thenable<Uint8Array> =>
    workspace.fs.readFile(Uri.joinPath(context.extensionUri, 'dist', name));
  return activateExtension(context, {
    hasFilePaths: false,
    homePath: undefined,
    writeWhole: undefined,
    writeFolder: undefined,
    hub: undefined,
    createLauncher: (files, onOutput) => browserEngineLauncher(readAsset, files, onOutput),
  });
}
