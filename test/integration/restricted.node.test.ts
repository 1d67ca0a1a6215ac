import { expect } from 'chai';
import type * as Fs from 'node:fs/promises';
import * as vscode from 'vscode';
import type { TestApi, TestSnapshot } from '../../src/host/testApi';
import { initialView } from '../../src/model/viewState';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import {
  closeAll,
  expectFailure,
  expectReady,
  explain,
  openFile,
  readFixture,
  select,
  sleep,
  testApi,
  until,
  workspaceFolder,
  writeFile,
  writeTinyModel,
} from './support';

const text = 'a text of some more tokens than eight';

/** The longest that this host stood still while something was done, in milliseconds. */
async function longestHalt(work: () => Promise<unknown>): Promise<number> {
  let [longest, last] = [0, performance.now()];
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(longest, performance.now() - last);
}

// Runs in a window of its own, which is started without trust in its workspace.
describe('A workspace that is not trusted', () => {
  let api: TestApi;
  let node: typeof Fs;
  /** A folder outside of the workspace. */
  let outside: string;
  let workspace: string;

  /** Sets the person's own settings; undefined takes one back. */
  async function configureUser(settings: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [key, value] of Object.entries(settings))
      await vscode.workspace
        .getConfiguration('attentionExplorer')
        .update(key, value, vscode.ConfigurationTarget.Global);
  }

  async function explainWith(modelPath: string | undefined): Promise<TestSnapshot> {
    await configureUser({ modelPath });
    return explain(api);
  }

  /** Writes the workspace's settings and waits until the window has them, which shows in one that is not restricted. */
  async function writeSettings(content: (scale: string) => string): Promise<void> {
    const scale = vscode.workspace.getConfiguration('attentionExplorer').get('scale') === 'log' ? 'row' : 'log';
    await writeFile('.vscode/settings.json', content(scale));
    for (let i = 0; i < 500 && vscode.workspace.getConfiguration('attentionExplorer').get('scale') !== scale; i++)
      await sleep(20);
    expect(vscode.workspace.getConfiguration('attentionExplorer').get('scale')).to.equal(scale);
  }

  before(async () => {
    expect(vscode.workspace.isTrusted).to.equal(false);
    api = await testApi();
    node = await import('node:fs/promises');
    const [{ tmpdir }, { join }] = await Promise.all([import('node:os'), import('node:path')]);
    outside = await node.mkdtemp(join(tmpdir(), 'ae-restricted-'));
    workspace = workspaceFolder().fsPath;
    await writeTinyModel('models/evil');
    await node.cp(`${workspace}/models/evil`, `${outside}/good`, { recursive: true });
    await node.mkdir(`${outside}/mixed`);
    await node.writeFile(`${outside}/mixed/model.onnx`, await readFixture('zoo/gpt2.sdpa.legacy/model.onnx'));
    await node.symlink(workspace, `${outside}/leadsIn`);
    await node.symlink(`${workspace}/models/evil`, `${outside}/model`);
    await node.symlink(`${workspace}/models/evil/model.onnx`, `${outside}/model.onnx`);
    await node.symlink(`${workspace}/models/evil/tokenizer.json`, `${outside}/mixed/tokenizer.json`);
    await node.symlink(`${outside}/good`, `${workspace}/models/leadsOut`);
    await openFile('read.txt', text);
  });
  after(async () => {
    await configureUser({ modelPath: undefined });
    await closeAll();
    await node.rm(outside, { recursive: true, force: true });
  });

  it('supplies no model, whichever way it is named', async () => {
    const uri = workspaceFolder();
    const ways = [
      'models/evil',
      './models/evil/model.onnx',
      'models/leadsOut',
      '../anything',
      '${workspaceFolder}/models/evil',
      '${workspaceFolder}/models/evil/model.onnx',
      `${workspace}/models/evil`,
      `${workspace}/models/evil/model.onnx`,
      `${workspace}/models/../../${uri.path.split('/').at(-1)}/./models//evil/`,
      `${outside}/../${uri.path.split('/').at(-1)}/models/evil`,
      vscode.Uri.joinPath(uri, 'models', 'evil').with({ scheme: 'file' }).toString(),
      `file://${uri.path}/models/%65vil`,
      `${outside}/leadsIn/models/evil`,
      `${outside}/model`,
      `${outside}/model.onnx`,
      `${outside}/mixed`,
    ];
    for (const way of ways) {
      const { status, run } = await explainWith(way);
      expectFailure(status, 'untrustedModel');
      expect(run, way).to.equal(undefined);
      if (status.kind === 'failed')
        expect([status.error.action?.id, status.error.alternative?.id]).to.deep.equal([
          'trustWorkspace',
          'selectModel',
        ]);
    }
  });

  it('supplies none for pictures, live mode, the report and the chat template either', async () => {
    await configureUser({ modelPath: `${outside}/leadsIn/models/evil` });
    await vscode.commands.executeCommand(
      'attentionExplorer.explainImage',
      await writeFile('picture.png', await readFixture('images/bits.png')),
    );
    expectFailure(api.snapshot().status, 'untrustedModel');
    for (const name of ['Extraction Report.md', 'Chat Template.md']) {
      const document = await vscode.workspace.openTextDocument(
        vscode.Uri.from({ scheme: 'attention-explorer-report', path: `/${name}` }),
      );
      expect(document.getText()).to.include('is not trusted').and.to.not.include('nodes');
    }
    await vscode.commands.executeCommand('attentionExplorer.toggleLiveMode');
    const { live, run } = await until(api, 'live mode to rest', (state) => state.live.kind === 'paused');
    await vscode.commands.executeCommand('attentionExplorer.toggleLiveMode');
    expect(live).to.have.property('sentence').that.includes('is not trusted');
    expect(run).to.equal(undefined);
  });

  it('supplies none for a profile of its heads, which our own models make', async function () {
    this.timeout(180_000);
    expect(api.snapshot().run).to.equal(undefined);
    const of = (path: string): Promise<string | undefined> =>
      configureUser({ modelPath: path }).then(() =>
        api.profile('read.txt').then(
          ({ code }) => code,
          (error: { readonly code?: string }) => error.code,
        ),
      );
    // The window itself, and its engine, which follows links.
    for (const way of ['models/evil', `${outside}/leadsIn/models/evil`, `${outside}/mixed`])
      expect(await of(way), way).to.equal('untrustedModel');
    await configureUser({ modelPath: undefined });
    await writeSettings((scale) =>
      JSON.stringify({ 'attentionExplorer.modelPath': 'models/evil', 'attentionExplorer.scale': scale }),
    );
    // What the workspace says is not asked: the model is ours. Files are looked for then, for which not every host has a program.
    expect((await api.profile('read.txt')).code).to.be.oneOf([undefined, 'internal']);
  });

  it('supplies none by a saved explanation, nor a limit beyond one’s own', async () => {
    const saved = (path: string): string =>
      JSON.stringify({
        format: 'attention-explorer explanation',
        version: 1,
        model: { path, name: 'evil' },
        text: 'def f(x):\n    return x + 1\n',
        tokenLimit: 0,
        view: initialView,
      });
    let files = 0;
    const openSaved = async (path: string): Promise<TestSnapshot['file']> => {
      const name = `saved${++files}.attention-explanation.json`;
      await vscode.commands.executeCommand(
        'vscode.openWith',
        await writeFile(name, saved(path)),
        'attentionExplorer.explanation',
        { viewColumn: vscode.ViewColumn.One, preview: false },
      );
      const { file } = await until(api, `${path} to be read`, ({ file: seen }) =>
        ['failed', 'ready'].includes(seen?.status.kind ?? ''),
      );
      return file;
    };
    await configureUser({ tokenLimit: 8 });
    for (const path of [
      'models/evil',
      `${workspace}/models/evil`,
      `${outside}/leadsIn/models/evil`,
      `${outside}/good`,
    ]) {
      const file = await openSaved(path);
      if (file === undefined) throw new Error('no file');
      expectFailure(file.status, 'explanationUntrusted');
      expect(file.run, path).to.equal(undefined);
    }
    const ours = await openSaved('bundled:code-decoder');
    expect(ours?.status, JSON.stringify(ours?.status)).to.deep.equal({ kind: 'ready' });
    expect(ours?.run?.model.name).to.equal('code-decoder');
    expect(ours?.run?.streams[0].tokens).to.have.length(8);
    await configureUser({ tokenLimit: undefined });
    await openFile('read.txt', text);
  });

  it('does not keep one from using one’s own model, or ours', async () => {
    const own = await explainWith(`${outside}/good`);
    expectReady(own);
    expect(own.run?.model.path).to.match(/good\/model\.onnx$/);
    const ours = await explainWith(undefined);
    expectReady(ours);
    expect(ours.run?.model.name).to.equal('code-decoder');
  });

  it('does not keep the course from opening, which is about our own models alone', async () => {
    await configureUser({ modelPath: `${outside}/leadsIn/models/evil` });
    await vscode.commands.executeCommand('attentionExplorer.openStation', 'byHand');
    const { status, run } = api.snapshot();
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.model.name).to.equal('worked-example');
    await configureUser({ modelPath: undefined });
  });

  it('sets nothing that costs, however it is written, and says that it is ignored', async () => {
    await configureUser({ modelPath: `${outside}/good` });
    const costs = {
      modelPath: 'models/evil',
      tokenLimit: 8,
      threads: 1,
      backend: 'wasm',
      liveTokens: 1024,
      liveDelay: 50,
    };
    const plain = Object.fromEntries(Object.entries(costs).map(([key, value]) => [`attentionExplorer.${key}`, value]));
    const before = await explain(api);
    for (const settings of [plain, { attentionExplorer: costs }, { '[plaintext]': plain }]) {
      await writeSettings((scale) => JSON.stringify({ ...settings, 'attentionExplorer.scale': scale }));
      const { run, notices, status } = await explain(api);
      expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
      expect(run?.streams[0].text).to.equal(text);
      expect(run?.model).to.deep.equal(before.run?.model);
      if (!('[plaintext]' in settings))
        expect(notices.join('\n')).to.include('what its settings say of the model and its limits is ignored');
    }
    await explainWith(`${outside}/good`);
  });

  it('makes nobody wait for a large file of settings, which is not read', async () => {
    await configureUser({ modelPath: `${outside}/good` });
    await writeSettings(
      (scale) => `{"attentionExplorer.scale": "${scale}"${',"attentionExplorer.modelPath": "x"'.repeat(10)}}`,
    );
    expect((await explain(api)).notices.join('\n'))
      .to.include('is ignored')
      .and.to.not.include('64 kB');
    // One line, the key again and again without a value.
    const large = `{${'"attentionExplorer.modelPath" '.repeat(10_000)}}`;
    expect(large.length).to.be.greaterThan(300_000);
    await writeFile('.vscode/settings.json', large);
    await sleep(500); // VS Code reads it too
    const halt = await longestHalt(() => explain(api));
    const { notices, status } = api.snapshot();
    expect(status).to.deep.equal({ kind: 'ready' });
    expect(notices.join('\n')).to.include('more than 64 kB');
    expect(halt).to.be.lessThan(1000);
  });

  it('has no settings looked for in what is no file', async () => {
    await node.rm(`${workspace}/.vscode/settings.json`);
    await node.mkdir(`${workspace}/.vscode/settings.json`);
    expectReady(await explain(api));
    await node.rm(`${workspace}/.vscode/settings.json`, { recursive: true });
  });

  it('offers no tokenizer of its own', async () => {
    // The tokenizer beside a model of one's own is a link into the workspace.
    await node.rm(`${outside}/good/tokenizer.json`);
    await writeFile('tokenizer.json', tinyTokenizer());
    await node.symlink(`${workspace}/tokenizer.json`, `${outside}/good/tokenizer.json`);
    await configureUser({ backend: 'wasm' }); // the model that is held was read before
    const editor = vscode.window.activeTextEditor;
    if (editor !== undefined) select(editor, 0, 6);
    const { status } = await explainWith(`${outside}/good`);
    await configureUser({ backend: undefined });
    expectFailure(status, 'untrustedModel');
  });
});
