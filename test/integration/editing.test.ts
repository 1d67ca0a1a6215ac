import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import {
  closeAll,
  closeTabs,
  configure,
  expectFailure,
  expectReady,
  explain,
  openFile,
  openText,
  select,
  slowDown,
  testApi,
  until,
  writeTinyModel,
} from './support';

describe('Editing', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  afterEach(async () => {
    await closeAll();
    await configure({ modelPath: 'models/tiny' });
  });

  const insert = (editor: vscode.TextEditor, offset: number, text: string): Thenable<boolean> =>
    editor.edit((edit) => edit.insert(editor.document.positionAt(offset), text));

  it('in the explained text makes the panel stale, clears the editor, and can be run again', async () => {
    const editor = await openText('one two three');
    select(editor, 4, 7);
    await explain(api);
    api.changeView({ pinned: [{ stream: 0, position: 2 }] });
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    await insert(editor, 5, 'X');
    const { status } = await until(api, 'nothing is lit', (state) => state.highlights.length === 0);
    expect(status.kind).to.equal('stale');
    expect(status.kind === 'stale' && status.reason).to.match(/edited/);
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    const { run, status: after } = api.snapshot();
    expect(after.kind).to.equal('ready');
    expect(run?.streams[0].text).to.equal('tXwo');
  });

  it('that is undone brings the attention back', async () => {
    const editor = await openText('one two three');
    select(editor, 4, 7);
    await explain(api);
    await insert(editor, 5, 'X');
    expect(api.snapshot().status.kind).to.equal('stale');
    await editor.edit((edit) => edit.delete(new vscode.Range(0, 5, 0, 6)));
    expect(api.snapshot().status.kind).to.equal('ready');
  });

  it('before the explained text moves it, after it does nothing', async () => {
    const editor = await openText('one two three');
    select(editor, 4, 7);
    await explain(api);
    await insert(editor, 0, 'zero\n');
    await insert(editor, editor.document.getText().length, ' four');
    const { status, textRange } = api.snapshot();
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(textRange).to.deep.equal({ start: 9, end: 12 });
    expect(editor.document.getText().slice(9, 12)).to.equal('two');
  });

  it('the line ends moves it as well', async () => {
    const editor = await openText('one\ntwo\nthree');
    select(editor, 4, 7);
    await explain(api);
    await editor.edit((edit) => edit.setEndOfLine(vscode.EndOfLine.CRLF));
    await until(api, 'it has moved', (state) => state.textRange?.start === 5);
    expect(api.snapshot().status.kind).to.equal('ready');
  });

  it('the text in mid-run ends the run with a sentence, and the next run works', async () => {
    const editor = await openText('one two three\n'.repeat(100));
    await slowDown();
    const running = vscode.commands.executeCommand('attentionExplorer.explainAttention');
    await until(api, 'it runs', (state) => state.engine.kind === 'running');
    await insert(editor, 2, 'X');
    await running;
    expectFailure(api.snapshot().status, 'documentChanged');
    expectReady(await explain(api));
  });

  it('is not needed: closing the document in mid-run ends the run with a sentence as well', async () => {
    const { document } = await openFile('closed.txt', 'x = 1\n'.repeat(200));
    await slowDown();
    const running = vscode.commands.executeCommand('attentionExplorer.explainAttention');
    const { status } = api.snapshot();
    expect(status.kind).to.equal('busy');
    await vscode.window.tabGroups.close(
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .filter(
          ({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === document.uri.toString(),
        ),
    );
    await running;
    expectFailure(api.snapshot().status, 'documentClosed');
    await openText('open');
    expectReady(await explain(api));
  });

  it('is not needed for a panel that is restored: closing its document then is no failure', async () => {
    const { document } = await openFile('restored.txt', 'x = 1\n'.repeat(200));
    await explain(api);
    const left = { layout: {}, persist: JSON.parse(JSON.stringify(api.snapshot().kept)) as unknown };
    await slowDown();
    const restoring = api.restore(left);
    await until(api, 'it runs', ({ engine }) => engine.kind === 'running');
    await closeTabs((uri) => uri?.toString() === document.uri.toString());
    await restoring;
    expect(api.snapshot().status.kind).to.not.equal('failed');
    await openText('open');
    expectReady(await explain(api));
  });

  it('is followed when the document was closed and opened again', async () => {
    await openFile('again.txt', 'one two three');
    await explain(api);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await openFile('again.txt', 'zero\none two three');
    await until(api, 'it stands elsewhere', (state) => state.textRange?.start === 5);
  });
});
