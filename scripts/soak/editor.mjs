// The soak inside a real VS Code: as an integration test, in a copy of the extension whose engine says what it holds.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInServer } from '../floors/integration.mjs';
import { bundleForExtensionHost } from '../lib/bundleTests.mjs';
import { measuredExtension } from './measuredEngine.mjs';
import { soakFolder } from './state.mjs';

const pollMilliseconds = 2000;
/** For a window to open, beside the time that the runs have. */
const startSeconds = 300;

/** Runs it on a file system of its own, which is filled up in the middle: the server's data, logs and settings and the workspace lie there. */
export async function runEditorOnFullStorage(order) {
  const folder = join(soakFolder, 'full');
  mkdirSync(folder, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', folder]).status !== 0)
    return order.addPart({ skipped: 'it needs a file system of its own, which only root may mount' });
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    await runEditor({ ...order, fills: join(folder, 'filling') });
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    spawnSync('umount', ['--lazy', folder]);
  }
}

/** Runs what is asked for, and hands on each part as it is written. `fills`: the file that takes all the room that is left, for most of the way. */
export async function runEditor({ from, runs, seconds, seed, fills, log, addPart }) {
  const [parts, order] = ['editor.parts', 'editor.order.json'].map((name) => join(soakFolder, name));
  rmSync(parts, { force: true });
  // A window is closed after a quarter of an hour's silence by nobody but us.
  const limit = Math.min(seconds, 4 * 3600);
  writeFileSync(order, JSON.stringify({ from, count: runs - from, seconds: limit, seed, fills }));
  let read = 0;
  const take = () => {
    const text = existsSync(parts) ? readFileSync(parts, 'utf8') : '';
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(read, end).split('\n').filter(Boolean)) addPart(JSON.parse(line));
    read = end;
  };
  const polling = setInterval(take, pollMilliseconds);
  const bundle = await bundleForExtensionHost('soak-editor', ['test/soak/editor.ts']);
  const counts = await runInServer({
    host: 'newest',
    isWeb: false,
    bundle,
    extension: measuredExtension,
    patienceSeconds: limit + startSeconds,
    name: 'soak-editor',
    log,
  });
  clearInterval(polling);
  take();
  if (counts.failed > 0)
    addPart({
      failures: [{ at: from, what: 'the window ended with an error: see test/artefacts/soak-editor.console.log' }],
    });
}
