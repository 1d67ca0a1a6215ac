import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';

const scripts = resolve('scripts/cluster');
const profiler = `${process.execPath} ${resolve('dist/cli.cjs')}`;

/** What Kubernetes' own types have against manifests of jobs, for each as many complaints. */
function complaintsOf(...jobs: readonly unknown[]): string[][] {
  const folder = resolve('out/cluster');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'jobs.ts');
  const written = jobs.map((job, i) => `export const job${i}: Job = ${JSON.stringify(job)};\n`);
  writeFileSync(file, ["import type { Job } from 'kubernetes-types/batch/v1';\n", ...written].join(''));
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  const complaints: string[][] = jobs.map(() => []);
  for (const { file: source, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
    (complaints[line - 1] ?? complaints[0]).push(ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return complaints;
}

describe('Profiles on many processes', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-cluster-'));
    const names = ['a.ts', 'b.ts', 'c.ts'];
    names.forEach((name, i) => writeFileSync(join(folder, name), `const value${i} = { a: [${i}], b: f(${i}) };\n`));
    writeFileSync(join(folder, 'list'), `${names.join('\n')}\n`);
    profile('--files-from', 'list', '--length', '256', '--out', 'whole');
  });
  after(() => rmSync(folder, { recursive: true }));

  const profile = (...args: readonly string[]): void =>
    void execFileSync(process.execPath, [resolve('dist/cli.cjs'), 'profile', ...args], { cwd: folder });
  const bytesOf = (name: string): string[] =>
    ['heads', 'relations', 'classes', 'examples', 'files'].map((table) =>
      readFileSync(join(folder, name, `${table}.parquet`), 'base64'),
    );
  const partsOf = (name: string): string[] =>
    readdirSync(join(folder, `${name}.parts`)).map((part) => join(`${name}.parts`, part));

  it('have a manifest that Kubernetes’ types allow, whose parts are those of its index', () => {
    const job = parse(readFileSync(join(scripts, 'kubernetes.yaml'), 'utf8')) as {
      spec: { completions: number; template: { spec: { containers: { args: string[] }[] } } };
    };
    const [own, changed] = complaintsOf(job, { ...job, spec: { ...job.spec, completionsMode: 'Indexed' } });
    expect(own).to.deep.equal([]);
    expect(changed).to.have.length(1);
    expect(job.spec.template.spec.containers[0].args).to.include(`$(JOB_COMPLETION_INDEX)/${job.spec.completions}`);
  });

  const ofProfiler = { ...process.env, PROFILER: profiler };

  it('come to the same bytes by Slurm’s array', () => {
    const env = { ...ofProfiler, SLURM_ARRAY_TASK_COUNT: '2', SLURM_ARRAY_TASK_MIN: '1' };
    for (const id of ['1', '2'])
      execFileSync('sh', [join(scripts, 'slurm.sh'), 'list', 'slurm', '--length', '256'], {
        cwd: folder,
        env: { ...env, SLURM_ARRAY_TASK_ID: id },
      });
    profile('--merge', ...partsOf('slurm'), '--out', 'slurm');
    expect(bytesOf('slurm')).to.deep.equal(bytesOf('whole'));
  });

  it('come to the same bytes by GNU parallel, whose workers share nothing but the list, also where one of them has nothing to read', function () {
    if (!spawnSync('parallel', ['--version'], { encoding: 'utf8' }).stdout?.startsWith('GNU')) return this.skip();
    execFileSync('sh', [join(scripts, 'parallel.sh'), 'list', 'parallel', '4', '--length', '256'], {
      cwd: folder,
      env: ofProfiler,
    });
    expect(partsOf('parallel')).to.have.length(4);
    expect(bytesOf('parallel')).to.deep.equal(bytesOf('whole'));
  });

  it('come to the same bytes by what Spark pipes partitions into', function () {
    if (process.platform !== 'linux') return this.skip(); // the names of folders are its kernel's
    const told = spawnSync(
      'python3',
      [
        '-c',
        `import sys; sys.path.insert(0, sys.argv[1]); import spark, shlex; print(shlex.split(spark.command("spark", sys.argv[2]))[2])`,
        scripts,
        profiler,
      ],
      { encoding: 'utf8', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } },
    );
    if (told.error !== undefined) return this.skip();
    for (const part of [['a.ts', 'c.ts'], ['b.ts']])
      execFileSync('sh', ['-c', told.stdout], {
        cwd: folder,
        input: part.map((name) => JSON.stringify({ name, text: readFileSync(join(folder, name), 'utf8') })).join('\n'),
      });
    profile('--merge', ...partsOf('spark'), '--out', 'spark');
    expect(bytesOf('spark')).to.deep.equal(bytesOf('whole'));
  });
});
