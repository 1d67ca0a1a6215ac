import { expect } from 'chai';
import * as vscode from 'vscode';
import { expectEventually } from '../harness/eventually';
import type { TestApi } from '../../src/host/testApi';
import {
  closeAll,
  closeTabs,
  configure,
  explain,
  expectReady,
  testApi,
  until,
  workspaceFolder,
  writeFile,
  writeTinyModel,
} from './support';

/** What VS Code's own extension for Git gives to others, as far as it is needed here. */
interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): {
    openRepository(root: vscode.Uri): Promise<unknown>;
    toGitUri(uri: vscode.Uri, ref: string): vscode.Uri;
  };
}

// VS Code's own extension, and git itself: what it shows of a revision has an address of its own scheme.
describe('Git', function () {
  this.timeout(60_000);
  let api: TestApi;
  let git: ReturnType<GitExtension['getAPI']>;
  let folder: vscode.Uri;
  let file: vscode.Uri;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
    file = await writeFile('repository/poem.txt', 'same line\nold words\nend\n');
    folder = vscode.Uri.joinPath(workspaceFolder(), 'repository');
    const { execFileSync } = await import('node:child_process');
    for (const args of [
      ['init', '--quiet'],
      ['add', '.'],
      ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '--quiet', '--message', 'The first'],
    ])
      execFileSync('git', args, { cwd: folder.fsPath });
    await writeFile('repository/poem.txt', 'same line\nthree new words\nend\n');
    const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
    if (extension === undefined) throw new Error('There is no extension for Git.');
    const exports = await extension.activate();
    await vscode.workspace.getConfiguration('git').update('enabled', true, vscode.ConfigurationTarget.Workspace);
    await expectEventually(() => expect(exports.enabled).to.equal(true));
    git = exports.getAPI(1);
    await git.openRepository(folder);
  });
  afterEach(closeAll);
  after(async () => {
    await closeTabs((uri) => uri?.scheme === 'git');
    await vscode.workspace.getConfiguration('git').update('enabled', undefined, vscode.ConfigurationTarget.Workspace);
    await vscode.workspace.fs.delete(folder, { recursive: true });
  });

  /** Selects a part of the editor that has the focus. */
  function selectPart(part: string): vscode.TextEditor {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) throw new Error('No editor has the focus.');
    const { document } = editor;
    const start = document.getText().indexOf(part);
    expect(start, `${part} in ${document.uri.toString()}`).to.be.at.least(0);
    editor.selection = new vscode.Selection(document.positionAt(start), document.positionAt(start + part.length));
    return editor;
  }

  const focused = async (scheme: string): Promise<unknown> =>
    until(
      api,
      `the focus on the side of ${scheme}`,
      () => vscode.window.activeTextEditor?.document.uri.scheme === scheme,
    );
  const compared = async () => until(api, 'both sides', ({ comparison }) => comparison?.state.kind === 'ready');

  it('has revisions that are explained where they stand, with highlights and hover cards', async () => {
    await vscode.window.showTextDocument(git.toGitUri(file, 'HEAD'), { viewColumn: vscode.ViewColumn.One });
    const { document } = selectPart('old words');
    expect(document.uri.scheme).to.equal('git');
    const state = await explain(api);
    expectReady(state);
    expect(state.run?.streams[0].text).to.equal('old words');
    await until(api, 'something is lit', ({ highlights }) => highlights.length > 0);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      document.positionAt(document.getText().indexOf('words')),
    );
    const cards = hovers.flatMap(({ contents }) =>
      contents.map((each) => (typeof each === 'string' ? each : each.value)),
    );
    expect(cards.filter((card) => card.includes('attentionExplorer'))).to.have.length(1);
  });

  it('has a diff of the working tree of which each side is explained, and compared with the other', async () => {
    await vscode.commands.executeCommand('git.openChange', file);
    await focused('file');
    selectPart('three new words');
    expectReady(await explain(api));
    expect(api.snapshot().run?.streams[0].text).to.equal('three new words');
    await vscode.commands.executeCommand('attentionExplorer.compareSides');
    expect((await compared()).comparison).to.deep.include({ text: 'old words' });
    await vscode.commands.executeCommand('workbench.action.compareEditor.focusSecondarySide');
    await focused('git');
    selectPart('old words');
    await vscode.commands.executeCommand('attentionExplorer.compareSides');
    await until(
      api,
      'the other way round',
      ({ run, comparison }) => run?.streams[0].text === 'old words' && comparison?.state.kind === 'ready',
    );
    expect(api.snapshot().comparison?.text).to.equal('three new words');
    expect(api.snapshot().comparison?.state).to.include({ b: 'tiny · poem.txt, right side' });
  });
});
