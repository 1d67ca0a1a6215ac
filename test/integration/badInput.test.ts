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
  openText,
  readFixture,
  sleep,
  testApi,
  workspaceFolder,
  writeFile,
  writeTinyModel,
} from './support';
import { tinyTokenizer, tinyVocabulary } from '../harness/tinyTokenizer';

describe('Bad input gets one sentence, and the next run works', () => {
  let api: TestApi;

  before(async () => {
    api = await testApi();
    await writeTinyModel();
  });
  beforeEach(() => configure({ modelPath: 'models/tiny' }));
  afterEach(async () => {
    await closeAll();
    await configure({ modelPath: 'models/tiny' });
    await openText('works');
    expectReady(await explain(api));
    await closeAll();
  });

  it('an empty document', async () => {
    await openText('');
    expectFailure((await explain(api)).status, 'emptyText');
  });

  it('nothing open at all', async () => {
    await closeTabs(() => true);
    const { status } = await explain(api);
    expectFailure(status, 'nothingOpen');
    // Neither button fails again.
    expect(status.kind === 'failed' && [status.error.action?.id, status.error.alternative?.id]).to.deep.equal([
      'explainSample',
      'openFile',
    ]);
    // The panel, which is alone now, goes back to the second column.
    await openText('anchor');
    await vscode.commands.executeCommand('attentionExplorer.openPanel');
    await vscode.commands.executeCommand('workbench.action.moveEditorToRightGroup');
  });

  it('a binary file', async () => {
    const uri = await writeFile(
      'binary.bin',
      Uint8Array.from({ length: 4096 }, (_, i) => i % 7),
    );
    await vscode.commands.executeCommand('attentionExplorer.explainAttention', uri);
    expectFailure(api.snapshot().status, 'binaryFile');
  });

  it('a file of more than 50 MB', async () => {
    const uri = await writeFile('large.txt', new Uint8Array(51 * 2 ** 20).fill(120));
    await vscode.commands.executeCommand('attentionExplorer.explainAttention', uri);
    expectFailure(api.snapshot().status, 'textTooLarge');
    await vscode.workspace.fs.delete(uri);
  });

  it('a pipe that nobody writes to, as a text and as a picture', async () => {
    for (const [command, name] of [
      ['explainAttention', 'text.txt'],
      ['explainImage', 'picture.png'],
    ] as const) {
      await vscode.commands.executeCommand(
        `attentionExplorer.${command}`,
        vscode.Uri.joinPath(workspaceFolder(), 'pipes', name),
      );
      expectFailure(api.snapshot().status, 'fileUnreadable');
    }
  });

  it('a text that yields no token', async () => {
    await configure({ modelPath: await writeTinyModel('models/deaf', tinyTokenizer(['a'])) });
    await openText('zzz');
    expectFailure((await explain(api)).status, 'noTokens');
  });

  const models: readonly [what: string, code: string, write: () => Promise<string>][] = [
    ['a missing model', 'modelNotFound', () => Promise.resolve('models/absent')],
    ['a missing file', 'modelNotFound', () => Promise.resolve('models/absent.onnx')],
    [
      'a truncated model',
      'modelTruncated',
      async () => {
        await writeFile(
          'models/short/model.onnx',
          (await readFixture('zoo/gpt2.sdpa.legacy/model.onnx')).slice(0, 100_000),
        );
        await writeFile('models/short/tokenizer.json', tinyTokenizer());
        return 'models/short';
      },
    ],
    [
      'a file that is no model',
      'modelNotOnnx',
      async () => {
        await writeFile('models/text/model.onnx', 'This is no model at all.\n'.repeat(50));
        await writeFile('models/text/tokenizer.json', tinyTokenizer());
        return 'models/text';
      },
    ],
    [
      'a model in the ORT format',
      'modelOrtFormat',
      async () => {
        await writeFile(
          'models/ort/model.ort',
          Uint8Array.from([24, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, ...new Array<number>(200).fill(0)]),
        );
        await writeFile('models/ort/tokenizer.json', tinyTokenizer());
        return 'models/ort/model.ort';
      },
    ],
    [
      'a tokenizer that does not belong to the model',
      'tokenizerMismatch',
      () =>
        writeTinyModel(
          'models/foreign',
          tinyTokenizer([...Array.from({ length: 100 }, (_, i) => `unused${i}`), ...tinyVocabulary]),
        ),
    ],
    [
      'a missing tokenizer',
      'tokenizerNotFound',
      async () => {
        await writeFile('models/bare/model.onnx', await readFixture('zoo/gpt2.sdpa.legacy/model.onnx'));
        return 'models/bare';
      },
    ],
    ['a broken tokenizer', 'tokenizerInvalid', () => writeTinyModel('models/broken', '{ "model": ')],
    [
      'a model that is a link out of its folder',
      'fileOutside',
      async () => {
        await writeFile('linked/tokenizer.json', tinyTokenizer());
        return 'linked';
      },
    ],
  ];
  it('a model of pictures: the text is read by the model that read texts last, and that is said', async () => {
    await writeFile('models/vit/model.onnx', await readFixture('zoo/vit.sdpa.legacy/model.onnx'));
    await writeFile('models/vit/tokenizer.json', tinyTokenizer());
    await openText('some text');
    expectReady(await explain(api));
    await configure({ modelPath: 'models/vit' });
    const state = await explain(api);
    expectReady(state);
    expect(state.run?.model.name).to.equal('tiny');
    expect(state.notices[0]).to.equal('vit reads pictures, so the text is read by tiny.');
  });

  it('takes a link that was chosen', async () => {
    await writeFile('linked/tokenizer.json', tinyTokenizer());
    await configure({ modelPath: 'linked/model.onnx' });
    await openText('some text');
    expectReady(await explain(api));
  });

  for (const [what, code, write] of models) {
    it(what, async () => {
      await configure({ modelPath: await write() });
      await openText('some text');
      expectFailure((await explain(api)).status, code);
    });
  }

  // In the web the engine is ended for it, which stuckWorker.browser.test.ts sees without waiting for the seconds to pass.
  const itInNode = typeof process === 'undefined' ? it.skip : it;
  itInNode('a chat template that goes on and on: its document says so, and keeps no run waiting', async () => {
    const folder = await writeTinyModel('models/endless');
    await writeFile(
      `${folder}/tokenizer_config.json`,
      JSON.stringify({
        chat_template: '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}',
      }),
    );
    await configure({ modelPath: folder });
    await openText('some text');
    const opened = (): vscode.Tab[] =>
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter(({ label }) => label.includes('Chat Template'));
    await vscode.commands.executeCommand('attentionExplorer.showChatTemplate');
    // Where the engine can stop it, the template itself is shown beside the sentence; else the sentence is all there is.
    const document = await vscode.workspace.openTextDocument(
      vscode.Uri.from({ scheme: 'attention-explorer-report', path: '/Chat Template.md' }),
    );
    expect(document.getText()).to.include('The chat template took longer than 5 s');
    await closeAll();
    await openText('some text');
    const showing = vscode.commands.executeCommand('attentionExplorer.showChatTemplate');
    await sleep(300);
    await configure({ modelPath: 'models/tiny' });
    expectReady(await explain(api));
    // It was asked for anew after the run, about the model that is in use by then: that has none, which is said, and opens nothing.
    await showing;
    expect(opened()).to.deep.equal([]);
  });

  it('settings of the wrong type', async () => {
    await configure({ threads: -3, tokenLimit: 'many', colourMap: 'rainbow', scale: 7, backend: 'cuda' });
    try {
      await openText('some text');
      const { status, view } = await explain(api);
      expect(status, JSON.stringify(status)).to.deep.equal({ kind: 'ready' });
      expect(view.scale).to.equal('absolute');
    } finally {
      await configure({
        threads: undefined,
        tokenLimit: undefined,
        colourMap: undefined,
        scale: undefined,
        backend: undefined,
      });
    }
  });
});
