import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { picturedTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

interface ExplainedPicture {
  readonly answers: readonly { readonly label: string; readonly probability: number }[];
  readonly grid: { readonly rows: number; readonly columns: number; readonly first: number };
  readonly reads: readonly (readonly { readonly position: number; readonly weight: number }[])[];
}

const isInWeb = VSCode.hostOfRun === 'web';
const samples = join(root, 'media/models/shapes-vit/samples');
const [file, otherFile] = ['red-circle.png', 'blue-star.png'];
/** A model that reads pictures within texts. */
const withinText = [
  'embed_tokens.onnx',
  'decoder_model_merged.onnx',
  'vision_encoder.onnx',
  'config.json',
  'preprocessor_config.json',
];

/** What the class token reads of a picture in head 0.2, by the command line. */
function classRow(path: string, folder: string): number[] {
  const numbers = join(folder, 'numbers.json');
  const asked = ['explain', path, '--head', '0.2', '--backend', 'wasm', '--out', numbers];
  execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), ...asked]);
  const { heads } = JSON.parse(readFileSync(numbers, 'utf8')) as {
    readonly heads: readonly { readonly weights: readonly (readonly number[])[] }[];
  }; // our own output
  return [...heads[0].weights[0]];
}

describe(`Explaining a picture, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  let explained: ExplainedPicture;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'picture',
      files: {
        'pictures/red-circle.png': readFileSync(join(samples, file)),
        [`pictures/${otherFile}`]: readFileSync(join(samples, otherFile)),
        'notes.txt': 'Nothing but text.\n',
        ...Object.fromEntries(
          withinText.map((name) => [`within/${name}`, readFileSync(join(root, 'test/fixtures/pictured/llava', name))]),
        ),
        'within/tokenizer.json': picturedTokenizer(),
      },
    });
    explained = JSON.parse(
      execFileSync(
        process.execPath,
        [join(root, 'dist/cli.cjs'), 'explain', join(samples, file), '--head', '0.2', '--backend', 'wasm', '--json'],
        { encoding: 'utf8', maxBuffer: 2 ** 28 },
      ),
    ) as ExplainedPicture; // our own output
  });
  after(() => vscode?.close());

  it('shows the open picture in the panel, as the bundled model sees it', async () => {
    await vscode.openTab('pictures/red-circle.png');
    await vscode.runCommand('Attention Explorer: Explain Attention on Image');
    await vscode.waitForTab('Attention Explorer: red-circle.png');
    await vscode.waitForStatusBar(/shapes-vit.*\d+ tokens/, 90_000);
    // The preview of the picture is a webview too.
    panel = await vscode.findPanel();
    await panel.locator('canvas.picture').waitFor({ timeout: 90_000 });
    const [answer] = explained.answers;
    expect(await panel.locator('.answer').textContent()).to.include(`shapes-vit says: ${answer.label}, `);
  });

  it('lights the patches that the class token reads, with the numbers of the command line', async () => {
    await panel.locator('.special-tokens .chip').click();
    const list = panel.getByRole('region', { name: 'Strongest sources' });
    await list.getByRole('listitem').first().waitFor();
    // The head that the model's card has found to look at the shape comes first.
    await panel.getByRole('region', { name: 'Matrix' }).getByRole('heading', { name: 'Head 0.2' }).waitFor();
    const { grid, reads } = explained;
    const [first] = reads[0];
    const index = first.position - grid.first;
    const name =
      index < 0 ? '[CLS]' : `patch row ${Math.floor(index / grid.columns) + 1}, column ${(index % grid.columns) + 1}`;
    const item = list.getByRole('listitem').filter({ hasText: name }).first();
    expect(Number(await item.locator('.number').textContent())).to.be.closeTo(first.weight, 2e-3);
    await vscode.screenshot('1-class-token');
    await panel.locator('canvas.picture').click();
    await panel
      .locator('.source-pane .readout')
      .getByText(/^patch row \d, column \d$/)
      .first()
      .waitFor();
    await vscode.screenshot('2-patch');
  });

  it('has its heads, another method and how a weight came about, in this host too', async function () {
    this.timeout(180_000);
    await panel.locator('.list-pane .how-link').first().click();
    await panel.locator('.how-pane h3', { hasText: 'Patch embedding' }).waitFor({ timeout: 60_000 });
    expect(await panel.locator('.how-pane [role=alert]').count()).to.equal(0);
    await vscode.screenshot('3-how');
    await vscode.runCommand('Attention Explorer: Show Heads and Their Metrics');
    await panel.locator('.head-table tbody tr').first().waitFor({ timeout: 60_000 });
    await panel.locator('.head-table thead button', { hasText: 'share of norm' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('4-heads');
    await panel.getByRole('combobox', { name: /^Method: / }).click();
    await panel.getByRole('option', { name: 'Rollout', exact: true }).click();
    await panel.locator('.legend-method', { hasText: 'Abnar & Zuidema 2020' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('5-rollout');
    await panel.getByRole('combobox', { name: /^Method: / }).click();
    await panel.getByRole('option', { name: 'Attention weight', exact: true }).click();
    await panel.locator('.legend-method').waitFor({ state: 'detached' });
  });

  it('tells what each head does to the label that it is given', async function () {
    this.timeout(180_000);
    await vscode.runCommand('Attention Explorer: Show Effects');
    const pane = panel.locator('.effects-pane');
    await pane.getByText(`ln p of “${explained.answers[0].label}”`).waitFor({ timeout: 60_000 });
    await pane.getByRole('button', { name: 'Silence Each of the 16 Heads in Turn' }).click();
    await pane.getByRole('button', { name: 'Measure Again' }).waitFor({ timeout: 120_000 });
    expect(await pane.locator('.effect-table tbody tr').count()).to.equal(16);
    await vscode.screenshot('2-effects');
    await pane.getByRole('button', { name: 'Close the effects' }).click();
  });

  // What is compared, and how it is shown, is the same in both hosts.
  (isInWeb ? it.skip : it)('stands beside another picture, as B − A on its patches', async function () {
    this.timeout(180_000);
    await panel.locator('.special-tokens .chip').click();
    await vscode.runAndPick('Attention Explorer: Compare With…', 'Another Picture');
    await vscode.answerPath(join(vscode.workspace, 'pictures', otherFile), 'Compare with Another Picture');
    const pane = panel.locator('.compare-pane');
    await pane.locator('.compare-sides dd').nth(1).filter({ hasText: otherFile }).waitFor({ timeout: 60_000 });
    await pane.getByText(/^65 of 65 tokens are in both/).waitFor({ timeout: 60_000 });
    const rows = pane.locator('.head-table tbody tr');
    const changes = (await rows.locator('td:nth-of-type(2)').allTextContents()).map(Number);
    expect(changes).to.have.length(16);
    expect(changes).to.deep.equal([...changes].sort((a, b) => b - a));
    await rows
      .filter({ has: panel.getByRole('button', { name: '0.2', exact: true }) })
      .getByRole('button')
      .click();
    await panel.locator('.legend-title', { hasText: 'difference of weights, B − A' }).waitFor();
    const [own, other] = [file, otherFile].map((name) => classRow(join(samples, name), vscode.workspace));
    const differences = other.map((weight, position) => weight - own[position]);
    const largest = differences.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most));
    const { columns, first } = explained.grid;
    const patch = differences.indexOf(largest) - first;
    const readout = panel.locator('.source-pane .readout', {
      hasText: `patch row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`,
    });
    const shown = /[+−][\d.]+$/.exec((await readout.textContent())?.trim() ?? '')?.[0] ?? '';
    expect(Number(shown.replace('−', '-'))).to.be.closeTo(largest, 2e-3);
    await vscode.screenshot('2-compared');
    await pane.getByRole('button', { name: 'End the comparison' }).click();
    await panel.locator('.legend-title', { hasText: 'B − A' }).waitFor({ state: 'detached' });
    await pane.getByRole('button', { name: 'Close the comparison' }).click();
  });

  // In the Node host a text is: what a panel shows is kept and shown anew in the same way.
  (isInWeb ? it : it.skip)('is there again after a reload of the window', async () => {
    await vscode.reloadWindow();
    await vscode.waitForTab('Attention Explorer: red-circle.png');
    panel = await vscode.findPanel();
    await panel.locator('canvas.picture').waitFor({ timeout: 90_000 });
    await vscode.screenshot('3-restored');
  });

  it('says that the picture was changed', async () => {
    const path = join(vscode.workspace, 'pictures/red-circle.png');
    copyFileSync(join(samples, 'blue-star.png'), path);
    utimesSync(path, new Date(), new Date());
    await panel.getByText('The picture was changed.').waitFor({ timeout: 60_000 });
    await panel.getByRole('button', { name: 'Run again', exact: true }).first().click();
    await panel.getByText('The picture was changed.').waitFor({ state: 'hidden', timeout: 60_000 });
  });

  it('says of a file that is no picture what can be read', async () => {
    writeFileSync(join(vscode.workspace, 'pictures/red-circle.png'), 'no picture');
    await vscode.openTab('pictures/red-circle.png');
    await vscode.runCommand('Attention Explorer: Explain Attention on Image');
    await panel.getByText('it is no PNG, JPEG, GIF or WebP file').first().waitFor({ timeout: 60_000 });
  });

  // What is asked is the host's own, and the same in both.
  (isInWeb ? it.skip : it)('asks for the text that a model reads a picture in, and shows both', async function () {
    this.timeout(180_000);
    copyFileSync(join(samples, file), join(vscode.workspace, 'pictures/red-circle.png'));
    await vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': join(vscode.workspace, 'within') });
    await vscode.openTab('pictures/red-circle.png');
    await vscode.runCommand('Attention Explorer: Explain Attention on Image');
    const box = vscode.page.locator('.quick-input-widget input');
    await vscode.page
      .locator('.quick-input-title', { hasText: 'Explain Picture Within a Text' })
      .waitFor({ timeout: 60_000 });
    await box.fill('what?');
    await vscode.page.keyboard.press('Enter');
    const chips = panel.locator('.special-tokens .chip');
    await chips.filter({ hasText: '?' }).waitFor({ timeout: 90_000 });
    expect((await chips.allTextContents()).join('')).to.equal('what?');
    await panel.locator('canvas.picture').click();
    await panel
      .locator('.source-pane .readout')
      .getByText(/^patch row \d, column \d$/)
      .first()
      .waitFor();
    await vscode.screenshot('5-within-text');
  });

  // In the Node host other windows do.
  (isInWeb ? it : it.skip)('gives its place to a text, with a card over its tokens in the editor', async () => {
    await vscode.openFile('notes.txt');
    await vscode.focusEditor();
    // By its keys: in the palette the command for pictures, which was the last, comes first.
    await vscode.page.keyboard.press('Control+K');
    await vscode.page.keyboard.press('Control+;');
    await vscode.waitForTab('Attention Explorer: notes.txt');
    await vscode.waitForStatusBar(/code-decoder.*wasm.*\d+ tokens/, 90_000);
    // The text may have taken the place of the picture's preview, and its webview with it.
    panel = await vscode.findPanel();
    await panel.locator('.stream [data-token]').first().waitFor();
    const card = await vscode.hoverAt(1, 3);
    expect(await card.innerText()).to.match(/head \d+\.\d+/i);
    await vscode.screenshot('4-text');
  });
});
