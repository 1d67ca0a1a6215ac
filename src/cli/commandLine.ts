import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import { methods, type MethodId } from '../model/methods';
import { backendChoices, backends, type Languages } from '../model/modelInfo';
import { readAtMost } from '../model/readAtMost';
import { sitePartNames, type SitePart } from '../model/sitePart';
import type { EngineOptions } from '../protocol';
import { commandSentence } from './commandSentence';
import type { compare } from './compare';
import type { effect } from './effect';
import type { explain } from './explanation/explain';
import type { explainImage } from './explanation/explainImage';
import type { extract } from './extract';
import type { generate } from './generate';
import type { heads } from './heads';
import type { how } from './how';
import type { predict } from './predict';
import type { profile } from './profile/profile';
import type { relations } from './relations';
import { download } from './download';
import { inspect } from './inspect';
import { parseArguments, type Arguments, type Options } from './parseArguments';
import { usage } from './usage';
import { isImageFile } from './isImageFile';
import { printAndEnd } from './printAndEnd';
import { guardedWork, isGuarded, parseSeconds, runGuarded } from './runGuarded';
import type { prove } from './prove';
import { readVersion } from './readVersion';
import { refuseIdle } from './refuseIdle';
import type { tokenize } from './tokenize';
import type { FigureOut } from './figureFile';
import type { SvgOut } from './svgFile';
import type { NumbersOut } from './weightsFile';
import type { writes } from './writes';

/** The exit code of a command line that was not understood, as is the custom. */
const usageCode = 2;

/** The commands that run models or read tokenizers, which are guarded in a process of their own. */
export interface GuardedCommands {
  readonly effect: typeof effect;
  readonly explain: typeof explain;
  readonly explainImage: typeof explainImage;
  readonly extract: typeof extract;
  readonly generate: typeof generate;
  readonly heads: typeof heads;
  readonly how: typeof how;
  readonly relations: typeof relations;
  readonly predict: typeof predict;
  readonly profile: typeof profile;
  readonly compare: typeof compare;
  readonly prove: typeof prove;
  readonly tokenize: typeof tokenize;
  readonly writes: typeof writes;
}

/** What to print, and the exit code; a command that ran in a process of its own has printed it. */
interface Outcome {
  readonly output: TerminalText;
  readonly code: number;
}

/** This process, where it is the one that does the work for another, which watches it. */
const work = guardedWork();

/** Does what the command line asks for, and ends; without guarded commands only what needs none, or a process that has them. */
export function runCommandLine(guarded?: GuardedCommands): void {
  main(process.argv.slice(2), guarded)
    .then(printAndEnd)
    .catch((error: unknown) => {
      const failure = ExplorerError.from(error);
      const { code, details } = failure;
      const sentence = commandSentence(failure);
      const exitCode = code === 'wrongUsage' ? usageCode : 1;
      const told: TerminalText =
        process.env['DEBUG'] === undefined || details === undefined
          ? line`${sentence}\n`
          : line`${sentence}\n${details}\n`;
      if (work === undefined) process.stderr.write(told, () => process.exit(exitCode));
      else {
        work.tell(told);
        process.exit(exitCode);
      }
    });
}

async function main([command, ...rest]: readonly string[], guarded: GuardedCommands | undefined): Promise<Outcome> {
  const { untimed, ...options } = parseArguments(rest);
  if (command === '--help' || command === '-h' || options.values.help) return { output: usage, code: 0 };
  if (command === '--version' || options.values.version)
    return { output: await run('version', options, guarded), code: 0 };
  if (options.values.text !== undefined && command !== 'explain')
    throw new ExplorerError('wrongUsage', ['--text', 'only explain reads a text with a picture']);
  const { timeout } = options.values;
  const seconds = timeout === undefined ? undefined : parseSeconds(timeout);
  if (
    command !== undefined &&
    work === undefined &&
    (seconds !== undefined || isGuarded(command, options.values.prove))
  )
    return { output: line``, code: await runGuarded([command, ...untimed], seconds) };
  return { output: await run(command, options, guarded), code: 0 };
}

async function run(
  command: string | undefined,
  { values, positionals }: Omit<Arguments, 'untimed'>,
  guarded: GuardedCommands | undefined,
): Promise<TerminalText> {
  const operand = (name: string): string => {
    if (positionals.length !== 1 || positionals[0] === '')
      throw new ExplorerError('wrongUsage', [name, positionals.length > 1 ? 'name only one' : 'it is missing']);
    return positionals[0];
  };
  const given = async (): Promise<{ readonly text?: string }> =>
    positionals[0] === '-' ? { text: await readStandardInput() } : {};
  const option = (name: 'feeds' | 'out'): string => {
    const value = values[name];
    if (value === undefined) throw new ExplorerError('wrongUsage', [`--${name}`, 'it is missing']);
    return value;
  };
  const commands = (): GuardedCommands => {
    if (guarded === undefined) throw new Error('a guarded command runs outside of its process');
    return guarded;
  };
  switch (command) {
    case 'explain':
      return explainAny(commands(), operand('FILE'), values);
    case 'heads':
      return commands().heads({ ...headsOptions(positionals, operand, values), ...(await given()) });
    case 'how':
      return commands().how(await howOptions(operand('FILE'), values));
    case 'relations':
      return commands().relations({
        file: textFile(operand('FILE')),
        ...(await given()),
        language: values.language,
        model: values.model,
        head: undefined,
        tokenizer: values.tokenizer,
        backend: backendOf(values.backend, 'auto'),
        isJson: values.json,
      });
    case 'predict':
      if (isImageFile(operand('FILE'))) refuseTextOptions(values);
      return commands().predict({
        file: operand('FILE'),
        ...(await given()),
        ...readOptions(values),
        head: undefined,
        mask: values.mask,
      });
    case 'profile':
      return commands().profile(profileOptions(positionals, values));
    case 'effect':
      return commands().effect(await effectOptions(operand('FILE'), values));
    case 'writes':
      return commands().writes({
        file: textFile(operand('FILE')),
        ...(await given()),
        ...readOptions(values),
        head: values.head,
        at: values.at,
        token: values.token,
        against: values.against,
      });
    case 'generate':
      return commands().generate({
        file: textFile(operand('FILE')),
        ...(await given()),
        model: values.model,
        head: undefined,
        tokenizer: values.tokenizer,
        backend: backendOf(values.backend, 'auto'),
        isJson: values.json,
        tokens: values.tokens,
        temperature: values.temperature,
        topP: values['top-p'],
        seed: values.seed,
      });
    case 'compare':
      return commands().compare(await compareOptions(positionals, values));
    case 'inspect':
      return inspectAny(commands, operand('MODEL'), values);
    case 'download':
      return download({
        name: firstOf(positionals, 'REPOSITORY', 2),
        file: positionals[1],
        out: option('out'),
        isJson: values.json,
      });
    case 'extract':
      return commands().extract({
        model: operand('MODEL'),
        feeds: option('feeds'),
        out: option('out'),
        backend: values.backend === undefined ? undefined : backendOf(values.backend, 'auto'),
        isStaged: values.stages,
        also: partsOf(values.also),
      });
    case 'tokenize':
      return commands().tokenize(operand('TOKENIZER_JSON'), await readStandardInput());
    case undefined:
    case 'help':
      return usage;
    case 'version':
      return line`${plain(readVersion())}`;
    default:
      throw new ExplorerError('wrongUsage', [
        command,
        'the commands are explain, heads, how, relations, predict, profile, compare, effect, writes, generate, inspect, extract, download and tokenize',
      ]);
  }
}

/** The first operand of at most so many. Throws `wrongUsage`. */
function firstOf(positionals: readonly string[], name: string, most: number): string {
  const [first = ''] = positionals;
  if (first === '' || positionals.length > most)
    throw new ExplorerError('wrongUsage', [name, first === '' ? 'it is missing' : `name at most ${most}`]);
  return first;
}

/** What a model's file tells of its attention, or a run as well. */
function inspectAny(commands: () => GuardedCommands, model: string, values: Options): Promise<TerminalText> {
  const { json: isJson, prove } = values;
  return prove
    ? commands().prove({ model, isJson, backend: backendOf(values.backend, 'auto') })
    : inspect({ model, isJson });
}

/** What is explained of a text, or of a picture. */
async function explainAny(commands: GuardedCommands, file: string, values: Options): Promise<TerminalText> {
  const isPicture = isImageFile(file);
  refuseIdle(values);
  if (values.text !== undefined) refuseWithPicture(isPicture, values);
  else if (isPicture) refuseTextOptions(values);
  return isPicture && values.text === undefined
    ? commands.explainImage({
        file,
        model: values.model,
        head: values.head,
        backend: backendOf(values.backend, 'auto'),
        isJson: values.json,
        out: numbersOut(values),
        figure: figureOut(values),
        isInput: values.input,
        method: methodIdOf(values.method),
        query: values.query,
      })
    : commands.explain({
        file,
        ...(file === '-' ? { text: await readStandardInput() } : {}),
        ...(values.text === undefined ? {} : { text: values.text, isPicture }),
        ...readOptions(values),
        head: values.head,
        isChatMessage: values.chat,
        out: numbersOut(values),
        figure: figureOut(values),
        isInput: values.input,
        contextTokens: tokensOf(values.context),
        isStaged: values.stages,
        pair: values.pair,
        method: methodIdOf(values.method),
        query: values.query,
      });
}

function figureOut({ figure, out, json, input, ...form }: Options): FigureOut | undefined {
  const { view, width, scale: times } = form;
  if (figure === undefined) {
    const given = (['view', 'width', 'scale'] as const).find((name) => form[name] !== undefined);
    if (given === undefined) return undefined;
    throw new ExplorerError('wrongUsage', [`--${given}`, 'it goes with --figure']);
  }
  if (out !== undefined || json || input)
    throw new ExplorerError('wrongUsage', ['--figure', 'it goes with none of --out, --json and --input']);
  return { path: figure, view, width, times };
}

/** Of commands that have one view. */
function svgOut(values: Options): SvgOut | undefined {
  if (values.view !== undefined) throw new ExplorerError('wrongUsage', ['--view', 'it is of explain']);
  return figureOut(values);
}

function numbersOut({ out, dtype, threshold }: Options): NumbersOut | undefined {
  if (out !== undefined) return { path: out, precision: dtype, threshold };
  if (dtype === undefined && threshold === undefined) return undefined;
  throw new ExplorerError('wrongUsage', [dtype === undefined ? '--threshold' : '--dtype', 'it goes with --out']);
}

/** What is asked of every reading of a text: with which model and how, and which of its components is meant. */
function readOptions(
  values: Options,
): Pick<
  Parameters<typeof explain>[0],
  'model' | 'target' | 'languages' | 'tokenizer' | 'component' | 'backend' | 'isJson'
> {
  return {
    model: values.model,
    target: values.target,
    ...languagesOf(values),
    tokenizer: values.tokenizer,
    component: values.component,
    backend: backendOf(values.backend, 'auto'),
    isJson: values.json,
  };
}

function headsOptions(
  positionals: readonly string[],
  operand: (name: string) => string,
  values: Options,
): Parameters<typeof heads>[0] {
  if (values.random && positionals.length > 0) throw new ExplorerError('wrongUsage', ['--random', 'it reads no file']);
  if (!values.random && isImageFile(operand('FILE'))) refuseTextOptions(values);
  return {
    file: values.random ? undefined : operand('FILE'),
    ...readOptions(values),
    head: undefined,
    queries: values.queries,
    keys: values.keys,
    sort: values.sort,
    figure: svgOut(values),
    isRandom: values.random,
  };
}

function profileOptions(files: readonly string[], values: Options): Parameters<typeof profile>[0] {
  return {
    files,
    filesFrom: values['files-from'],
    jsonl: values.jsonl,
    shard: shardOf(values.shard),
    model: values.model,
    tokenizer: values.tokenizer,
    backend: backendOf(values.backend, 'auto'),
    isJson: values.json,
    out: values.out,
    length: wholeNumberOf('--length', values.length, 2),
    overlapLines: wholeNumberOf('--overlap', values.overlap, 0) ?? 0,
    threads: wholeNumberOf('--threads', values.threads, 1) ?? 1,
    texts: values.texts,
    isMerge: values.merge,
    isPart: values.shard !== undefined,
  };
}

/** The part of a list that is meant: `I/N`, from zero. */
function shardOf(value = '0/1'): { readonly index: number; readonly count: number } {
  const [, index, count] = /^(\d{1,7})\/(\d{1,7})$/.exec(value) ?? [];
  if (count === undefined || Number(index) >= Number(count))
    throw new ExplorerError('wrongUsage', ['--shard', 'it is I/N, the part I of N from zero: 0/4, 1/4, 2/4 or 3/4']);
  return { index: Number(index), count: Number(count) };
}

function wholeNumberOf(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= 100_000) return number;
  throw new ExplorerError('wrongUsage', [name, `it is a whole number, at least ${least} and at most 100000`]);
}

async function compareOptions(files: readonly string[], values: Options): Promise<Parameters<typeof compare>[0]> {
  return {
    files,
    ...(files.includes('-') ? { text: await readStandardInput() } : {}),
    ...readOptions(values),
    head: undefined,
    withModel: values['with-model'],
    withTokenizer: values['with-tokenizer'],
    pairing: values.heads,
    figure: svgOut(values),
    wantsPredictions: values.predictions,
  };
}

/** A file that only texts are read from. Throws `wrongUsage` for a picture. */
function textFile(file: string): string {
  if (isImageFile(file))
    throw new ExplorerError('wrongUsage', ['FILE', 'it is a picture, and this command reads texts']);
  return file;
}

async function howOptions(file: string, values: Options): Promise<Parameters<typeof how>[0]> {
  if (isImageFile(file)) refuseTextOptions(values);
  if (values.json && values.numpy) throw new ExplorerError('wrongUsage', ['--numpy', 'leave --json out']);
  return {
    file,
    ...(file === '-' ? { text: await readStandardInput() } : {}),
    ...readOptions(values),
    head: values.head,
    isNumpy: values.numpy,
    figure: svgOut(values),
    query: values.query,
    key: values.key,
  };
}

async function effectOptions(file: string, values: Options): Promise<Parameters<typeof effect>[0]> {
  if (isImageFile(file)) refuseTextOptions(values);
  return {
    file,
    ...(file === '-' ? { text: await readStandardInput() } : {}),
    ...readOptions(values),
    head: values.head,
    at: values.at,
    token: values.token,
    against: values.against,
    label: values.label,
    isLoss: values.loss,
    isAll: values.all,
    by: values.by,
    path: values.path,
    block: values.block,
    swap: values.swap,
    to: values.to,
    isRenormalized: values.renormalize,
  };
}

/** Throws `wrongUsage` where an option says how a text is to be read: a picture is read without it, which must not look as if it counted. */
function refuseTextOptions(values: Options): void {
  const ofTexts = [
    'target',
    'source-language',
    'target-language',
    'context',
    'pair',
    'component',
    'tokenizer',
    'chat',
    'stages',
    'queries',
    'keys',
  ] as const;
  const given = ofTexts.find((name) => values[name] !== undefined && values[name] !== false);
  if (given !== undefined)
    throw new ExplorerError('wrongUsage', [`--${given}`, 'it is for texts, and the file is a picture']);
}

/** Throws `wrongUsage` where a text is to be read with what is no picture, or in a way that does not go with one. */
function refuseWithPicture(isPicture: boolean, values: Options): void {
  if (!isPicture) throw new ExplorerError('wrongUsage', ['--text', 'it is read with a picture, and the file is none']);
  const others = ['target', 'source-language', 'target-language', 'context', 'pair', 'chat'] as const;
  const given = others.find((name) => values[name] !== undefined && values[name] !== false);
  if (given !== undefined) throw new ExplorerError('wrongUsage', [`--${given}`, 'it is for a text without a picture']);
}

function tokensOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const tokens = Number(value);
  if (/^\d+$/.test(value) && tokens >= 1 && tokens <= 100_000) return tokens;
  throw new ExplorerError('wrongUsage', ['--context', 'it is a number of tokens, from 1 to 100000']);
}

function methodIdOf(value = 'attention'): MethodId {
  const chosen = methods.find(({ id }) => id === value);
  if (chosen !== undefined) return chosen.id;
  throw new ExplorerError('wrongUsage', ['--method', `it is one of ${methods.map(({ id }) => id).join(', ')}`]);
}

function partsOf(value: string | undefined): readonly SitePart[] {
  const names = value === undefined ? [] : value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => sitePartNames.every((part) => part !== name));
  if (unknown !== undefined)
    throw new ExplorerError('wrongUsage', ['--also', `it is one or more of ${sitePartNames.join(',')}`]);
  return sitePartNames.filter((part) => names.includes(part));
}

function languagesOf({ 'source-language': source, 'target-language': target }: Options): {
  readonly languages?: Languages;
} {
  return source === undefined && target === undefined ? {} : { languages: { source, target } };
}

function backendOf(value: string | undefined, otherwise: EngineOptions['backend']): EngineOptions['backend'] {
  if (value === undefined) return otherwise;
  const chosen = backendChoices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  throw new ExplorerError('wrongUsage', ['--backend', `it is ${backends.join(', ')} or auto`]);
}

async function readStandardInput(): Promise<string> {
  const pieces: AsyncIterable<Buffer> = process.stdin; // no encoding is set
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    await readAtMost('text', 'The text on standard input', pieces),
  );
}
