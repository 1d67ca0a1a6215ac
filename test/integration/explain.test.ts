import { expect } from 'chai';
import * as vscode from 'vscode';
import { expectEventually } from '../harness/eventually';
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
  readFixture,
  select,
  selectNext,
  testApi,
  until,
  writeFile,
  writeTinyModel,
} from './support';

describe('Explain Attention', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
  });
  afterEach(closeAll);

  it('explains the selection: tokens, heads, and rows that sum to one', async () => {
    const editor = await openFile('a.txt', 'one two three four');
    select(editor, 4, 13);
    const { status, run, textRange, notices, statusBar } = await explain(api);
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.equal('two three');
    expect(run?.streams[0].tokens.map(({ start, end, piece }) => [start, end, piece]).slice(0, 4)).to.deep.equal([
      [0, 1, 't'],
      [1, 2, 'w'],
      [2, 3, 'o'],
      [3, 4, 'Ġ'],
    ]);
    expect(textRange).to.deep.equal({ start: 4, end: 13 });
    expect(
      run?.components.map(({ component, layers }) => [component, layers.map(({ numHeads }) => numHeads)]),
    ).to.deep.equal([['self', [4, 4, 4]]]);
    expect(run?.components[0].isCausal).to.equal(true);
    expect(notices).to.deep.equal([]);
    expect(statusBar).to.match(/tiny · (native|wasm) · 9 tokens/);
    for (let position = 0; position < 9; position++) {
      const row = await api.row(position);
      expect(row.reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-4);
      for (let key = position + 1; key < 9; key++) expect(row[key]).to.equal(0);
    }
  });

  it('explains the document where nothing is selected, as far as the model reads, and says so', async () => {
    await openText('x'.repeat(100));
    const { status, run, notices, textRange } = await explain(api);
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].tokens).to.have.length(64);
    expect(textRange).to.deep.equal({ start: 0, end: 64 });
    expect(notices[0]).to.include('Nothing was selected');
    expect(notices[1]).to.include('first 64 of').and.to.include('tiny');
  });

  it('explains the text around the caret of a long document, where the start is all that the model reads', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i} here`);
    const editor = await openText(lines.join('\n'));
    const caret = editor.document.offsetAt(new vscode.Position(40, 7));
    select(editor, caret, caret);
    for (const attempt of ['first', 'second']) {
      const { status, run, notices, textRange, caret: lit } = await explain(api);
      expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
      expect(run?.streams[0].text, attempt).to.match(/^line \d+ here\n(?:.*\n)*line 40 here$/);
      expect(textRange?.end).to.equal(editor.document.offsetAt(new vscode.Position(40, 12)));
      expect(notices.find((notice) => notice.includes('around the caret'))).to.match(/from line \d+ to line 41/);
      const token = run?.streams[0].tokens[lit ?? 0];
      expect((textRange?.start ?? 0) + (token?.end ?? 0), 'the token before the caret is lit').to.equal(caret);
    }
    await selectNext(editor, 3, 3);
    expect((await explain(api)).textRange?.start).to.equal(0);
  });

  it('explains the source of a Markdown preview', async () => {
    const uri = await writeFile('texts/preview.md', '# One\n\ntwo three');
    await vscode.commands.executeCommand('markdown.showPreview', uri);
    await expectEventually(() =>
      expect(vscode.window.tabGroups.activeTabGroup.activeTab?.input).to.be.instanceOf(vscode.TabInputWebview),
    );
    const { status, run } = await explain(api);
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.equal('# One\n\ntwo three');
    expect(vscode.window.activeTextEditor?.document.uri.toString()).to.equal(uri.toString());
  });

  it('obeys the token limit', async () => {
    await configure({ tokenLimit: 5 });
    await openText('abcdefghij');
    const { run, notices } = await explain(api);
    expect(run?.streams[0].tokens).to.have.length(5);
    expect(notices.join('\n')).to.include('first 5 of 10').and.to.include('limit');
    await configure({ tokenLimit: undefined });
  });

  it('keeps offsets right in a document with CRLF, tabs and characters beyond the BMP', async () => {
    const editor = await openFile('crlf.txt', '😀 \r\n\ta b\r\nrest');
    const start = editor.document.getText().indexOf('a b');
    select(editor, start, start + 3);
    const { textRange, run } = await explain(api);
    expect(textRange).to.deep.equal({ start, end: start + 3 });
    expect(run?.streams[0].text).to.equal('a b');
  });

  it('opens the panel beside the editor and leaves the focus where it is', async () => {
    const editor = await openText('some text');
    await explain(api);
    const { panel } = await until(api, 'the panel listens', (state) => state.panel?.isReady === true);
    expect(panel?.isVisible).to.equal(true);
    expect(vscode.window.activeTextEditor?.document.uri.toString()).to.equal(editor.document.uri.toString());
    const tab = vscode.window.tabGroups.all
      .flatMap(({ tabs }) => tabs)
      .find(({ label }) => label.startsWith('Attention Explorer'));
    expect(tab?.group.viewColumn).to.equal(vscode.ViewColumn.Two);
  });

  it('posts to a panel that is seen, and nothing to one that is not', async () => {
    await openText('some text');
    await explain(api);
    const { panel } = await until(
      api,
      'the panel has painted',
      (state) => state.panel?.paintMilliseconds !== undefined,
    );
    expect(panel?.postedBytes).to.be.greaterThan(0);
    await openText('on top of it');
    await vscode.commands.executeCommand('workbench.action.moveEditorToNextGroup');
    await until(api, 'the panel is hidden', (state) => state.panel?.isVisible === false);
    const before = api.snapshot().panel?.postedBytes;
    api.changeView({ selection: { component: 'self', heads: [{ layer: 1, head: 1 }], aggregation: 'mean' } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(api.snapshot().panel?.postedBytes).to.equal(before);
  });

  it('is seen again with everything when it was hidden', async () => {
    await openText('some text');
    await explain(api);
    await until(api, 'the panel has painted', (state) => state.panel?.paintMilliseconds !== undefined);
    await openText('on top of it');
    await vscode.commands.executeCommand('workbench.action.moveEditorToNextGroup');
    await until(api, 'the panel is hidden', (state) => state.panel?.isVisible === false);
    const before = api.snapshot().panel?.postedBytes ?? 0;
    await vscode.commands.executeCommand('attentionExplorer.openPanel');
    await until(
      api,
      'the page has asked for its pictures again',
      (state) => state.panel?.isVisible === true && state.panel.postedBytes > 0 && state.panel.postedBytes !== before,
    );
  });

  it('keeps the head and the scale from run to run, and pins only on the same text', async () => {
    const editor = await openText('same text');
    await explain(api);
    api.changeView({
      selection: { component: 'self', heads: [{ layer: 2, head: 3 }], aggregation: 'mean' },
      pinned: [{ stream: 0, position: 2 }],
    });
    expect((await explain(api)).view.pinned).to.deep.equal([{ stream: 0, position: 2 }]);
    select(editor, 0, 4);
    const { view } = await explain(api);
    expect(view.selection.heads).to.deep.equal([{ layer: 2, head: 3 }]);
    expect(view.pinned).to.deep.equal([]);
  });

  it('explains a cell of a notebook', async () => {
    const cells = [
      { cell_type: 'markdown', metadata: {}, source: ['# title'] },
      { cell_type: 'code', metadata: {}, source: ['x = 1'], outputs: [], execution_count: null },
    ];
    const notebook = await vscode.workspace.openNotebookDocument(
      await writeFile('n.ipynb', JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 })),
    );
    const cell = notebook.cellAt(1).document;
    await vscode.window.showNotebookDocument(notebook, { viewColumn: vscode.ViewColumn.One });
    await vscode.commands.executeCommand('attentionExplorer.explainAttention', cell.uri);
    const { status, run } = api.snapshot();
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.equal('x = 1');
    // The notebook has many texts: the cell is named, and what is explained from its start is the cell.
    await expectEventually(() => expect(panelTitle()).to.equal('Attention Explorer: n.ipynb, cell 2'));
    expect(api.snapshot().notices).to.deep.equal(['Nothing was selected, so the cell is explained from its start.']);
  });

  it('names the side of a comparison', async () => {
    const [left, right] = [await writeFile('before.txt', 'one word'), await writeFile('after.txt', 'two words')];
    await vscode.commands.executeCommand('vscode.diff', left, right, 'before ↔ after', {
      viewColumn: vscode.ViewColumn.One,
    });
    await vscode.commands.executeCommand('attentionExplorer.explainAttention');
    expect(api.snapshot().run?.streams[0].text).to.equal('two words');
    await expectEventually(() => expect(panelTitle()).to.equal('Attention Explorer: after.txt, right side'));
    await vscode.commands.executeCommand('attentionExplorer.explainAttention', left);
    await expectEventually(() => expect(panelTitle()).to.equal('Attention Explorer: before.txt, left side'));
  });

  it('compares both sides of a diff: what is selected with what stands there on the other', async () => {
    const [left, right] = [
      await writeFile('was.txt', 'same\none word\nend'),
      await writeFile('is.txt', 'same\ntwo words\nend'),
    ];
    await vscode.commands.executeCommand('vscode.diff', left, right, 'was ↔ is', { viewColumn: vscode.ViewColumn.One });
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) throw new Error('no side has the focus');
    select(editor, 5, 14);
    await vscode.commands.executeCommand('attentionExplorer.compareSides');
    const { run, comparison } = await until(api, 'both sides', ({ comparison }) => comparison?.state.kind === 'ready');
    expect(run?.streams[0].text).to.equal('two words');
    expect(comparison?.text).to.equal('one word');
    expect(comparison?.state).to.include({ kind: 'ready', b: 'tiny · was.txt, left side' });
  });

  it('explains what is selected in the output', async () => {
    const output = vscode.window.createOutputChannel('Attention test');
    try {
      output.append('first line\nsecond line');
      output.show(false);
      const shown = (): vscode.TextEditor | undefined =>
        vscode.window.visibleTextEditors.find(({ document: { uri } }) => uri.scheme === 'output');
      await until(api, 'the output', () => shown()?.document.lineCount === 2);
      await vscode.commands.executeCommand('workbench.panel.output.focus');
      await until(api, 'the focus', () => vscode.window.activeTextEditor?.document.uri.scheme === 'output');
      const editor = shown();
      if (editor === undefined) throw new Error('the output is gone');
      editor.selection = new vscode.Selection(1, 0, 1, 6);
      expect((await explain(api)).run?.streams[0].text).to.equal('second');
    } finally {
      output.dispose();
    }
  });

  it('explains what is selected in a terminal, and leaves the clipboard as it was', async () => {
    const written = new vscode.EventEmitter<string>();
    const terminal = vscode.window.createTerminal({
      name: 'tests',
      pty: { onDidWrite: written.event, open: () => written.fire('said in a terminal'), close: () => {} },
    });
    try {
      await vscode.env.clipboard.writeText('kept');
      terminal.show(false);
      await until(api, 'the terminal', () => vscode.window.activeTerminal === terminal);
      await expectEventually(async () => {
        await vscode.commands.executeCommand('workbench.action.terminal.selectAll');
        await vscode.commands.executeCommand('attentionExplorer.explainTerminalSelection');
        expect(api.snapshot().run?.streams[0].text.trim()).to.equal('said in a terminal');
      });
      expect(await vscode.env.clipboard.readText()).to.equal('kept');
      await vscode.commands.executeCommand('workbench.action.terminal.clearSelection');
      await vscode.commands.executeCommand('attentionExplorer.explainTerminalSelection');
      expectFailure(api.snapshot().status, 'emptyText');
    } finally {
      terminal.dispose();
      written.dispose();
    }
  });

  it('explains a document that was never saved', async () => {
    // By a name of its own: VS Code gives the next untitled document the name, and for a while the text, of one just closed.
    const editor = await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument(vscode.Uri.parse('untitled:/never/saved.txt')),
      vscode.ViewColumn.One,
    );
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'unsaved'));
    expect((await explain(api)).run?.streams[0].text).to.equal('unsaved');
  });

  it('explains a virtual document', async () => {
    const provider = vscode.workspace.registerTextDocumentContentProvider('attention-test', {
      provideTextDocumentContent: () => 'virtual',
    });
    try {
      await vscode.window.showTextDocument(
        await vscode.workspace.openTextDocument(vscode.Uri.parse('attention-test:/a.txt')),
        vscode.ViewColumn.One,
      );
      expect((await explain(api)).run?.streams[0].text).to.equal('virtual');
    } finally {
      provider.dispose();
    }
  });

  it('does not cover what it explains: a document in the panel’s own group moves to the one beside', async () => {
    await openText('left');
    await explain(api);
    await vscode.commands.executeCommand('attentionExplorer.openPanel');
    const uri = await writeFile('texts/covered.txt', 'beside the panel');
    const panelColumn = vscode.window.tabGroups.all.find(
      ({ activeTab }) => activeTab?.input instanceof vscode.TabInputWebview,
    )?.viewColumn;
    const editor = await vscode.window.showTextDocument(uri, {
      viewColumn: panelColumn ?? vscode.ViewColumn.Two,
      preview: false,
    });
    expect(editor.viewColumn).to.equal(panelColumn);
    expect((await explain(api)).run?.streams[0].text).to.equal('beside the panel');
    await until(
      api,
      'both are seen',
      ({ panel }) =>
        panel?.isVisible === true &&
        vscode.window.visibleTextEditors.some(({ document }) => document.uri.toString() === uri.toString()),
    );
  });

  it('explains the sample', async () => {
    await configure({ modelPath: undefined });
    await vscode.commands.executeCommand('attentionExplorer.explainSample');
    const { status, run, caret, notices } = api.snapshot();
    await configure({ modelPath: 'models/tiny' });
    expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
    expect(run?.streams[0].text).to.include('def fibonacci');
    expect(notices).to.deep.equal([]);
    // The token that shows what the model does is lit: the second "current", after which a comma stood before.
    expect(run?.streams[0].tokens[caret ?? 0].piece).to.match(/current$/);
    // Nobody is asked to save what they did not write.
    const document = vscode.window.activeTextEditor?.document;
    expect(document?.languageId).to.equal('python');
    expect([document?.isUntitled, document?.isDirty]).to.deep.equal([false, false]);
  });

  it('lets the sample be edited, and explains what it has become', async () => {
    // The panel is all that is open: the sample stands beside it, not over it.
    await closeTabs(() => true);
    await vscode.commands.executeCommand('attentionExplorer.explainSample');
    const editor = vscode.window.activeTextEditor;
    await until(api, 'both are seen', ({ panel }) => panel?.isVisible === true);
    expect(vscode.window.visibleTextEditors.map(({ document }) => document.uri.path)).to.deep.equal([
      editor?.document.uri.path,
    ]);
    expect(editor?.document.uri.path).to.match(/sample\.\w+$/);
    await editor?.edit((edit) => edit.insert(new vscode.Position(0, 0), '# mine\n'));
    expect(await editor?.document.save()).to.equal(true);
    if (editor !== undefined) select(editor, 0, 0);
    expect((await explain(api)).run?.streams[0].text).to.match(/^# mine/);
  });

  it('explains the sample that the model was made for', async () => {
    await configure({ modelPath: 'bundled:date-transformer' });
    try {
      await vscode.commands.executeCommand('attentionExplorer.explainSample');
      expectReady(api.snapshot());
      expect(api.snapshot().run?.streams.map(({ role, text }) => [role, text])).to.deep.equal([
        ['source', '3rd of May 1979'],
        ['target', '1979-05-03'],
      ]);
      const { run, view, statusBar } = api.snapshot();
      // Both texts are counted, as in the panel.
      expect(statusBar).to.match(
        new RegExp(` · ${run?.streams.reduce((sum, { tokens }) => sum + tokens.length, 0)} tokens$`),
      );
      expect(run?.streams[0].tokens.length).to.be.greaterThan(0);
      // The head that aligns them is shown first.
      expect(view.selection).to.deep.include({ component: 'cross', heads: [{ layer: 2, head: 1 }] });
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('applies a chat template only when asked to, keeps it for the next run, and shows it', async () => {
    const folder = await writeTinyModel('models/chat');
    await writeFile(
      `${folder}/tokenizer_config.json`,
      JSON.stringify({ chat_template: "{{ '<user>' + messages[0].content | trim + '<end>' }}" }),
    );
    await configure({ modelPath: folder });
    try {
      await openText(' hi\n');
      expect((await explain(api)).run?.streams[0].tokens).to.have.length(4);
      await vscode.commands.executeCommand('attentionExplorer.explainAsChatMessage');
      for (let run = 0; run < 2; run++) {
        const { status, run: info, notices } = api.snapshot();
        expect(status.kind).to.equal('ready');
        expect(info?.streams[0].text).to.equal(' hi\n');
        expect(info?.streams[0].tokens.map(({ template, start, end }) => template ?? [start, end])).to.deep.equal([
          ...'<user>',
          [1, 2],
          [2, 3],
          ...'<end>',
        ]);
        expect(notices.join()).to.include('chat template');
        await vscode.commands.executeCommand('attentionExplorer.explainAgain');
      }
      // A model without a template reads the text as it is, and says so; the next one with a template has a message again.
      await configure({ modelPath: 'models/tiny' });
      await vscode.commands.executeCommand('attentionExplorer.explainAgain');
      expectReady(api.snapshot());
      expect(api.snapshot().run?.streams[0].tokens).to.have.length(4);
      expect(api.snapshot().notices.join()).to.include(
        'The model tiny has no chat template, so the text is explained as it is',
      );
      await configure({ modelPath: folder });
      await vscode.commands.executeCommand('attentionExplorer.explainAgain');
      expect(api.snapshot().run?.streams[0].tokens[0]).to.include({ template: '<' });
      await vscode.commands.executeCommand('attentionExplorer.showChatTemplate');
      const shown = vscode.workspace.textDocuments.find(({ uri }) => uri.path.endsWith('Chat Template.md'))?.getText();
      expect(shown)
        .to.include('<user>«your text»<end>')
        .and.to.include("{{ '<user>' + messages[0].content | trim + '<end>' }}");
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('says where the input comes from, and shows the tensors that were fed as Python', async () => {
    const folder = await writeTinyModel('models/told');
    await writeFile(
      `${folder}/tokenizer_config.json`,
      JSON.stringify({ model_max_length: 12, truncation_side: 'left' }),
    );
    await configure({ modelPath: folder });
    try {
      const editor = await openText('zero one two three');
      select(editor, 5, 18);
      const { status, run, statusTooltip } = await explain(api);
      expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
      const ids = run?.streams[0].tokens.map(({ id }) => id) ?? [];
      // The end of a text that is too long stays, as the settings say.
      expect(run?.streams[0].tokens.map(({ start }) => start)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect(statusTooltip.split('\n')).to.include.members([
        'Files read: config.json, model.onnx, tokenizer.json, tokenizer_config.json',
      ]);
      expect(statusTooltip)
        .to.match(/^Model: .*models\/told/m)
        .and.to.include('The model reads at most 12 tokens.')
        .and.to.include('A text that is too long loses its beginning (truncation_side).');
      await vscode.commands.executeCommand('attentionExplorer.showInput');
      const shown = vscode.workspace.textDocuments
        .find(({ uri }) => uri.scheme === 'attention-explorer-report' && uri.path.endsWith('Input.md'))
        ?.getText();
      expect(shown).to.include('tokenizer_config.json').and.to.include('The model reads at most 12 tokens.');
      const python = /```python\n([^]*?)```/.exec(shown ?? '')?.[1];
      expect(python?.split('\n')).to.include.members([
        'import numpy as np',
        `    "input_ids": np.array([${ids.join(', ')}], dtype=np.int64).reshape((1, 12)),`,
        '    "attention_mask": np.full((1, 12), 1, dtype=np.int64),',
      ]);
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('shows the extraction report', async () => {
    await vscode.commands.executeCommand('attentionExplorer.showExtractionReport');
    const report = vscode.workspace.textDocuments.find(
      (document) =>
        document.uri.scheme === 'attention-explorer-report' && document.getText().startsWith('# Extraction report'),
    );
    expect(report?.getText())
      .to.match(/^#/)
      .and.to.match(/12 heads|attn|attention/i);
  });

  it('has the bundled model by default', async () => {
    await configure({ modelPath: undefined });
    try {
      await openText('def add(a, b):\n    return a + b\n', 'py');
      const { status, run } = await explain(api);
      expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
      expect(run?.model.name).to.equal('code-decoder');
      // Its induction head comes first, and what is chosen instead is there again after another model.
      expect(api.snapshot().view.selection.heads).to.deep.equal([{ layer: 1, head: 4 }]);
      const chosen = { component: 'self', heads: [{ layer: 3, head: 1 }], aggregation: 'mean' } as const;
      api.changeView({ selection: chosen });
      await configure({ modelPath: 'bundled:code-encoder' });
      expect((await explain(api)).view.selection.heads).to.deep.equal([{ layer: 3, head: 7 }]);
      await configure({ modelPath: undefined });
      expect((await explain(api)).view.selection).to.deep.equal(chosen);
      expect(run?.streams[0].text).to.include('return');
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('takes an .onnx file as well as a folder', async () => {
    await configure({ modelPath: 'models/tiny/model.onnx' });
    await openText('abc');
    expectReady(await explain(api));
    await configure({ modelPath: 'models/tiny' });
    expect((await readFixture('zoo/gpt2.sdpa.legacy/meta.json')).length).to.be.greaterThan(0);
  });
});

/** What the panel's tab is called. */
function panelTitle(): string | undefined {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find(({ label }) => label.startsWith('Attention Explorer'))?.label;
}
