import { expect } from 'chai';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { AttentionSession } from '../../src/engine/session/attentionSession';
import { inspectModel } from '../../src/engine/serve/inspectModel';
import { modelAccess } from '../../src/engine/files/modelAccess';
import { readModelFiles } from '../../src/engine/files/modelFiles';
import { resolveModel } from '../../src/engine/folder/modelFolder';
import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../../src/engine/runtime/runtimes';
import type { ModelSpec } from '../../src/protocol';
import { codeOf } from '../harness/codeOf';

const fixture = 'test/fixtures/zoo/gpt2.sdpa.legacy.external';

describe('the files of a model that are links', () => {
  const runtimes = new Runtimes({ native: () => Promise.resolve(native), wasm: () => Promise.resolve(web) }, 1);
  let folder: string;
  const at = (...parts: string[]): string => join(folder, ...parts);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-links-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A model with its weights in another file, and what may stand beside it. */
  function makeModel(...parts: string[]): string {
    const path = at(...parts);
    mkdirSync(path, { recursive: true });
    for (const name of ['model.onnx', 'model.onnx_data']) cpSync(join(fixture, name), join(path, name));
    for (const name of ['tokenizer.json', 'config.json']) writeFileSync(join(path, name), '{}');
    return path;
  }

  /** Moves a file elsewhere and leaves a link to it. */
  function replaceByLink(file: string, to: string): void {
    mkdirSync(join(to, '..'), { recursive: true });
    renameSync(file, to);
    symlinkSync(to, file);
  }

  /** Opens a model on a backend, with all its weights; resolves to `opened` or to what it fails with. */
  async function open(
    spec: Pick<ModelSpec, 'path' | 'tokenizerPath' | 'barred'>,
    backend: 'native' | 'wasm' = 'wasm',
  ): Promise<string> {
    const opening = (async () => {
      const access = await modelAccess(nodeFileAccess, spec);
      const { modelPath, tokenizerPath } = await resolveModel(access, spec.path, spec.tokenizerPath);
      const files = await readModelFiles(access, modelPath);
      if (tokenizerPath !== undefined) await access.read(tokenizerPath, 'tokenizer');
      const { runtime } = await runtimes.choose(backend, 1);
      await (await AttentionSession.create({ ort: runtime.ort, runtime, files })).release();
    })();
    return opening.then(
      () => 'opened',
      () => codeOf(opening),
    );
  }

  it('are followed inside its folder, and nowhere else', async function () {
    this.timeout(30_000);
    for (const backend of ['native', 'wasm'] as const) {
      const inside = makeModel(`inside.${backend}`);
      replaceByLink(join(inside, 'model.onnx_data'), join(inside, 'parts', 'weights'));
      expect(await open({ path: inside }, backend), `${backend}, inside`).to.equal('opened');
      const outside = makeModel(`outside.${backend}`);
      replaceByLink(join(outside, 'model.onnx_data'), at('elsewhere', `weights.${backend}`));
      expect(await open({ path: outside }, backend), `${backend}, the folder was chosen`).to.equal(
        'externalDataOutside',
      );
      expect(await open({ path: join(outside, 'model.onnx') }, backend), `${backend}, the file was chosen`).to.equal(
        'externalDataOutside',
      );
    }
  });

  it('are refused where they lead out: model, tokenizer, settings, and a folder of them', async () => {
    for (const name of ['model.onnx', 'tokenizer.json', 'config.json']) {
      const model = makeModel(`with.${name}`);
      replaceByLink(join(model, name), at('elsewhere', name));
      expect(await open({ path: model }), name).to.equal('fileOutside');
    }
    makeModel('real');
    mkdirSync(at('nested'));
    symlinkSync(at('real'), at('nested', 'onnx'));
    expect(await open({ path: at('nested') })).to.equal('fileOutside');
    // Nothing is followed for being called like what lies beside the folder.
    makeModel('real2');
    mkdirSync(at('real'), { recursive: true });
    rmSync(at('real', 'tokenizer.json'));
    symlinkSync(at('real2', 'tokenizer.json'), at('real', 'tokenizer.json'));
    expect(await open({ path: at('real') })).to.equal('fileOutside');
  });

  it('may be what the person chose: folder, file and tokenizer, with what lies beside the file that is meant', async () => {
    makeModel('real');
    symlinkSync(at('real'), at('folder'));
    expect(await open({ path: at('folder') })).to.equal('opened');
    mkdirSync(at('alone'));
    for (const name of ['model.onnx', 'model.onnx_data']) symlinkSync(at('real', name), at('alone', name));
    expect(await open({ path: at('alone', 'model.onnx') })).to.equal('opened');
    symlinkSync(at('real', 'tokenizer.json'), at('alone', 'mine.json'));
    expect(await open({ path: at('alone', 'model.onnx'), tokenizerPath: at('alone', 'mine.json') })).to.equal('opened');
  });

  it('are followed in the cache of the Hugging Face hub, which the report tells', async function () {
    this.timeout(30_000);
    const model = makeModel('models--org--tiny', 'snapshots', '0123abc');
    for (const name of ['model.onnx', 'model.onnx_data', 'tokenizer.json', 'config.json'])
      replaceByLink(join(model, name), at('models--org--tiny', 'blobs', `hash-of-${name}`));
    for (const backend of ['native', 'wasm'] as const) {
      expect(await open({ path: model }, backend), backend).to.equal('opened');
      expect(await open({ path: join(model, 'model.onnx') }, backend), backend).to.equal('opened');
    }
    expect((await inspectModel(nodeFileAccess, { path: model })).markdown).to.include(
      "links out of the model's folder, into the blobs of the same model in the cache of the Hugging Face hub",
    );
    expect((await inspectModel(nodeFileAccess, { path: makeModel('plain') })).markdown).to.not.include('links out of');
  });

  it('are not followed to the blobs of another model, to what is no blob, or through a folder of blobs that is a link', async () => {
    for (const [name, to] of [
      ['models--a', ['models--other', 'blobs', 'hash']],
      ['models--b', ['models--b', 'secret']],
      ['models--c', ['models--c', 'blobs', 'deeper', 'hash']],
      ['notmodels', ['notmodels', 'blobs', 'hash']],
    ] as const) {
      const model = makeModel(name, 'snapshots', '0123abc');
      replaceByLink(join(model, 'model.onnx_data'), at(...to));
      expect(await open({ path: model }), name).to.equal('externalDataOutside');
    }
    const model = makeModel('models--d', 'snapshots', '0123abc');
    mkdirSync(at('home'));
    symlinkSync(at('home'), at('models--d', 'blobs'));
    replaceByLink(join(model, 'tokenizer.json'), at('models--d', 'blobs', 'id_rsa'));
    expect(await open({ path: model })).to.equal('fileOutside');
  });

  it('hand on the very path that was checked', async () => {
    makeModel('real');
    symlinkSync(at('real'), at('folder'));
    const read: string[] = [];
    const access = await modelAccess(
      { ...nodeFileAccess, read: (path, kind) => (read.push(path), nodeFileAccess.read(path, kind)) },
      { path: at('folder') },
    );
    await access.read(at('folder', 'config.json'), 'settings');
    expect(read).to.deep.equal([at('real', 'config.json')]);
    expect(await codeOf(access.read(at('elsewhere'), 'settings'))).to.equal('fileNotFound');
    writeFileSync(at('secret'), '');
    expect(await codeOf(access.read(at('secret'), 'settings'))).to.equal('fileOutside');
  });

  it('may have a tokenizer and settings above, and nothing else, nor links', async () => {
    const model = makeModel('repo', 'cpu', 'int4');
    for (const name of ['tokenizer.json', 'config.json']) renameSync(join(model, name), at('repo', name));
    for (const path of [at('repo'), model, join(model, 'model.onnx')]) {
      const { tokenizerPath } = await resolveModel(await modelAccess(nodeFileAccess, { path }), path);
      expect(tokenizerPath, path).to.equal(at('repo', 'tokenizer.json'));
      expect(await open({ path })).to.equal('opened');
    }
    writeFileSync(at('repo', 'id_rsa'), '');
    writeFileSync(at('repo', 'other.onnx'), '');
    mkdirSync(at('repo', 'gpu'));
    writeFileSync(at('repo', 'gpu', 'config.json'), '{}');
    const access = await modelAccess(nodeFileAccess, { path: model });
    for (const name of ['id_rsa', 'other.onnx', 'gpu/config.json'])
      expect(await codeOf(access.read(at('repo', name), 'settings')), name).to.equal('fileOutside');
    replaceByLink(at('repo', 'tokenizer.json'), at('elsewhere.json'));
    expect(await open({ path: model })).to.equal('fileOutside');
    expect(await open({ path: model, barred: { folders: [at('repo')], except: at('extension') } })).to.equal(
      'untrustedModel',
    );
  });

  describe('while the workspace is not trusted', () => {
    const barred = (...folders: string[]): NonNullable<ModelSpec['barred']> => ({
      folders: folders.map((name) => at(name)),
      except: at('extension', 'media', 'models'),
    });

    beforeEach(() => {
      makeModel('workspace', 'models', 'evil');
      makeModel('mine');
    });

    it('lie outside of it, however they are named', async () => {
      symlinkSync(at('workspace'), at('leadsIn'));
      symlinkSync(at('workspace', 'models', 'evil'), at('model'));
      symlinkSync(at('workspace', 'models', 'evil', 'model.onnx'), at('model.onnx'));
      for (const path of [
        at('workspace', 'models', 'evil'),
        `${at('workspace', 'models', 'evil')}/`,
        at('workspace', 'models', 'evil', 'model.onnx'),
        `${folder}/mine/../workspace/./models//evil`,
        at('leadsIn', 'models', 'evil'),
        at('model'),
        at('model.onnx'),
      ]) {
        expect(await open({ path, barred: barred('workspace') }), path).to.equal('untrustedModel');
        expect(await open({ path, barred: barred('other', 'workspace') }), `${path}, one of several folders`).to.equal(
          'untrustedModel',
        );
        expect(await open({ path, barred: barred('leadsIn') }), `${path}, in a folder that is a link`).to.equal(
          'untrustedModel',
        );
      }
      expect(await open({ path: at('mine'), barred: barred('workspace', 'gone') })).to.equal('opened');
    });

    it('are not there file by file either: weights, tokenizer, settings, a chosen tokenizer', async () => {
      for (const name of ['model.onnx', 'model.onnx_data', 'tokenizer.json', 'config.json']) {
        const model = makeModel(`mixed.${name}`);
        rmSync(join(model, name));
        symlinkSync(at('workspace', 'models', 'evil', name), join(model, name));
        expect(await open({ path: model, barred: barred('workspace') }), name).to.equal('untrustedModel');
      }
      expect(
        await open({
          path: at('mine'),
          tokenizerPath: at('workspace', 'models', 'evil', 'tokenizer.json'),
          barred: barred('workspace'),
        }),
      ).to.equal('untrustedModel');
      // A workspace below the folder of a model is no part of it.
      makeModel('mine', 'workspace');
      rmSync(at('mine', 'model.onnx_data'));
      symlinkSync(at('mine', 'workspace', 'model.onnx_data'), at('mine', 'model.onnx_data'));
      expect(await open({ path: at('mine'), barred: barred('mine/workspace') })).to.equal('untrustedModel');
    });

    it('may be ours, wherever we are installed', async () => {
      const ours = makeModel('extension', 'media', 'models', 'tiny');
      expect(await open({ path: ours, barred: { ...barred(), folders: [folder] } })).to.equal('opened');
      symlinkSync(at('workspace', 'models', 'evil'), at('extension', 'media', 'models', 'evil'));
      expect(await open({ path: at('extension', 'media', 'models', 'evil'), barred: barred('workspace') })).to.equal(
        'untrustedModel',
      );
    });

    it('are read again where a folder was added that bars them', async () => {
      const report = await inspectModel(nodeFileAccess, { path: at('mine'), barred: barred('workspace') });
      expect(report.title).to.equal('mine');
      expect(
        await codeOf(inspectModel(nodeFileAccess, { path: at('mine'), barred: barred('workspace', 'mine') })),
      ).to.equal('untrustedModel');
    });
  });
});
