// Starts and stops a real VS Code's server, each time with a fresh profile.
import { createWriteStream, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { cleanEnvironment, setUpVSCode } from './setUpVSCode.mjs';
import { removeFolder, runProcess, startProcess, stopProcess, temporaryFolder } from './processes.mjs';
import { extensionId, root } from './paths.mjs';

/** User settings for a quiet VS Code that asks the network for nothing. */
const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'workbench.enableExperiments': false,
  'workbench.startupEditor': 'none',
  'workbench.editor.useModal': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'security.workspace.trust.enabled': false,
  'git.enabled': false,
  'npm.fetchOnlinePackageInfo': false,
  'json.schemaDownload.enable': false,
  'typescript.disableAutomaticTypeAcquisition': true,
};

/** Settings for tests on top of those: nothing moves by itself, which without a graphics processor costs more than what is tested. */
export const stillSettings = { 'workbench.reduceMotion': 'on', 'editor.cursorBlinking': 'solid' };

/** The setting that makes our extension run in the web worker host instead of Node's. */
export const webHostSettings = { 'remote.extensionKind': { [extensionId]: ['web'] } };

function environment(home) {
  return cleanEnvironment({
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local'),
  });
}

/** Installs a VSIX into an extensions folder of the given VS Code, as its own command line does. */
export async function installVsix(host, vsix, extensionsDir, log) {
  const { server, node } = await setUpVSCode(host, log);
  const home = temporaryFolder('install');
  try {
    await runProcess(
      node,
      [
        join(server, 'out', 'server-main.js'),
        '--accept-server-license-terms',
        '--server-data-dir',
        join(home, 'data'),
        '--extensions-dir',
        extensionsDir,
        '--install-extension',
        vsix,
        '--force',
      ],
      { env: environment(home) },
    );
  } finally {
    removeFolder(home);
  }
}

/**
 * Starts a server; resolves when it listens.
 * `host`: newest or oldest; `settings`: the user's settings beyond `quietSettings`; `machineSettings`: those of the server's machine; `certificates`: a file of some that it trusts beside the usual ones; `vsix`: an extension to install, or
 * `extensionsDir`: a folder that has it installed; `isTestDriver`: obey `extensionTestsPath`; `needsTrust`: ask whether
 * the workspace is trusted; `hasFewExtensions`: of VS Code's own only those that tests meet, which starts it a quarter faster, and `moreExtensions`; `logFile`: keeps what the server prints.
 */
export async function startServer({
  host = 'newest',
  settings = {},
  machineSettings = {},
  certificates,
  vsix,
  extensionsDir,
  isTestDriver = false,
  needsTrust = false,
  hasFewExtensions = false,
  moreExtensions = [],
  logFile,
  port = 0,
  log = console.log,
}) {
  const { server, node, version } = await setUpVSCode(host, log);
  const home = temporaryFolder('server');
  const dataDir = join(home, 'data');
  const user = join(dataDir, 'data', 'User');
  mkdirSync(user, { recursive: true });
  writeFileSync(
    join(user, 'settings.json'),
    JSON.stringify(
      { ...quietSettings, ...(needsTrust ? { 'security.workspace.trust.enabled': true } : {}), ...settings },
      null,
      2,
    ),
  );
  mkdirSync(join(dataDir, 'data', 'Machine'), { recursive: true });
  writeFileSync(join(dataDir, 'data', 'Machine', 'settings.json'), JSON.stringify(machineSettings));
  const extensions = extensionsDir ?? join(home, 'extensions');
  mkdirSync(extensions, { recursive: true });
  if (vsix) await installVsix(host, vsix, extensions, log);

  const args = [
    '--require',
    join(root, 'scripts', 'lib', 'endWithParent.cjs'),
    join(server, 'out', 'server-main.js'),
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--without-connection-token',
    '--accept-server-license-terms',
    '--server-data-dir',
    dataDir,
    '--extensions-dir',
    extensions,
    '--disable-telemetry',
    '--disable-experiments',
  ];
  if (hasFewExtensions) args.push('--builtin-extensions-dir', fewExtensions(server, home, moreExtensions));
  if (!needsTrust) args.push('--disable-workspace-trust');
  if (isTestDriver) args.push('--enable-smoke-test-driver');
  const child = startProcess(node, args, {
    env: { ...environment(home), ...(certificates ? { NODE_EXTRA_CA_CERTS: certificates } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let printed = '';
  if (logFile) mkdirSync(dirname(logFile), { recursive: true });
  const file = logFile ? createWriteStream(logFile) : undefined;
  const listening = await new Promise((resolve, reject) => {
    const giveUp = setTimeout(
      () => reject(new Error(`VS Code ${version} did not start within a minute:\n${printed}`)),
      60_000,
    );
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`VS Code ${version} ended with ${code} before it listened:\n${printed}`)),
    );
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        printed = `${printed}${line}\n`.slice(-20_000);
        file?.write(`${line}\n`);
        const match = /Extension host agent listening on (\d+)/.exec(line);
        if (match) {
          clearTimeout(giveUp);
          resolve(Number(match[1]));
        }
      });
    }
  }).catch(async (error) => {
    await stopProcess(child);
    throw error;
  });
  const origin = `http://localhost:${listening}`;
  return {
    version,
    origin,
    authority: `localhost:${listening}`,
    dataDir,
    pid: child.pid,
    /** The address that opens a folder in the workbench. */
    address: (folder, query = {}) => `${origin}/?${new URLSearchParams({ folder: toUriPath(folder), ...query })}`,
    /** Resolves when the server ends, whoever ends it. */
    ended,
    /** The last lines that the server printed. */
    output: () => printed,
    stop: async () => {
      await stopProcess(child);
      file?.end();
      removeFolder(home);
    },
  };
}

// What the tests meet of VS Code's own extensions: themes, the grammars of the samples, the preview of Markdown, pictures and notebooks, and the packages that these share.
const neededExtensions = [
  'theme-defaults',
  'theme-seti',
  'python',
  'json',
  'markdown-basics',
  'markdown-language-features',
  'typescript-basics',
  'javascript',
  'media-preview',
  'ipynb',
  'configuration-editing',
  'node_modules',
];

function fewExtensions(server, home, more) {
  const folder = join(home, 'builtin-extensions');
  mkdirSync(folder, { recursive: true });
  for (const name of [...neededExtensions, ...more]) {
    const path = join(server, 'extensions', name);
    if (existsSync(path)) symlinkSync(path, join(folder, name), 'junction');
  }
  return folder;
}

/** A file's path as VS Code's addresses have it: with slashes, and one in front of a drive letter. */
export function toUriPath(path) {
  const slashes = path.replaceAll('\\', '/');
  return slashes.startsWith('/') ? slashes : `/${slashes}`;
}
