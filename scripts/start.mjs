#!/usr/bin/env node
// Builds the extension and opens a real VS Code with it, in a browser, on a sample workspace:
//   npm start [-- --folder=PATH] [--host=newest|oldest] [--web] [--port=N] [--no-open]
import { spawn } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { option } from './lib/args.mjs';
import { root } from './lib/paths.mjs';
import { temporaryFolder } from './lib/processes.mjs';
import { setUpVSCode } from './lib/setUpVSCode.mjs';
import { startServer, webHostSettings } from './lib/vscodeServer.mjs';

const started = Date.now();
const say = (line) => console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s] ${line}`);

/** The program that opens an address in this machine's browser, or undefined where there is no screen. */
function opener() {
  if (process.env.CI || option('no-open')) return undefined;
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}

try {
  const host = option('host') === 'oldest' ? 'oldest' : 'newest';
  const { build } = await import('./build.mjs');
  const { packageVsix } = await import('./package.mjs');
  say('Building the extension.');
  const ready = setUpVSCode(host, say);
  ready.catch(() => undefined); // told below
  await build({ production: false });
  say('Packaging it.');
  const vsix = await packageVsix({
    file: join(temporaryFolder('vsix'), 'attention-explorer.vsix'),
    isBuilt: true,
    isQuiet: true,
  });
  await ready;
  let folder = option('folder');
  if (typeof folder === 'string') {
    folder = resolve(folder);
    if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
  } else {
    folder = temporaryFolder('sample');
    cpSync(join(root, 'media', 'sample'), folder, { recursive: true });
  }
  say('Starting VS Code.');
  const server = await startServer({
    host,
    vsix,
    port: Number(option('port') ?? 0),
    settings: { 'workbench.startupEditor': 'readme', ...(option('web') ? webHostSettings : {}) },
    logFile: join(root, 'out', 'start', 'server.log'),
    log: say,
  });
  const address = server.address(folder);
  say(`VS Code ${server.version} is ready: ${address}`);
  const command = opener();
  if (command === undefined) say('Open this address in a browser on this machine.');
  else {
    const [program, ...args] = command;
    spawn(program, [...args, address], { stdio: 'ignore', detached: true })
      .on('error', () => say('No browser could be opened: open the address yourself.'))
      .unref();
  }
  say('Select some code, press F1 and run «Explain Attention». Ctrl-C ends everything.');
  await server.ended;
  console.error(`VS Code ended by itself:\n${server.output()}`);
  process.exit(1);
} catch (error) {
  console.error(`${error.message}${error.cause ? `\n${error.cause.message}` : ''}`);
  process.exit(1);
}
