import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ExtensionContext } from 'vscode';
import { writeWhole } from './base/wholeFile.node';
import { activateExtension } from './host/activateExtension';
import { nodeEngineLauncher } from './host/engine/launchEngine.node';
import { writeFolder } from './host/profiles/writeFolder.node';
import { hubAccess } from './hub/hubAccess.node';
import type { HubFunctions } from './hub/hubClient.node';
import type { TestApi } from './host/testApi';

/** Entry of the desktop: the engine is a forked process. */
export function activate(context: ExtensionContext): TestApi | undefined {
  return activateExtension(context, {
    hasFilePaths: true,
    homePath: homedir(),
    writeWhole,
    writeFolder,
    hub: hubAccess(() => {
      const require = createRequire(join(context.extensionPath, 'dist', 'extension.node.cjs'));
      return require('./hub.cjs') as HubFunctions; // what is built of it
    }),
    createLauncher: (_files, onOutput) =>
      nodeEngineLauncher(join(context.extensionPath, 'dist', 'engine.node.cjs'), onOutput, {
        storage: context.globalStorageUri.fsPath,
      }),
  });
}
