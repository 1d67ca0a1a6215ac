import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import { closeAll, configure, expectFailure, explain, openFile, select, testApi, writeTinyModel } from './support';

describe('Coming back after a reload', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel() });
  });
  afterEach(closeAll);

  /** Explains a part of a file with a head and a pin, and returns what would outlive a reload. */
  async function leave(): Promise<unknown> {
    const editor = await openFile('kept.txt', 'first\nsecond line\nthird\n');
    select(editor, 6, 17);
    await explain(api);
    api.changeView({ selection: { component: 'self', heads: [{ layer: 2, head: 1 }], aggregation: 'mean' }, pinned: [{ stream: 0, position: 3 }] });
    const { persisted } = api.snapshot();
    await closeAll();
    return JSON.parse(JSON.stringify(persisted));
  }

  it('shows the same text with the same head and pin', async () => {
    await api.restore(await leave());
    const { status, run, view, textRange } = api.snapshot();
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.equal('second line');
    expect(textRange).to.deep.equal({ start: 6, end: 17 });
    expect(view.selection.heads).to.deep.equal([{ layer: 2, head: 1 }]);
    expect(view.pinned).to.deep.equal([{ stream: 0, position: 3 }]);
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
    const state = (await leave()) as { uri: string }; // our own
    await api.restore({ ...state, uri: state.uri.replace('kept.txt', 'gone.txt') });
    expectFailure(api.snapshot().status, 'fileNotFound');
  });

  it('takes no state that we did not write', async () => {
    for (const hostile of [null, {}, { ...((await leave()) as object), view: { selection: 'x' } }]) {
      let isRefused = false;
      await api.restore(hostile).catch(() => (isRefused = true));
      expect(isRefused).to.equal(true);
    }
  });
});
