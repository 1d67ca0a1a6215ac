// Tests inside VS Code's extension hosts: the same module for all, only the launcher differs.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumLaunchOptions, ensureChromium, stillWindow } from '../lib/chromium.mjs';
import { bundleForExtensionHost, reportMark } from '../lib/bundleTests.mjs';
import { oneFailure, withFurtherAttempts } from '../lib/counts.mjs';
import { artefacts, root } from '../lib/paths.mjs';
import { removeFolder, temporaryFolder } from '../lib/processes.mjs';
import { startServer, stillSettings, toUriPath, webHostSettings } from '../lib/vscodeServer.mjs';

/** A fresh copy of the sample workspace, with what `reportToWorkspace` leaves in it, and what tests in a window cannot make: a model that is a link out of its folder, and pipes that nobody writes to. */
export function makeWorkspace() {
  const folder = temporaryFolder('workspace');
  cpSync(join(root, 'media', 'sample'), folder, { recursive: true });
  mkdirSync(join(folder, 'linked'));
  mkdirSync(join(folder, 'pipes'));
  if (process.platform !== 'win32')
    execFileSync(
      'mkfifo',
      ['text.txt', 'picture.png'].map((name) => join(folder, 'pipes', name)),
    );
  symlinkSync(
    join(root, 'test', 'fixtures', 'zoo', 'gpt2.sdpa.legacy', 'model.onnx'),
    join(folder, 'linked', 'model.onnx'),
  );
  return {
    folder,
    counts: () => {
      const file = join(folder, '.results.json');
      return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    },
    remove: () => removeFolder(folder),
  };
}

/** Runs integration tests as `runInServer` does, and up to twice more those suites among them that failed. */
export async function runInServerAgain({ files, grep, log, host, isWeb, needsTrust = false }) {
  const name = legName(host, isWeb, needsTrust);
  return withFurtherAttempts({
    log,
    attempts: 3,
    parts: 'suites',
    run: async (onlySuites) =>
      runInServer({
        host,
        isWeb,
        needsTrust,
        bundle: await bundleForExtensionHost(name, files, { grep, onlySuites }),
        log,
      }),
  });
}

const legName = (host, isWeb, needsTrust) =>
  `integration-${host}-${isWeb ? 'web' : 'node'}${needsTrust ? '-restricted' : ''}`;

/**
 * Runs the bundle of integration tests in one VS Code and one kind of extension host, where `needsTrust` in a workspace that is not trusted; resolves to the counts.
 * `extension`: the folder of the extension, where it is not this one; `patienceSeconds`: when tests that have not ended are given up.
 */
export async function runInServer({
  host,
  isWeb,
  needsTrust = false,
  bundle,
  log,
  extension = root,
  patienceSeconds = 900,
  name = legName(host, isWeb, needsTrust),
}) {
  const executablePath = await ensureChromium(log);
  const workspace = makeWorkspace();
  const server = await startServer({
    host,
    isTestDriver: true,
    needsTrust,
    hasFewExtensions: true,
    // One leg meets git, which every window would have to load.
    moreExtensions: host === 'newest' && !isWeb ? ['git-base', 'git'] : [],
    settings: {
      ...stillSettings,
      ...(needsTrust ? { 'security.workspace.trust.startupPrompt': 'never' } : {}),
      ...(isWeb ? webHostSettings : {}),
    },
    logFile: join(artefacts, `${name}.server.log`),
    log,
  });
  const browser = await chromium.launch(chromiumLaunchOptions(executablePath, { compilesOnce: true }));
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await stillWindow(page);
  const printed = [];
  page.on('console', (message) => printed.push(`${message.type()}: ${message.text()}`));
  try {
    // These two are what VS Code's smoke-test driver calls: the extension host's console, and its end.
    await page.exposeFunction('codeAutomationLog', (_type, args) => {
      for (const line of args.map(String).join(' ').split('\n')) {
        printed.push(line);
        if (line.startsWith(reportMark)) log(`  ${line.slice(reportMark.length)}`);
      }
    });
    let exit;
    const ended = new Promise((resolve, reject) => {
      exit = resolve;
      page.on('crash', () => reject(new Error('The page crashed.')));
      setTimeout(
        () => reject(new Error(`The tests did not end within ${patienceSeconds / 60} minutes.`)),
        patienceSeconds * 1000,
      ).unref();
    });
    ended.catch(() => undefined); // it may come before anybody waits
    await page.exposeFunction('codeAutomationExit', (code) => exit(code));
    const remote = (path) => `vscode-remote://${server.authority}${toUriPath(path)}`;
    const payload = [
      ['extensionDevelopmentPath', remote(extension)],
      ['extensionTestsPath', remote(bundle)],
    ];
    await page.goto(server.address(workspace.folder, { payload: JSON.stringify(payload) }));
    await ended;
    const counts = workspace.counts();
    if (counts === undefined)
      throw new Error(`The tests ended without a result. The server printed:\n${server.output()}`);
    if (counts.isWeb !== isWeb)
      throw new Error(`The tests ran in the ${counts.isWeb ? 'web' : 'Node'} host instead of the other.`);
    return counts;
  } catch (error) {
    log(`  ✘ ${error.message}`);
    mkdirSync(artefacts, { recursive: true });
    await page.screenshot({ path: join(artefacts, `${name}.png`) }).catch(() => undefined);
    return oneFailure;
  } finally {
    writeFileSync(join(artefacts, `${name}.console.log`), printed.join('\n'));
    await browser.close();
    await server.stop();
    workspace.remove();
  }
}
