// A storage that is full, or that nobody may write to: the command line says so in one line and ends with an error, wherever it writes.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ledger, readOrder } from './ledger';
import { source } from './models';

const ledger = new Ledger(readOrder());
const { folder } = ledger.order;
const fixture = 'test/fixtures/zoo/bert.sdpa.legacy';
const patienceMilliseconds = 60_000;

/** A file system of a few kilobytes, mounted for as long as a test takes; undefined where this person may not mount. */
function mounted(name: string, options: string): { readonly path: string; unmount(): void } | undefined {
  const path = resolve(folder, name);
  mkdirSync(path, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) return undefined;
  return { path, unmount: () => void spawnSync('umount', [path]) };
}

/** What the command line does with its output going somewhere. */
function command(
  args: readonly string[],
  output?: string,
): { readonly status: number | null; readonly errors: string } {
  const descriptor = output === undefined ? 'pipe' : openSync(output, 'w');
  const { status, stderr, error } = spawnSync(process.execPath, [resolve('dist/cli.cjs'), ...args], {
    stdio: ['ignore', descriptor, 'pipe'],
    timeout: patienceMilliseconds,
    encoding: 'utf8',
  });
  if (typeof descriptor === 'number') closeSync(descriptor);
  return { status: error === undefined ? status : null, errors: stderr };
}

/** One error, in a line of ours. */
function check(what: string, { status, errors }: { readonly status: number | null; readonly errors: string }): void {
  ledger.count(what);
  const lines = errors.trim().split('\n');
  if (status !== 1) ledger.fail(`${what}: it ended with ${String(status)}`, errors);
  else if (lines.length !== 1 || !/written/.test(lines[0]))
    ledger.fail(`${what}: it does not say so in a line`, errors);
}

const extract = (out: string) =>
  command(['extract', `${fixture}/model.onnx`, '--feeds', `${fixture}/expected.safetensors`, '--out', out]);

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'text.py'), source.slice(0, 300));
while (ledger.goesOn) {
  check('tensors to a full device', extract('/dev/full'));
  check('tensors to a folder that is missing', extract(join(folder, 'missing', 'out.safetensors')));
  check('tensors to a folder', extract(folder));
  const small = mounted('small', 'size=8k');
  if (small === undefined) ledger.count('left out, as nothing may be mounted here');
  else {
    check('tensors to a file system that fills up', extract(join(small.path, 'out.safetensors')));
    small.unmount();
  }
  const readOnly = mounted('readOnly', 'ro');
  if (readOnly !== undefined) {
    check('tensors to a file system that is only read', extract(join(readOnly.path, 'out.safetensors')));
    readOnly.unmount();
  } else if (process.getuid?.() !== 0) {
    const locked = join(folder, 'locked');
    rmSync(locked, { recursive: true, force: true });
    mkdirSync(locked, { mode: 0o555 });
    check('tensors to a folder that is only read', extract(join(locked, 'out.safetensors')));
  }
  check('a report to a full device', command(['inspect', 'bundled:code-decoder'], '/dev/full'));
  check('an explanation to a full device', command(['explain', join(folder, 'text.py')], '/dev/full'));
  const sound = join(folder, 'sound.safetensors');
  rmSync(sound, { force: true });
  const { status, errors } = extract(sound);
  if (status !== 0 || !existsSync(sound) || statSync(sound).size === 0)
    ledger.fail('what has room is not written', errors);
  ledger.done();
}
ledger.flush();
process.exit(0);
