import { expect } from 'chai';
import * as vscode from 'vscode';
import type { TestApi, TestSnapshot } from '../../src/host/testApi';
import {
  closeAll,
  configure,
  expectReady,
  explain,
  openText,
  readFixture,
  select,
  sleep,
  testApi,
  until,
  writeFile,
  writeTinyModel,
} from './support';

const toggle = (): Thenable<unknown> => vscode.commands.executeCommand('attentionExplorer.toggleLiveMode');

describe('Live mode', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await writeTinyModel();
    await writeFile('models/pasts/model.onnx', await readFixture('pasts/gpt2/model.onnx'));
    for (const file of ['tokenizer.json', 'config.json'])
      await writeFile(
        `models/pasts/${file}`,
        await vscode.workspace.fs.readFile(
          vscode.Uri.joinPath((vscode.workspace.workspaceFolders ?? [])[0].uri, 'models/tiny', file),
        ),
      );
    await configure({ modelPath: 'models/pasts', liveDelay: 60, selection: 'alone' });
  });
  afterEach(async () => {
    if (api.snapshot().live.kind !== 'off') await toggle();
    await closeAll();
  });
  after(() => configure({ modelPath: 'models/tiny', liveDelay: undefined }));

  const put = (editor: vscode.TextEditor, offset: number): void => select(editor, offset, offset);
  const insert = (editor: vscode.TextEditor, offset: number, text: string): Thenable<boolean> =>
    editor.edit((edit) => edit.insert(editor.document.positionAt(offset), text));
  /** The text of the token that is lit. */
  const lit = ({ run, caret }: TestSnapshot): string | undefined => {
    const [stream] = run?.streams ?? [];
    const token = caret === undefined ? undefined : stream?.tokens[caret];
    return token && stream.text.slice(token.start, token.end);
  };
  const shows = (text: string) => (state: TestSnapshot) => state.run?.streams[0].text === text;

  it('follows what is typed: the token before the caret is lit, the head stays, and only what is new is run', async () => {
    const editor = await openText('one two');
    put(editor, 7);
    await toggle();
    expectReady(await until(api, 'the first picture', shows('one two')));
    expect(lit(api.snapshot())).to.equal('o');
    api.changeView({
      selection: { component: 'self', heads: [{ layer: 1, head: 2 }], aggregation: 'mean' },
      scale: 'row',
    });
    const kinds = new Set<string>();
    const watching = setInterval(() => kinds.add(api.snapshot().status.kind), 5);
    await insert(editor, 7, 's');
    put(editor, 8);
    const state = await until(api, 'the next picture', shows('one twos'));
    expect(lit(state)).to.equal('s');
    expect(state.run?.numReused).to.equal(7);
    expect(state.view.selection.heads).to.deep.equal([{ layer: 1, head: 2 }]);
    expect(state.view.scale).to.equal('row');
    await until(api, 'it is lit in the editor', ({ highlights }) => highlights.length > 0);
    await insert(editor, 3, 'X');
    await until(api, 'an edit in the middle', shows('oneX twos'));
    clearInterval(watching);
    expect([...kinds], 'nothing flashes').to.deep.equal(['ready']);
  });

  it('lights another token when the caret moves, without another run', async () => {
    const editor = await openText('abc\ndefg');
    put(editor, 8);
    await toggle();
    const { run } = await until(api, 'the first picture', shows('abc\ndefg'));
    expect(lit(api.snapshot())).to.equal('g');
    put(editor, 6);
    await until(api, 'the caret’s token', (state) => lit(state) === 'e');
    expect(api.snapshot().run?.runId).to.equal(run?.runId);
  });

  it('reads what stands before, where all that it had read is deleted', async () => {
    await configure({ liveTokens: 32 });
    try {
      const editor = await openText(Array.from({ length: 20 }, (_, line) => `line ${line}`).join('\n'));
      const { document } = editor;
      const end = document.getText().length;
      put(editor, end);
      await toggle();
      const { run } = await until(
        api,
        'the first picture',
        (state) => state.run?.streams[0].text.endsWith('line 19') === true,
      );
      const start = end - (run?.streams[0].text.length ?? 0);
      expect(start).to.be.greaterThan(0);
      await editor.edit((edit) => edit.delete(new vscode.Range(document.positionAt(start), document.positionAt(end))));
      put(editor, start);
      const left = document.getText().slice(-8);
      await until(api, 'what is before', (state) => state.run?.streams[0].text.endsWith(left) === true);
    } finally {
      await configure({ liveTokens: undefined });
    }
  });

  it('keeps what is pinned before the edit, and lets what is selected alone', async () => {
    const editor = await openText('abcdef');
    put(editor, 6);
    await toggle();
    await until(api, 'the first picture', shows('abcdef'));
    api.changeView({
      pinned: [
        { stream: 0, position: 1 },
        { stream: 0, position: 4 },
      ],
    });
    await insert(editor, 3, '-');
    const { view } = await until(api, 'the next picture', shows('abc-def'));
    expect(view.pinned).to.deep.equal([{ stream: 0, position: 1 }]);
    select(editor, 1, 3);
    await insert(editor, 0, 'z');
    await sleep(400);
    expect(api.snapshot().run?.streams[0].text).to.equal('abc-def');
    put(editor, 2);
    await until(api, 'it goes on', shows('zabc-def'));
  });

  it('goes on in another document, also one without a file, and around the caret of a long one', async () => {
    put(await openText('first'), 5);
    await toggle();
    await until(api, 'the first picture', shows('first'));
    const untitled = await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ content: 'untitled' }),
      { viewColumn: vscode.ViewColumn.One },
    );
    put(untitled, 8);
    await until(api, 'the untitled one', shows('untitled'));
    const long = await openText('line of text\n'.repeat(3000));
    put(long, 20_000);
    const { run, textRange } = await until(
      api,
      'the long one',
      // Its first line may have been read before the caret was put where it is.
      ({ run: now, textRange: place }) => now?.streams[0].text.startsWith('line of') === true && place?.start !== 0,
    );
    expect(run?.streams[0].tokens.length).to.be.within(16, 64);
    expect(textRange?.start).to.be.within(19_900, 20_000);
    expect(textRange?.end).to.be.at.least(20_000);
  });

  it('ends with an explanation that was asked for, and when it is turned off', async () => {
    const editor = await openText('one two three');
    put(editor, 5);
    await toggle();
    await until(api, 'the first picture', shows('one two three'));
    expect(api.snapshot().statusBar).to.match(/Live/);
    select(editor, 4, 7);
    const explained = await explain(api);
    expectReady(explained);
    expect(explained.live.kind).to.equal('off');
    expect(explained.caret, 'the last token of the selection').to.equal(2);
    expect(explained.run?.streams[0].text).to.equal('two');
    expect(explained.statusBar).to.not.match(/Live/);
    put(editor, 13);
    await toggle();
    await until(api, 'live again', shows('one two three'));
    await toggle();
    await insert(editor, 4, 'X');
    expect((await until(api, 'it is out of date', ({ status }) => status.kind === 'stale')).live.kind).to.equal('off');
  });

  it('rests after failures with a sentence, and goes on when the model is another', async () => {
    const editor = await openText('one');
    put(editor, 3);
    await toggle();
    await until(api, 'the first picture', shows('one'));
    await writeFile('models/broken/model.onnx', new Uint8Array([1, 2, 3]));
    await configure({ modelPath: 'models/broken' });
    await insert(editor, 3, ' two');
    const { live, run, statusBar } = await until(api, 'it rests', (state) => state.live.kind === 'paused');
    expect(live.kind === 'paused' && live.sentence).to.match(/\.$/);
    expect(run?.streams[0].text).to.equal('one');
    expect(statusBar).to.match(/rests/);
    await configure({ modelPath: 'models/pasts' });
    await until(api, 'it goes on', (state) => state.live.kind === 'on' && shows('one two')(state));
  });
});
