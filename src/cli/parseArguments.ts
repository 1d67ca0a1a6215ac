import { parseArgs } from 'node:util';
import { ExplorerError } from '../base/errors';

/** The options of all commands, as they are written. */
export interface Options {
  readonly model?: string;
  readonly head?: string;
  readonly backend?: string;
  readonly target?: string;
  readonly text?: string;
  readonly context?: string;
  readonly pair?: string;
  readonly 'source-language'?: string;
  readonly 'target-language'?: string;
  readonly component?: string;
  readonly tokenizer?: string;
  readonly feeds?: string;
  readonly also?: string;
  readonly method?: string;
  readonly out?: string;
  readonly dtype?: string;
  readonly figure?: string;
  readonly view?: string;
  readonly width?: string;
  readonly scale?: string;
  readonly threshold?: string;
  readonly timeout?: string;
  readonly queries?: string;
  readonly keys?: string;
  readonly sort?: string;
  readonly query?: string;
  readonly key?: string;
  readonly mask?: string;
  readonly at?: string;
  readonly token?: string;
  readonly against?: string;
  readonly label?: string;
  readonly by?: string;
  readonly path?: string;
  readonly block?: string;
  readonly swap?: string;
  readonly to?: string;
  readonly loss: boolean;
  readonly all: boolean;
  readonly renormalize: boolean;
  readonly tokens?: string;
  readonly temperature?: string;
  readonly 'top-p'?: string;
  readonly seed?: string;
  readonly heads?: string;
  readonly 'with-model'?: string;
  readonly 'with-tokenizer'?: string;
  readonly predictions: boolean;
  readonly numpy: boolean;
  readonly language?: string | undefined;
  readonly 'files-from'?: string;
  readonly jsonl?: string;
  readonly length?: string;
  readonly overlap?: string;
  readonly shard?: string;
  readonly threads?: string;
  readonly texts: boolean;
  readonly merge: boolean;
  readonly random: boolean;
  readonly chat: boolean;
  readonly input: boolean;
  readonly json: boolean;
  readonly prove: boolean;
  readonly stages: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** A command's arguments, told apart. */
export interface Arguments {
  readonly values: Options;
  readonly positionals: readonly string[];
  /** The arguments without `--timeout` and its value. */
  readonly untimed: readonly string[];
}

/** Tells options and operands apart. Throws `wrongUsage`. */
export function parseArguments(given: readonly string[]): Arguments {
  const args = withNegative(given);
  try {
    const string = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values, positionals, tokens } = parseArgs({
      args,
      allowPositionals: true,
      tokens: true,
      options: {
        model: string,
        head: string,
        target: string,
        text: string,
        'source-language': string,
        'target-language': string,
        context: string,
        pair: string,
        component: string,
        tokenizer: string,
        backend: string,
        feeds: string,
        also: string,
        method: string,
        out: string,
        dtype: string,
        figure: string,
        view: string,
        width: string,
        scale: string,
        threshold: string,
        timeout: string,
        queries: string,
        keys: string,
        sort: string,
        query: string,
        key: string,
        mask: string,
        at: string,
        token: string,
        against: string,
        label: string,
        by: string,
        path: string,
        block: string,
        swap: string,
        to: string,
        loss: flag,
        all: flag,
        renormalize: flag,
        tokens: string,
        temperature: string,
        'top-p': string,
        seed: string,
        heads: string,
        'with-model': string,
        'with-tokenizer': string,
        predictions: flag,
        numpy: flag,
        language: string,
        'files-from': string,
        jsonl: string,
        length: string,
        overlap: string,
        shard: string,
        threads: string,
        texts: flag,
        merge: flag,
        random: flag,
        chat: flag,
        input: flag,
        json: flag,
        prove: flag,
        stages: flag,
        help: { ...flag, short: 'h' },
        version: flag,
      },
    });
    const left = new Set(args.keys());
    for (const token of tokens) {
      if (token.kind !== 'option' || token.name !== 'timeout') continue;
      left.delete(token.index);
      if (!token.inlineValue) left.delete(token.index + 1);
    }
    return { values, positionals, untimed: [...left].map((index) => args[index]) };
  } catch (error) {
    throw new ExplorerError('wrongUsage', ['The command line', firstSentence(error)], { cause: error });
  }
}

/** A number below zero is the value of what stands before it, whatever that makes of it: Node takes its sign for that of an option. */
function withNegative(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? '';
    if (/^-\d/.test(arg) && /^--[a-z][a-z-]*$/.test(before)) joined[joined.length - 1] = `${before}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

/** What Node says is wrong with a command line, without its advice; of a value that is not there, or may be another option, what to write. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, name] = /^Option '(--[a-z-]+).*' argument (?:is ambiguous|missing)/.exec(message) ?? [];
  if (name !== undefined) return `${name} takes a value; one that begins with a dash is written ${name}=VALUE`;
  return message.split(/\.\s/)[0].replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}
