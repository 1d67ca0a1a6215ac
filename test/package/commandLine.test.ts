import { expect } from 'chai';
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { ensureChromium } from '../../scripts/lib/chromium.mjs';
import { expectEventually } from '../harness/eventually';
import { picturedTokenizer, tinyTokenizer } from '../harness/tinyTokenizer';

const root = process.cwd();

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Runs the command line; its input stays open where none is given. */
async function run(args: readonly string[], input?: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, 'dist/cli.cjs'), ...args], { env: { ...process.env, ...env } });
  return outcome(child, input);
}

async function outcome(child: ChildProcessWithoutNullStreams, input?: string): Promise<Ended> {
  const started = performance.now();
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (data: Buffer) => (said[stream] += data.toString()));
  child.stdin.on('error', () => {}); // it may have ended before it read
  if (input !== undefined) child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...said, milliseconds: performance.now() - started };
}

describe('The command line’s time limit', function () {
  this.timeout(60_000);
  let folder: string;
  const write = (name: string, tokenizer: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(tokenizer));
    return join(folder, name);
  };
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ae-cli-'))));
  after(() => rmSync(folder, { recursive: true }));
  const tiny = JSON.parse(tinyTokenizer()) as object; // made there

  it('ends a command whose thread is held, with one sentence', async () => {
    const slow = write('slow.json', {
      ...tiny,
      pre_tokenizer: { type: 'Split', pattern: { Regex: '(?:(?:x+)+y|.)' }, behavior: 'Isolated' },
    });
    const { code, stdout, stderr, milliseconds } = await run(['tokenize', slow, '--timeout', '1'], 'x'.repeat(60));
    expect({ code, stdout, stderr }).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'The command took longer than 1 s and was ended: allow it more with --timeout, or give it less to do.\n',
    });
    // The tokenizer’s own limit is ten seconds.
    expect(milliseconds).to.be.within(1000, 9000);
  });

  it('ends one that waits', async () => {
    const { code, stderr } = await run(['tokenize', write('tiny.json', tiny), '--timeout=0.5']);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^The command took longer than 0.5 s/);
  });

  it('changes nothing of what a command prints and how it ends', async () => {
    const tokenizer = write('tiny.json', tiny);
    for (const args of [
      ['tokenize', tokenizer],
      ['inspect', join(folder, 'none')],
    ]) {
      const { code, stdout, stderr } = await run(args, 'a b');
      const limited = await run([args[0], '--timeout', '50', args[1]], 'a b');
      expect(limited).to.deep.include({ code, stdout, stderr });
      expect(stdout + stderr).to.not.equal('');
    }
  });

  it('is a number of seconds', async () => {
    for (const seconds of ['-1', 'soon'])
      expect(await run(['inspect', 'x', `--timeout=${seconds}`], '')).to.deep.include({
        code: 2,
        stderr:
          '--timeout is not valid: it is a number of seconds, at most 2000000; "attention-explorer --help" says how it is used.\n',
      });
  });
});

describe('The command line', function () {
  this.timeout(60_000);
  /** What a model predicts is compared on the backend that there is everywhere; the rest is said, or refused, on any, and the fastest starts in half the time. */
  const wasm = ['--backend', 'wasm'];

  it('says how it is used, and which version it is', async () => {
    for (const args of [[], ['help'], ['--help'], ['-h'], ['explain', '--help'], ['inspect', '-h']]) {
      const { code, stdout, stderr } = await run(args, '');
      expect({ code, stderr }, args.join(' ')).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout, args.join(' ')).to.match(/^Usage:\n/);
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect((await run(['--version'], '')).stdout).to.equal(`${version}\n`);
  });

  it('ends with 2 where it was not understood, in one sentence, and with 1 where something failed', async () => {
    for (const args of [
      ['explian'],
      ['inspect'],
      ['extract', 'model.onnx'],
      ['inspect', 'a', '--colour'],
      ['explain', 'a', '--backend', 'cuda'],
      ['tokenize', 'a', '--timeout', 'soon'],
    ]) {
      const { code, stdout, stderr } = await run(args, '');
      expect({ code, stdout }, args.join(' ')).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr, args.join(' ')).to.match(
        /^[^\n]+ is not valid: [^\n]+; "attention-explorer --help" says how it is used\.\n$/,
      );
    }
    expect((await run(['inspect', 'none.onnx'], '')).code).to.equal(1);
    expect((await run(['explain', 'none.txt'], '')).code).to.equal(1);
  });

  it('prints what a model predicts, and refuses what it cannot tell', async () => {
    const causal = await run(['predict', '-', ...wasm, '--json'], 'for i in range(10):');
    expect(causal.stderr).to.equal('');
    const { mean, vocabularySize, predictions } = JSON.parse(causal.stdout) as {
      readonly mean: { readonly surprisal: number; readonly numTokens: number };
      readonly vocabularySize: number;
      readonly predictions: readonly {
        readonly token: string | null;
        readonly surprisal: number | null;
        readonly alternatives: readonly { readonly probability: number }[];
      }[];
    }; // printed by our own command
    expect(mean.surprisal).to.be.within(0, Math.log2(vocabularySize));
    expect(predictions.filter(({ surprisal }) => surprisal !== null)).to.have.length(mean.numTokens);
    expect(predictions.at(-1)).to.include({ token: null, surprisal: null });
    for (const { alternatives } of predictions)
      expect(alternatives.reduce((sum, { probability }) => sum + probability, 0)).to.be.within(0, 1);
    const encoder = ['predict', '-', '--model', 'bundled:code-encoder'];
    const masked = await run([...encoder, ...wasm], 'def area(width, height):\n    return width * [MASK]\n');
    expect(masked.stdout).to.match(/"\[MASK\]": "height" 0\.\d+/);
    for (const [args, code, sentence] of [
      [[...encoder, '--mask', 'x'], 2, /^--mask is not valid: it is the place of a token, from 0;/],
      [['predict', '-', '--mask', '1'], 1, /^--mask is not valid: nothing .+ no masked language model\.\n$/],
    ] as const) {
      const ended = await run(args, 'dogs bark');
      expect({ code: ended.code, stdout: ended.stdout }, args.join(' ')).to.deep.equal({ code, stdout: '' });
      expect(ended.stderr, args.join(' ')).to.match(sentence);
    }
  });

  it('prints what heads write to a prediction, which adds up to it, and refuses what it cannot tell', async () => {
    const text = 'def fibonacci_memo(n):\n    return fibonacci';
    const own = ['writes', '-'];
    const told = await run([...own, '--token', '_m', '--json'], text);
    expect(told.stderr).to.equal('');
    const { logit, parts, layers } = JSON.parse(told.stdout) as {
      readonly logit: number;
      readonly parts: readonly { readonly value: number }[];
      readonly layers: readonly {
        readonly heads: readonly number[];
        readonly sources: readonly (readonly number[])[];
      }[];
    }; // printed by our own command
    expect(parts.reduce((sum, { value }) => sum + value, 0)).to.be.closeTo(logit, 1e-3);
    expect(layers.map(({ heads }) => heads.length)).to.deep.equal([8, 8, 8, 8]);
    // The head that has seen what came next the first time writes most of it for that.
    const head = await run([...own, '--token', '_m', '--head', '1.4'], text);
    expect(head.stdout).to.match(/head 1\.4 \(self\) writes +0\.\d+ of it, for what it reads at\n +0\.\d+ {2}7 "_m"/);
    for (const [args, code, sentence] of [
      [own, 2, /^--token is not valid: it is missing;/],
      [
        [...own, '--token', 'two words'],
        1,
        /^“two words” is no token of the vocabulary of code-decoder: it is 4 tokens: t · wo · Ġw · ords\.\n$/,
      ],
      [[...own, '--token', 'n', '--model', 'bundled:code-encoder'], 1, /it reads both ways/],
    ] as const) {
      const ended = await run(args, text);
      expect({ code: ended.code, stdout: ended.stdout }, args.join(' ')).to.deep.equal({ code, stdout: '' });
      expect(ended.stderr, args.join(' ')).to.match(sentence);
    }
  });

  it('prints what a model writes after a text, and refuses what it cannot read', async () => {
    const text = 'def fibonacci_memo(n):\n    return fibonacci';
    const own = ['generate', '-', '--tokens', '3'];
    const drawn = JSON.parse((await run([...own, '--temperature', '0.01', '--seed', '5', '--json'], text)).stdout) as {
      readonly text: string;
      readonly sampling: unknown;
      readonly tokens: readonly { readonly rank: number }[];
    }; // printed by our own command
    // So cold that it is the most probable token each time.
    expect(drawn.text).to.equal('_memo(');
    expect(drawn.sampling).to.deep.equal({ temperature: 0.01, topP: 1, seed: 5 });
    expect(drawn.tokens.map(({ rank }) => rank)).to.deep.equal([1, 1, 1]);
    for (const [args, code, sentence] of [
      [[...own, '--top-p', '1.5'], 2, /^--top-p is not valid: it is a number from 0\.0001 to 1;/],
      [
        [...own, '--model', 'bundled:code-encoder'],
        1,
        /^code-encoder does not go on with this text: it reads both ways\.\n$/,
      ],
    ] as const) {
      const ended = await run(args, text);
      expect({ code: ended.code, stdout: ended.stdout }, args.join(' ')).to.deep.equal({ code, stdout: '' });
      expect(ended.stderr, args.join(' ')).to.match(sentence);
    }
  });

  it('prints what silent and swapped heads and blocked cells do to a prediction, and refuses what cannot be asked', async () => {
    const text = 'for i in range(10):';
    const asked = ['effect', '-', '--at', '3', '--token', '#5'];
    const scan = await run([...asked, '--all', '--json'], text);
    expect(scan.stderr).to.equal('');
    const { layers } = JSON.parse(scan.stdout) as {
      readonly layers: readonly { readonly effects: readonly number[] }[];
    }; // printed by our own command
    expect(layers.map(({ effects }) => effects.length)).to.deep.equal([8, 8, 8, 8]);
    const blocked = await run([...asked, '--head', '1.4', '--block', '2:1', '--renormalize'], text);
    expect(blocked.stdout).to.match(/blocked what token 2 reads of token 1, the rest of the row divided by its sum\n/);
    const ahead = await run([...asked, '--head', '1.4', '--block', '1:3'], text);
    expect(ahead.stdout)
      .to.match(/effect +\+?0\.0+ nats/)
      .and.contain('The causal mask has taken this weight out already');
    const swapped = await run([...asked, '--swap', 'for', '--to', 'if', '--json'], text);
    expect(swapped.stderr).to.equal('');
    const shares = (
      JSON.parse(swapped.stdout) as { readonly layers: readonly { readonly shares: readonly number[] }[] }
    ).layers.map((layer) => layer.shares); // printed by our own command
    expect(shares.map(({ length }) => length)).to.deep.equal([8, 8, 8, 8]);
    expect(shares.flat().every(Number.isFinite), 'all are shares').to.equal(true);
    // Nothing stands before the token that could be another.
    const same = await run(
      ['effect', '-', '--at', '1', '--token', '#5', '--swap', '10', '--to', '20', '--head', '1.4'],
      text,
    );
    expect(same.stdout)
      .to.match(/share {7}undefined: both come to the same prediction/)
      .and.match(/The model is causal: what stands at or behind the predicted token cannot act/);
    for (const [args, code, sentence] of [
      [[...asked, '--block', 'a'], 2, /^--block is not valid: it is QUERY:KEY/],
      [[...asked, '--swap', 'i'], 2, /^--to is not valid: it is missing/],
      [
        ['effect', '-', '--at', '00', '--token', '#5'],
        1,
        /^--at is not valid: it is the position of a token that is predicted, from 1 to \d+\.\n$/,
      ],
      [
        [...asked, '--swap', 'for i', '--to', 'for index, element, another'],
        1,
        /this text has \d+ tokens and the other \d+, which must stand one beside the other/,
      ],
      [
        ['effect', '-', '--at', '3', '--token', 'no such token'],
        1,
        /no token of the vocabulary of .+: it is \d tokens/,
      ],
    ] as const) {
      const ended = await run(args, text);
      expect({ code: ended.code, stdout: ended.stdout }, args.join(' ')).to.deep.equal({ code, stdout: '' });
      expect(ended.stderr, args.join(' ')).to.match(sentence);
    }
  });

  it('prints what heads do to the label of a picture, by its name', async () => {
    const asked = ['effect', 'media/models/shapes-vit/samples/red-circle.png'];
    const one = await run([...asked, '--label', 'red circle', '--against', '4', '--block', '*:0', '--json'], '');
    expect(one.stderr).to.equal('');
    const { measure, plain, effect } = JSON.parse(one.stdout) as {
      readonly measure: string;
      readonly plain: { readonly choices: readonly { readonly text: string }[] };
      readonly effect: number;
    }; // printed by our own command
    expect(measure).to.equal('label of the picture, difference of two ln p, which is that of their logits, in nats');
    expect(plain.choices[0].text).to.equal('red circle');
    expect(Math.abs(effect)).to.be.above(0.01);
    const other = 'media/models/shapes-vit/samples/blue-star.png';
    const swapped = await run([...asked, '--label', 'red circle', '--to', other], '');
    expect(swapped.stdout).to.match(/each head swapped by itself \(what it reads in the other text or picture/);
    for (const [args, code, sentence] of [
      [[...asked, '--loss'], 2, /^--label is not valid: it is missing: of a picture, labels are predicted/],
      [[...asked, '--label', '4', '--swap', 'a'], 2, /^--swap is not valid: a picture has no parts/],
      [
        [...asked, '--label', 'cat'],
        1,
        /^--label is not valid: it is a label, or its place, from 0 to \d+: red circle/,
      ],
    ] as const) {
      const ended = await run(args, '');
      expect({ code: ended.code, stdout: ended.stdout }, args.join(' ')).to.deep.equal({ code, stdout: '' });
      expect(ended.stderr, args.join(' ')).to.match(sentence);
    }
  });

  it('reads two texts as a pair, and refuses where nothing tells them apart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-pair-'));
    const [first, second] = ['question.txt', 'answers.txt'].map((name) => join(folder, name));
    writeFileSync(first, 'Where did the cat sit?');
    writeFileSync(second, 'A dog.\nThe cat sat on the mat.\n');
    const model = ['--model', 'test/fixtures/pairs/bert'];
    const { stdout } = await run(['explain', first, '--pair', `${second}:2-2`, ...model, '--json']);
    const { tokens, second: place } = JSON.parse(stdout) as {
      tokens: { piece: string; typeId?: number }[];
      second: { start: number; from: number };
    };
    expect(place).to.deep.equal({ start: 22, from: 8 });
    expect(tokens.map(({ piece, typeId = 0 }) => `${piece}:${typeId}`).join(' ')).to.equal(
      '[CLS]:0 where:0 did:0 the:0 cat:0 sit:0 ?:0 [SEP]:0 the:1 cat:1 sat:1 on:1 the:1 mat:1 .:1 [SEP]:1',
    );
    expect((await run(['explain', first, '--pair', second])).stderr).to.match(
      /^code-decoder does not read two texts as a pair/,
    );
    expect((await run(['explain', first, '--pair', second, '--chat'])).code).to.equal(2);
    rmSync(folder, { recursive: true });
  });

  it('takes no option of texts with a picture, and no empty name', async () => {
    for (const option of [
      '--chat',
      '--target=x',
      '--component=self',
      '--context=9',
      '--tokenizer=x',
      '--pair=x',
      '--source-language=x',
    ]) {
      const { code, stderr } = await run(['explain', 'media/icon.png', option], '');
      expect({ code, stderr }).to.deep.equal({
        code: 2,
        stderr: `${option.split('=')[0]} is not valid: it is for texts, and the file is a picture; "attention-explorer --help" says how it is used.\n`,
      });
    }
    for (const command of ['generate', 'writes'])
      expect((await run([command, 'media/icon.png'], '')).stderr).to.include('it is a picture, and this command reads');
    expect(await run(['explain', ''], '')).to.deep.include({
      code: 2,
      stderr: 'FILE is not valid: it is missing; "attention-explorer --help" says how it is used.\n',
    });
  });

  it('explains the standard input', async () => {
    const { code, stdout } = await run(['explain', '-', '--json'], 'a = b\n');
    expect(code).to.equal(0);
    expect((JSON.parse(stdout) as { tokens: readonly object[] }).tokens.length).to.be.greaterThan(3);
    expect((await run(['explain', '-'], '')).stderr).to.include('no text');
  });

  it('tells how a weight came about, as text, JSON and Python', async () => {
    const args = ['how', '-', '--model', 'bundled:worked-example', '--head', '0.0', '--query', '0', '--key', '1'];
    const text = await run(args, 'x1 x2 x3');
    expect(text.stderr).to.equal('');
    expect(text.stdout).to.include('"x1" (0) reads "x2" (1): 0.468311');
    expect(text.stdout).to.match(
      /Raw score: s_ij = .*\n.*\n {3}node: MatMul \/attention\/MatMul\n.*= 1 0 2\n.*= 4 4 0\n/,
    );
    const json = JSON.parse((await run([...args, '--json'], 'x1 x2 x3')).stdout) as {
      readonly steps: readonly { readonly kind: string; readonly numpy?: string }[];
    };
    expect(json.steps.map(({ kind }) => kind)).to.include.members(['product', 'exponentials', 'weight', 'head']);
    expect(json.steps.find(({ kind }) => kind === 'weight')?.numpy).to.include('weights = exponentials / total');
    expect((await run([...args.slice(0, -1), '3'], 'x1 x2 x3')).stderr).to.equal(
      '--key is not valid: it is the place of a token, from 0 to 2.\n',
    );
  });

  it('refuses in a sentence of its own what changes nothing, a place below zero and a value that is missing', async () => {
    for (const [args, says] of [
      [['--query', '-1'], '--query is not valid: it is the place of a token, from 0 to'],
      [['--query', '--json'], '--query takes a value; one that begins with a dash is written --query=VALUE'],
      [['--query', '1', '--input'], '--query is not valid: it changes nothing of what the model is fed'],
      [['--method', 'norm', '--input'], '--method is not valid: it changes nothing of what the model is fed'],
      [['--head', '1.4', '--input'], '--head is not valid: it changes nothing of what the model is fed'],
      [['--json', '--input'], '--json is not valid: what the model is fed is printed as Python'],
      [['--context', '0'], '--context is not valid: it is a number of tokens, from 1 to 100000'],
      [['--query', '1', '--out', 'x.npz'], '--query is not valid: a file has the rows of all tokens'],
      [['--query', '1', '--figure', 'x.svg', '--view', 'grid'], '--query is not valid: the grid shows'],
    ] as const)
      expect((await run(['explain', '-', ...args], 'x = 1')).stderr).to.include(says);
  });

  it('tells how a weight of a late key came about, whose place is beyond the numbers of a head', async () => {
    const args = ['how', '-', '--model', 'bundled:code-decoder', '--head', '0.0', '--query', '40', '--key', '39'];
    const { code, stdout, stderr } = await run(args, 'x '.repeat(41));
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/ {3}weights \[\d+\] = .*; \[39\] /);
    expect(stdout).to.match(/ {3}value \[24\] = [^;\n]*\n/);
  });

  it('names the bundled models where none is called that', async () => {
    for (const args of [
      ['inspect', 'bundled:nope'],
      ['explain', 'package.json', '--model', 'bundled:../models'],
    ]) {
      const { code, stderr } = await run(args, '');
      expect(code).to.equal(1);
      expect(stderr).to.match(
        /^bundled:\S+ is not valid: the models that come with this program are bundled:code-decoder, [^/]+bundled:thinking-machines\.\n$/,
      );
    }
  });

  it('says in which head each token is read most, which special tokens a text spells, and no sink where there is none', async () => {
    const text = 'def area(width, height):\n    return width * height <|endoftext|>\n';
    const { stdout } = await run(['explain', '-'], text);
    expect(stdout).to.include(
      '\nThe text says <|endoftext|>: this is read as special tokens of the model, not letter by letter.\n',
    );
    expect(stdout).to.include('\nWhat each token reads most, beside itself and the token before, and in which head:\n');
    expect(stdout).to.match(/\n"height" \(\d+\) reads "[^\n]+" \(\d+\): [01]\.\d{3} in \d\.\d, /);
    expect(stdout).to.not.include('sink');
    expect((await run(['explain', '-', '--head', '1.4'], text)).stdout).to.include('What each token reads (head 1.4):');
  });

  it('reads a part of a file in the text around it, and tells of its tokens', async () => {
    const file = 'media/sample/fibonacci.py';
    const { code, stdout } = await run(['explain', `${file}:19:12-19:16`, '--context', '256', '--head', '1.4']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/\nSelected: "·cache" \(\d+\), read in lines \d+–19\n/);
    expect(stdout.split('What each token reads (head 1.4):\n')[1]).to.match(/^"·cache" \(\d+\) reads [^\n]+\n$/);
    const { selected, tokens, components } = JSON.parse(
      (await run(['explain', `${file}:18-18`, '--context', '128', '--json'])).stdout,
    ) as { selected: number[]; tokens: object[]; components: { meanReads: { weight: number; head: string }[] }[] };
    expect(selected.length).to.be.within(10, 40);
    expect(tokens.length).to.be.within(selected.length + 40, selected.length + 160);
    expect(components[0].meanReads[0]).to.have.keys('position', 'weight', 'head');
    // Both sides, where the model reads both ways.
    expect(
      (await run(['explain', `${file}:19:12-19:16`, '--context', '64', '--model', 'bundled:code-encoder'])).stdout,
    ).to.match(/read in lines 1\d–2\d\n/);
    for (const [args, says] of [
      [[file, '--context', '64'], '--context is not valid: it takes a part of a file'],
      [[`${file}:1-2`, '--context', 'much'], '--context is not valid: it is a number of tokens'],
      [
        [`${file}:1-2`, '--context', '64', '--chat'],
        '--context is not valid: it goes with neither --chat nor --target',
      ],
      [[`${file}:3-3`, '--context', '64', '--model', 'bundled:date-transformer'], 'leave --context out'],
    ] as const) {
      expect((await run(['explain', ...args])).stderr).to.include(says);
    }
  });

  it('writes a text’s weights as arrays, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-weights-'));
    try {
      for (const [name, begins] of [
        ['w.npz', 'PK'],
        ['w.safetensors', ''],
      ] as const) {
        const { code, stdout } = await run(['explain', '-', '--out', join(folder, name)], 'a = b\n');
        expect(code).to.equal(0);
        expect(stdout).to.match(/\n4 layers of attention weights written to \S+\n$/);
        expect(readFileSync(join(folder, name), 'latin1').startsWith(begins)).to.equal(true);
      }
      // No weight is so large.
      const table = await run(['explain', '-', '--out', join(folder, 'w.csv'), '--threshold', '2'], 'a = b\n');
      expect(table.stdout).to.match(/\n4 layers of attention weights, 0 numbers from 2 on, written to \S+\n$/);
      const { code, stderr } = await run(['explain', '-', '--out', join(folder, 'w.txt')], 'a');
      expect({ code, stderr }).to.deep.equal({
        code: 2,
        stderr:
          '--out is not valid: its name ends in .npz, .safetensors, .csv or .json; "attention-explorer --help" says how it is used.\n',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('The command line’s figures', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ae-figure-'))));
  after(() => rmSync(folder, { recursive: true }));
  const text = 'def fib(n):\n    return fib(n - 1)\n';
  const explain = (...args: string[]) => run(['explain', '-', ...args], text);

  it('list what a token reads, with the numbers of the run', async () => {
    const path = join(folder, 'list.svg');
    const { code, stdout } = await explain('--head', '1.1', '--query', '5', '--figure', path, '--view', 'list');
    expect([code, stdout.trimEnd().split('\n').at(-1)]).to.deep.equal([0, `The list written to ${path}`]);
    const texts = [...readFileSync(path, 'utf8').matchAll(/<text[^>]*>([^<]*)</g)].map(([, found]) => found);
    const { components } = JSON.parse((await explain('--head', '1.1', '--json')).stdout) as {
      readonly components: readonly { readonly reads: readonly (readonly { position: number; weight: number }[])[] }[];
    };
    for (const { position, weight } of components[0].reads[5].slice(0, 3)) {
      const at = texts.findIndex((found) => found.endsWith(`(${position})`));
      expect(Number(texts[at + 1])).to.be.closeTo(weight, 5e-3 * weight);
    }
  });

  it('are a picture with its patches lit', async () => {
    const [path, star] = [join(folder, 'star.svg'), join(root, 'media/models/shapes-vit/samples/blue-star.png')];
    const args = ['--model', 'bundled:shapes-vit', '--figure', path, '--view', 'source'];
    expect(await run(['explain', star, ...args])).to.deep.include({ code: 0, stderr: '' });
    const svg = readFileSync(path, 'utf8');
    expect(svg.match(/<image [^>]*href="data:image\/png;base64,/g)).to.have.length(1);
    expect(svg.match(/<rect [^>]*fill-opacity=/g)?.length).to.be.within(64, 128);
    expect(svg).to.include('>[CLS]').and.include('blue-star.png');
  });

  it('are a picture within a text, in tiles and as a whole, with the text below', async () => {
    const [path, model] = [join(folder, 'tiles.svg'), join(folder, 'tiles')];
    cpSync(join(root, 'test/fixtures/pictured/smolvlm'), model, { recursive: true });
    writeFileSync(join(model, 'tokenizer.json'), picturedTokenizer());
    const args = ['--text', '(J', '--model', model, '--head', '1.0', '--figure', path, '--view', 'source'];
    expect(await run(['explain', join(model, 'picture.png'), ...args])).to.deep.include({ code: 0, stderr: '' });
    const svg = readFileSync(path, 'utf8');
    expect(svg.match(/<image [^>]*href="data:image\/png;base64,/g)).to.have.length(2);
    // What the last token reads lies over 4 × 6 patches and over 2 × 2 of the thumbnail.
    expect(svg.match(/<rect [^>]*fill-opacity=/g)?.length).to.be.within(28, 56);
    expect(svg).to.match(/<text [^>]*>J/);
  });

  it('are the matrix, as wide as is asked, and a page that holds all heads', async () => {
    const [matrix, page] = ['m.svg', 'p.html'].map((name) => join(folder, name));
    expect((await explain('--figure', matrix, '--width', '174')).code).to.equal(0);
    const svg = readFileSync(matrix, 'utf8');
    expect(svg)
      .to.match(/^<svg [^>]*width="174mm"/)
      .and.include('mean of 32 heads');
    expect((await explain('--figure', page)).stdout).to.match(/\nA page of 32 heads written to \S+\n$/);
    const ofLayers = join(folder, 'layers.html');
    const rollout = await explain('--figure', ofLayers, '--method', 'rollout');
    expect(rollout.stdout).to.match(/\nA page of 4 layers written to \S+\n$/);
    expect(readFileSync(ofLayers, 'utf8')).to.include('"heads":["0","1","2","3"]').and.include('"head":"Layer"');
    const html = readFileSync(page, 'utf8');
    expect(html.match(/<script type="application\/octet-stream"/g)).to.have.length(32);
    expect(html).to.match(/script-src 'sha256-[\w+/]{43}='; style-src 'sha256-/);
  });

  it('are a PNG as large as is asked, and a PDF whose text is text, by a browser that is there', async () => {
    const env = { CHROME_PATH: await ensureChromium(() => {}) };
    const [plain, large, pdf] = ['one.png', 'four.PNG', 'm.pdf'].map((name) => join(folder, name));
    const [byTwo, byFour, asPdf] = await Promise.all([
      run(['explain', '-', '--figure', plain], text, env),
      run(['heads', '-', '--figure', large, '--scale', '4', '--width', '174'], text, env),
      run(['explain', '-', '--figure', pdf], text, env),
    ]);
    for (const { code, stderr } of [byTwo, byFour, asPdf]) expect([code, stderr]).to.deep.equal([0, '']);
    const picture = PNG.sync.read(readFileSync(plain));
    expect(picture.width).to.equal(2 * Math.round((85 / 25.4) * 96));
    expect(PNG.sync.read(readFileSync(large)).width).to.equal(4 * Math.round((174 / 25.4) * 96));
    const colours = new Set(new Uint32Array(new Uint8Array(picture.data).buffer));
    expect(colours.size, 'cells and letters').to.be.greaterThan(50);
    expect([...picture.data.subarray(0, 3)], 'a light page').to.deep.equal([255, 255, 255]);
    const file = readFileSync(pdf);
    const [, width] = /MediaBox \[0 0 ([\d.]+) /.exec(file.toString('latin1')) ?? [];
    expect(Number(width)).to.be.closeTo((85 / 25.4) * 72, 1);
    // What is drawn on the page: letters, by the fonts that are in the file.
    const drawn = [...file.toString('latin1').matchAll(/FlateDecode[^>]*>>\s*stream\r?\n/g)].map(
      ({ index, 0: { length } }) => {
        try {
          return inflateSync(file.subarray(index + length)).toString('latin1');
        } catch {
          return '';
        }
      },
    );
    expect(drawn.filter((each) => / Tf\b[^]*\bT[jJ]\b/.test(each))).to.have.length.at.least(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).to.deep.equal([]);
  });

  it('are the metrics of heads, all steps of a weight, and how far heads are apart', async () => {
    const textsIn = (path: string): readonly string[] =>
      [...readFileSync(path, 'utf8').matchAll(/<text[^>]*>([^<]*)</g)].map(([, found]) => found);
    const [table, steps, apart] = ['h.svg', 's.svg', 'd.svg'].map((name) => join(folder, name));
    const b = join(folder, 'b.py');
    writeFileSync(b, text.replace('fib', 'sum'));
    const [ofHeads, ofHow, ofBoth] = [
      await run(['heads', '-', '--sort', 'self', '--figure', table, '--width', '174'], text),
      await run(['how', '-', '--head', '1.1', '--query', '5', '--key', '1', '--figure', steps], text),
      await run(['compare', '-', b, '--figure', apart], text),
    ];
    expect([ofHeads, ofHow, ofBoth].map(({ code, stderr }) => `${code}${stderr}`)).to.deep.equal(['0', '0', '0']);
    const { components } = JSON.parse((await run(['heads', '-', '--sort', 'self', '--json'], text)).stdout) as {
      readonly components: readonly { readonly heads: readonly { readonly head: string }[] }[];
    };
    const own = textsIn(table);
    const at = own.indexOf(components[0].heads[0].head);
    expect(own.indexOf(components[0].heads[1].head), 'in the order of the metric').to.be.greaterThan(at);
    expect(textsIn(steps).join('\n')).to.match(/ \(5\) reads .*\n(.*\n)*1\. \w+/);
    expect(textsIn(apart)).to.include('head of B');
    expect(
      (await run(['how', '-', '--head', '1.1', '--query', '5', '--key', '1', '--figure', `${steps}.html`], text))
        .stderr,
    ).to.match(/^--figure is not valid: its name ends in \.svg/);
  });

  it('are refused in a sentence where they cannot be, and leave nothing behind', async () => {
    for (const [args, says] of [
      [['--figure', join(folder, 'x.gif')], /^--figure is not valid: its name ends in \.svg, \.png, \.pdf, \.html;/],
      [
        ['--figure', join(folder, 'x.png')],
        /^No browser on this machine has drawn the figure \(CHROME_PATH is \S+, which is no program\): name a /,
      ],
      [['--figure', join(folder, 'x.svg'), '--scale', '2'], /^--scale is not valid: it is of a PNG/],
      [['--figure', join(folder, 'x.png'), '--scale', '3'], /^--scale is not valid: it is 1, 2 or 4/],
      [
        ['--figure', join(folder, 'x.svg'), '--view', 'how'],
        /^--view is not valid: it is one of matrix, source, list, grid/,
      ],
      [['--figure', join(folder, 'x.svg'), '--json'], /^--figure is not valid: it goes with none of/],
      [['--width', '80'], /^--width is not valid: it goes with --figure/],
    ] as const) {
      const { code, stderr } = await run(['explain', '-', ...args], text, { CHROME_PATH: join(folder, 'none') });
      expect(code).to.be.greaterThan(0);
      expect(stderr).to.match(says);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('x') || name.startsWith('.'))).to.deep.equal([]);
  });

  it('are drawn by no program that speaks otherwise than a browser', async function () {
    if (process.platform === 'win32') this.skip();
    const [program, temporary] = [join(folder, 'other'), join(folder, 'temporary')];
    const pids = join(folder, 'pids');
    writeFileSync(program, `#!/bin/sh\nsleep 300 &\necho $! > ${pids}\nprintf 'hello\\0' >&4\nexec sleep 20\n`, {
      mode: 0o755,
    });
    mkdirSync(temporary);
    const env = { CHROME_PATH: program, TMPDIR: temporary };
    const { code, stderr } = await run(['explain', '-', '--figure', join(folder, 'x.png')], text, env);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /^No browser on this machine has drawn the figure \(it does not answer as a browser does\)/,
    );
    expect(readdirSync(temporary)).to.deep.equal([]);
    await expectGone(pids);
  });

  it('begin no program of which the process that watches could not be told', async function () {
    if (process.platform === 'win32') this.skip(); // there it begins at once
    const [program, temporary, begun] = ['untold', 'untold-temporary', 'untold-begun'].map((name) =>
      join(folder, name),
    );
    writeFileSync(program, `#!/bin/sh\necho > ${begun}\n`, { mode: 0o755 });
    mkdirSync(temporary);
    const drawn = spawn(
      process.execPath,
      [join(root, 'dist/cli.cjs'), 'explain', '-', '--figure', join(folder, 'untold.png')],
      {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
        env: { ...process.env, ATTENTION_EXPLORER_GUARDED: String(2 ** 33), CHROME_PATH: program, TMPDIR: temporary },
      },
    );
    const told: string[] = []; // its one sentence
    (drawn.stdio[3] as Readable).on('data', (data: Buffer) => told.push(data.toString()));
    ((drawn.stdio as readonly unknown[])[8] as Readable).destroy();
    const { code } = await outcome(drawn, text);
    expect(code).to.equal(1);
    expect(told.join('')).to.match(/EPIPE/);
    expect(existsSync(begun)).to.equal(false);
  });

  it('leave no program and no folder behind where the command is ended while they are drawn', async function () {
    if (process.platform === 'win32') this.skip(); // there a program cannot be asked to end
    const drawn = async (name: string, args: readonly string[], end: (child: ChildProcess) => void): Promise<Ended> => {
      const [own, pids] = [join(folder, name), join(folder, name, 'pids')];
      mkdirSync(join(own, 'temporary'), { recursive: true });
      const program = join(own, 'program');
      // A browser that never answers, with a process of its own that outlives it.
      writeFileSync(program, `#!/bin/sh\nsleep 300 &\necho $$ $! > ${pids}.part\nmv ${pids}.part ${pids}\nwait\n`, {
        mode: 0o755,
      });
      const child = spawn(
        process.execPath,
        [join(root, 'dist/cli.cjs'), 'explain', '-', '--figure', join(own, 'x.png'), ...args],
        {
          detached: true,
          env: { ...process.env, CHROME_PATH: program, TMPDIR: join(own, 'temporary') },
        },
      );
      const ended = outcome(child, text);
      const begun = expectEventually(() => expect(existsSync(pids)).to.equal(true)).then(() => end(child));
      // One that has only so much time may be ended before it draws.
      await Promise.race([begun, ended]);
      const { code, ...said } = await ended;
      if (!existsSync(pids)) return { code, ...said };
      expect(readdirSync(join(own, 'temporary')), name).to.deep.equal([]);
      expect(readdirSync(own).sort(), name).to.deep.equal(['pids', 'program', 'temporary']);
      await expectGone(pids);
      return { code, ...said };
    };
    const inTime = async (seconds: number): Promise<string> => {
      const { stderr } = await drawn(`in-${seconds}`, ['--timeout', String(seconds)], () => {});
      return existsSync(join(folder, `in-${seconds}`, 'pids')) || seconds > 20 ? stderr : inTime(2 * seconds);
    };
    const [asked, interrupted, late] = await Promise.all([
      // Also by who is impatient.
      drawn('asked', [], (child) => {
        const again = setInterval(() => child.kill('SIGTERM'), 2);
        child.kill('SIGTERM');
        child.once('exit', () => clearInterval(again));
      }),
      // As a terminal does it: all that stand in front of it.
      drawn('interrupted', [], ({ pid }) => process.kill(-Number(pid), 'SIGINT')),
      inTime(3),
    ]);
    expect(asked).to.deep.include({ code: 143, stderr: '' });
    expect(interrupted).to.deep.include({ code: 130, stderr: '' });
    expect(late).to.match(/^The command took longer than \d+ s and was ended/);
  });

  /** Of the processes whose numbers stand in a file, none is there any more. */
  async function expectGone(pids: string): Promise<void> {
    for (const pid of readFileSync(pids, 'utf8').trim().split(' '))
      await expectEventually(() => expect(isAlive(Number(pid)), pid).to.equal(false));
  }
});

/** One that has ended and that nobody asked for yet counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('What the command line starts with', () => {
  it('is a small part of it: what runs models is read by the process that needs it', () => {
    const [start, whole] = ['cli', 'commands'].map((name) => statSync(join(root, `dist/${name}.cjs`)).size);
    expect(start / whole).to.be.below(0.35);
    expect(readFileSync(join(root, 'dist/cli.cjs'), 'utf8')).not.to.include('InferenceSession.create');
  });
});
