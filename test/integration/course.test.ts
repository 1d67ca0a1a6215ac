import { expect } from 'chai';
import * as vscode from 'vscode';
import { scenes, stations } from '../../src/host/course/scenes';
import type { TestApi } from '../../src/host/testApi';
import { closeAll, expectReady, openText, testApi } from './support';

// What differs between the hosts: where texts and pictures are read. That each station opens what it says is tested in one of them.
describe('The course in each host', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await openText('a text of some words');
  });
  after(closeAll);

  for (const name of ['byHand', 'patches'] as const)
    it(`opens ${scenes[name].model}`, async function () {
      this.timeout(60_000);
      await vscode.commands.executeCommand('attentionExplorer.openStation', name);
      const state = api.snapshot();
      expectReady(state);
      expect(state.run?.model.name).to.equal(scenes[name].model);
      expect(state.view.pinned).to.deep.equal([scenes[name].pinned]);
    });

  it('has the text of each station', async () => {
    for (const station of stations) {
      const uri = vscode.Uri.from({ scheme: 'attention-explorer-sample', path: `/course/${station}.md` });
      expect(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)), station).to.match(/^## /);
    }
  });
});
