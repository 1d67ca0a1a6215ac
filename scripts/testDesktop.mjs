#!/usr/bin/env node
// The integration tests in the desktop VS Code, the oldest supported and the newest: the same bundle as `npm test`
// runs, and only the launcher differs.
//   npm run test:desktop [-- --grep=TEXT]
// VSCODE_EXECUTABLE names an installed program instead of the two downloads.
import { option } from './lib/args.mjs';
import { bundleForExtensionHost, findTests, reportMark } from './lib/bundleTests.mjs';
import { oneFailure, sentence, sum } from './lib/counts.mjs';
import { findDesktop, freshProfile, withVirtualScreen } from './lib/desktop.mjs';
import { manifest, root } from './lib/paths.mjs';
import { startProcess, temporaryFolder } from './lib/processes.mjs';
import { cleanEnvironment } from './lib/setUpVSCode.mjs';
import { makeWorkspace } from './floors/integration.mjs';
import { createInterface } from 'node:readline';

async function runInDesktop(program, bundle) {
  const workspace = makeWorkspace();
  const [command, ...args] = withVirtualScreen([
    program,
    workspace.folder,
    `--extensionDevelopmentPath=${root}`,
    `--extensionTestsPath=${bundle}`,
    ...freshProfile(temporaryFolder('desktop')),
  ]);
  const child = startProcess(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment() });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      printed = `${printed}${line}\n`.slice(-10_000);
      if (line.startsWith(reportMark)) console.log(`  ${line.slice(reportMark.length)}`);
    });
  }
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const counts = workspace.counts();
  workspace.remove();
  if (counts !== undefined) return counts;
  console.log(`  ✘ VS Code ended without a result:\n${printed}`);
  return oneFailure;
}

try {
  const { build } = await import('./build.mjs');
  await build({ production: true });
  const files = findTests(['integration'], 'node').filter((file) => !file.includes('restricted'));
  if (files.length === 0) throw new Error('test/integration has no tests.');
  const bundle = await bundleForExtensionHost('integration', files, { grep: option('grep') });
  const oldest = manifest.engines.vscode.replace(/^\D+/, '');
  const versions = (process.env.VSCODE_EXECUTABLE ?? process.env.VSCODE_PATH) ? ['the named one'] : [oldest, 'stable'];
  const results = [];
  for (const version of versions) {
    console.log(`\n── Integration: desktop VS Code, ${version}`);
    results.push(await runInDesktop(await findDesktop(version), bundle));
    console.log(`── ${sentence(results.at(-1))}`);
  }
  const total = sum(...results);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
} catch (error) {
  console.error(`${error.message}${error.cause ? `\n${error.cause.message}` : ''}`);
  process.exit(1);
}
