import { expect } from 'chai';
import * as vscode from 'vscode';
import { scenes, stations, type Scene, type SceneName } from '../../src/host/course/scenes';
import type { TestApi } from '../../src/host/testApi';
import { closeAll, configure, expectReady, explain, openText, testApi, writeTinyModel } from './support';

/** The last scene of each station: together they need every model of the course. */
const shown = stations.map(
  (station) => Object.entries<Scene>(scenes).findLast(([, scene]) => scene.station === station) as [SceneName, Scene], // each has some
);

describe('The course', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await openText('a text of some words');
    await configure({ modelPath: await writeTinyModel(), tokenLimit: 4 });
  });
  after(async () => {
    // The head that was looked at last is there again with a model's next text: what follows begins with those that come first.
    await openText('a text of some words');
    for (const [modelPath, layer, head] of [
      ['bundled:code-decoder', 1, 4],
      ['bundled:code-encoder', 3, 7],
    ] as const) {
      await configure({ modelPath });
      await explain(api);
      api.changeView({ selection: { component: 'self', heads: [{ layer, head }], aggregation: 'mean' } });
    }
    await configure({ modelPath: undefined, tokenLimit: undefined });
    await closeAll();
  });

  for (const [name, scene] of shown)
    it(`opens ${scene.model} for the station ${scene.station}, whatever the settings say`, async function () {
      this.timeout(60_000);
      await vscode.commands.executeCommand('attentionExplorer.openStation', name);
      const state = api.snapshot();
      expectReady(state);
      const { run, view, panel } = state;
      expect(run?.model.name).to.equal(scene.model);
      expect(run?.streams[0].tokens.length).to.be.greaterThan(scene.model === 'thinking-machines' ? 1 : 2);
      const { component, layer, head } = scene;
      expect(view.selection).to.deep.equal({ component, heads: [{ layer, head }], aggregation: 'mean' });
      expect(view.pinned).to.deep.equal(scene.pinned === undefined ? [] : [scene.pinned]);
      expect(panel?.isVisible).to.equal(true);
      expect(vscode.window.visibleTextEditors.map(({ document }) => document.uri.scheme)).to.not.include(
        'attention-explorer-sample',
      );
    });

  it('is run again, and comes back after a reload, with the model of the station', async function () {
    this.timeout(60_000);
    await vscode.commands.executeCommand('attentionExplorer.openStation', 'order');
    const { remembered, kept } = api.snapshot();
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().run?.model.name).to.equal('worked-example');
    await explain(api);
    expect(api.snapshot().run?.model.path).to.match(/tiny/);
    api.remember(remembered);
    await api.restore({ persist: kept });
    const { run, view } = api.snapshot();
    expect(run?.streams[0].text).to.equal('x3 x1 x2');
    expect(run?.model.name).to.equal('worked-example');
    expect(view.pinned).to.deep.equal([scenes.order.pinned]);
  });

  it('runs nothing for what names no scene', async function () {
    this.timeout(60_000);
    const before = api.snapshot().run?.runId;
    await vscode.commands.executeCommand('attentionExplorer.openStation', '../order');
    expect(api.snapshot().run?.runId).to.equal(before);
    const uri = vscode.Uri.from({ scheme: 'attention-explorer-sample', path: '/course/none.txt' });
    const read = await vscode.workspace.fs.readFile(uri).then(
      (bytes) => bytes.length,
      () => undefined,
    );
    expect(read).to.equal(undefined);
  });
});
