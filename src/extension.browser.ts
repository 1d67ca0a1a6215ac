import { Uri, workspace, type ExtensionContext } from 'vscode';
import { activateExtension } from './host/activateExtension';
import { browserEngineLauncher } from './host/engine/launchEngine.browser';
import type { TestApi } from './host/testApi';

/** Entry of the web: the engine is a Worker, and files are read through the window. */
export function activate(context: ExtensionContext): TestApi | undefined {
  const read = (name: string): Thenable<Uint8Array> => workspace.fs.readFile(Uri.joinPath(context.extensionUri, 'dist', name));
  const loadAssets = async (): Promise<{ script: string; wasmBinary: Uint8Array }> => {
    const [script, wasmBinary] = await Promise.all([read('engine.browser.js'), read('ort-wasm-simd-threaded.wasm')]);
    return { script: new TextDecoder().decode(script), wasmBinary };
  };
  return activateExtension(context, {
    hasFilePaths: false,
    homePath: undefined,
    createLauncher: (files, onOutput) => browserEngineLauncher(loadAssets, files, onOutput),
  });
}
