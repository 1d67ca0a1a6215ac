import { expect } from 'chai';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { expectEventually } from '../harness/eventually';

/** What scripts/fixtures/corpusProfile.py has of three texts. */
interface Reference {
  readonly texts: readonly string[];
  readonly length: number;
  readonly numChunks: number;
  readonly metrics: Readonly<
    Record<
      string,
      Readonly<Record<'mean' | 'variance' | 'median', readonly number[]>> & {
        readonly count: number;
        readonly uniform: number;
      }
    >
  >;
  readonly classes: {
    readonly names: readonly string[];
    readonly queries: readonly number[];
    readonly shares: readonly (readonly (readonly number[])[])[];
  };
}

type Row = Readonly<Record<string, unknown>>;

const program = resolve('dist/cli.cjs');
const numHeads = 8;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('A profile', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ae-profile-'))));
  after(() => rmSync(folder, { recursive: true }));

  const start = (
    args: readonly string[],
  ): { readonly child: ChildProcessWithoutNullStreams; readonly end: Promise<Ended> } => {
    const child = spawn(process.execPath, [program, 'profile', ...args], { stdio: 'pipe', cwd: folder });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (data: Buffer) => (said[stream] += data.toString()));
    child.stdin.on('error', () => {}); // it may have ended before it read
    return { child, end: new Promise((settle) => child.once('close', (code) => settle({ code, ...said }))) };
  };
  const run = (args: readonly string[], input?: string): Promise<Ended> => {
    const { child, end } = start(args);
    child.stdin.end(input);
    return end;
  };
  const rows = async (profile: string, name: string): Promise<Row[]> =>
    parquetReadObjects({ file: await asyncBufferFromFile(join(folder, profile, `${name}.parquet`)) });
  const indexOf = ({ layer, head }: Row): number => Number(layer) * numHeads + Number(head);
  /** Everything but the timing. */
  const bytesOf = (profile: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(folder, profile))
        .filter((name) => name !== 'timing.json')
        .sort()
        .map((name) => [name, readFileSync(join(folder, profile, name)).toString('base64')]),
    );

  it('has the means, variances and medians of each metric, and what classes of tokens read, as PyTorch and NumPy have them', async () => {
    const reference = JSON.parse(readFileSync('test/fixtures/corpusProfile.json', 'utf8')) as Reference;
    const texts = reference.texts.map((name) =>
      JSON.stringify({ name, text: readFileSync(`test/fixtures/code/${name}`, 'utf8'), language: name.split('.')[1] }),
    );
    const { code, stderr, stdout } = await run(
      ['--jsonl', '-', '--length', String(reference.length), '--out', 'reference', '--texts', '--json'],
      texts.join('\n'),
    );
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).to.include({ numTexts: 3, numChunks: reference.numChunks });
    const metrics = await rows('reference', 'heads');
    expect(metrics).to.have.length(Object.keys(reference.metrics).length * 4 * numHeads);
    for (const row of metrics) {
      const { count, mean, variance, median, uniform } = reference.metrics[String(row['metric'])];
      const at = indexOf(row);
      const near = (name: string, wanted: number, tolerance: number): void =>
        void expect(row[name], `${String(row['metric'])} of ${at}`).to.be.closeTo(
          wanted,
          tolerance * Math.max(1, Math.abs(wanted)),
        );
      expect(Number(row['count'])).to.equal(count);
      near('mean', mean[at], 1e-6);
      near('variance', variance[at], row['metric'] === 'distanceVariance' ? 5e-6 : 1e-6); // of a variance of squares
      if (row['metric'] !== 'sinkKey') near('uniform', uniform, 1e-6); // the first of equals is a matter of rounding
      near('p50', median[at], 1 / 64); // two bins
    }
    // Its first heads were made to look back (scripts/models), and those of the second layer learned induction.
    const named = await rows('reference', 'names');
    const nameOf = (layer: number, head: number): unknown[] =>
      named.filter((each) => each['layer'] === layer && each['head'] === head).map((each) => each['name']);
    expect(nameOf(0, 1)).to.deep.equal(['previous token']);
    expect(nameOf(1, 5)).to.deep.equal(['induction (repeated tokens)']);
    expect(nameOf(0, 2)).to.deep.equal([]);
    const { names, queries, shares } = reference.classes;
    const classes = await rows('reference', 'classes');
    for (const row of classes) {
      const [from, to] = [names.indexOf(String(row['from'])), names.indexOf(String(row['to']))];
      expect(Number(row['queries'])).to.equal(queries[from]);
      expect(row['share']).to.be.closeTo(shares[indexOf(row)][from][to], 1e-6);
    }
    // The strongest of a head that reads the token before are its chunks in which it does so most, and their texts stand where they say.
    const examples = await rows('reference', 'examples');
    expect(
      examples.filter(({ layer, head, metric }) => layer === 0 && head === 1 && metric === 'previousToken'),
    ).to.have.length(5);
    const files = await rows('reference', 'files');
    for (const { hash, line, column, endLine, endColumn, text } of examples) {
      const file = files.find((each) => each['hash'] === hash);
      const all = readFileSync(`test/fixtures/code/${String(file?.['file'])}`, 'utf8');
      const place = (atLine: unknown, atColumn: unknown): number =>
        all
          .split(/(?<=\n)/)
          .slice(0, Number(atLine) - 1)
          .join('').length +
        Number(atColumn) -
        1;
      expect(text)
        .to.equal(all.slice(place(line, column), place(endLine, endColumn)))
        .and.not.equal('');
    }
  });

  it('is the same to the byte over any number of processes that share nothing but the list of files, after a kill, and with bad input counted', async () => {
    mkdirSync(join(folder, 'texts/folder.py'), { recursive: true });
    const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, 'texts', name), text);
    const sources = ['errors', 'safeText', 'event', 'disposable', 'turns', 'sparing'].map(
      (name) => `src/base/${name}.ts`,
    );
    sources.forEach((path, i) => write(`${i}.ts`, readFileSync(path).subarray(0, 1200)));
    write('again.ts', readFileSync(sources[2]).subarray(0, 1200));
    write('again.py', readFileSync(sources[2]).subarray(0, 1200));
    write('binary.ts', new Uint8Array([104, 0, 105]));
    write('blank.ts', ' \n\t\n');
    write('large.ts', 'a = 1\n'.repeat(2e5));
    write('generated.ts', '// Code generated by a program. DO NOT EDIT.\nexport const a = 1;\n');
    write('long.ts', `const a = [${'1, '.repeat(1000)}];`);
    const list = [...readdirSync(join(folder, 'texts')), 'none.ts'].map((name) => join('texts', name));
    writeFileSync(join(folder, 'list'), `${list.join('\n')}\n`);
    const asked = ['--files-from', 'list', '--length', '128', '--overlap', '2', '--json'];
    const whole = await run([...asked, '--out', 'whole']);
    expect(whole).to.include({ code: 0, stderr: '' });
    expect((JSON.parse(whole.stdout) as { files: unknown }).files).to.deep.equal({
      binary: 1,
      duplicate: 1,
      empty: 1,
      generated: 2,
      read: 7,
      tooLarge: 1,
      unreadable: 2,
    });
    const shards = [0, 1, 2];
    const ends = await Promise.all(shards.map((i) => run([...asked, '--shard', `${i}/3`, '--out', `shard${i}`])));
    expect(ends.map(({ code }) => code)).to.deep.equal([0, 0, 0]);
    expect(await run(['--merge', 'shard2', 'shard0', 'shard1', '--out', 'merged'])).to.include({ code: 0, stderr: '' });
    expect(bytesOf('merged')).to.deep.equal(bytesOf('whole'));
    // Merged again, with no part less.
    expect(await run(['--merge', 'shard0', 'shard1', 'shard2', '--out', 'merged'])).to.include({ code: 0, stderr: '' });
    expect(bytesOf('merged')).to.deep.equal(bytesOf('whole'));
    expect((await run(['--merge', 'shard0', '--out', 'merged'])).stderr).to.match(
      /^merged cannot be written into \(it holds a profile of other texts\): /,
    );
    // As a process leaves it that was ended within its third result.
    const results = readFileSync(join(folder, 'shard0/results.jsonl'), 'utf8').split('\n');
    mkdirSync(join(folder, 'ended'));
    writeFileSync(join(folder, 'ended/results.jsonl'), [...results.slice(0, 3), results[3].slice(0, 100)].join('\n'));
    expect(await run([...asked, '--out', 'ended'])).to.include({ code: 0, stderr: '' });
    expect(bytesOf('ended')).to.deep.equal(bytesOf('whole'));
    const timing = JSON.parse(readFileSync(join(folder, 'ended/timing.json'), 'utf8')) as Record<string, number>;
    expect(timing).to.include({ texts: 5 });
    expect(timing['processorSeconds']).to.be.greaterThan(0.1);
  });

  it('is written by one process at a time, and gone on with at once after a kill -9, whichever of its processes that ends', async () => {
    const lock = join(folder, 'held/.attention-explorer.lock');
    const lines = ['a', 'b', 'c'].map((name) =>
      JSON.stringify({ name: `${name}.ts`, text: `const ${name} = [1, 2];\n` }),
    );
    const asked = ['--jsonl', '-', '--length', '64', '--out'];
    /** A process that has read two texts, and waits for more; another than the former. */
    const waiting = async (former?: number): Promise<{ readonly pid: number } & ReturnType<typeof start>> => {
      const started = start([...asked, 'held']);
      started.child.stdin.write(`${lines.slice(0, 2).join('\n')}\n`);
      let pid = former;
      await expectEventually(() => {
        pid = (JSON.parse(readFileSync(lock, 'utf8')) as { pid: number }).pid;
        expect(pid).to.not.equal(former);
        expect(readFileSync(join(folder, 'held/results.jsonl'), 'utf8').split('\n')).to.have.length(6);
      });
      return { pid: pid ?? 0, ...started };
    };
    const first = await waiting();
    utimesSync(lock, 0, 0);
    const refused = await Promise.all([
      run([...asked, 'held'], lines.join('\n')),
      run(['--merge', 'held', '--out', 'of-held']),
    ]);
    const sentence = `held is being written by attention-explorer, process ${first.pid} of this machine: wait until that is done, end it, or name another folder with --out.\n`;
    expect(refused).to.deep.equal(Array.from({ length: 2 }, () => ({ code: 1, stdout: '', stderr: sentence })));
    expect(existsSync(join(folder, 'of-held'))).to.equal(false);
    // Other machines see by its time that it lives, which the process that watches takes care of.
    await expectEventually(() => expect(statSync(lock).mtimeMs).to.be.greaterThan(0));
    // The one that the shell knows, whose other one ends with it and can remove nothing.
    first.child.kill('SIGKILL');
    await first.end;
    const second = await waiting(first.pid);
    process.kill(second.pid, 'SIGKILL');
    expect((await second.end).code).to.equal(1);
    expect(existsSync(lock)).to.equal(false);
    expect(await run([...asked, 'held'], lines.join('\n'))).to.include({ code: 0, stderr: '' });
    expect(JSON.parse(readFileSync(join(folder, 'held/timing.json'), 'utf8'))).to.include({ texts: 1 });
    await run([...asked, 'unhurt'], lines.join('\n'));
    expect(bytesOf('held')).to.deep.equal(bytesOf('unhurt'));
  });

  it('of nothing that could be read is none, but as a part of others; what cannot be read or written is told in words', async () => {
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await run(['--length', '64', ...args]);
      expect(code, stderr).to.equal(1);
      expect(stderr)
        .to.match(/^[^\n]+\.\n$/)
        .and.not.match(/\bE[A-Z]{3,}\b|\bfile[A-Z]/);
      return stderr;
    };
    const binary = Array.from({ length: 4 }, (_, i) => `binary${i}`);
    for (const name of binary) writeFileSync(join(folder, name), new Uint8Array(8));
    expect(await told('--out', 'nothing', 'none.ts', 'binary0')).to.equal(
      'There is nothing to profile: binary0 is binary, none.ts is unreadable (it does not exist); name files of text.\n',
    );
    expect(await told('--out', 'nothing', ...binary)).to.match(
      /^There is nothing to profile: of 5 files none was read \(binary 4, unreadable 1\), and nothing.files\.parquet says why of each; name files of text\.$/m,
    );
    writeFileSync(join(folder, 'empty'), '');
    expect(await told('--out', 'nothing2', '--files-from', 'empty')).to.equal(
      'There is nothing to profile: no text was given; name files, or a list that has some.\n',
    );
    const part = await run(['--shard', '0/1', '--files-from', 'empty', '--length', '64', '--out', 'part']);
    expect(part).to.include({ code: 0, stderr: '' });
    expect(part.stdout).to.match(/^0 texts, 0 chunks of at most 64 tokens \(overlap: 0 lines\), 0 tokens, in part\n/);
    expect(await told('--merge', 'part', 'nothing', '--out', 'nothing3')).to.match(
      /^There is nothing to profile: of 5 files /,
    );
    expect(await told('--files-from', 'nolist', '--out', 'nothing5')).to.equal(
      'nolist does not exist: check the path.\n',
    );
    expect(existsSync(join(folder, 'nothing5'))).to.equal(false);
    expect(await told('--out', 'empty', 'binary0')).to.match(
      /^empty cannot be written into \(it is a file, or lies in one\): /,
    );
    expect(await told('--merge', 'empty', '--out', 'nothing4')).to.match(
      /^empty cannot be read as a profile \(it is a file, and no folder\): /,
    );
    if (process.platform === 'linux')
      expect(await told('--out', '/proc/none/deep', 'binary0')).to.match(
        /^\/proc\/none\/deep cannot be written into \(nothing can be made there\): /,
      );
  });

  it('says one of what is one', async () => {
    writeFileSync(join(folder, 'one.txt'), 'def f(x):\n    return x\n');
    const { stdout } = await run(['one.txt', '--out', 'one', '--length', '64', '--overlap', '1']);
    expect(stdout).to.match(/^1 text, 1 chunk of at most 64 tokens \(overlap: 1 line\), \d+ tokens, in one\n/);
    // A token that stands alone reads itself.
    writeFileSync(join(folder, 'one.txt'), 'x');
    expect((await run(['one.txt', '--out', 'alone', '--model', 'bundled:worked-example'])).stderr).to.equal(
      'There is nothing to profile: no text has two tokens; name files of text.\n',
    );
  });

  it('that is broken or by other settings is refused in a sentence', async () => {
    mkdirSync(join(folder, 'broken'));
    const results = join(folder, 'broken/results.jsonl');
    const settings =
      '{"format":1,"model":"m","modelHash":"h","backend":"wasm","length":8,"overlapLines":0,"texts":false}';
    const said = async (text: string, ...others: string[]): Promise<string> => {
      writeFileSync(results, text);
      const { code, stderr } = await run(['--merge', 'broken', ...others, '--out', 'never']);
      expect(code).to.equal(1);
      return stderr;
    };
    const end = ': leave it out, or profile its texts again into an empty folder.\n';
    expect(await said('')).to.equal(`broken cannot be read as a profile (its results are empty)${end}`);
    expect(await said('what\n')).to.include('a line is not what it should be');
    const key = 'a'.repeat(64);
    const record = `{"key":"${key}","hash":"${key}","language":"","chunks":[[1,1,2,1,4]],"components":[`;
    const file = `{"file":"a","key":"${key}"}`;
    for (const line of [`${record}`, `${record}{"component":"self","numHeads":[1]}]}`, `${record}]}x`])
      expect(await said(`${settings}\n${line}\n${file}\n`)).to.match(
        /^broken cannot be read as a profile \([^\n]+\)[^\n]+\n$/,
      );
    expect(await said(`${settings}\n`, 'whole')).to.equal(
      'whole is a profile by other settings (model is code-decoder, not m): profiles are merged and gone on with by the same model and settings alone.\n',
    );
    expect((await run(['--merge', 'nowhere', '--out', 'never'])).stderr).to.equal(
      `nowhere cannot be read as a profile (it has no results.jsonl)${end}`,
    );
  });

  it('is read by DuckDB, as the readme asks it', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const read = async (query: string): Promise<unknown[]> =>
      (await connection.runAndReadAll(query.replaceAll('my.profile', join(folder, 'whole')))).getRowObjectsJson();
    const readme = readFileSync('README.md', 'utf8');
    const asked = /```sql\n(SELECT [^;]+ FROM 'my\.profile\/heads\.parquet'[^;]*);\n```/.exec(readme)?.[1] ?? '';
    const strongest = await read(asked);
    const own = await rows('whole', 'heads');
    const byMean = own
      .filter(({ metric }) => metric === 'previousToken')
      .sort((a, b) => Number(b['mean']) - Number(a['mean']))
      .map(({ layer, head, mean }) => ({ layer, head, mean }));
    expect(strongest).to.deep.equal(byMean.slice(0, 5));
    for (const name of readdirSync(join(folder, 'whole')).filter((each) => each.endsWith('.parquet'))) {
      const table = await rows('whole', name.replace('.parquet', ''));
      const [{ count }] = (await read(`SELECT count(*) AS count FROM 'my.profile/${name}'`)) as [{ count: unknown }];
      expect(Number(count), name).to.equal(table.length);
    }
    connection.closeSync();
  });
});
