import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { warmUpModel } from '../../src/engine/runtime/warmUpModel';
import { enginesOf } from '../harness/enginesOf';
import { expectEventually } from '../harness/eventually';
import { hostileModel } from '../harness/hostileModel';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const bundled = join(root, 'media/models/code-decoder');
const model = readFileSync(join(bundled, 'model.onnx'));
const tokenizer = readFileSync(join(bundled, 'tokenizer.json'));
const zoo = (name: string): Buffer => readFileSync(join(root, 'test/fixtures/zoo', name));

/** What would be a picture in a report. */
const hostile = '![](https://picture.invalid/x.png) <img src="https://html.invalid/x.png"> https://text.invalid/';

describe(`What goes wrong, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const explain = async (): Promise<void> => {
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain Attention');
  };
  // Where the window is a remote one, the user's own settings name no path of its machine; the workspace's do.
  const useModel = (path: string): Promise<void> =>
    vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': path });

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'failures',
      files: {
        '.vscode/settings.json': '{}',
        'code.py': 'def add(a, b):\n    return a + b\n',
        'empty.py': '',
        'models/truncated/model.onnx': model.subarray(0, model.length >> 1),
        'models/truncated/tokenizer.json': tokenizer,
        'models/text/model.onnx': 'This is not a model.',
        'models/text/tokenizer.json': tokenizer,
        'models/flat/model.ort': Buffer.from('\x18\0\0\0ORTM and more', 'latin1'),
        'models/alone/model.onnx': model,
        // One Identity node.
        'models/identity/model.onnx': warmUpModel,
        'models/identity/tokenizer.json': tokenizer,
        'models/foreign/model.onnx': zoo('gpt2.sdpa.legacy/model.onnx'),
        'models/foreign/tokenizer.json': tokenizer,
        'models/image/model.onnx': zoo('vit.sdpa.legacy/model.onnx'),
        'models/image/tokenizer.json': tokenizer,
        'models/hostile/model.onnx': hostileModel(hostile),
        'models/$(trash) rubbish/model.onnx': model,
        'models/$(trash) rubbish/tokenizer.json': tokenizer,
        'models/talks/model.onnx': model,
        'models/talks/tokenizer.json': tokenizer,
        'models/talks/chat_template.jinja':
          "{% for i in range(60000) %}{% endfor %}{{ raise_exception('[Update now](command:workbench.action.quickOpen?%22x%22) ![](https://template.invalid/x.png)') }}",
      },
    });
    panel = vscode.panelFrame();
    await vscode.openFile('code.py');
  });
  after(() => vscode?.close());

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a missing model', 'models/nowhere', /There is no model at/],
    ['a truncated model', 'models/truncated', /ends too early/],
    ['a file that is no model', 'models/text/model.onnx', /is not an ONNX model/],
    ['a model in the ORT format', 'models/flat', /is in the ORT format/],
    ['a model without its tokenizer', 'models/alone', /There is no tokenizer\.json beside/],
    ['a model without attention', 'models/identity', /No attention was found/],
    ['a tokenizer of another model', 'models/foreign', /The tokenizer does not belong to the model/],
  ];
  for (const [what, path, sentence] of cases) {
    it(`says in the panel what is wrong with ${what}`, async function () {
      this.timeout(120_000);
      await useModel(path);
      await explain();
      await panel.getByRole('alert').filter({ hasText: sentence }).waitFor();
      if (what === 'a truncated model') await vscode.screenshot('truncated');
    });
  }

  it('works again with a good model after all of these', async function () {
    this.timeout(120_000);
    await useModel('');
    await explain();
    await panel.getByRole('grid').waitFor({ timeout: 90_000 });
    expect(await panel.getByRole('alert').count()).to.equal(0);
  });

  it('reads a text with another model where the one in the settings reads pictures, and says so once', async function () {
    this.timeout(120_000);
    await useModel('models/image');
    await explain();
    await panel.getByText(/^image reads pictures, so the text is read by /).waitFor({ timeout: 90_000 });
    expect(await panel.getByRole('alert').count()).to.equal(0);
    expect(await vscode.page.locator('.notifications-toasts .notification-list-item').count()).to.equal(0);
    await useModel('');
    await explain();
    await expectEventually(async () => expect(await panel.getByText(/reads pictures, so/).count()).to.equal(0));
  });

  it('says that an empty document holds nothing to explain, and keeps what was shown', async () => {
    await vscode.openFile('empty.py');
    await explain();
    await expectEventually(async () =>
      expect(await panel.getByRole('alert').innerText()).to.match(/There is no text to explain/),
    );
    expect(await panel.getByRole('grid').count()).to.equal(1);
  });

  // In the web the engine is a thread of the page: nobody can kill it from outside.
  (VSCode.hostOfRun === 'node' && process.platform === 'linux' ? it : it.skip)(
    'says that the engine was killed, and starts it again',
    async function () {
      this.timeout(120_000);
      await vscode.openFile('code.py');
      await explain();
      await expectEventually(async () => expect(await panel.getByRole('alert').count()).to.equal(0));
      const engines = enginesOf(vscode.serverPid);
      expect(engines.length).to.be.greaterThan(0);
      for (const pid of engines) process.kill(pid, 'SIGKILL');
      await panel
        .getByText(/The engine stopped/)
        .first()
        .waitFor();
      await vscode.screenshot('stopped');
      await explain();
      await expectEventually(async () => expect(await panel.getByRole('alert').count()).to.equal(0));
      await panel.getByRole('grid').waitFor();
    },
  );

  describe('what a model says', () => {
    const requests: string[] = [];

    before(() => {
      vscode.page.on('request', (request) => requests.push(request.url()));
    });

    /** The inside of the preview that is shown. */
    const preview = async (text: string): Promise<FrameLocator> => {
      for (;;) {
        const count = await vscode.page.locator('iframe.webview.ready').count();
        for (let i = 0; i < count; i++)
          if (await vscode.panelFrame(i).getByText(text).first().isVisible()) return vscode.panelFrame(i);
        await vscode.page.waitForTimeout(200);
      }
    };

    it('loads nothing from anywhere in the report', async function () {
      this.timeout(120_000);
      await useModel('models/hostile/model.onnx');
      await vscode.runCommand('Attention Explorer: Show Extraction Report');
      const report = await preview('Extraction report:');
      await report.getByText(`producer ${hostile}`).first().waitFor();
      await vscode.screenshot('report');
      // It leads with the verdict, stands beside the text, and nothing of it is cut.
      expect(await report.locator('.markdown-body h2').first().innerText()).to.match(
        /^\d+ layers? found, (?:all )?exposed/,
      );
      expect(await vscode.page.locator('.editor-group-container').count()).to.equal(2);
      expect(
        await vscode.page.locator('.editor-group-container').first().locator('.view-lines').first().isVisible(),
      ).to.equal(true);
      expect(await report.locator('.markdown-body').evaluate((body) => body.scrollWidth <= body.clientWidth)).to.equal(
        true,
      );
      expect(await report.locator('.markdown-body :is(img, a, script, iframe, object, form)').count()).to.equal(0);
      expect(requests.filter((url) => url.includes('.invalid'))).to.deep.equal([]);
    });

    it('loads nothing from anywhere in the document of its chat template', async function () {
      this.timeout(120_000);
      await useModel('models/talks/model.onnx');
      await vscode.runCommand('Attention Explorer: Show Chat Template');
      const shown = await preview('Chat Template of');
      await shown.getByText('![](https://template.invalid/x.png)').first().waitFor();
      expect(await shown.locator('.markdown-body :is(img, a, script, iframe, object, form)').count()).to.equal(0);
      expect(requests.filter((url) => url.includes('.invalid'))).to.deep.equal([]);
    });

    it('is no icon in a list of models', async function () {
      this.timeout(120_000);
      await vscode.runCommand('Attention Explorer: Select Model');
      const row = vscode.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'rubbish' }).first();
      await row.waitFor();
      expect(await row.locator('.codicon-trash').count()).to.equal(0);
      await vscode.page.keyboard.press('Escape');
    });

    it('is no link in a notification', async function () {
      this.timeout(150_000);
      await vscode.openFile('code.py');
      const toast = vscode.page
        .locator('.notifications-toasts .notification-list-item')
        .filter({ hasText: 'chat template cannot be applied' })
        .first();
      // Where the panel is seen it says what went wrong: it is closed before, which takes luck.
      for (let attempt = 0; attempt < 5 && !(await toast.isVisible()); attempt++) {
        await vscode.focusEditor();
        await vscode.runCommand('Attention Explorer: Restart Engine');
        await vscode.runCommand('Attention Explorer: Explain as Chat Message');
        await vscode.page.locator('.tab').filter({ hasText: 'Attention Explorer' }).first().click({ button: 'middle' });
        await toast.waitFor({ timeout: 10_000 }).catch(() => undefined);
      }
      await vscode.screenshot('toast');
      expect(await toast.innerText()).to.include('[Update now] (command:workbench.action.quickOpen');
      expect(await toast.locator('.notification-list-item-message a').count()).to.equal(0);
    });

    it('opens nothing where there is no chat template, and says so', async function () {
      this.timeout(120_000);
      await useModel('');
      const count = await vscode.page.locator('.tab').count();
      await vscode.runCommand('Attention Explorer: Show Chat Template');
      await vscode.page
        .locator('.notifications-toasts .notification-list-item')
        .filter({ hasText: 'The model code-decoder has no chat template' })
        .first()
        .waitFor();
      expect(await vscode.page.locator('.tab').count()).to.equal(count);
      await vscode.runCommand('Notifications: Clear All Notifications');
    });
  });
});
