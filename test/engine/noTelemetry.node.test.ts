import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { buildPrograms } from '../harness/builtEngine';

// The native runtime reports what is run, unless it is told not to: then it keeps a number of the device and what is to be sent in the
// person's folders. It holds its tongue in continuous integration, so nothing here says that this is one.

describe('The native runtime reports nothing', function () {
  this.timeout(60_000);
  const model = resolve('media/models/code-decoder');
  let [programs, home] = ['', ''];
  let environment: NodeJS.ProcessEnv;
  /** Of the folders that a program is given, what it left there. */
  const left = (): string[] =>
    (readdirSync(home, { recursive: true }) as string[]).filter((name) => !['text.py', 'work'].includes(name));

  before(async () => {
    programs = await buildPrograms(['cli', 'commands', 'engineNode', 'guard', 'native']);
  });

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'no-telemetry-'));
    mkdirSync(join(home, 'work'));
    writeFileSync(join(home, 'text.py'), 'a = b\n');
    const folders = { HOME: home, USERPROFILE: home, LOCALAPPDATA: home, TMPDIR: home, TMP: home, TEMP: home };
    environment = { PATH: process.env['PATH'], SystemRoot: process.env['SystemRoot'], ...folders };
  });

  afterEach(() => rmSync(home, { recursive: true, force: true }));

  for (const written of [undefined, '0'])
    it(`from the command line${written === undefined ? '' : ', also where a person’s environment lets it'}`, () => {
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(programs, 'cli.cjs'), 'explain', join(home, 'text.py'), '--model', model, '--backend', 'native'],
        { cwd: join(home, 'work'), encoding: 'utf8', env: { ...environment, ORT_DISABLE_TELEMETRY: written } },
      );
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(left()).to.deep.equal([]);
    });

  it('from the engine', async () => {
    const own = process.env;
    process.env = environment; // which an engine inherits
    const engine = nodeEngineLauncher(join(programs, 'engine.node.cjs'), () => {}).launch();
    process.env = own;
    const ended = new Promise((resolve) => engine.onExit(resolve));
    try {
      const spec = { path: model, backend: 'native', threads: 1 } as const;
      const { model: read } = await engine.connection.remote.explain({ model: spec, text: 'a = b', tokenLimit: 0 });
      expect(read.backend).to.equal('native');
    } finally {
      engine.kill();
      await ended;
    }
    expect(left()).to.deep.equal([]);
  });
});
