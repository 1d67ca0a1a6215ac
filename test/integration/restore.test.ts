import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import {
  closeAll,
  configure,
  expectFailure,
  explain,
  extension,
  openFile,
  select,
  testApi,
  writeTinyModel,
} from './support';

describe('Coming back after a reload', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  afterEach(closeAll);

  /** Explains a part of a file with a head and a pin, and returns what would outlive a reload. */
  async function leave(): Promise<unknown> {
    const editor = await openFile('kept.txt', 'first\nsecond line\nthird\n');
    select(editor, 6, 17);
    await explain(api);
    api.changeView({
      selection: { component: 'self', heads: [{ layer: 2, head: 1 }], aggregation: 'mean' },
      pinned: [{ stream: 0, position: 3 }],
      method: 'rollout',
    });
    const { kept } = api.snapshot();
    await closeAll();
    return { layout: {}, persist: JSON.parse(JSON.stringify(kept)) as unknown };
  }

  it('shows the same text with the same head and pin', async () => {
    await api.restore(await leave());
    const { status, run, view, textRange } = api.snapshot();
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.equal('second line');
    expect(textRange).to.deep.equal({ start: 6, end: 17 });
    expect(view.selection.heads).to.deep.equal([{ layer: 2, head: 1 }]);
    expect(view.pinned).to.deep.equal([{ stream: 0, position: 3 }]);
    expect(view.method).to.equal('rollout');
    api.changeView({ method: 'attention' });
  });

  it('finds the text where it stands now', async () => {
    const state = await leave();
    await openFile('kept.txt', 'a new line\nfirst\nsecond line\nthird\n');
    await api.restore(state);
    expect(api.snapshot().textRange).to.deep.equal({ start: 17, end: 28 });
  });

  it('says that the text is gone, and explains what stands there when asked', async () => {
    const state = await leave();
    await openFile('kept.txt', 'nothing of it is left, but something else is here\n');
    await api.restore(state);
    expectFailure(api.snapshot().status, 'documentChanged');
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().status.kind).to.equal('ready');
    expect(api.snapshot().textRange).to.deep.equal({ start: 6, end: 17 });
  });

  it('says that the file is gone', async () => {
    const left = await leave();
    const remembered = api.snapshot().remembered as { uri: string }; // our own
    api.remember({ ...remembered, uri: remembered.uri.replace('kept.txt', 'gone.txt') });
    await api.restore(left);
    expectFailure(api.snapshot().status, 'fileNotFound');
  });

  it('brings back a file outside of the workspace that was explained there', async () => {
    const readme = vscode.Uri.joinPath(extension().extensionUri, 'LICENSE');
    select(await vscode.window.showTextDocument(readme, { viewColumn: vscode.ViewColumn.One }), 0, 11);
    await explain(api);
    const { kept } = api.snapshot();
    await closeAll();
    await api.restore({ persist: kept });
    expect(api.snapshot().status, JSON.stringify(api.snapshot().status)).to.deep.equal({ kind: 'ready' });
    expect(api.snapshot().textRange).to.deep.equal({ start: 0, end: 11 });
  });

  it('takes nothing from a page but the key of this workspace', async () => {
    await leave();
    const remembered = api.snapshot().remembered as { uri: string }; // our own
    const secret = vscode.Uri.joinPath(extension().extensionUri, 'package.json').toString();
    for (const persist of [
      null,
      {},
      remembered,
      { ...remembered, uri: secret },
      { version: 2, key: 'of another workspace', uri: secret },
    ]) {
      const { run } = api.snapshot();
      await api.restore({ persist });
      expectFailure(api.snapshot().status, 'notShownHere');
      expect(api.snapshot().run?.runId).to.equal(run?.runId);
    }
  });

  it('stays empty where the page had nothing', async () => {
    await leave();
    const { status } = api.snapshot();
    for (const state of [undefined, {}, { layout: {} }]) await api.restore(state);
    expect(api.snapshot().status).to.deep.equal(status);
  });
});
