import { expect } from 'chai';
import * as vscode from 'vscode';
import { expectEventually } from '../harness/eventually';
import type { TestApi } from '../../src/host/testApi';
import { configure, expectReady, explain, extension, openText, testApi, writeTinyModel } from './support';

// The window of these tests is a browser's, and files, extensions and the engine are on a server that it is connected with, as over SSH, in a container or a codespace.
describe('A remote machine', () => {
  let api: TestApi;
  before(async function () {
    // The desktop app has all of it on one machine.
    if (vscode.env.remoteName === undefined) this.skip();
    api = await testApi();
    await configure({ modelPath: await writeTinyModel() });
  });

  it('has the extension and its engine where the files are', async () => {
    const editor = await openText('a text of some words');
    expect(vscode.env.remoteName).to.match(/\S/);
    expect(vscode.env.uiKind).to.equal(vscode.UIKind.Web);
    expect(extension().extensionKind).to.equal(vscode.ExtensionKind.Workspace);
    const { existsSync } = await import('node:fs');
    const { uri } = editor.document;
    expect(uri.scheme).to.equal('file');
    expect(existsSync(uri.fsPath)).to.equal(true);
    expectReady(await explain(api));
    const { enginePid, run } = api.snapshot();
    expect(run?.model.path.startsWith(vscode.workspace.workspaceFolders?.[0].uri.fsPath ?? '?')).to.equal(true);
    // No signal, but whether there is such a process here.
    expect(process.kill(enginePid ?? 0, 0)).to.equal(true);
  });

  it('keeps what is said of the model and of what it runs on among its own settings, and no one else’s', async () => {
    const { readFileSync } = await import('node:fs');
    const { homedir } = await import('node:os');
    const { join } = await import('node:path');
    const kept = (of: 'Machine' | 'User'): Readonly<Record<string, unknown>> =>
      JSON.parse(readFileSync(join(homedir(), 'data', 'data', of, 'settings.json'), 'utf8')) as Readonly<
        Record<string, unknown>
      >; // written by VS Code
    const configuration = vscode.workspace.getConfiguration('attentionExplorer');
    const own = {
      modelPath: 'bundled:worked-example',
      backend: 'wasm',
      threads: 2,
      hubFolder: '/models',
      hubAddress: 'https://mirror.example',
    } as const;
    try {
      for (const [key, value] of Object.entries(own))
        await configuration.update(key, value, vscode.ConfigurationTarget.Global);
      await configuration.update('colourMap', 'orange', vscode.ConfigurationTarget.Global);
      await expectEventually(() => expect(kept('User')).to.include({ 'attentionExplorer.colourMap': 'orange' }));
      const named = Object.fromEntries(Object.entries(own).map(([key, value]) => [`attentionExplorer.${key}`, value]));
      expect(kept('Machine')).to.include(named);
      expect(kept('User')).to.not.have.any.keys(...Object.keys(named));
    } finally {
      for (const key of [...Object.keys(own), 'colourMap'])
        await configuration.update(key, undefined, vscode.ConfigurationTarget.Global);
    }
  });
});
