import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExplorerError } from '../../src/base/errors';
import { commandSentence } from '../../src/cli/commandSentence';
import { writeSafetensors } from '../../src/cli/safetensors';
import { smallModel, type SmallGraph } from '../unit/onnx/smallModel';
import { buildPrograms } from '../harness/builtEngine';
import { expectEventually } from '../harness/eventually';
import { tinyTokenizer } from '../harness/tinyTokenizer';

describe('A command that cannot end by itself', function () {
  this.timeout(60_000);
  const tokenizer = 'media/models/code-decoder/tokenizer.json';
  let script: string;

  before(async () => {
    script = join(await buildPrograms(['cli', 'commands', 'guard', 'native']), 'cli.cjs');
  });

  const start = (
    args: readonly string[],
    nodeArgs: readonly string[] = [],
  ): { readonly child: ChildProcess; readonly end: Promise<{ code: number | null; said: string }> } => {
    const child = spawn(process.execPath, [...nodeArgs, script, ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    child.stdin?.on('error', () => {}); // it ended
    return { child, end: new Promise((resolve) => child.once('close', (code) => resolve({ code, said }))) };
  };

  it("says in one sentence that memory was missing, also at the end of V8's heap", async () => {
    const { child, end } = start(['tokenize', tokenizer], ['--max-old-space-size=40']);
    child.stdin?.end('a = f(b)\n'.repeat(3e5));
    expect(await end).to.deep.equal({
      code: 1,
      said: `${commandSentence(new ExplorerError('outOfMemory', ['this run, which took more than the engine can hold']))}\n`,
    });
  });

  it('says in one sentence that it was ended, and leaves nothing running when it is ended itself', async function () {
    if (process.platform !== 'linux') return this.skip(); // where processes are found by their files
    const workOf = (pid: number | undefined): number[] =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .filter((each) => isChildOf(each, pid));
    const first = start(['tokenize', tokenizer]);
    await expectEventually(() => expect(workOf(first.child.pid)).to.have.length(1));
    process.kill(workOf(first.child.pid)[0], 'SIGKILL');
    expect(await first.end).to.deep.equal({
      code: 1,
      said: `${new ExplorerError('commandStopped', ['signal SIGKILL']).message}\n`,
    });
    const second = start(['tokenize', tokenizer]);
    await expectEventually(() => expect(workOf(second.child.pid)).to.have.length(1));
    const [work] = workOf(second.child.pid);
    second.child.kill('SIGKILL');
    await expectEventually(() => expect(() => process.kill(work, 0)).to.throw());
  });

  it('ends as it means to, though its line is closed under its guard meanwhile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-ending-'));
    try {
      // What the end of a process does, slowly: longer than from one beat to the next.
      writeFileSync(
        join(folder, 'slow.cjs'),
        `if (process.env.ATTENTION_EXPLORER_GUARDED) process.on('exit', () => {
          require('node:fs').closeSync(4);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
        });`,
      );
      const { child, end } = start(['tokenize', tokenizer], ['--require', join(folder, 'slow.cjs')]);
      child.stdin?.end('a = f(b)\n');
      expect(await end).to.deep.equal({ code: 0, said: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says its sentence whatever the runtime prints beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-printing-'));
    try {
      writeFileSync(
        join(folder, 'print.cjs'),
        "if (process.env.ATTENTION_EXPLORER_GUARDED) console.error('the node EPIPE failed');",
      );
      const { end } = start(['explain', join(folder, 'gone.txt')], ['--require', join(folder, 'print.cjs')]);
      expect(await end).to.deep.equal({
        code: 1,
        said: `${new ExplorerError('fileNotFound', [join(folder, 'gone.txt')]).message}\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('leaves nothing of what it was writing behind when it is ended in the midst of it', async function () {
    if (process.platform === 'win32') return this.skip(); // there a program cannot be asked to end
    const folder = mkdtempSync(join(tmpdir(), 'ae-writing-'));
    try {
      writeFileSync(join(folder, 'text.txt'), 'a = b');
      // A disk that is so slow that nothing of it is ever done.
      writeFileSync(
        join(folder, 'slow.cjs'),
        `
        const files = require('node:fs/promises');
        const { open } = files;
        files.open = async (path, ...others) => {
          const file = await open(path, ...others);
          if (String(path).endsWith('.part')) file.write = () => new Promise(() => setInterval(() => {}, 1000));
          return file;
        };`,
      );
      const { child, end } = start(
        [
          'explain',
          join(folder, 'text.txt'),
          '--model',
          'media/models/code-decoder',
          '--head',
          '0.0',
          '--out',
          join(folder, 'weights.npz'),
        ],
        ['--require', join(folder, 'slow.cjs')],
      );
      const parts = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.part'));
      await expectEventually(() => expect(parts()).to.have.length(1));
      child.kill('SIGTERM');
      expect(await end).to.deep.equal({ code: 143, said: '' });
      expect(readdirSync(folder).sort()).to.deep.equal(['slow.cjs', 'text.txt']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says in one sentence what failed inside the runtime, on every backend and in every command that runs a model', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-failing-'));
    const at = (name: string): string => join(folder, name);
    const failing: SmallGraph = {
      nodes: [
        { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['e'] },
        { operator: 'Reshape', inputs: ['e', 'shape'], outputs: ['x'] }, // fifteen of four times something
        { operator: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: { integers: [0, 2, 1] } } },
        { operator: 'MatMul', inputs: ['x', 't'], outputs: ['s'] },
        { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
        { operator: 'MatMul', inputs: ['p', 'x'], outputs: ['y'] },
      ],
      inputs: { input_ids: ['batch', 'n'] },
      types: { input_ids: 7 },
      outputs: ['y'],
      weights: { table: { dims: [99, 4], values: Array.from({ length: 396 }, (_, i) => i) } },
      integers: { shape: [1, 5, 3] },
    };
    const unknown: SmallGraph = {
      ...failing,
      nodes: failing.nodes.map((node) =>
        node.operator === 'Reshape' ? { ...node, operator: 'NoSuchOperator' } : node,
      ),
    };
    writeFileSync(at('tokenizer.json'), tinyTokenizer());
    writeFileSync(at('text.txt'), 'abc');
    writeFileSync(
      at('in.safetensors'),
      writeSafetensors(
        new Map([
          ['in.input_ids', { dtype: 'I64', shape: [1, 3], data: new Uint8Array(BigInt64Array.of(1n, 2n, 3n).buffer) }],
        ]),
      ),
    );
    try {
      for (const [name, graph] of Object.entries({ failing, unknown }))
        writeFileSync(at(`${name}.onnx`), smallModel(graph));
      const explaining = (name: string): string[] => ['explain', at('text.txt'), '--model', at(`${name}.onnx`)];
      const extracting = [
        'extract',
        at('failing.onnx'),
        '--feeds',
        at('in.safetensors'),
        '--out',
        at('out.safetensors'),
      ];
      for (const command of [
        [...explaining('failing'), '--backend=native'],
        [...explaining('unknown'), '--backend=native'],
        [...explaining('failing'), '--backend=wasm'],
        [...extracting, '--backend=native'],
      ]) {
        const { child, end } = start(command);
        child.stdin?.end();
        const { code, said } = await end;
        expect(code, said).to.equal(1);
        expect(said, command.join(' ')).to.match(/^The runtime could not run the model \([^\n]+\n$/);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says in one sentence that it was ended, also where a model is run for a proof', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ae-proof-'));
    try {
      writeFileSync(join(folder, 'end.cjs'), atRun("process.kill(process.pid, 'SIGKILL')"));
      const { end } = start(
        ['inspect', 'media/models/code-decoder', '--prove', '--backend', 'native'],
        ['--require', join(folder, 'end.cjs')],
      );
      expect(await end).to.deep.equal({
        code: 1,
        said: `${new ExplorerError('commandStopped', [process.platform === 'win32' ? 'exit code 1' : 'signal SIGKILL']).message}\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says that the weights of its model changed, where they are cut off while it runs', async function () {
    if (process.platform !== 'linux') return this.skip(); // not every system lets go of what is mapped
    const folder = mkdtempSync(join(tmpdir(), 'cut-command-'));
    try {
      for (const name of ['model.onnx', 'model.onnx.data'])
        copyFileSync(`test/fixtures/zoo/bert.eager.dynamo/${name}`, join(folder, name));
      writeFileSync(join(folder, 'tokenizer.json'), tinyTokenizer());
      writeFileSync(join(folder, 'text.txt'), 'abc');
      // When the native runtime is about to run, its weights are gone.
      writeFileSync(
        join(folder, 'cut.cjs'),
        atRun(`require('node:fs').truncateSync(${JSON.stringify(join(folder, 'model.onnx.data'))}, 0)`),
      );
      const { end } = start(
        ['explain', join(folder, 'text.txt'), '--model', folder, '--backend', 'native'],
        ['--require', join(folder, 'cut.cjs')],
      );
      expect(await end).to.deep.equal({
        code: 1,
        said: `${new ExplorerError('modelChanged', ['model.onnx.data']).message}\n`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** A program that does something when the native runtime is about to run a model. */
function atRun(does: string): string {
  return `
    const load = process.dlopen;
    process.dlopen = (module, ...others) => {
      load(module, ...others);
      const session = module.exports.InferenceSession;
      if (session === undefined) return;
      module.exports.InferenceSession = class extends session {
        run(...args) {
          ${does};
          return super.run(...args);
        }
      };
    };`;
}

function isChildOf(pid: number, parent: number | undefined): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'latin1').includes(`) S ${parent} `) ||
      readFileSync(`/proc/${pid}/stat`, 'latin1').includes(`) R ${parent} `)
    );
  } catch {
    return false; // it ended meanwhile
  }
}
