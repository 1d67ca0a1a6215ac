import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { expectEventually } from '../harness/eventually';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const zoo = (name: string): Buffer => readFileSync(join(root, 'test/fixtures/zoo', name));
/** A decoder of 3 layers and 4 heads that reads 64 tokens. */
const tiny = zoo('gpt2.sdpa.legacy/model.onnx');
const config = JSON.stringify({ model_type: 'gpt2', n_positions: 64, vocab_size: 99 });

describe(`Choosing models and heads, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const picker = (): Locator => vscode.page.locator('.quick-input-widget');
  const row = (text: string | RegExp): Locator =>
    picker().locator('.monaco-list-row').filter({ hasText: text }).first();
  /** Filters the list: of a long one only the rows in view are in the page. */
  const filter = (text: string): Promise<void> => picker().locator('input[type="text"]').first().fill(text);
  /** Filters, moves to the row and takes it: a click could hit another while the list still fills. */
  const take = async (typed: string, text: string | RegExp = typed): Promise<void> => {
    await filter(typed);
    await row(text).waitFor();
    await expectEventually(async () => {
      if (!(await row(text).getAttribute('class'))?.includes('focused')) {
        await vscode.page.keyboard.press('ArrowDown');
        throw new Error('The row is not reached yet.');
      }
    });
    await vscode.page.keyboard.press('Enter');
  };
  /** The workspace is searched when its last model is listed. */
  const searched = async (): Promise<void> => {
    await filter('models/several');
    await row(/several.*2 model files/).waitFor();
  };
  const useModel = (path: string): Promise<void> =>
    vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': path });
  const explain = async (): Promise<void> => {
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain Attention');
  };
  const settingOfWorkspace = (): unknown =>
    (JSON.parse(readFileSync(join(vscode.workspace, '.vscode/settings.json'), 'utf8')) as Record<string, unknown>)[
      'attentionExplorer.modelPath'
    ]; // our own file

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'choose',
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'models/hub/onnx/model.onnx' }),
        'code.py': 'def add(a, b):\n    return a + b\n',
        'models/hub/config.json': config,
        'models/hub/tokenizer.json': tinyTokenizer(),
        'models/hub/tokenizer_config.json': JSON.stringify({
          chat_template: "{{ '<user>\\n' + messages[0].content | trim + '<end>' }}",
        }),
        'models/hub/onnx/model.onnx': tiny,
        'models/hub/onnx/model_int8.onnx': tiny,
        'models/hub/onnx/model_fp16.onnx': tiny,
        'models/hub/onnx/model_fp16.onnx_data': Buffer.alloc(1_000_000),
        'models/several/tokenizer.json': tinyTokenizer(),
        'models/several/model_fp16.onnx': tiny,
        'models/several/model_int8.onnx': tiny,
        'alone/tiny.onnx': tiny,
        'elsewhere/tokenizer.json': tinyTokenizer(),
        'models/image/model.onnx': zoo('vit.sdpa.legacy/model.onnx'),
        'models/image/preprocessor_config.json': '{}',
        'models/mute/model.onnx': tiny,
        'models/mute/tokenizer.json': '{',
        'shape.png': readFileSync(join(root, 'media/models/shapes-vit/samples/red-circle.png')),
        'node_modules/hidden/model.onnx': tiny,
      },
    });
    panel = vscode.panelFrame();
    await vscode.openFile('code.py');
    await explain();
    await panel.getByRole('grid').waitFor({ timeout: 90_000 });
  });
  after(() => vscode?.close());

  it('lists bundled models and those of the workspace, and marks the one in use', async () => {
    await vscode.runCommand('Attention Explorer: Select Model');
    await row('Code decoder').waitFor();
    await vscode.screenshot('models');
    expect(await picker().innerText()).to.match(/bundled/);
    await searched();
    await filter('');
    // The list shows as much as it has room for.
    await expectEventually(async () => {
      await vscode.page.keyboard.press('ArrowDown');
      expect(await picker().innerText()).to.match(/in this workspace/);
    });
    await filter('models/hub');
    await row(/hub.*3 model files.*in use/).waitFor();
    await filter('alone');
    await row('alone/tiny.onnx').waitFor();
    await filter('hidden');
    await expectEventually(async () => expect(await picker().locator('.monaco-list-row').count()).to.equal(0));
    await filter('Browse');
    await row(/Browse for a Folder/).waitFor();
  });

  it('asks which file of a folder is meant, with sizes and precision, and runs again with it', async () => {
    await take('models/hub', /hub.*3 model files/);
    await row(/model_int8\.onnx.*kB.*8 bits/).waitFor();
    expect(await row('model_fp16.onnx').innerText()).to.match(/1\.\d MB · half precision/);
    expect(await row('model.onnx').innerText()).to.match(/kB · as exported/);
    await vscode.screenshot('variants');
    await take('model_int8.onnx');
    await expectEventually(() => expect(settingOfWorkspace()).to.match(/hub\/onnx\/model_int8\.onnx$/));
    await expectEventually(async () =>
      expect(await vscode.page.locator('.statusbar-item').filter({ hasText: /hub/ }).count()).to.equal(1),
    );
    await panel.getByRole('grid').waitFor();
  });

  it('puts the chat template around the text when asked to, as chips', async () => {
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain as Chat Message');
    await panel.getByText(/what the chat template of hub says around it/).waitFor();
    expect(
      await panel
        .locator('.token.chip')
        .evaluateAll((chips) => chips.map((chip) => chip.getAttribute('data-label')).join('')),
    ).to.equal('<user>↵<end>');
    expect(await panel.locator('.stream').innerText()).to.match(/def add\(a, b\):\s+return a \+ b/);
    await vscode.screenshot('chat');
    // An ordinary run is none.
    await explain();
    await expectEventually(async () => expect(await panel.locator('.token.chip').count()).to.equal(0));
  });

  it('goes to a bundled model and back to the recent one', async function () {
    this.timeout(90_000);
    await vscode.runCommand('Attention Explorer: Select Model');
    await searched();
    await take('Code decoder');
    await vscode.waitForStatusBar(/code-decoder.*tokens/, 60_000);
    await vscode.runCommand('Attention Explorer: Select Model');
    await row(/Code decoder.*in use/).waitFor();
    await searched();
    await filter('');
    await vscode.screenshot('recent');
    await take('model_int8', /hub\/model_int8\.onnx/);
    await vscode.waitForStatusBar(/hub.*tokens/, 60_000);
  });

  it('offers the files where a folder’s model is not clear', async () => {
    await useModel('models/several');
    await explain();
    const alert = panel.getByRole('alert').filter({ hasText: /holds several models/ });
    await alert.waitFor();
    await vscode.screenshot('several');
    await alert.getByText('Choose a File').click();
    await take('model_fp16.onnx');
    await expectEventually(() => expect(settingOfWorkspace()).to.match(/several\/model_fp16\.onnx$/));
    await expectEventually(async () => expect(await panel.getByRole('alert').count()).to.equal(0));
  });

  it('asks for the tokenizer of a model that has none, and runs again with it', async () => {
    await useModel('alone/tiny.onnx');
    await explain();
    const alert = panel.getByRole('alert').filter({ hasText: /There is no tokenizer\.json/ });
    await alert.waitFor();
    await vscode.screenshot('no-tokenizer');
    await alert.getByText('Choose Its Tokenizer').click();
    await vscode.fillPath(`${join(vscode.workspace, 'elsewhere')}/`, 'Choose the tokenizer.json');
    await row('tokenizer.json').click();
    // A click takes the file in some versions, and in others fills it in.
    await picker()
      .waitFor({ state: 'hidden', timeout: 2000 })
      .catch(() => picker().getByRole('button', { name: 'Use This Tokenizer' }).click());
    await expectEventually(async () => expect(await panel.getByRole('alert').count()).to.equal(0));
    await vscode.waitForStatusBar(/tiny.*tokens/);
  });

  it('offers models that read text where a text cannot be read', async () => {
    await useModel('models/mute');
    await explain();
    const alert = panel.getByRole('alert');
    await alert.waitFor();
    await alert.getByText('Select Another Model').click();
    await row('Code decoder').waitFor();
    expect(await picker().locator('.quick-input-title').innerText()).to.equal('Select a Model That Reads Text');
    expect(await picker().locator('.monaco-list-row').first().innerText()).to.include('Code decoder');
    await vscode.screenshot('fitting');
    await searched();
    await filter('models/image');
    await expectEventually(async () => expect(await picker().locator('.monaco-list-row').count()).to.equal(0));
    await filter('Shapes');
    await expectEventually(async () => expect(await picker().locator('.monaco-list-row').count()).to.equal(0));
    await take('Code decoder');
    await vscode.waitForStatusBar(/code-decoder.*tokens/, 60_000);
    await expectEventually(async () => expect(await panel.getByRole('alert').count()).to.equal(0));
  });

  it('offers models of pictures alone for a picture, and is not busy while it asks', async function () {
    this.timeout(150_000);
    await useModel('models/hub/onnx/model.onnx');
    await vscode.openTab('shape.png');
    // A preview takes the focus once it has its picture, and a list is closed that loses it: then it is asked for once more.
    await vscode.waitForStatusBar(/\d+x\d+/);
    const asked = async (): Promise<void> => {
      await vscode.runCommand('Attention Explorer: Explain Attention on Image');
      await row('Shapes ViT').waitFor({ timeout: 30_000 });
    };
    await asked().catch(asked);
    expect(await picker().locator('.quick-input-title').innerText()).to.equal('Select a Model That Reads Images');
    await row(/image.*reads images/).waitFor();
    const offered = await picker().innerText();
    for (const other of ['Code decoder', 'several', 'mute', 'hub', 'tiny.onnx']) expect(offered).to.not.include(other);
    expect(
      await vscode.page
        .locator('.statusbar-item')
        .filter({ hasText: /Starting the engine|Reading the model/ })
        .count(),
    ).to.equal(0);
    expect(await vscode.page.locator('.notifications-toasts .notification-list-item').count()).to.equal(0);
    await vscode.screenshot('pictures');
    await take('Shapes ViT');
    const shown = await vscode.findPanel();
    await shown.locator('canvas.picture').waitFor({ timeout: 90_000 });
    await shown.getByText('hub reads text, so the picture is read by shapes-vit.').waitFor();
  });

  it('says what a model of texts is for while a picture is shown', async function () {
    this.timeout(120_000);
    await vscode.runCommand('Attention Explorer: Select Model');
    await searched();
    await take('Code decoder');
    await vscode.page
      .locator('.notifications-toasts .notification-list-item')
      .filter({ hasText: 'code-decoder reads text, so the picture is read by shapes-vit.' })
      .first()
      .waitFor({ timeout: 60_000 });
    await vscode.runCommand('Notifications: Clear All Notifications');
    // The text goes on with it. By its keys: the palette finds the command for pictures by the same words, which was used last.
    await vscode.openFile('code.py');
    await vscode.focusEditor();
    await vscode.page.keyboard.press('Control+K');
    await vscode.page.keyboard.press('Control+;');
    await vscode.waitForStatusBar(/code-decoder.*tokens/, 60_000);
    panel = await vscode.findPanel();
  });

  it('shows each head of the list while one goes through it, and goes back with Escape', async () => {
    const shown = (): Promise<string> => panel.getByRole('region', { name: 'Matrix' }).getByRole('heading').innerText();
    await expectEventually(async () => expect(await shown()).to.match(/\d/));
    const before = await shown();
    await vscode.runCommand('Attention Explorer: Select Head');
    await picker().locator('input[type="text"]').first().fill('2.3');
    await row(/^(head )?2\.3/i).waitFor();
    await expectEventually(async () => expect(await shown()).to.match(/2\.3/));
    await vscode.screenshot('heads');
    await vscode.page.keyboard.press('Escape');
    await expectEventually(async () => expect(await shown()).to.equal(before));
  });

  it('tells what each head does on this text, which does it most, and lists them by it', async () => {
    const shown = (): Promise<string> => panel.getByRole('region', { name: 'Matrix' }).getByRole('heading').innerText();
    const rows = (): Promise<string[]> => picker().locator('.monaco-list-row').allInnerTexts();
    await vscode.runCommand('Attention Explorer: Select Head');
    // The list opens at the head that is shown; what is strongest stands above.
    await row(/./).waitFor();
    await vscode.page.keyboard.press('Control+Home');
    await picker()
      .getByText(/^previous token [01]\.\d\d$/)
      .waitFor();
    await vscode.screenshot('heads-measured');
    const all = (await rows()).join('\n');
    expect(all).to.match(/previous token [01]\.\d\d · /);
    expect(all, 'layers are told apart by their numbers, not eight times by a path of the file').to.not.include('/');
    await picker().locator('.quick-input-titlebar .action-label.codicon-list-ordered').click();
    await row(/^previous token/).click();
    await picker().getByText('Select Head, ordered by previous token').waitFor();
    const shares = (await rows()).flatMap((text) => /previous token ([01]\.\d\d)/.exec(text)?.[1] ?? []).map(Number);
    expect(shares.length).to.be.greaterThan(4);
    expect(shares).to.deep.equal([...shares].sort((a, b) => b - a));
    await vscode.screenshot('heads-ordered');
    await picker().locator('input[type="text"]').first().press('Home');
    await picker().locator('.monaco-list-row', { hasText: 'previous token' }).first().click();
    await expectEventually(async () => expect(await shown()).to.match(/^Head \d\.\d/));
  });
});

// What trust changes is the same code in both hosts.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('A workspace that is not trusted', () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'untrusted',
      needsTrust: true,
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'models/theirs' }),
        'code.py': 'def add(a, b):\n    return a + b\n',
        'models/theirs/model.onnx': tiny,
        'models/theirs/tokenizer.json': tinyTokenizer(),
      },
    });
    await vscode.waitForStatusBar('Restricted Mode');
  });
  after(() => vscode?.close());

  it('names no model: the bundled one is used, and the panel says so', async function () {
    this.timeout(120_000);
    await vscode.openFile('code.py');
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain Attention');
    const panel = vscode.panelFrame();
    await panel
      .getByText(/This workspace is not trusted, so what its settings say of the model and its limits is ignored/)
      .waitFor({ timeout: 90_000 });
    await vscode.waitForStatusBar(/code-decoder.*tokens/, 60_000);
    await vscode.screenshot('notice');
  });

  it('offers none of its models, but to be trusted', async () => {
    await vscode.runCommand('Attention Explorer: Select Model');
    const picker = vscode.page.locator('.quick-input-widget');
    await picker.getByText('Trust This Workspace to Use Its Models').first().waitFor();
    expect(await picker.locator('.monaco-list-row').filter({ hasText: 'theirs' }).count()).to.equal(0);
    await vscode.screenshot('models');
    await vscode.page.keyboard.press('Escape');
  });
});
