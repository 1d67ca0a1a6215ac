#!/usr/bin/env node
// Builds the extension and opens the desktop VS Code with it on a sample workspace:
//   npm run start:desktop [-- --folder=PATH]
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { option } from './lib/args.mjs';
import { findDesktop, freshProfile, withVirtualScreen } from './lib/desktop.mjs';
import { root } from './lib/paths.mjs';
import { startProcess, temporaryFolder } from './lib/processes.mjs';
import { cleanEnvironment } from './lib/setUpVSCode.mjs';

try {
  const { build } = await import('./build.mjs');
  console.log('Building the extension.');
  await build({ production: false });
  const program = await findDesktop();
  let folder = option('folder');
  if (typeof folder === 'string') folder = resolve(folder);
  else {
    folder = temporaryFolder('sample');
    cpSync(join(root, 'media', 'sample'), folder, { recursive: true });
  }
  console.log('Starting VS Code. Closing its window, or Ctrl-C here, ends it.');
  const [command, ...args] = withVirtualScreen([
    program,
    folder,
    `--extensionDevelopmentPath=${root}`,
    ...freshProfile(temporaryFolder('desktop')),
  ]);
  const child = startProcess(command, args, { stdio: 'ignore', env: cleanEnvironment() });
  child.once('error', (error) => {
    console.error(`VS Code did not start: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  console.error(`${error.message}${error.cause ? `\n${error.cause.message}` : ''}`);
  process.exit(1);
}
