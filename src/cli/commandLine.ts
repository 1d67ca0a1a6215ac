import { parseArgs } from 'node:util';
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
import type { explain } from './explain';
import type { explainImage } from './explainImage';
import type { extract } from './extract';
import type { generate } from './generate';
import type { heads } from './heads';
import type { how } from './how';
import type { predict } from './predict';
import type { relations } from './relations';
import { inspect } from './inspect';
import { isImageFile } from './isImageFile';
import { printAndEnd } from './printAndEnd';
import { guardedWork, isGuarded, parseSeconds, runGuarded } from './runGuarded';
import type { prove } from './prove';
import { readVersion } from './readVersion';
import type { tokenize } from './tokenize';
import type { NumbersOut } from './weightsFile';
import type { writes } from './writes';

/** The exit code of a command line that was not understood, as is the custom. */
const usageCode = 2;

const usage = line`Usage:
  attention-explorer explain FILE[:RANGE]|- [--pair FILE[:RANGE]] [--model MODEL] [--target TEXT] [--component NAME] [--head LAYER.HEAD]
                             [--tokenizer TOKENIZER_JSON] [--chat] [--context TOKENS] [--json]
                             [--out NUMBERS.npz|.safetensors|.csv|.json [--dtype float32|float16] [--threshold WEIGHT]]
                             [--source-language CODE] [--target-language CODE] [--input] [--stages] [--method METHOD [--query I]]
      what every token of the file (or of its RANGE, or of the standard input) reads most, and in which head, or what it reads in the
      head named; of an encoder–decoder model also what its output reads, or the target text given; NAME is encoder, decoder, cross or self;
      RANGE is from-to, lines, or line:column-line:column, both from one and inclusive; --pair reads a second text with the first, with the
      separators and token types that the tokenizer makes; --context reads RANGE in the text around it, about so many tokens of it, and tells
      of the tokens of RANGE alone, with the mean of several; --chat puts the model's chat template around the text, or around the messages
      of a conversation (YAML or JSON); --out writes all numbers to a file instead, as arrays or as text: of CSV those from WEIGHT on
      (0.01 where it is missing), one a line; the codes are those of a translator's tokenizer
      (eng_Latn, en_XX), where its settings name others or none; --input prints the tensors that the model is fed, as Python, instead;
      METHOD says what a number is: attention (the weight), norm (times the length of what the head would write), value (times the length of the
      value), summed (the length of what all heads write), residual (with the token itself), residualNorm (and the norm behind it), rollout,
      rolloutUniform, its baseline, or flow (of the token at place --query, from zero, or of the last one); with its formula and source
  attention-explorer explain IMAGE [--model MODEL] [--head LAYER.HEAD] [--json] [--input] [--method METHOD [--query I]]
                           [--out NUMBERS.npz|.safetensors|.csv|.json [--dtype float32|float16] [--threshold WEIGHT]]
      which patches of the picture the class token reads
  attention-explorer explain IMAGE --text TEXT --model MODEL [--head LAYER.HEAD] [--tokenizer TOKENIZER_JSON] [--json] [--out NUMBERS.npz|.safetensors|.csv|.json]
                             [--input] [--method METHOD]
      the same of a text with the picture in it, by a model that reads both (embed_tokens, vision_encoder and a decoder in one folder): the
      picture stands where the text says so (<image>), else before it, and its tokens are patches of it
  attention-explorer heads FILE[:RANGE]|IMAGE|- [--model MODEL] [--target TEXT] [--component NAME] [--sort METRIC] [--queries RANGE --keys RANGE]
                           [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE] [--json]
  attention-explorer heads --random [--model MODEL] [--component NAME] [--sort METRIC] [--tokenizer TOKENIZER_JSON] [--json]
      the metrics of every head on the text or picture, with their definitions; --queries and --keys: how much the tokens of one range of the
      file read those of another, beside others as far apart; --random: on random tokens that come twice, where induction tells of the head
      and not of the text
  attention-explorer how FILE[:RANGE]|IMAGE|- --head LAYER.HEAD --query I --key J [--model MODEL] [--component NAME] [--target TEXT] [--json|--numpy]
                         [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE]
      how the weight of one token for another came about, step by step with the model's own numbers and the nodes of its graph; I and J are
      the places of tokens, from zero; --numpy prints Python that computes each step anew and fails where it comes to something else
  attention-explorer relations FILE[:RANGE]|- [--language LANGUAGE] [--model MODEL] [--tokenizer TOKENIZER_JSON] [--json]
      what every head reads along the relations of a program (matching bracket, definition, header of the block and others), beside
      other tokens as far apart, with a 95 % interval; LANGUAGE is that of the file's ending where it is missing
  attention-explorer predict FILE[:RANGE]|IMAGE|- [--mask N] [--model MODEL] [--target TEXT] [--tokenizer TOKENIZER_JSON]
                             [--source-language CODE] [--target-language CODE] [--json]
      what the model predicts at every token: its surprisal in bits and its rank, the entropy, and the five most probable tokens; a masked
      language model reads its mask token in the place of each token in turn, or of the one at place N (from zero); of an
      encoder–decoder model the tokens of its output, or of the target text given; of a classifier its labels with their probabilities
  attention-explorer effect FILE[:RANGE]|- --at N --token T [--against U] [--head LAYER.HEAD | --all] [--component NAME] [--by zero|mean]
                            [--path total|direct] [--block QUERY:KEY [--renormalize]] [--model MODEL] [--target TEXT] [--tokenizer TOKENIZER_JSON]
  attention-explorer effect FILE[:RANGE]|- --loss|--label I [--against J] …
      what silent heads do to a prediction: to ln p of the token T (its text, or # and its id) at place N, or how much T stands before U; to the
      mean loss of the text (--loss); or to a classifier's label; each head by itself (--all), or the one named; --by: zeros in place of what it
      reads, or the mean of that over this text; --block: without the weight of one token for another, one of which may be * for all, for the
      head named or all of the component, the weight gone or (--renormalize) given to what else is read; --path direct: only what the
      heads add to the final sum
  attention-explorer writes FILE[:RANGE]|- --token T [--against U] [--at N] [--head LAYER.HEAD] [--component NAME] [--model MODEL]
                            [--target TEXT] [--tokenizer TOKENIZER_JSON] [--source-language CODE] [--target-language CODE] [--json]
      what embedding, heads, MLPs and biases add to the logit of token T directly, or to its difference to that of token U, where the token
      at place N is predicted (from 1; what would come next where N is missing); with --head, for each token that it reads; T and U are
      texts that are one token, or #ID; refused where the parts do not add up to the model's own logit
  attention-explorer generate FILE[:RANGE]|- [--tokens N] [--temperature T] [--top-p P] [--seed S] [--model MODEL]
                              [--tokenizer TOKENIZER_JSON] [--json]
      what a causal model writes after the text, N tokens (20), each with what else it could have been; greedily, or, with one of the other
      numbers, drawn at temperature T (1) of the most probable tokens whose shares come to P (1), by the seed S (0), the same for the same one
  attention-explorer compare A[:RANGE]|- [B[:RANGE]|-] [--model MODEL] [--with-model MODEL] [--heads index|nearest] [--component NAME]
                             [--predictions] [--target TEXT] [--tokenizer TOKENIZER_JSON] [--with-tokenizer TOKENIZER_JSON]
                             [--source-language CODE] [--target-language CODE] [--json]
      two texts by one model, or one text by two models or two precisions of one: how far each head of the first is from one of the second,
      over the tokens that both have, and where it changed most; beside each head stands that of its layer and index, where both models lie
      in one folder, else the nearest one; --predictions puts what both predict side by side
  attention-explorer inspect MODEL [--prove] [--json]
      the extraction report: which attention was found in the model, and how; --prove runs the model, and says of each
      attention whether values times weights equal what it gives, and whether its keys grow with the text
  attention-explorer extract MODEL --feeds IN.safetensors --out OUT.safetensors [--also query,key,scores,value,norm] [--stages]
      runs the model on tensors named in.<input>; writes attention.<component>.<layer> and output; --also writes each head's queries and keys
      as the graph multiplies them, the scores that its softmax is given, its values, and the norms of what it would write if it read only
      one key, where the parts prove to add up to what the layer writes
  attention-explorer tokenize TOKENIZER_JSON < TEXT
      ids, tokens, offsets (UTF-16) and special tokens, as JSON

--backend native|webgpu|wasm|auto chooses what explain, heads, how, relations, predict, compare, effect, writes, generate, extract and inspect --prove run on (auto, and for extract wasm, which is the same everywhere).
--stages runs a model layer by layer, where it can be cut, instead of in one go (of explain, a model of one stack).
--timeout SECONDS ends a command that takes longer, whatever it does. --version says which version this is.
MODEL is an .onnx file, a folder that holds one with its tokenizer.json, or bundled:NAME.`;

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
  const { untimed, ...options } = parse(rest);
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
        file: operand('FILE'),
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
    case 'effect':
      return commands().effect(await effectOptions(operand('FILE'), values));
    case 'writes':
      return commands().writes({
        file: operand('FILE'),
        ...(await given()),
        ...readOptions(values),
        head: values.head,
        at: values.at,
        token: values.token,
        against: values.against,
      });
    case 'generate':
      return commands().generate({
        file: operand('FILE'),
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
      return values.prove
        ? commands().prove({
            model: operand('MODEL'),
            isJson: values.json,
            backend: backendOf(values.backend, 'auto'),
          })
        : inspect({ model: operand('MODEL'), isJson: values.json });
    case 'extract':
      return commands().extract({
        model: operand('MODEL'),
        feeds: option('feeds'),
        out: option('out'),
        backend: backendOf(values.backend, 'wasm'),
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
        'the commands are explain, heads, how, relations, predict, compare, effect, writes, generate, inspect, extract and tokenize',
      ]);
  }
}

/** What is explained of a text, or of a picture. */
async function explainAny(commands: GuardedCommands, file: string, values: Options): Promise<TerminalText> {
  const isPicture = isImageFile(file);
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
        isInput: values.input,
        contextTokens: tokensOf(values.context),
        isStaged: values.stages,
        pair: values.pair,
        method: methodIdOf(values.method),
        query: values.query,
      });
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
    isRandom: values.random,
  };
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
    wantsPredictions: values.predictions,
  };
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
    query: values.query,
    key: values.key,
  };
}

async function effectOptions(file: string, values: Options): Promise<Parameters<typeof effect>[0]> {
  if (isImageFile(file))
    throw new ExplorerError('wrongUsage', ['effect', 'it is for texts, and the file is a picture']);
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
  throw new ExplorerError('wrongUsage', ['--context', 'it is a number of tokens, at most 100000']);
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

interface Options {
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
  readonly random: boolean;
  readonly chat: boolean;
  readonly input: boolean;
  readonly json: boolean;
  readonly prove: boolean;
  readonly stages: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

interface Arguments {
  readonly values: Options;
  readonly positionals: readonly string[];
  /** The arguments without `--timeout` and its value. */
  readonly untimed: readonly string[];
}

function parse(args: string[]): Arguments {
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

/** What Node says is wrong with a command line, without its advice. */
function firstSentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .split(/\.\s/)[0]
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}

async function readStandardInput(): Promise<string> {
  const pieces: AsyncIterable<Buffer> = process.stdin; // no encoding is set
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    await readAtMost('text', 'The text on standard input', pieces),
  );
}
