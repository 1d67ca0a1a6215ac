import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi } from '../../src/host/testApi';
import { closeAll, configure, explain, openText, select, testApi, until, writeTinyModel } from './support';

describe('Hovering in the editor', () => {
  let api: TestApi;
  let editor: vscode.TextEditor;
  const text = 'alpha beta gamma delta';

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  beforeEach(async () => {
    editor = await openText(text);
    select(editor, 6, 22);
    await explain(api);
    api.changeView({
      selection: { component: 'self', heads: [{ layer: 1, head: 2 }], aggregation: 'mean' },
      direction: 'reads',
      scale: 'absolute',
      threshold: 0,
      pinned: [],
      method: 'attention',
      level: 'token',
    });
    // What a fresh run is looked at with has tests of its own.
    await vscode.commands.executeCommand('attentionExplorer.clearHighlights');
    await until(api, 'nothing is lit', (state) => state.highlights.length === 0);
  });
  afterEach(async () => {
    await configure({ highlightOnHover: undefined, scale: undefined, colourMap: undefined });
    await closeAll();
  });

  /** Our card at an offset of the document, as Markdown. */
  async function cardAt(offset: number): Promise<string | undefined> {
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      editor.document.uri,
      editor.document.positionAt(offset),
    );
    return hovers
      .flatMap(({ contents }) => contents.map((content) => (typeof content === 'string' ? content : content.value)))
      .find((value) => value.includes('attentionExplorer'));
  }

  it('shows the token, the head, and at most eight sources of a hundredth and more with their true weights', async () => {
    const card = await cardAt(6 + 12);
    expect(card).to.include('token 12').and.to.include('head 1.2');
    const row = await api.row(12);
    const strongest = [...row]
      .map((weight, position) => ({ weight, position }))
      .sort((a, b) => b.weight - a.weight || a.position - b.position);
    const listed = strongest.filter(({ weight }) => weight >= 0.01).slice(0, 8);
    const [reads, isReadBy] = (card ?? '').split('is read by:');
    const numbers = [...reads.matchAll(/` ([01]\.\d{3}) · \[/g)].map(([, number]) => number);
    expect(numbers).to.have.length(listed.length);
    numbers.forEach((number, i) => expect(Number(number)).to.be.closeTo(listed[i].weight, 6e-4));
    const linked = (part: string): number[] =>
      [...part.matchAll(/revealToken\?([^)]*)\)/g)].map(
        ([, args]) => (JSON.parse(decodeURIComponent(args)) as [number, { position: number }])[1].position,
      );
    expect(linked(reads)).to.deep.equal(listed.map(({ position }) => position));
    const columns = await Promise.all(
      Array.from({ length: 16 }, async (_, query) => ({ position: query, weight: (await api.row(query))[12] })),
    );
    const readers = columns
      .filter(({ weight }) => weight >= 0.01)
      .sort((a, b) => b.weight - a.weight || a.position - b.position)
      .slice(0, 3);
    expect(linked(isReadBy)).to.deep.equal(readers.map(({ position }) => position));
  });

  it('has the numbers of the method that is chosen, by its name, and lights the editor by them', async () => {
    const weights = await api.row(12);
    api.changeView({ method: 'rollout' });
    const shares = await api.row(12);
    expect(shares).to.not.deep.equal(weights);
    expect([...shares].reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-5);
    const card = await cardAt(6 + 12);
    expect(card).to.include('layer 1, all heads together').and.to.include('attention rollout: shares of the input');
    const { highlights } = await until(api, 'it is lit', (state) => state.highlights.length > 0);
    for (const { start, weight } of highlights) expect(weight).to.be.closeTo(shares[start], 1e-6);
  });

  it('is of words where these are shown: means over the queries of one, sums over the keys of the other, and so is what is lit', async () => {
    const rows = await Promise.all(Array.from({ length: 16 }, (_, query) => api.row(query)));
    api.changeView({ level: 'word' });
    const card = await cardAt(6 + 12);
    expect(card).to.include('words: sums over keys, means over queries').and.to.include('`delta`');
    const { highlights } = await until(api, 'it is lit', (state) => state.highlights.length > 0);
    const own = highlights.find(({ start, end }) => start <= 12 && end > 12);
    if (own === undefined) throw new Error('it does not read itself');
    expect('beta gamma delta'.slice(own.start, own.end)).to.equal('delta');
    const queries = rows.slice(own.start, own.end);
    for (const { start, end, weight } of highlights) {
      const sums = queries.map((row) => row.subarray(start, end).reduce((sum, each) => sum + each, 0));
      expect(weight).to.be.closeTo(sums.reduce((sum, each) => sum + each, 0) / sums.length, 1e-6);
    }
    expect(card).to.include(own.weight.toFixed(3));
  });

  it('lights up what the token reads, at its place, by its weight', async () => {
    await cardAt(6 + 12);
    const { highlights, hovered } = await until(api, 'it is lit', (state) => state.highlights.length > 0);
    expect(hovered).to.equal(12);
    const row = await api.row(12);
    expect(highlights.length).to.be.at.most(40);
    for (const { start, end, weight } of highlights) {
      expect(end).to.equal(start + 1);
      expect(weight).to.be.closeTo(row[start], 1e-6);
    }
    expect(highlights).to.have.length([...row].filter((weight) => weight >= 0.01).length);
  });

  it('shows nothing outside of the explained text, and puts the light out', async () => {
    await cardAt(6 + 12);
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    expect(await cardAt(2)).to.equal(undefined);
    await until(api, 'it is out', (state) => state.highlights.length === 0 && state.hovered === undefined);
  });

  it('shows nothing when the setting is off', async () => {
    await configure({ highlightOnHover: false });
    expect(await cardAt(6 + 12)).to.equal(undefined);
    expect(api.snapshot().highlights).to.deep.equal([]);
  });

  it('pins, goes to the next head, reveals and clears by the card’s commands', async () => {
    const { run } = api.snapshot();
    const token = { stream: 0, position: 12 };
    await vscode.commands.executeCommand('attentionExplorer.pinToken', run?.runId, token);
    expect(api.snapshot().view.pinned).to.deep.equal([token]);
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    await vscode.commands.executeCommand('attentionExplorer.nextHead', run?.runId, token);
    expect(api.snapshot().view.selection.heads).to.deep.equal([{ layer: 1, head: 3 }]);
    await vscode.commands.executeCommand('attentionExplorer.previousHead', run?.runId, token);
    expect(api.snapshot().view.selection.heads).to.deep.equal([{ layer: 1, head: 2 }]);
    await vscode.commands.executeCommand('attentionExplorer.revealToken', run?.runId, token);
    expect(vscode.window.activeTextEditor?.selection.start.character).to.equal(6 + 12);
    await vscode.commands.executeCommand('attentionExplorer.clearHighlights');
    await until(api, 'it is out', (state) => state.highlights.length === 0 && state.view.pinned.length === 0);
  });

  it('pins from the panel’s menu, and copies the weights of its token', async () => {
    const { run } = api.snapshot();
    const menu = {
      webview: 'attentionExplorer.panel',
      webviewSection: 'token',
      preventDefaultContextMenuItems: true,
      runId: run?.runId,
      stream: 0,
      position: 12,
    };
    await vscode.commands.executeCommand('attentionExplorer.pinHere', menu);
    expect(api.snapshot().view.pinned).to.deep.equal([{ stream: 0, position: 12 }]);
    await vscode.commands.executeCommand('attentionExplorer.pinHere', menu);
    expect(api.snapshot().view.pinned).to.deep.equal([]);
    await vscode.commands.executeCommand('attentionExplorer.copyWeights', menu);
    const lines = (await vscode.env.clipboard.readText()).trimEnd().split('\n');
    const row = await api.row(12);
    expect(lines).to.have.length(row.length + 1);
    lines.slice(1).forEach((line, i) => expect(Number(line.split('\t')[2])).to.equal(row[i]));
    for (const hostile of [
      { ...menu, position: 999 },
      { ...menu, runId: -1 },
      { ...menu, stream: 'x' },
    ]) {
      expect(
        await Promise.resolve(vscode.commands.executeCommand('attentionExplorer.pinHere', hostile)).then(
          () => 'done',
          () => 'refused',
        ),
      ).to.equal('refused');
    }
  });

  it('refuses links of another run and tokens that are not there', async () => {
    const { run } = api.snapshot();
    for (const args of [
      [-1, { stream: 0, position: 0 }],
      [run?.runId, { stream: 0, position: 999 }],
      [run?.runId, 'x'],
      [],
    ]) {
      for (const command of ['pinToken', 'askEffects']) {
        const failed = await Promise.resolve(
          vscode.commands.executeCommand(`attentionExplorer.${command}`, ...args),
        ).then(
          () => false,
          () => true,
        );
        expect(failed, `${command} ${JSON.stringify(args)}`).to.equal(true);
      }
    }
    expect(api.snapshot().view.pinned).to.deep.equal([]);
  });

  it('follows the view: direction, threshold and scale', async () => {
    await cardAt(6 + 2);
    const reads = await until(api, 'it is lit', (state) => state.highlights.length > 0);
    expect(Math.max(...reads.highlights.map(({ start }) => start))).to.be.at.most(2);
    api.changeView({ direction: 'readBy' });
    await until(api, 'it shows what reads it', (state) => state.highlights.some(({ start }) => start > 2));
    api.changeView({ threshold: 1 });
    await until(api, 'nothing is above the threshold', (state) => state.highlights.length === 0);
    api.changeView({ threshold: 0 });
    await configure({ scale: 'row' });
    const { view, highlights } = await until(
      api,
      'the strongest has full depth',
      (state) => state.highlights[0]?.bucket === 15,
    );
    expect(view.scale).to.equal('row');
    expect(highlights[0].weight).to.be.below(1);
  });

  it('survives the editor being closed and opened in another column', async () => {
    await cardAt(6 + 12);
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.Three);
    expect(api.snapshot().highlights).to.not.have.length(0);
  });
});

describe('A fresh run in the editor', () => {
  let api: TestApi;
  let editor: vscode.TextEditor;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  beforeEach(async () => {
    editor = await openText('alpha beta gamma delta');
  });
  afterEach(async () => {
    await configure({ highlightOnHover: undefined });
    await closeAll();
  });

  it('lights what the last token of a selection reads, until another token is looked at', async () => {
    select(editor, 6, 22);
    const { caret, run } = await explain(api);
    expect(caret).to.equal(15);
    expect(run?.streams[0].tokens).to.have.length(16);
    const row = await api.row(15);
    const strongest = Math.max(...row);
    await until(
      api,
      'it is lit',
      ({ highlights }) =>
        highlights.length > 0 &&
        highlights[0].weight === strongest &&
        highlights.every(({ start, weight }) => weight === row[start]),
    );
    await vscode.commands.executeCommand(
      'vscode.executeHoverProvider',
      editor.document.uri,
      editor.document.positionAt(8),
    );
    expect(api.snapshot().caret).to.equal(undefined);
    await vscode.commands.executeCommand(
      'vscode.executeHoverProvider',
      editor.document.uri,
      editor.document.positionAt(2),
    );
    await until(api, 'nothing is lit', (state) => state.hovered === undefined && state.highlights.length === 0);
  });

  it('lights what the token before the caret reads where nothing is selected, until the caret moves', async () => {
    select(editor, 10, 10);
    expect((await explain(api)).caret).to.equal(9);
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    select(editor, 3, 3);
    await until(api, 'nothing is lit', (state) => state.caret === undefined && state.highlights.length === 0);
  });

  it('is lit no more when the lights are cleared, and not at all when the setting is off', async () => {
    await explain(api);
    await until(api, 'it is lit', (state) => state.highlights.length > 0);
    await vscode.commands.executeCommand('attentionExplorer.clearHighlights');
    await until(api, 'nothing is lit', (state) => state.highlights.length === 0);
    await configure({ highlightOnHover: false });
    expect((await explain(api)).caret).to.equal(undefined);
  });
});
