// Child processes that never outlive this one, and temporary folders that are removed with it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';

const living = new Set();
const folders = new Set();
const isWindows = process.platform === 'win32';
/** With it a process has a third of what one beside it takes: little, and yet it comes to an end. */
const patientPriority = 5;

function killTree(child, signal) {
  try {
    if (isWindows) spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f']);
    else process.kill(-child.pid, signal); // the group: the server's extension hosts and their engines too
  } catch {
    // it has ended already
  }
}

function cleanUp() {
  for (const child of living) killTree(child, child.lastSignal);
  living.clear();
  for (const folder of folders) removeFolder(folder);
}

process.on('exit', cleanUp);
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => process.exit(code));
}

/**
 * Starts a program as a group of its own, which ends with this process at the latest: killed, or, where it
 * `endsTidily` and has children of its own, asked to. One that `isPatient` has less of the processor where others want it.
 */
export function startProcess(command, args, { endsTidily = false, isPatient = false, ...options } = {}) {
  const child = spawn(command, args, { ...options, detached: !isWindows });
  if (isPatient && child.pid !== undefined) setPriority(child.pid, Math.max(getPriority(), patientPriority));
  child.lastSignal = endsTidily ? 'SIGTERM' : 'SIGKILL';
  living.add(child);
  child.once('exit', () => {
    killTree(child, 'SIGKILL'); // what it left behind
    living.delete(child);
  });
  child.once('error', () => living.delete(child));
  return child;
}

/** Ends a started program and everything below it: politely, and after three seconds by force. */
export async function stopProcess(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  killTree(child, 'SIGTERM');
  const force = setTimeout(() => killTree(child, 'SIGKILL'), 3000);
  await ended;
  clearTimeout(force);
}

/** Runs a program to its end; resolves to what it printed, or throws an error that carries it. */
export async function runProcess(command, args, options = {}) {
  const child = startProcess(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-4000)}`);
  return output;
}

/** Runs npm, whichever way this Node brought it; resolves to what it printed. */
export function runNpm(args, options = {}) {
  const cli = process.env.npm_execpath;
  if (cli && /\.c?js$/.test(cli)) return runProcess(process.execPath, [cli, ...args], options);
  return runProcess(isWindows ? 'npm.cmd' : 'npm', args, { shell: isWindows, ...options });
}

/** Makes a temporary folder that is removed when this process ends. */
export function temporaryFolder(name) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `attention-explorer-${name}-`)));
  folders.add(folder);
  return folder;
}

/** Removes a folder, and is content when another program still writes to it. */
export function removeFolder(folder) {
  folders.delete(folder);
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  } catch {
    // left to the system's own cleaning
  }
}
