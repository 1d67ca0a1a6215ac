import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { unzipSync } from 'fflate';
import type { FrameLocator } from 'playwright-core';
import { PNG } from 'pngjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { safetensorsHeader } from '../../src/model/numbers/writtenArrays';
import { expectEventually } from '../harness/eventually';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

/** An attention file of one head over some tokens. */
function attentionOf(weights: readonly number[], tokens: readonly string[]): Uint8Array {
  const names = new TextEncoder().encode(JSON.stringify(tokens));
  const header = safetensorsHeader([
    { name: 'attention.self.0', type: 'F32', shape: [1, tokens.length, tokens.length] },
    { name: 'tokens', type: 'U8', shape: [names.length] },
  ]);
  return Buffer.concat([header, new Uint8Array(Float32Array.from(weights).buffer), names]);
}

// What is written, and how, is the same code in both hosts; the web host has no folder that could be looked into.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('In and out', () => {
  let vscode: VSCode;
  let folder: string;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    folder = temporaryFolder('export');
    vscode = await VSCode.launch({
      name: 'export',
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'bundled:thinking-machines' }),
        'notes.txt': 'Thinking Machines\n',
      },
    });
    await vscode.openFile('notes.txt');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.panelFrame().getByRole('grid').first().waitFor({ timeout: 120_000 });
  });
  after(() => vscode?.close());

  /** Answers the question where to save. */
  async function saveAs(path: string, title: string): Promise<void> {
    await vscode.answerPath(path, title);
    await expectEventually(() => expect(existsSync(path)).to.equal(true));
  }

  it('writes all numbers as NumPy’s arrays, and nothing beside them', async function () {
    this.timeout(120_000);
    await vscode.runCommand('Attention Explorer: Export Numbers…');
    await vscode.pick('NumPy (.npz)');
    await vscode.screenshot('export-heads');
    await vscode.pick('All layers');
    await vscode.pick('float32');
    const path = join(folder, 'numbers.attention.npz');
    await saveAs(path, 'Export Numbers');
    await vscode.waitForNotification('The numbers were written to');
    const files = unzipSync(readFileSync(path));
    const weights = new Float32Array(files['attention.self.0.npy'].slice(-16).buffer);
    // The weights of the text that teaches them: 112 and 96, divided by 8.
    expect(Array.from(weights, (weight) => weight.toFixed(2)).slice(0, 2)).to.deep.equal(['0.88', '0.12']);
    expect(readdirSync(folder)).to.deep.equal(['numbers.attention.npz']);
  });

  it('exports views as figures, for a light page or as they are seen', async function () {
    this.timeout(240_000);
    await vscode.runCommand('Attention Explorer: Export…');
    await vscode.screenshot('export-views');
    await vscode.pick('Matrix');
    await vscode.screenshot('export-kinds');
    await vscode.pick('SVG');
    await vscode.screenshot('export-pages');
    await vscode.pick('Light Page, 85 mm Wide (One Column)');
    const path = join(folder, 'figure.svg');
    await saveAs(path, 'Save Figure');
    const svg = readFileSync(path, 'utf8');
    expect(svg.match(/<rect x="\d+" y="\d+" width="1" height="1"/g)).to.have.length(4);
    expect(svg)
      .to.include('fill="rgb(255, 255, 255)"')
      .and.match(/>thinking-machines · notes\.txt · .*head 0\.0 · /);
    // Pictures are made by the panel's page, in the colours of its theme.
    await vscode.runCommand('Attention Explorer: Export…');
    await vscode.pick('Source');
    await vscode.pick('PNG, 2×');
    await vscode.pick('As Seen, 174 mm Wide (Two Columns)');
    const picture = join(folder, 'source.png');
    await saveAs(picture, 'Save Figure');
    const { width, data } = PNG.sync.read(readFileSync(picture));
    expect(width).to.be.within(1313, 1317); // 174 mm of 192 dots an inch
    expect(Math.max(...data.subarray(8 * (width + 1), 8 * (width + 1) + 3)), 'a dark page').to.be.lessThan(64);
    await vscode.runCommand('Attention Explorer: Export…');
    await vscode.pick('All Heads');
    await vscode.pick('Copy as Picture');
    await vscode.pick('As Seen, 85 mm Wide (One Column)');
    await vscode.waitForNotification('The figure is in the clipboard, as a picture.');
    await vscode.screenshot('export-copied');
    await vscode.runCommand('Attention Explorer: Export…');
    await vscode.pick('Interactive Page (HTML)');
    await vscode.pick('All layers');
    await vscode.pick('Light Page');
    const file = join(folder, 'page.html');
    await saveAs(file, 'Save Page');
    await vscode.waitForNotification('The page was written to');
    const page = await vscode.page.context().newPage();
    await page.goto(pathToFileURL(file).href);
    await page.locator('.text span', { hasText: 'Thinking' }).first().hover();
    // The softmax of 14 and 12, as the text that teaches it has them.
    await page.getByRole('status').getByText('0.119').waitFor();
    await page.close();
    expect(readdirSync(folder).sort()).to.deep.equal([
      'figure.svg',
      'numbers.attention.npz',
      'page.html',
      'source.png',
    ]);
  });

  it('opens what was written without a model, and anything else with one sentence', async function () {
    this.timeout(180_000);
    vscode.writeFile('kept.attention.npz', readFileSync(join(folder, 'numbers.attention.npz')));
    await vscode.openTab('kept.attention.npz');
    const frame = await panelOf('kept.attention.npz');
    await frame.getByRole('grid').first().waitFor({ timeout: 60_000 });
    // The panel may take the keyboard just then, as it has come into view: that closes the list.
    for (let isListed = false, attempt = 1; !isListed; attempt++) {
      await vscode.runCommand('Attention Explorer: Select Head');
      isListed = await vscode
        .quickPickRow('0.0')
        .waitFor({ timeout: 8000 })
        .then(
          () => true,
          () => false,
        );
      expect(attempt).to.be.lessThan(4);
    }
    await vscode.page.keyboard.press('Escape');
    await frame.locator('.toolbar', { hasText: 'thinking-machines' }).waitFor();
    await vscode.screenshot('attention-file');
    // Another one beside it, of which the second token reads the other way round.
    vscode.writeFile('other.attention.safetensors', attentionOf([1, 0, 0.88, 0.12], ['Thinking', ' Machines']));
    await vscode.runCommand('Attention Explorer: Compare With…');
    await vscode.answerPath(join(vscode.workspace, 'other.attention.safetensors'), 'Compare with an Attention File');
    const heads = frame.locator('.compare-pane table.head-table tbody tr');
    await heads.first().waitFor({ timeout: 60_000 });
    expect(await heads.count()).to.equal(1);
    await frame.locator('.compare-sides', { hasText: 'other.attention.safetensors' }).waitFor();
    await vscode.screenshot('attention-file-compared');
    // It is read again when it is written again, and a lie is told as such.
    vscode.writeFile('kept.attention.npz', 'no arrays');
    await frame
      .getByText(/kept\.attention\.npz cannot be shown as attention/)
      .first()
      .waitFor();
    await vscode.screenshot('attention-file-broken');
  });

  it('saves what is shown to a file that runs it again, and says where the model is another, or gone', async function () {
    this.timeout(240_000);
    await vscode.openFile('notes.txt');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    const panel = await panelOf('notes.txt');
    await panel.locator('[data-token="1"]').first().click();
    await panel.locator('.token.pinned').first().waitFor();
    const name = 'kept.attention-explanation.json';
    const path = join(vscode.workspace, name);
    await vscode.runAndPick('Attention Explorer: Save Explanation…', 'To Run Again');
    await saveAs(path, 'Save Explanation');
    await vscode.waitForNotification('The explanation was saved as');
    const saved = JSON.parse(readFileSync(path, 'utf8')) as { model: Record<string, string>; view: object };
    expect(saved).to.deep.include({ text: 'Thinking Machines\n' });
    expect(saved.model['path']).to.equal('bundled:thinking-machines');
    expect(saved.view).to.deep.include({ pinned: [{ stream: 0, position: 1 }] });
    await vscode.openTab(name);
    const opened = await panelOf(name);
    await opened.locator('.token.pinned', { hasText: 'Machines' }).first().waitFor({ timeout: 60_000 });
    await vscode.screenshot('explanation');
    // How a weight came about takes the model, which is there.
    await opened.locator('body').press('w');
    await opened.locator('.how-pane').waitFor();
    const write = (model: object): void =>
      vscode.writeFile(name, JSON.stringify({ ...saved, model: { ...saved.model, ...model } }));
    write({ sha256: '0'.repeat(64) });
    await opened
      .getByText(/its hash differs/)
      .first()
      .waitFor();
    write({ path: '/nowhere/model.onnx' });
    await opened
      .getByText(/There is no model at/)
      .first()
      .waitFor();
    vscode.writeFile(name, '{}');
    await opened
      .getByText(/is no saved explanation/)
      .first()
      .waitFor();
    await vscode.screenshot('explanation-broken');
  });

  it('saves it with its numbers, for which no model is needed', async function () {
    this.timeout(180_000);
    await vscode.openFile('notes.txt');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    const panel = await panelOf('notes.txt');
    await panel.locator('[data-token="0"]').first().click();
    await panel.locator('.token.pinned').first().waitFor();
    await vscode.runAndPick('Attention Explorer: Save Explanation…', 'With Its Numbers');
    await saveAs(join(vscode.workspace, 'whole.attention.npz'), 'Save Explanation');
    await vscode.openTab('whole.attention.npz');
    const opened = await panelOf('whole.attention.npz');
    await opened.locator('.token.pinned', { hasText: 'Thinking' }).first().waitFor({ timeout: 60_000 });
  });

  /** The page of the editor that is in front. */
  async function panelOf(name: string): Promise<FrameLocator> {
    await vscode.waitForTab(name);
    for (const end = Date.now() + 60_000; Date.now() < end; await vscode.page.waitForTimeout(200)) {
      const count = await vscode.page.locator('iframe.webview.ready').count();
      for (let i = 0; i < count; i++) {
        const frame = vscode.panelFrame(i);
        if ((await frame.getByText(name).count()) > 0) return frame;
      }
    }
    throw new Error(`No page shows ${name}.`);
  }
});
