import { expect } from 'chai';
import { fork, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { ExplorerError } from '../../src/base/errors';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import type { Log } from '../../src/host/say/log';
import type { Ticks } from '../../src/host/engine/engineWatch';
import { nodeEngineLauncher, type NodeLauncherOptions } from '../../src/host/engine/launchEngine.node';
import type { ExplainParams } from '../../src/protocol';
import { buildPrograms } from '../harness/builtEngine';
import { codeOf } from '../harness/codeOf';
import { expectEventually } from '../harness/eventually';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { killEngines, killMoments, seeded, type KillOutcome } from '../harness/engineKills';

const small = (text: string): ExplainParams => ({
  model: { path: '', backend: 'wasm', threads: 1 },
  text,
  tokenLimit: 0,
});

const bundled = resolve('media/models/code-decoder');

describe('An engine that dies', function () {
  this.timeout(120_000); // dozens of processes start, on a machine that may have other things to do
  let folder: string;

  before(async () => {
    folder = await buildPrograms(['engineNode', 'smallEngine', 'guard']);
  });

  it('is told of at most once, and the next request always works: 26 kills at random moments', async () => {
    const seed = Date.now() % 2 ** 31;
    const moments = Array.from({ length: 26 }, (_, i) => killMoments[i < 4 ? 4 + (i % 2) : i % 4]);
    const outcomes = await killEngines({
      launcher: nodeEngineLauncher(join(folder, 'smallEngine.cjs'), () => {}),
      short: small('answer'),
      long: small('block 30'),
      moments,
      random: seeded(seed),
    });
    const wrong = outcomes.filter(
      ({ during, next }: KillOutcome) => next !== 'none' || !['none', 'engineStopped', undefined].includes(during),
    );
    expect(wrong, `seed ${seed}`).to.deep.equal([]);
    expect(outcomes).to.have.length(moments.length);
  });

  it('keeps nothing of runs that are cancelled, however late', async () => {
    const engine = nodeEngineLauncher(join(folder, 'engine.node.cjs'), () => {}).launch();
    const { remote } = engine.connection;
    const params = { ...small('for i in range(10):\n    print(i)\n'), model: { ...small('').model, path: bundled } };
    try {
      await remote.release({ runId: (await remote.explain(params)).runId }); // it is loaded
      const began = performance.now();
      await remote.release({ runId: (await remote.explain(params)).runId });
      const took = performance.now() - began;
      for (let i = 0; i < 40; i++) {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), (i / 30) * took);
        await remote.explain(params, controller.signal).then(
          ({ runId }) => remote.release({ runId }),
          (error: unknown) => expect(ExplorerError.from(error).code).to.equal('cancelled'),
        );
      }
      await expectEventually(async () => expect((await remote.memory({})).attentionBytes).to.equal(0));
    } finally {
      engine.dispose();
    }
  });

  const never = new AbortController().signal;
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

  /** Lets one engine do what a text says; resolves to its end as it is told. */
  const endOf = async (
    text: string,
    options: NodeLauncherOptions = {},
  ): Promise<{ readonly code: string; readonly message: string; readonly logged: string }> => {
    let logged = '';
    const supervisor = new EngineSupervisor(
      nodeEngineLauncher(join(folder, 'smallEngine.cjs'), (line) => (logged += line), options),
      log,
    );
    try {
      await supervisor.explain(small(text), never);
      return { code: 'none', message: '', logged };
    } catch (error) {
      const { code, message } = ExplorerError.from(error);
      expect(supervisor.state.kind).to.equal(code === 'outOfMemory' ? 'notStarted' : 'stopped');
      expect(await codeOf(supervisor.explain(small('answer'), never))).to.equal('none');
      return { code, message, logged };
    } finally {
      supervisor.dispose();
    }
  };

  it('by taking more memory than it may is said to lack memory', async () => {
    const { code, message } = await endOf('grow', { limitBytes: 400e6 });
    expect(code).to.equal('outOfMemory');
    expect(message).to.include('more than the 400 MB that the engine may take');
  });

  it('by itself is said to have stopped, with its exit code', async () => {
    expect(await endOf('exit 7')).to.deep.include({
      code: 'engineStopped',
      message: new ExplorerError('engineStopped', ['exit code 7']).message,
    });
  });

  it('writes no more than so much into the log', async () => {
    const { code, logged } = await endOf('print 500');
    expect(code).to.equal('none');
    expect(logged.length).to.be.below(70_000);
  });

  it('by being stopped is noticed, inside a run and with nothing to do, and ended', async function () {
    if (process.platform === 'win32') return this.skip(); // no signal stops a process there
    const seconds: Ticks = (listener) => {
      const timer = setInterval(listener, 250); // shorter ones, but longer than a beat is late
      return { dispose: () => clearInterval(timer) };
    };
    const supervisor = new EngineSupervisor(
      nodeEngineLauncher(join(folder, 'smallEngine.cjs'), () => {}),
      log,
      seconds,
    );
    try {
      await supervisor.explain(small('answer'), never);
      const running = supervisor.explain(small('block 60000'), never);
      await new Promise((resolve) => setTimeout(resolve, 1200));
      const stopped = Number(supervisor.pid);
      process.kill(stopped, 'SIGSTOP');
      expect(await codeOf(running)).to.equal('engineStopped');
      expect(supervisor.state).to.deep.equal({
        kind: 'stopped',
        reason: 'its process gave no sign of life for 10 seconds',
      });
      expect(await codeOf(supervisor.explain(small('answer'), never))).to.equal('none');
      await expectEventually(() => expect(() => process.kill(stopped, 0)).to.throw());
      // With nothing to do: the next request does not wait for what will not come.
      process.kill(Number(supervisor.pid), 'SIGSTOP');
      expect(await codeOf(supervisor.explain(small('answer'), never))).to.equal('none');
    } finally {
      supervisor.dispose();
    }
  });

  it('does not outlive its window, not even inside a run', async () => {
    const window = `
      const engine = require('node:child_process').fork(${JSON.stringify(join(folder, 'smallEngine.cjs'))}, ['1e12'], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe', 'pipe'] });
      engine.on('message', ({ method }) => method === 'began' && process.send(engine.pid));
      engine.stdio[5].once('data', () => engine.send({ jsonrpc: '2.0', id: 1, method: 'explain', params: { text: 'block 60000' } }));`;
    const child = spawn(process.execPath, ['--eval', window], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const pid = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
    child.kill('SIGKILL');
    await expectEventually(() => expect(() => process.kill(pid, 0)).to.throw());
  });

  it('ends itself before it takes more memory than it may, whoever looks', async () => {
    const engine = fork(join(folder, 'smallEngine.cjs'), [String(300e6)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe', 'pipe'],
    });
    let said = '';
    const line = (engine.stdio as readonly unknown[])[5] as Readable;
    line.on('data', (data: Buffer) => (said += data.toString()));
    await new Promise((resolve) => line.once('data', resolve));
    engine.send({ jsonrpc: '2.0', id: 1, method: 'explain', params: { text: 'grow' } });
    await new Promise((resolve) => engine.once('close', resolve));
    expect(said).to.match(/^(?:beat\n)+limit 300000000\n$/);
  });
});

describe('A model whose weights are cut off', function () {
  this.timeout(120_000);

  it('while it is in use is said to have changed, and the next request works when it is whole again', async function () {
    const folder = await buildPrograms(['engineNode', 'guard', 'native']);
    const model = mkdtempSync(join(tmpdir(), 'cut-weights-'));
    const weights = join(model, 'model.onnx.data');
    const restore = (): void => {
      for (const name of ['model.onnx', 'model.onnx.data'])
        copyFileSync(`test/fixtures/zoo/bert.eager.dynamo/${name}`, join(model, name));
    };
    restore();
    writeFileSync(join(model, 'tokenizer.json'), tinyTokenizer());
    let printed = '';
    const supervisor = new EngineSupervisor(
      nodeEngineLauncher(join(folder, 'engine.node.cjs'), (text) => (printed += text)),
      { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    );
    const explain = (text: string): ReturnType<EngineSupervisor['explain']> =>
      supervisor.explain(
        { model: { path: model, backend: 'native', threads: 1 }, text, tokenLimit: 0 },
        new AbortController().signal,
      );
    try {
      const { info } = await explain('abc');
      if (info.model.backend !== 'native') return this.skip();
      truncateSync(weights, 0);
      const code = await codeOf(explain('xyz'));
      if (process.platform === 'linux') expect(code).to.equal('modelChanged');
      else expect(code).to.be.oneOf(['modelChanged', 'none']); // not every system lets go of what is mapped
      restore();
      expect(await codeOf(explain('abc'))).to.equal('none');
      expect(printed).to.equal('');
    } finally {
      supervisor.dispose();
      rmSync(model, { recursive: true });
    }
  });
});
