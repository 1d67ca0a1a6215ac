// Another program that reads texts, in a process of its own, told how many tokens to read by lines on its input.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that runs a model of ours. */
export interface OtherProgram {
  /** What it says that it is. */
  readonly title: string;
  /** Reads so many tokens. */
  run(length: number): Promise<void>;
  stop(): void;
}

/** Starts a program that answers «ready TITLE» and then «done» to each length; undefined where it cannot be started. */
export async function startProgram(command: string, args: readonly string[]): Promise<OtherProgram | undefined> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', process.env['BENCH_VERBOSE'] === undefined ? 'ignore' : 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<undefined>((settle) => {
    child.once('error', () => settle(undefined));
    child.once('exit', () => settle(undefined));
  });
  const next = async (): Promise<string | undefined> => (await Promise.race([lines.next(), gone]))?.value;
  const [, title] = /^ready (.*)/.exec((await next()) ?? '') ?? [];
  if (title === undefined) return undefined;
  return {
    title,
    async run(length) {
      child.stdin.write(`${length}\n`);
      if ((await next()) !== 'done') throw new Error(`${title} stopped`);
    },
    stop: () => child.kill(),
  };
}
