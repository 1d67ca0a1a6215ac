import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi, TestSnapshot } from '../../src/host/testApi';
import type { PanelStatus } from '../../src/panelProtocol';
import { tinyTokenizer } from '../harness/tinyTokenizer';

/** Our extension in this host. */
export function extension(): vscode.Extension<TestApi | undefined> {
  const found = vscode.extensions.getExtension<TestApi | undefined>('attention-explorer.attention-explorer');
  if (found === undefined) throw new Error('The extension is not installed.');
  return found;
}

/** What the extension exports in test mode. */
export async function testApi(): Promise<TestApi> {
  const api = await extension().activate();
  if (api === undefined) throw new Error('The extension exports nothing: it does not run in test mode.');
  return api;
}

/** Waits until something holds of the window's state, and returns that state. */
export async function until(
  api: TestApi,
  what: string,
  holds: (state: TestSnapshot) => boolean,
  milliseconds = 45_000,
): Promise<TestSnapshot> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const state = api.snapshot();
    if (holds(state)) return state;
    if (performance.now() > end)
      throw new Error(
        `Not in time: ${what}. The status is ${JSON.stringify(state.status)}, the engine ${JSON.stringify(state.engine)}.`,
      );
    await sleep(20);
  }
}

/** Waits. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The workspace's folder. */
export function workspaceFolder(): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error('The tests need a workspace folder.');
  return folder.uri;
}

/** Writes a file of the workspace. */
export async function writeFile(path: string, content: string | Uint8Array): Promise<vscode.Uri> {
  const uri = vscode.Uri.joinPath(workspaceFolder(), path);
  await vscode.workspace.fs.writeFile(uri, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return uri;
}

/** Reads a file below test/fixtures. */
export async function readFixture(path: string): Promise<Uint8Array> {
  return vscode.workspace.fs.readFile(vscode.Uri.joinPath(extension().extensionUri, 'test', 'fixtures', path));
}

/** Sets settings in the workspace; undefined takes one back. */
export async function configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('attentionExplorer');
  for (const [key, value] of Object.entries(settings))
    await configuration.update(key, value, vscode.ConfigurationTarget.Workspace);
}

/** Puts a tiny decoder (3 layers of 4 heads, 64 positions) with a tokenizer into the workspace; resolves to the folder's path there. */
export async function writeTinyModel(folder = 'models/tiny', tokenizer = tinyTokenizer()): Promise<string> {
  await writeFile(`${folder}/model.onnx`, await readFixture('zoo/gpt2.sdpa.legacy/model.onnx'));
  await writeFile(`${folder}/tokenizer.json`, tokenizer);
  await writeFile(`${folder}/config.json`, JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 }));
  return folder;
}

let texts = 0;

/** Opens a text in an editor: a file that no other test has. */
export async function openText(content: string, extension = 'txt'): Promise<vscode.TextEditor> {
  return openFile(`texts/${++texts}.${extension}`, content);
}

/** Opens a file of the workspace in an editor, with this content. */
export async function openFile(path: string, content: string): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(await writeFile(path, content), {
    viewColumn: vscode.ViewColumn.One,
    preview: false,
  });
  // A document that VS Code still knew follows its file a little later.
  for (let i = 0; i < 250 && editor.document.getText() !== content; i++) await sleep(20);
  expect(editor.document.getText()).to.equal(content);
  return editor;
}

/** Selects by offsets. */
export function select(editor: vscode.TextEditor, start: number, end: number): void {
  editor.selection = new vscode.Selection(editor.document.positionAt(start), editor.document.positionAt(end));
}

/** Selects by offsets after another selection of the same editor: what a busy window still tells of that one would undo it. */
export async function selectNext(editor: vscode.TextEditor, start: number, end: number): Promise<void> {
  for (let i = 0; i < 50; i++) {
    select(editor, start, end);
    await vscode.commands.getCommands(); // the window answers after all that it told before
    const { document, selection } = editor;
    if (document.offsetAt(selection.start) === start && document.offsetAt(selection.end) === end) return;
  }
  throw new Error(`The editor does not keep the selection from ${start} to ${end}.`);
}

/** Runs Explain Attention and returns how it ended. */
export async function explain(api: TestApi): Promise<TestSnapshot> {
  await vscode.commands.executeCommand('attentionExplorer.explainAttention');
  return api.snapshot();
}

let slowModels = 0;

/** Makes the next run a slow one: its model is not as tiny, and no engine has loaded it. */
export async function slowDown(): Promise<void> {
  const folder = `models/slow${++slowModels}`;
  for (const file of ['model.onnx', 'tokenizer.json', 'config.json'])
    await writeFile(
      `${folder}/${file}`,
      await vscode.workspace.fs.readFile(
        vscode.Uri.joinPath(extension().extensionUri, 'media', 'models', 'code-decoder', file),
      ),
    );
  await configure({ modelPath: folder });
}

/** Expects a run that is shown. */
export function expectReady({ status }: TestSnapshot): void {
  expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
}

/** Expects a failure that the panel shows: its code, a filled sentence, and an action. */
export function expectFailure(status: PanelStatus, code: string): void {
  if (status.kind !== 'failed' && status.kind !== 'engineStopped')
    throw new Error(`Expected ${code}, but the status is ${JSON.stringify(status)}.`);
  expect(status.error.code, JSON.stringify(status.error)).to.equal(code);
  expect(status.error.sentence).to.match(/[.:,].*\.$/);
  expect(status.error.sentence).to.not.match(/\{\d\}/);
  expect(status.error.action?.title).to.not.be.oneOf(['', undefined]);
}

/**
 * Closes all editors without asking, but not the panel: VS Code 1.100 as served to a browser loads no webview that is opened
 * soon after another was closed (its page waits for a service worker that does not come). One editor stays in the first
 * column, so that the panel keeps the second.
 */
export async function closeAll(): Promise<void> {
  for (const { document } of vscode.window.visibleTextEditors) {
    if (document.isDirty) {
      await vscode.window.showTextDocument(document);
      await vscode.commands.executeCommand('workbench.action.files.revert');
    }
  }
  const anchor = await writeFile('texts/anchor.txt', 'anchor');
  await vscode.window.showTextDocument(anchor, { viewColumn: vscode.ViewColumn.One, preview: false });
  await closeTabs((uri) => uri?.toString() !== anchor.toString());
}

/** Closes the tabs of texts and files whose address is such. */
export async function closeTabs(isToClose: (uri: vscode.Uri | undefined) => boolean): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  await vscode.window.tabGroups.close(
    tabs.filter(
      ({ input }) =>
        !(input instanceof vscode.TabInputWebview) &&
        isToClose(input instanceof vscode.TabInputText ? input.uri : undefined),
    ),
  );
}
