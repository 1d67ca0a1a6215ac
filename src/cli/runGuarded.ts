import { spawn } from 'node:child_process';
import { rmSync, writeSync } from 'node:fs';
import { constants, totalmem } from 'node:os';
import type { Readable } from 'node:stream';
import { changedSince, type SeenFile } from '../base/changedFile.node';
import { ExplorerError } from '../base/errors';
import { dropLock, keepBeating, type HeldLock } from '../base/folderLock.node';
import { GuardLine } from '../base/guardLine';
import { memoryBound } from '../base/memoryBound';
import { explainEnd } from '../base/processEnd';
import { line, type TerminalText } from '../base/terminalText';
import { startGuard } from '../engine/serve/startGuard.node';
import { commandSentence } from './commandSentence';
import { endProgram } from './endProgram';
import { guardVariable, guardedLines, isGuardedProcess, type ProgramLine } from './guardedLines';

/** Of what it prints beside, the end is kept, to tell why it ended. */
const mostKept = 16_384;
/** Who ends a command by these knows why. */
const byThePerson: readonly (string | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'];

/** The commands that may end in ways that they cannot tell of, for they run a model or what its files ask for; the others say everything themselves, and start sooner. */
const guardedCommands: readonly string[] = [
  'explain',
  'heads',
  'how',
  'relations',
  'predict',
  'profile',
  'effect',
  'writes',
  'generate',
  'compare',
  'extract',
  'tokenize',
];

/** A timer takes no more. */
const mostSeconds = 2_000_000;

/** Reads what `--timeout` was given. Throws `wrongUsage`. */
export function parseSeconds(written: string): number {
  const seconds = Number(written);
  if (written.trim() === '' || !(seconds > 0 && seconds <= mostSeconds))
    throw new ExplorerError('wrongUsage', ['--timeout', `it is a number of seconds, at most ${mostSeconds}`]);
  return seconds;
}

/** Whether a command is run in a process of its own; of `inspect` that which runs the model for a proof. */
export function isGuarded(command: string, proves: boolean): boolean {
  return guardedCommands.includes(command) || (command === 'inspect' && proves);
}

/** The process that does the work, seen from inside; undefined in the one that watches it. */
export function guardedWork():
  { /** Says the one sentence of a command that failed. */ tell(text: TerminalText): void } | undefined {
  if (!isGuardedProcess()) return undefined;
  startGuard({ descriptor: guardedLines.guard, limitBytes: Number(process.env[guardVariable]) }, 0);
  return { tell: (text) => void writeSync(guardedLines.sentence, text) };
}

/**
 * Runs this very program in a process of its own, which may end in ways that it cannot tell of: for want of memory, or inside the native
 * runtime. What it fails with is one sentence on the standard error, whatever else is printed there; after `seconds`, where they are given, it is ended.
 * Resolves to the exit code. Throws `commandTookTooLong`.
 */
export async function runGuarded(args: readonly string[], seconds?: number): Promise<number> {
  const mostBytes = memoryBound(totalmem(), process.constrainedMemory?.() ?? 0);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1], ...args], {
    stdio: ['inherit', 'inherit', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, [guardVariable]: String(mostBytes) },
  });
  let [printed, sentence, mapped, begun, programs] = ['', '', '', '', ''];
  let limitBytes: number | undefined;
  const locks: { readonly held: HeldLock; readonly stop: () => void }[] = [];
  const words = new GuardLine();
  const read = (line: unknown, add: (text: string) => void): void =>
    void (line as Readable).on('data', (data: Buffer) => add(data.toString())); // each is 'pipe' above
  read(child.stderr, (text) => (printed = (printed + text).slice(-mostKept)));
  read(child.stdio[guardedLines.sentence], (text) => (sentence += text));
  read((child.stdio as readonly unknown[])[guardedLines.mapped] /* the type knows five */, (text) => (mapped += text));
  read((child.stdio as readonly unknown[])[guardedLines.begun] /* likewise */, (text) => (begun += text));
  read((child.stdio as readonly unknown[])[guardedLines.programs] /* likewise */, (text) => (programs += text));
  let told = '';
  // Its runs hold its thread for as long as they take: that it lives is shown from here.
  read((child.stdio as readonly unknown[])[guardedLines.held] /* likewise */, (text) => {
    told += text;
    for (const held of linesOf<HeldLock>(told)) locks.push({ held, stop: keepBeating(held) });
    told = told.slice(told.lastIndexOf('\n') + 1);
  });
  read(child.stdio[guardedLines.guard], (text) => {
    for (const word of words.read(text)) if (word.kind === 'limit') limitBytes = word.bytes;
  });
  // However often it comes: this process has to tidy up before it ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  let isOver = false;
  const timer =
    seconds === undefined
      ? undefined
      : setTimeout(() => {
          isOver = true;
          child.kill('SIGKILL');
        }, seconds * 1000);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ended) => resolve(ended));
  });
  clearTimeout(timer);
  endPrograms(linesOf<ProgramLine>(programs));
  // What was finished stands elsewhere.
  for (const path of linesOf<string>(begun)) rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  for (const { held, stop } of locks) {
    stop();
    await dropLock(held); // where it could not itself
  }
  if (isOver) throw new ExplorerError('commandTookTooLong', [seconds ?? 0]);
  if (code === 0) return 0;
  // Of a failure with a sentence, what the runtime printed beside is the model's: it may name anything.
  if (byThePerson.includes(signal) || (sentence === '' && printed.includes('EPIPE')))
    return signal === null ? 1 : 128 + constants.signals[signal];
  process.stderr.write(
    sentence === ''
      ? line`${commandSentence(endOf(explainEnd({ code, signal, printed, limitBytes, changedFile: changedSince(linesOf<SeenFile>(mapped)) })))}\n`
      : sentence,
  ); // which the other made fit for a terminal
  return sentence === '' ? 1 : (code ?? 1);
}

function endOf({ kind, reason }: ReturnType<typeof explainEnd>): ExplorerError {
  return new ExplorerError(kind === 'memory' ? 'outOfMemory' : kind === 'files' ? 'modelChanged' : 'commandStopped', [
    reason,
  ]);
}

/** Ends the programs that the other has started and that have not ended, with all that they have started. */
function endPrograms(lines: readonly ProgramLine[]): void {
  const left = new Set<number>();
  for (const { pid, isOver } of lines)
    if (isOver) left.delete(pid);
    else left.add(pid);
  for (const pid of left) endProgram(pid);
}

/** What whole lines of our own tell of; of the last one a part may have come. */
function linesOf<T>(told: string): T[] {
  return told
    .split('\n')
    .slice(0, -1)
    .map((each) => JSON.parse(each) as T); // our own process wrote it
}
