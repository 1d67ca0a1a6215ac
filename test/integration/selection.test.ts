import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi, TestSnapshot } from '../../src/host/testApi';
import { syntaxEnds, syntaxPatience } from '../../src/host/run/syntaxEnds';
import {
  closeAll,
  configure,
  expectFailure,
  expectReady,
  explain,
  openFile,
  openText,
  readFixture,
  select,
  selectNext,
  sleep,
  testApi,
  until,
  writeFile,
  writeTinyModel,
} from './support';

describe('A selection in its text', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i} here`);
  const text = lines.join('\n');
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await configure({ modelPath: await writeTinyModel(), selection: undefined });
    await vscode.workspace
      .getConfiguration('attentionExplorer')
      .update('selection', undefined, vscode.ConfigurationTarget.Global);
  });
  afterEach(closeAll);
  after(() =>
    vscode.workspace
      .getConfiguration('attentionExplorer')
      .update('selection', undefined, vscode.ConfigurationTarget.Global),
  );

  /** Selects the first place of a text and explains it. */
  async function explainPart(editor: vscode.TextEditor, part: string): Promise<TestSnapshot> {
    const start = editor.document.getText().indexOf(part);
    await selectNext(editor, start, start + part.length);
    return explain(api);
  }

  const pinnedText = ({ view, run }: TestSnapshot): string =>
    view.pinned
      .map(({ stream: index, position }) => {
        const stream = run?.streams[index];
        return stream?.text.slice(stream.tokens[position].start, stream.tokens[position].end);
      })
      .join('');

  const own = (): unknown => vscode.workspace.getConfiguration('attentionExplorer').inspect('selection')?.globalValue;

  it('is what is pinned of the lines up to its own, as many as the model reads', async () => {
    const state = await explainPart(await openText(text), '20 he');
    expectReady(state);
    expect(state.run?.streams[0].text).to.match(/^line \d+ here\n(?:.*\n)*line 20 here$/);
    expect(state.run?.streams[0].tokens.length).to.be.within(30, 64);
    expect(state.textRange?.end).to.equal(text.indexOf('line 21') - 1);
    expect(pinnedText(state)).to.equal('20he');
    expect(state.caret, 'nothing else is looked at').to.equal(undefined);
    expect(state.notices).to.deep.equal([]);
    expect(state.statusBar).to.match(/4 of \d+ tokens/);
    await until(api, 'the mean of its rows is lit', ({ highlights }) => highlights.length > 0);
  });

  it('is read up to the end of its function, or of its statement, where whoever knows the language says so at once', async function () {
    this.timeout(60_000);
    const short = Array.from({ length: 30 }, (_, i) => `l ${i} x`);
    const document = await openText(short.join('\n'));
    const start = document.document.getText().indexOf('20 x');
    const lineRange = (from: number, to: number): vscode.Range => new vscode.Range(from, 0, to, short[to].length);
    const endOf = (line: number): number => document.document.offsetAt(lineRange(line, line).end);
    const ends = (patience?: number): Promise<readonly number[]> =>
      syntaxEnds(document.document, { start, end: start + 4 }, patience);
    const body = (range: vscode.Range, kind: vscode.SymbolKind): vscode.DocumentSymbol =>
      new vscode.DocumentSymbol('x', '', kind, range, range);
    let isLate = false;
    const providers = [
      vscode.languages.registerSelectionRangeProvider('plaintext', {
        provideSelectionRanges: () => [
          new vscode.SelectionRange(lineRange(20, 20), new vscode.SelectionRange(lineRange(19, 21))),
        ],
      }),
      vscode.languages.registerDocumentSymbolProvider('plaintext', {
        provideDocumentSymbols: async () => {
          if (isLate) await new Promise((resolve) => setTimeout(resolve, 1000));
          const [outer, inner] = [
            body(lineRange(0, 29), vscode.SymbolKind.Class),
            body(lineRange(18, 22), vscode.SymbolKind.Method),
          ];
          outer.children.push(inner);
          return [outer];
        },
      }),
    ];
    try {
      expect(await ends(20_000), 'the method, not its class; then the statement').to.deep.equal([endOf(22), endOf(21)]);
      let [fastest, read] = [Infinity, 0];
      for (let attempt = 0; attempt < 12 && read !== endOf(22); attempt++) {
        const asked = performance.now();
        await ends(20_000);
        fastest = Math.min(fastest, performance.now() - asked);
        read = (await explainPart(document, '20 x')).textRange?.end ?? 0;
      }
      if (read !== endOf(22) && fastest < syntaxPatience / 2) expect(read).to.equal(endOf(22));
      expect([endOf(20), endOf(22)], 'a busy machine has it end with its line').to.include(read);
      isLate = true;
      await document.edit((edit) => edit.insert(new vscode.Position(29, 0), ' ')); // what was said of the text before is remembered
      expect(await ends(), 'nobody waits').to.deep.equal([]);
    } finally {
      for (const provider of providers) provider.dispose();
    }
  });

  it('is looked at by its last word where it is long', async () => {
    const editor = await openText(text);
    const state = await explainPart(editor, 'line 9 here\nline 10 he');
    expect(state.view.pinned).to.deep.equal([]);
    expect((state.textRange?.start ?? 0) + (state.run?.streams[0].tokens[state.caret ?? 0].end ?? 0)).to.equal(
      text.indexOf('line 10 he') + 'line 10 he'.length,
    );
  });

  it('is read alone where the switch says so, which is remembered, and in its text again', async () => {
    const editor = await openText(text);
    await explainPart(editor, '20 he');
    await vscode.commands.executeCommand('attentionExplorer.readAlone');
    expect(api.snapshot().run?.streams[0].text).to.equal('20 he');
    expect(api.snapshot().view.pinned).to.deep.equal([]);
    expect(own()).to.equal('alone');
    expect((await explainPart(editor, '5 he')).run?.streams[0].text).to.equal('5 he');
    await vscode.commands.executeCommand('attentionExplorer.readInContext');
    expect(pinnedText(api.snapshot())).to.equal('5he');
    expect(api.snapshot().run?.streams[0].text).to.include('line 4 here');
    expect(own()).to.equal('inContext');
    // It counts before it has been written.
    const start = text.indexOf('7 he');
    await selectNext(editor, start, start + '7 he'.length);
    const switching = vscode.commands.executeCommand('attentionExplorer.readAlone');
    expect((await explain(api)).run?.streams[0].text).to.equal('7 he');
    await switching;
    expect(own()).to.equal('alone');
    await vscode.commands.executeCommand('attentionExplorer.readInContext');
  });

  it('keeps what was pinned instead when it is explained again, and another selection is pinned anew', async () => {
    const editor = await openText('one two three four');
    await explainPart(editor, 'three');
    api.changeView({ pinned: [{ stream: 0, position: 2 }] });
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().view.pinned).to.deep.equal([{ stream: 0, position: 2 }]);
    expect(pinnedText(await explainPart(editor, 'two'))).to.equal('two');
  });

  it('is out of date when the text around it is edited, and explained where it has moved to', async () => {
    const editor = await openText('one two three four');
    await explainPart(editor, 'three');
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 4), 'and a '));
    await until(api, 'it is out of date', ({ status }) => status.kind === 'stale');
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expectReady(api.snapshot());
    expect(api.snapshot().run?.streams[0].text).to.equal('one and a two three four');
    expect(pinnedText(api.snapshot())).to.equal('three');
  });

  it('has both sides where the model reads both ways', async () => {
    await configure({ modelPath: 'bundled:code-encoder' });
    try {
      for (const attempt of ['first', 'second']) {
        const state = await explainPart(await openText(lines.join('\n')), '20 he');
        expectReady(state);
        expect(state.run?.streams[0].text, attempt).to.include('line 19 here').and.to.include('line 21 here');
        expect(pinnedText(state).replaceAll(' ', '')).to.match(/20here/);
      }
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('is alone where the model writes a text of its own for what it reads', async () => {
    await configure({ modelPath: 'bundled:date-transformer' });
    try {
      const state = await explainPart(await openText('born on 3rd of May 1979 in Rome'), '3rd of May 1979');
      expectReady(state);
      expect(state.run?.streams.map(({ text: each }) => each)).to.deep.equal(['3rd of May 1979', '1979-05-03']);
      expect(state.view.pinned).to.deep.equal([]);
    } finally {
      await configure({ modelPath: 'models/tiny' });
    }
  });

  it('is alone where the model reads no more, and where nothing is around it', async () => {
    const editor = await openText('x'.repeat(90));
    select(editor, 0, 90);
    expect((await explain(api)).run?.streams[0].text).to.have.length(64);
    select(editor, 10, 85);
    expect((await explain(api)).textRange).to.deep.equal({ start: 10, end: 74 });
  });

  it('is read in its cell of a notebook', async () => {
    const cells = ['a = 1', 'b = a + 2'].map((source) => ({
      cell_type: 'code',
      metadata: {},
      source: [source],
      outputs: [],
      execution_count: null,
    }));
    const notebook = await vscode.workspace.openNotebookDocument(
      await writeFile('context.ipynb', JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 })),
    );
    const cell = notebook.cellAt(1).document;
    await vscode.window.showNotebookDocument(notebook, {
      viewColumn: vscode.ViewColumn.One,
      selections: [new vscode.NotebookRange(1, 2)],
    });
    await vscode.commands.executeCommand('notebook.cell.edit');
    let editor = vscode.window.visibleTextEditors.find(
      ({ document }) => document.uri.toString() === cell.uri.toString(),
    );
    for (let i = 0; i < 100 && editor === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === cell.uri.toString());
    }
    if (editor === undefined) throw new Error('The cell has no editor.');
    const state = await explainPart(editor, 'a +');
    expect(state.run?.streams[0].text).to.equal('b = a + 2');
    expect(pinnedText(state)).to.equal('a+');
  });

  it('comes back after a reload in the same text, with the same pins', async () => {
    const before = await explainPart(await openFile('around.txt', text), '20 he');
    const { kept } = before;
    await closeAll();
    await openFile('around.txt', `a new line\n${text}`);
    await api.restore({ persist: kept });
    const state = api.snapshot();
    expectReady(state);
    expect(state.run?.streams[0].text).to.equal(before.run?.streams[0].text);
    expect(pinnedText(state)).to.equal('20he');
    await vscode.commands.executeCommand('attentionExplorer.readAlone');
    expect(api.snapshot().run?.streams[0].text).to.equal('20 he');
    await vscode.commands.executeCommand('attentionExplorer.readInContext');
  });

  it('leaves what is read around the caret for the start where that is asked for, also after a reload', async () => {
    const editor = await openFile('start.txt', lines.map((line) => `${line} and there`).join('\n'));
    const caret = editor.document.offsetAt(new vscode.Position(20, 3));
    select(editor, caret, caret);
    expect((await explain(api)).textRange?.start).to.be.greaterThan(0);
    await vscode.commands.executeCommand('attentionExplorer.explainFromStart');
    expect(api.snapshot().textRange?.start).to.equal(0);
    expect(api.snapshot().notices[0]).to.include('from its start');
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().textRange?.start).to.equal(0);
    await api.restore({ persist: api.snapshot().kept });
    expectReady(api.snapshot());
    expect(api.snapshot().textRange?.start).to.equal(0);
    expect((await explain(api)).textRange?.start).to.be.greaterThan(0);
  });

  it('reads as much of its text as the settings say', async () => {
    await configure({ contextTokens: 24 });
    try {
      const state = await explainPart(await openText(text), '20 he');
      expect(state.run?.streams[0].tokens.length).to.be.within(12, 32);
    } finally {
      await configure({ contextTokens: undefined });
    }
  });
});

describe('Two selections', () => {
  const text = 'Who is here?\n\nThe cat sat on the mat.\n\tWhere did a dog sit?\n';
  let api: TestApi;
  let bert: string;

  before(async () => {
    api = await testApi();
    bert = 'models/pairs';
    for (const name of ['model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'])
      await writeFile(`${bert}/${name}`, await readFixture(`pairs/bert/${name}`));
  });
  beforeEach(() => configure({ modelPath: bert, selection: undefined }));
  afterEach(closeAll);

  /** Opens the text with these parts of it selected, in this order. */
  async function open(...parts: readonly string[]): Promise<vscode.TextEditor> {
    const editor = await openText(text);
    editor.selections = parts.map((part) => {
      const start = text.indexOf(part);
      return new vscode.Selection(editor.document.positionAt(start), editor.document.positionAt(start + part.length));
    });
    return editor;
  }

  it('are read as a pair by a model that takes them, in the order in which they were made', async () => {
    await open('Where did a dog sit?', 'cat sat on');
    const state = await explain(api);
    expectReady(state);
    const [stream] = state.run?.streams ?? [];
    expect(stream.text).to.equal('Where did a dog sit?cat sat on');
    expect(stream.second).to.deep.equal({ start: 20, from: 8 });
    expect(stream.tokens.map(({ piece, typeId = 0 }) => `${piece}:${typeId}`).join(' ')).to.equal(
      '[CLS]:0 where:0 did:0 a:0 dog:0 sit:0 ?:0 [SEP]:0 cat:1 sat:1 on:1 [SEP]:1',
    );
    expect(state.notices.join(' ')).to.match(/as a pair/);
    // Weights light up at both places.
    api.changeView({
      pinned: [
        { stream: 0, position: 1 },
        { stream: 0, position: 8 },
      ],
      threshold: 0,
    });
    await until(
      api,
      'both texts are lit',
      ({ highlights }) => highlights.some(({ start }) => start >= 20) && highlights.some(({ end }) => end <= 20),
    );
    const [hover] = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      vscode.window.activeTextEditor?.document.uri,
      new vscode.Position(2, 5),
    );
    expect(hover.contents.length).to.equal(1);
    expect(api.snapshot().hovered, 'the second text’s own token').to.equal(8);
  });

  it('follow edits before them, and are out of date when one is edited', async () => {
    const editor = await open('Who is here', 'sat on the mat');
    await explain(api);
    await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), 'the cat\n'));
    expect(api.snapshot().status.kind).to.equal('ready');
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().run?.streams[0].text).to.equal('Who is heresat on the mat');
    await editor.edit((edit) => edit.insert(new vscode.Position(3, 10), 'x'));
    await until(api, 'it is out of date', ({ status }) => status.kind === 'stale');
  });

  it('come back after a reload', async () => {
    await open('Who is here', 'sat on the mat');
    await explain(api);
    const { kept } = api.snapshot();
    await closeAll();
    await api.restore({ layout: {}, persist: JSON.parse(JSON.stringify(kept)) as unknown });
    expectReady(api.snapshot());
    expect(api.snapshot().run?.streams[0].second?.start).to.equal(11);
  });

  it('are read by the first alone where the model reads no pairs, which is said, and refused where a pair is asked for', async () => {
    await configure({ modelPath: await writeTinyModel(), selection: 'alone' });
    await open('Who is here', 'sat on the mat');
    const state = await explain(api);
    expectReady(state);
    expect(state.run?.streams[0].text).to.equal('Who is here');
    expect(state.notices.join(' ')).to.match(/reads no pairs/);
    await vscode.commands.executeCommand('attentionExplorer.explainAsPair');
    expectFailure(api.snapshot().status, 'pairNotRead');
    // Another model is then given both.
    await configure({ modelPath: bert });
    await vscode.commands.executeCommand('attentionExplorer.explainAgain');
    expect(api.snapshot().run?.streams[0].second?.start).to.equal(11);
    await open('Who is here');
    await vscode.commands.executeCommand('attentionExplorer.explainAsPair');
    expectFailure(api.snapshot().status, 'pairNotSelected');
    await configure({ selection: undefined });
  });
});

describe('The languages of a translator', () => {
  let api: TestApi;
  before(async () => {
    api = await testApi();
    for (const name of ['model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'])
      await writeFile(`models/translator/${name}`, await readFixture(`languages/m2m100/${name}`));
    await configure({ modelPath: 'models/translator' });
  });
  afterEach(closeAll);

  it('are chosen from the codes that its tokenizer knows, and remembered for it', async () => {
    await openText('a c b a');
    expectReady(await explain(api));
    const before = api.snapshot().run?.languages;
    expect(before?.source).to.equal('eng_Latn');
    const choosing = vscode.commands.executeCommand('attentionExplorer.chooseLanguages');
    // The one in use comes first, and then all others.
    for (const steps of [1, 0]) {
      await sleep(900);
      for (let i = 0; i < steps; i++) await vscode.commands.executeCommand('workbench.action.quickOpenSelectNext');
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    }
    await choosing;
    const { run, notices } = api.snapshot();
    const [first] = run?.languages?.codes ?? [];
    expect([run?.languages?.source, run?.languages?.target]).to.deep.equal([first, before?.target]);
    expect(run?.streams[1].tokens[1].piece).to.equal(before?.target);
    expect(notices.join(' ')).to.include(`The text was read as ${first}`);
    await openText('b');
    expect((await explain(api)).run?.languages?.source, 'remembered').to.equal(first);
  });
});
