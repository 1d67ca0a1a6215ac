import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { certificatePath, serveHub, type HubServer } from '../harness/hubServer';
import { serveProxy, type ProxyServer } from '../harness/proxyServer';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const model = new Uint8Array(randomBytes(300_000));

const repositories = {
  'owner/small': {
    revision: 'a1b2c3d4'.repeat(5),
    files: {
      'onnx/model.onnx': model,
      'config.json': text('{}'),
      'tokenizer.json': text('{}'),
      'README.md': text('#'),
    },
    large: ['onnx/model.onnx'],
  },
  'owner/several': {
    revision: 'b'.repeat(40),
    files: { 'model.onnx': model, 'model_int8.onnx': model.subarray(0, 1000) },
    large: ['model.onnx'],
  },
  'owner/gated': {
    revision: 'c'.repeat(40),
    files: { 'model.onnx': model },
    large: ['model.onnx'],
    gated: 'auto',
    allowedToken: 'hf_right',
  },
  'owner/none': { revision: 'd'.repeat(40), files: { 'config.json': text('{}') }, large: [] },
} as const;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('The command line’s download', function () {
  this.timeout(60_000);
  let hub: HubServer;
  let folder: string;
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:https?|all|no)_proxy$|^HF_/i.test(name)),
  );

  before(async () => {
    hub = await serveHub(repositories);
  });
  after(() => hub.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-download-'));
    hub.requests.length = 0;
  });
  afterEach(() => {
    Object.assign(hub.mischief, { breaks: [], isDamaged: false, pieceBytes: 2 ** 16, pauseMilliseconds: 0 });
    rmSync(folder, { recursive: true });
  });

  const start = (args: readonly string[], environment: object): ChildProcess =>
    spawn(process.execPath, [join(process.cwd(), 'dist/cli.cjs'), 'download', ...args], {
      stdio: 'pipe',
      env: { ...clean, HF_ENDPOINT: hub.address, ...environment },
    });
  async function endOf(child: ChildProcess): Promise<Ended> {
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream]?.on('data', (data: Buffer) => (said[stream] += data.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, ...said };
  }
  const run = (args: readonly string[], environment: object = {}): Promise<Ended> =>
    endOf(start([...args, '--out', folder], environment));
  const own = (): string => join(folder, 'owner', 'small@a1b2c3d4');
  const served = (): Buffer => readFileSync(join(own(), 'onnx/model.onnx'));

  it('brings a model with all that it needs, and asks for nothing that is there', async () => {
    const { code, stdout, stderr } = await run(['owner/small', '--json']);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ name: 'owner/small', model: join(own(), 'onnx/model.onnx') });
    expect(served().equals(model)).to.equal(true);
    expect(readdirSync(own()).sort()).to.deep.equal([
      '.attention-explorer.json',
      'config.json',
      'onnx',
      'tokenizer.json',
    ]);
    hub.requests.length = 0;
    expect((await run(['owner/small'])).stdout).to.match(/^3 files \(.*\) of owner\/small at a1b2c3d4 are there; /);
    expect(hub.requests.filter(({ url }) => url.includes('/resolve/'))).to.deep.equal([]);
  });

  it('goes on where it was ended, and where a connection broke', async () => {
    Object.assign(hub.mischief, { pieceBytes: 10_000, pauseMilliseconds: 100 });
    const child = start(['owner/small', '--out', folder], {});
    const ending = endOf(child);
    const part = join(own(), 'onnx/model.onnx.part');
    for (let tries = 0; !(existsSync(part) && readFileSync(part).length > 0) && tries < 300; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    expect(await ending).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'It was ended: the same command goes on from there.\n',
    });
    expect(readdirSync(own()).sort()).to.deep.equal([
      '.attention-explorer.json',
      'config.json',
      'onnx',
      'tokenizer.json',
    ]);
    const before = readFileSync(part).length;
    expect(before).to.be.within(1, model.length - 1);
    Object.assign(hub.mischief, { pieceBytes: 2 ** 16, pauseMilliseconds: 0, breaks: [50_000] });
    hub.requests.length = 0;
    expect((await run(['owner/small'])).code).to.equal(0);
    expect(served().equals(model)).to.equal(true);
    const ranges = hub.requests.filter(({ host }) => host === 'store').map(({ range }) => range);
    expect(ranges[0]).to.match(new RegExp(`^bytes=${before}-`));
    expect(ranges).to.have.length(2);
  });

  const cases: readonly [string, readonly string[], object, number, RegExp][] = [
    ['there is no such model', ['owner/other'], {}, 1, /^The hub has no model owner\/other/],
    ['it has no ONNX file', ['owner/none'], {}, 1, /^owner\/none has no ONNX file/],
    ['it has several', ['owner/several'], {}, 2, /several models: model\.onnx, model_int8\.onnx/],
    ['it has not the one', ['owner/several', 'x.onnx'], {}, 2, /no such model: model\.onnx/],
    [
      'it is gated',
      ['owner/gated'],
      {},
      1,
      /only to those whom it knows: put an access token of yours into the variable HF_TOKEN/,
    ],
    ['the token is another’s', ['owner/gated'], { HF_TOKEN: 'hf_wrong' }, 1, /does not give owner\/gated to you/],
    ['the token is none', ['owner/gated'], { HF_TOKEN: 'secret' }, 1, /access token.*does not begin with hf_/],
    [
      'the hub is not there',
      ['owner/small'],
      { HF_ENDPOINT: 'http://127.0.0.1:9' },
      1,
      /cannot be reached .*HTTPS_PROXY/,
    ],
    ['its address is none', ['owner/small'], { HF_ENDPOINT: 'http://hub.test' }, 1, /HF_ENDPOINT.*https:\/\//],
    ['nothing is named', [], {}, 2, /REPOSITORY.*missing/],
  ];
  for (const [title, args, environment, exitCode, sentence] of cases)
    it(`says in one sentence where ${title}`, async () => {
      const { code, stdout, stderr } = await run(args, environment);
      expect(stderr).to.match(sentence);
      expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).to.deep.equal({
        code: exitCode,
        stdout: '',
        lines: 1,
      });
      expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.onnx'))).to.deep.equal(
        [],
      );
    });

  it('throws away what has another hash, and writes to no file in the place of a folder', async () => {
    hub.mischief.isDamaged = true;
    const wrong = await run(['owner/small']);
    expect([wrong.code, wrong.stdout]).to.deep.equal([1, '']);
    expect(wrong.stderr).to.match(/did not come as the hub announced it .*, so it was thrown away/);
    hub.mischief.isDamaged = false;
    rmSync(join(folder, 'owner'), { recursive: true });
    writeFileSync(join(folder, 'owner'), '');
    expect((await run(['owner/small'])).stderr).to.match(/cannot be written into \(it is a file, or lies in one\)/);
    expect(readdirSync(folder)).to.deep.equal(['owner']);
  });

  it('goes through the proxy that the environment names', async () => {
    const secure = await serveHub(repositories, 3, true);
    const proxy: ProxyServer = await serveProxy('me:pass word');
    try {
      const environment = {
        HF_ENDPOINT: secure.address,
        HTTPS_PROXY: proxy.address.replace('//', '//me:pass%20word@'),
        NODE_EXTRA_CA_CERTS: certificatePath,
      };
      const { code, stderr } = await run(['owner/small'], environment);
      expect(stderr).to.equal('');
      expect(code).to.equal(0);
      expect(served().equals(model)).to.equal(true);
      expect(new Set(proxy.targets).size, 'hub and store').to.equal(2);
      expect(proxy.targets.every((target) => target.startsWith('hub.test:'))).to.equal(true);
      proxy.refuses = 503;
      rmSync(own(), { recursive: true });
      expect((await run(['owner/small'], environment)).stderr).to.match(
        /cannot be reached \(the proxy .* status 503\)/,
      );
      proxy.targets.length = 0;
      expect((await run(['owner/small'], { ...environment, NO_PROXY: '.test' })).code).to.equal(1);
      expect(proxy.targets).to.deep.equal([]);
      // A certificate that nobody vouches for is refused, through a proxy as without.
      proxy.refuses = undefined;
      expect((await run(['owner/small'], { ...environment, NODE_EXTRA_CA_CERTS: '' })).stderr).to.match(/certificate/);
    } finally {
      await proxy.close();
      await secure.close();
    }
  });
});
