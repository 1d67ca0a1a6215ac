import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as hubPackage from '@huggingface/hub';
import { expect } from 'chai';
import { ExplorerError, type ErrorCode } from '../../../src/base/errors';
import { downloadsIn } from '../../../src/hub/downloads.node';
import type { Downloads, Hub, HubDownload, HubRepository } from '../../../src/hub/hub';
import { hubClient } from '../../../src/hub/hubClient.node';
import { checkedAddress } from '../../../src/hub/hubFetch.node';
import { neededFiles } from '../../../src/hub/neededFiles';
import { modelVariants } from '../../../src/model/modelVariants';
import { serveHub, type HubServer } from '../../harness/hubServer';

const never = new AbortController().signal;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Expects that something fails with a code, and returns the error. */
async function failure(code: ErrorCode, work: Promise<unknown>): Promise<ExplorerError> {
  const error = await work.then(
    () => undefined,
    (each: unknown) => each,
  );
  if (!(error instanceof ExplorerError)) throw new Error(`Expected ${code}, and it was ${String(error)}.`);
  expect(error.code, error.message).to.equal(code);
  return error;
}

describe('The Hugging Face hub', () => {
  const model = new Uint8Array(randomBytes(300_000));
  const weights = new Uint8Array(randomBytes(200_000));
  let server: HubServer;
  let root: string;
  let hub: Hub;
  let downloads: Downloads;

  before(async () => {
    server = await serveHub({
      'owner/small-bert': {
        revision: 'a1b2c3d4'.repeat(5),
        files: {
          'onnx/model.onnx': model,
          'onnx/model.onnx_data': weights,
          'onnx/model_int8.onnx': model.subarray(0, 100_000),
          'config.json': text('{"model_type":"bert"}'),
          'tokenizer.json': text('{}'),
          'added_tokens.json': new Uint8Array(),
          'README.md': text('# A model'),
          'model.safetensors': weights,
          '.gitattributes': text('*.onnx filter=lfs'),
        },
        large: ['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model_int8.onnx', 'model.safetensors'],
      },
      'owner/gated': {
        revision: 'b'.repeat(40),
        files: { 'model.onnx': model, 'tokenizer.json': text('{}') },
        large: ['model.onnx'],
        gated: 'auto',
        allowedToken: 'hf_right',
      },
    });
  });
  after(() => server.close());

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ae-hub-'));
    hub = hubClient(hubPackage, { address: server.address, token: undefined });
    downloads = downloadsIn(root);
    server.requests.length = 0;
  });
  afterEach(async () => {
    Object.assign(server.mischief, {
      breaks: [],
      isDamaged: false,
      pieceBytes: 2 ** 16,
      pauseMilliseconds: 0,
      ignoresRanges: false,
    });
    server.mischief.answers.clear();
    await rm(root, { recursive: true, force: true });
  });

  const wantedOf = (repository: HubRepository, name: string): HubDownload => {
    const variant = modelVariants(repository.files.map(({ path, size }) => ({ name: path, size }))).find(
      (each) => each.name === name,
    );
    if (variant === undefined) throw new Error(`There is no ${name}.`);
    return { ...repository, files: neededFiles(variant, repository.files), model: name };
  };
  const wanted = async (name = 'onnx/model.onnx', repository = 'owner/small-bert'): Promise<HubDownload> =>
    wantedOf(await hub.repository(repository, never), name);
  const download = (each: HubDownload, signal = never, report: (bytes: number) => void = () => {}): Promise<string> =>
    downloads.download(each, hub.opener(each), { signal, report });
  const folder = (): string => join(root, 'owner', 'small-bert@a1b2c3d4');
  const namesBelow = async (): Promise<string[]> =>
    existsSync(folder()) ? (await readdir(folder(), { recursive: true })).sort() : [];

  it('is searched, lists what a model needs, and gives it, each file by its hash', async () => {
    expect(await hub.search('bert', never)).to.deep.equal([
      { name: 'owner/small-bert', task: 'fill-mask', downloads: 1234, isGated: false },
    ]);
    expect(server.requests[0].url).to.include('search=bert').and.to.include('filter=onnx');
    const each = await wanted();
    expect(each.files.map(({ path, hash: { kind } }) => [path, kind])).to.deep.equal([
      ['onnx/model.onnx', 'sha256'],
      ['onnx/model.onnx_data', 'sha256'],
      ['added_tokens.json', 'gitBlob'],
      ['config.json', 'gitBlob'],
      ['tokenizer.json', 'gitBlob'],
    ]);
    const told: number[] = [];
    const path = await download(each, never, (bytes) => told.push(bytes));
    expect(path).to.equal(join(folder(), 'onnx', 'model.onnx'));
    expect(new Uint8Array(await readFile(path))).to.deep.equal(model);
    expect(told.at(-1)).to.equal(500_023);
    expect(told).to.deep.equal([...told].sort((a, b) => a - b));
    expect(await namesBelow()).to.deep.equal(
      [
        ...['.attention-explorer.json', 'added_tokens.json', 'config.json', 'onnx'],
        ...['onnx/model.onnx', 'onnx/model.onnx_data', 'tokenizer.json'],
      ].sort(),
    );
    const [kept] = await downloads.list();
    expect(kept).to.include({ isComplete: true, presentBytes: 500_023, totalBytes: 500_023, modelPath: path });
    server.requests.length = 0;
    await download(each);
    expect(server.requests, 'what is there is not asked for again').to.deep.equal([]);
  });

  it('is gone on with where a connection broke, and after a restart where it was paused', async () => {
    server.mischief.breaks = [100_000, 50_000];
    const each = await wanted();
    await download(each);
    const ranges = server.requests.filter(({ host, url }) => host === 'store' && url.endsWith('_data'));
    expect(ranges).to.have.length(3);
    expect(ranges[0].range).to.equal(undefined);
    for (const { range } of ranges.slice(1)) expect(range).to.match(/^bytes=[1-9]\d*-199999$/);
    expect(new Uint8Array(await readFile(join(folder(), 'onnx/model.onnx')))).to.deep.equal(model);
    await downloads.remove(each);

    server.mischief.pieceBytes = 10_000;
    server.mischief.pauseMilliseconds = 2;
    const ending = new AbortController();
    await failure(
      'cancelled',
      download(each, ending.signal, (bytes) => bytes > 250_000 && ending.abort()),
    );
    downloads = downloadsIn(root); // as after a restart
    const [kept] = await downloads.list();
    expect(kept.isComplete).to.equal(false);
    expect(kept.presentBytes).to.be.within(250_000, 400_000);
    expect(existsSync(join(folder(), 'onnx/model.onnx')), 'nothing half has a name').to.equal(false);
    server.requests.length = 0;
    await download(kept);
    const asked = server.requests.filter(({ host }) => host === 'hub').map(({ url }) => url.split('/').at(-1));
    expect(asked).to.deep.equal(['model.onnx']);
    expect(server.requests[0].range).to.match(/^bytes=[1-9]\d*-299999$/);
    expect(new Uint8Array(await readFile(kept.modelPath))).to.deep.equal(model);
  });

  it('is gone on with where whole files come in the place of parts', async () => {
    server.mischief.breaks = [100_000];
    server.mischief.ignoresRanges = true;
    const path = await download(await wanted());
    expect(new Uint8Array(await readFile(path))).to.deep.equal(model);
  });

  it('is not believed: what has another hash is thrown away, and a part that was damaged is fetched again', async () => {
    server.mischief.isDamaged = true;
    const each = await wanted();
    expect((await failure('hubFileWrong', download(each))).args[0]).to.equal('tokenizer.json');
    expect((await namesBelow()).filter((name) => name.endsWith('.part'))).to.deep.equal([]);
    expect((await downloads.list())[0].isComplete).to.equal(false);
    server.mischief.isDamaged = false;
    await download(each);

    await downloads.remove(each);
    const ending = new AbortController();
    server.mischief.pieceBytes = 10_000;
    server.mischief.pauseMilliseconds = 2;
    await failure(
      'cancelled',
      download(each, ending.signal, (bytes) => bytes > 250_000 && ending.abort()),
    );
    const part = join(folder(), 'onnx/model.onnx.part');
    const bytes = await readFile(part);
    bytes[0] ^= 1;
    await writeFile(part, bytes);
    expect(new Uint8Array(await readFile(await download(each)))).to.deep.equal(model);
  });

  it('leaves nothing half-written on a full disk, and says beforehand what does not fit', async () => {
    const each = await wanted();
    let written = 0;
    const full = downloadsIn(root, [], {
      freeBytes: async () => undefined,
      openPart: async (path) => {
        await writeFile(path, '', { flag: 'a' });
        return {
          write: async (piece) => {
            written += piece.length;
            if (written > 150_000)
              throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
            await writeFile(path, piece, { flag: 'a' });
          },
          close: async () => {},
        };
      },
    });
    const watch = { signal: never, report: (): void => {} };
    const error = await failure('fileNotWritten', full.download(each, hub.opener(each), watch));
    expect(error.sentence).to.include('there is no room left');
    expect((await namesBelow()).filter((name) => name.endsWith('.part'))).to.deep.equal([]);

    server.requests.length = 0;
    const small = downloadsIn(root, [], {
      freeBytes: async () => 1000,
      openPart: () => Promise.reject(new Error('not to be opened')),
    });
    const told = await failure('hubNoRoom', small.download(each, hub.opener(each), watch));
    expect(told.sentence).to.include('488.3 KB').and.to.include('1 KB').and.to.include(root);
    expect(server.requests).to.deep.equal([]);
  });

  it('is asked for nothing by a folder in a workspace that is not trusted, by whatever path or link', async () => {
    const each = await wanted();
    await download(each);
    const link = `${root}-link`;
    await symlink(root, link);
    server.requests.length = 0;
    try {
      for (const [place, barred] of [
        [root, root],
        [join(link, '..', basename(link), 'owner', '..'), root],
        [join(link, 'not', 'there', 'yet'), root],
        [root, link],
      ]) {
        const untrusted = downloadsIn(place, [tmpdir() + '/elsewhere', barred]);
        const watch = { signal: never, report: (): void => {} };
        await failure('untrustedModel', untrusted.list());
        await failure('untrustedModel', untrusted.remove(each));
        await failure('untrustedModel', untrusted.download(each, hub.opener(each), watch));
      }
      expect(existsSync(join(root, 'not'))).to.equal(false);
      expect(server.requests).to.deep.equal([]);
      // A workspace within the folder says nothing for itself, and one beside it has no part.
      expect(await downloadsIn(root, [join(root, 'owner')]).list()).to.deep.equal([]);
      expect(await downloadsIn(root, [tmpdir() + '/elsewhere']).list()).to.have.length(1);
    } finally {
      await rm(link);
    }
  });

  it('gives what is gated to a token that may, which goes to the hub and nowhere else', async () => {
    const each = await wanted('model.onnx', 'owner/gated');
    await failure('hubTokenNeeded', download(each));
    hub = hubClient(hubPackage, { address: server.address, token: 'hf_wrong' });
    await failure('hubNotAllowed', download(each));
    hub = hubClient(hubPackage, { address: server.address, token: 'hf_right' });
    await download(each);
    const stored = server.requests.filter(({ host }) => host === 'store');
    expect(stored.map(({ authorization }) => authorization)).to.deep.equal([undefined]);
    expect(() => hubClient(hubPackage, { address: server.address, token: 'secret' })).to.throw('hf_');
  });

  it('is hostile: what it answers leads nowhere, is bounded, and is read as what it should be or not at all', async () => {
    const { answers } = server.mischief;
    const tree = (entries: unknown): void =>
      void answers.set('/api/models/owner/small-bert/tree', { body: JSON.stringify(entries) });
    for (const body of ['', '{', '{}', '7', '[null]', '<html>']) {
      answers.set('/api/models', { body });
      await failure('hubAnswerInvalid', hub.search('', never));
      await failure('hubAnswerInvalid', hub.repository('owner/small-bert', never));
    }
    answers.clear();
    answers.set('/api/models', { body: JSON.stringify([{ id: '../../x' }, { id: 'a/b', downloads: -1 }, { id: 7 }]) });
    expect(await hub.search('', never)).to.deep.equal([]);
    answers.clear();

    const entry = { type: 'file', size: 1, oid: '0'.repeat(40) };
    const bad = [
      ...[
        '../evil.onnx',
        '/etc/passwd',
        'a/../../b.onnx',
        'C:\\x.onnx',
        'c:x.onnx',
        'a\\b.onnx',
        '.ssh/x.onnx',
        'nul.onnx',
      ],
      ...[
        'a//b.onnx',
        'x.onnx?y',
        'x#.onnx',
        'x%2e.onnx',
        'x.onnx.',
        'x\n.onnx',
        'x\u202e.onnx',
        'a/b/c/d/e/f/g.onnx',
        '',
      ],
    ];
    tree([
      ...bad.map((path) => ({ ...entry, path })),
      { ...entry, path: 'good.onnx' },
      { ...entry, path: 'GOOD.onnx' },
    ]);
    expect((await hub.repository('owner/small-bert', never)).files.map(({ path }) => path)).to.deep.equal([
      'GOOD.onnx',
    ]);
    tree([
      { ...entry, path: 'a.onnx', oid: 'x' },
      { ...entry, path: 'b.onnx', size: -1 },
      { ...entry, path: 'c.onnx', lfs: { oid: 'short', size: 1 } },
    ]);
    expect((await hub.repository('owner/small-bert', never)).files).to.deep.equal([]);

    const { requests } = server;
    hub = hubClient(hubPackage, { address: server.address, token: 'hf_right' });
    answers.set('/api/models/owner/small-bert/tree', { body: '[]', link: '<http://127.0.0.1:9/next>; rel="next"' });
    expect((await failure('hubAnswerInvalid', hub.repository('owner/small-bert', never))).sentence).to.include(
      'leads to',
    );
    answers.set('/api/models/owner/small-bert/tree', {
      body: '[]',
      link: `<${server.address}/api/models/owner/small-bert/tree/x>; rel="next"`,
    });
    requests.length = 0;
    tree([entry]);
    answers.set('/api/models', { body: `["${'x'.repeat(2 ** 24)}"]` });
    expect((await failure('hubAnswerInvalid', hub.search('', never))).sentence).to.include('too long');
    answers.set('/api/models', { status: 429, body: '{}' });
    await failure('hubBusy', hub.search('', never));
    answers.set('/api/models', { status: 503, body: '{"error":"[x](command:y)"}' });
    expect((await failure('hubUnreachable', hub.search('', never))).sentence)
      .to.include('503')
      .and.not.include('command');
    answers.clear();
    await failure('hubNotFound', hub.repository('owner/none', never));
    await failure('hubNotFound', hub.repository('../api/x', never));
  });

  it('may not be there', async () => {
    const closed = await serveHub({});
    const away = hubClient(hubPackage, { address: closed.address, token: undefined });
    await closed.close();
    expect((await failure('hubUnreachable', away.search('', never))).sentence).to.include('ECONNREFUSED');
    const ended = new AbortController();
    ended.abort();
    await failure('cancelled', away.search('', ended.signal));
  });

  it('is an address of HTTPS, or one of this machine', () => {
    expect(checkedAddress('https://hf-mirror.com/')).to.equal('https://hf-mirror.com');
    expect(checkedAddress('http://localhost:8080')).to.equal('http://localhost:8080');
    for (const each of ['', 'huggingface.co', 'http://huggingface.co', 'file:///x', 'https://a.b/c', 'https://u:p@a.b'])
      expect(() => checkedAddress(each), each).to.throw('hubAddress');
  });

  it('is downloaded from by one window at a time, and what several models share stays until the last is removed', async () => {
    const [large, coarse] = [await wanted(), await wanted('onnx/model_int8.onnx')];
    server.mischief.pauseMilliseconds = 5;
    server.mischief.pieceBytes = 10_000;
    const first = download(large);
    while (!existsSync(join(folder(), 'onnx/model.onnx_data.part'))) await new Promise((done) => setTimeout(done, 2));
    await failure(
      'hubInUse',
      downloadsIn(root).download(coarse, hub.opener(coarse), { signal: never, report: () => {} }),
    );
    await failure('hubInUse', downloadsIn(root).remove(large));
    await first;
    await download(coarse);
    expect((await downloads.list()).map(({ model: name, isComplete }) => [name, isComplete])).to.deep.equal([
      ['onnx/model.onnx', true],
      ['onnx/model_int8.onnx', true],
    ]);
    await writeFile(join(folder(), 'mine.txt'), 'of the person');
    await downloads.remove(large);
    expect(readdirSync(join(folder(), 'onnx'))).to.deep.equal(['model_int8.onnx']);
    expect((await stat(join(folder(), 'tokenizer.json'))).size).to.equal(2);
    await downloads.remove(coarse);
    expect(await namesBelow(), 'what is not ours stays').to.deep.equal(['mine.txt']);
    await rm(join(folder(), 'mine.txt'));
    await writeFile(join(root, 'owner', 'x.txt'), '');
    expect(await downloads.list()).to.deep.equal([]);
  });
});
