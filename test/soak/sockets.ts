// Runs the command line and the engine's process with their sockets watched, in JavaScript (scripts/soak/watchSockets.cjs) and, for native code,
// in the system's own tables: none may lead anywhere.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { EngineProcess } from '../../src/host/engine/engineLauncher';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { Ledger, readOrder } from './ledger';
import { source, textModels } from './models';

const ledger = new Ledger(readOrder());
const { folder } = ledger.order;
mkdirSync(folder, { recursive: true });
const noted = resolve(folder, 'sockets.jsonl');
rmSync(noted, { force: true });
const watcher = resolve('scripts/soak/watchSockets.cjs');
process.env['AE_SOAK_SOCKETS'] = noted;
const pollMilliseconds = 10;
/** What a person's shell has. Not what keeps the native runtime from reporting where software is tested. */
const environment = Object.fromEntries(
  ['PATH', 'HOME', 'TMPDIR', 'AE_SOAK_SOCKETS'].map((name) => [name, process.env[name]]),
);

/** The internet's sockets of a process and of those below it, as the system knows them. */
function systemSockets(pid: number): string[] {
  const found: string[] = [];
  try {
    const tables = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].flatMap((name) =>
      readFileSync(`/proc/${pid}/net/${name}`, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/)),
    );
    const inodes = new Map(tables.map((cells) => [cells[9], `${cells[1]} → ${cells[2]}`]));
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      const socket = inode === undefined ? undefined : inodes.get(inode);
      if (socket !== undefined) found.push(socket);
    }
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean))
      found.push(...systemSockets(Number(child)));
  } catch {
    // it ended meanwhile
  }
  return found;
}

/** Looks at a process until it is let go of. */
function watch(pid: number, what: string): () => void {
  const timer = setInterval(() => {
    ledger.count('looks');
    for (const socket of systemSockets(pid)) ledger.fail(`${what} has a socket`, socket);
  }, pollMilliseconds);
  return () => clearInterval(timer);
}

function checkNoted(what: string): void {
  if (!existsSync(noted)) return;
  for (const line of readFileSync(noted, 'utf8').split('\n').filter(Boolean))
    ledger.fail(`${what} opens a socket`, line);
  rmSync(noted);
}

async function command(args: readonly string[], input = ''): Promise<void> {
  const child = spawn(process.execPath, ['--require', watcher, resolve('dist/cli.cjs'), ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: environment,
  });
  const unwatch = watch(child.pid ?? 0, args[0]);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  child.stdin.end(input);
  const code = await new Promise((ended) => child.on('close', ended));
  unwatch();
  if (code !== 0) ledger.fail(`${args.join(' ')} ended with ${String(code)}`, errors);
  checkNoted(args[0]);
  ledger.count('commands');
  ledger.done();
}

function launchEngine(): EngineProcess {
  const own = process.env;
  process.env = environment; // which an engine inherits
  try {
    return nodeEngineLauncher(engineFile, () => {}).launch();
  } finally {
    process.env = own;
  }
}

/** The watching itself is tried first, on a socket of our own. */
async function provesItself(): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  if (systemSockets(process.pid).length === 0)
    throw new Error('The system’s tables do not show a socket that is there.');
  const { port } = server.address() as { port: number }; // it listens on one
  const child = spawn(process.execPath, [
    '--require',
    watcher,
    '-e',
    `require('node:net').connect(${port}, '127.0.0.1').end()`,
  ]);
  await new Promise((ended) => child.on('close', ended));
  server.close();
  if (!existsSync(noted)) throw new Error('A socket that was opened is not noted.');
  rmSync(noted);
}

await provesItself();
const text = join(folder, 'text.py');
writeFileSync(text, source.slice(0, 300));
const picture = 'test/fixtures/images/plain.jpg';
// An engine that watches itself: what it is started with is not for the window to say, so it stands in its file.
const engineFile = resolve('out/soak/extension/dist/engine.watched.cjs');
writeFileSync(engineFile, `require(${JSON.stringify(watcher)});\n${readFileSync('dist/engine.node.cjs', 'utf8')}`);
while (ledger.goesOn) {
  for (const backend of ['auto', 'wasm']) {
    await command(['explain', text, '--backend', backend]);
    if (!ledger.goesOn) break;
    await command(['explain', picture, '--model', 'bundled:shapes-vit', '--backend', backend]);
    const engine = launchEngine();
    const unwatch = watch(engine.pid ?? 0, 'the engine');
    for (const path of textModels(folder)) {
      const { remote } = engine.connection;
      const spec = { path, backend: backend === 'wasm' ? 'wasm' : 'auto', threads: 1 } as const;
      await remote.explain({
        model: spec,
        text: path.includes('date') ? '3 May 2021' : source.slice(0, 60),
        tokenLimit: 0,
      });
      await remote.inspect(spec);
    }
    unwatch();
    engine.dispose();
    checkNoted('the engine');
    ledger.count('engines');
    ledger.done();
  }
  await command(['inspect', 'bundled:code-encoder']);
  await command(['tokenize', 'media/models/code-decoder/tokenizer.json'], source.slice(0, 200));
}
ledger.flush();
process.exit(0);
