// Brings a complete VS Code (its server and web workbench) from the package registry: once, and never twice at a time.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runNpm, runProcess } from './processes.mjs';
import { root } from './paths.mjs';

// Raise `recipe` when the steps below change: it makes old set-ups run again.
const recipe = 1;

const hosts = {
  newest: { nodeMajor: 24, isNewerNodeGood: true },
  oldest: { nodeMajor: 20, isNewerNodeGood: false },
};

const ownMajor = Number(process.versions.node.split('.')[0]);

function isOwnNodeGood({ nodeMajor, isNewerNodeGood }) {
  return ownMajor === nodeMajor || (isNewerNodeGood && ownMajor > nodeMajor);
}

/** The Node program that runs this host's server. */
function serverNode(host, folder) {
  if (isOwnNodeGood(hosts[host])) return process.execPath;
  const require = createRequire(join(folder, 'package.json'));
  try {
    return join(require.resolve(`node-${process.platform}-${process.arch}/package.json`), '..', 'bin', 'node');
  } catch {
    const { nodeMajor, isNewerNodeGood } = hosts[host];
    throw new Error(
      `The ${host} VS Code runs on Node ${nodeMajor}${isNewerNodeGood ? ' or newer' : ''}, and no package brings that Node to ${process.platform} ${process.arch}: start this script with Node ${nodeMajor} (this is ${process.version}).`,
    );
  }
}

/** Waits for the folder's lock; a lock whose owner has stopped touching it is taken over. */
async function lock(folder, log) {
  const path = join(folder, '.lock');
  for (let hasTold = false; ;) {
    try {
      mkdirSync(path);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    try {
      if (Date.now() - statSync(path).mtimeMs > 30_000) {
        rmSync(path, { recursive: true, force: true });
        continue;
      }
    } catch {
      continue; // released in this moment
    }
    if (!hasTold) log('Another process is setting up this VS Code: waiting for it.');
    hasTold = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const touch = setInterval(() => utimesSync(path, new Date(), new Date()), 5000);
  return () => {
    clearInterval(touch);
    rmSync(path, { recursive: true, force: true });
  };
}

/**
 * Makes the newest or the oldest supported VS Code ready in test/host.
 * Resolves to the folder of its server and the Node that runs it.
 */
export async function setUpVSCode(host, log = console.log) {
  const folder = join(root, 'test', 'host', host);
  const server = join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  const stamp = join(folder, 'node_modules', '.ready');
  const version = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  const node = isOwnNodeGood(hosts[host]) ? 'own' : 'packaged';
  const isReady = () => {
    const found = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : [];
    return found[0] === version && found[1] === String(recipe) && (node === 'own' || found[2] === 'packaged');
  };
  mkdirSync(folder, { recursive: true });
  if (!isReady()) {
    const unlock = await lock(folder, log);
    try {
      if (!isReady()) {
        log(`Setting up VS Code ${version} (about 500 MB from the package registry, once; up to a minute).`);
        rmSync(stamp, { force: true });
        const env = cleanEnvironment();
        await runNpm(
          ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...(node === 'own' ? ['--omit=optional'] : [])],
          { cwd: folder, env },
        );
        for (const part of [server, join(server, 'extensions')]) {
          await runNpm(['install', '--omit=dev', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'], {
            cwd: part,
            env,
          });
        }
        // Two natives would need a compiler: one gets a stand-in, the other does nothing on purpose.
        copyFileSync(
          join(root, 'scripts', 'lib', 'spdlogStandIn.cjs'),
          join(server, 'node_modules', '@vscode', 'spdlog', 'index.js'),
        );
        for (const name of ['native-watchdog', '@vscode/native-watchdog']) {
          const watchdog = join(server, 'node_modules', name);
          if (existsSync(watchdog)) writeFileSync(join(watchdog, 'index.js'), 'exports.start = () => {};\n');
        }
        await runProcess(serverNode(host, folder), ['--version']);
        writeFileSync(stamp, `${version} ${recipe} ${node}`);
        log(`VS Code ${version} is ready.`);
      }
    } catch (error) {
      throw new Error(
        `VS Code ${version} could not be set up in test/host/${host}: check that npm reaches its registry and that the disk has 2 GB free.`,
        { cause: error },
      );
    } finally {
      unlock();
    }
  }
  return { version, server, node: serverNode(host, folder) };
}

/** This process's environment without what npm and an enclosing VS Code put there: both change what a server does. */
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|VSCODE_|ELECTRON_|NODE_OPTIONS$|INIT_CWD$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}
