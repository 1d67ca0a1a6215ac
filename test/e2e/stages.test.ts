import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { writeRandomBert } from '../../bench/randomBert';
import { enginesOf } from '../harness/enginesOf';
import { expectEventually } from '../harness/eventually';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const numLayers = 12;
/** A letter is a token. */
const text = (length: number): string =>
  Array.from({ length }, (_, i) => (i % 60 === 59 ? '\n' : 'abcdefghijklm nopqrs'[(i * 7) % 20])).join('');

describe(`A long run, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const explain = async (): Promise<void> => {
    await vscode.focusEditor();
    await vscode.runCommand('Attention Explorer: Explain Attention');
  };
  const layer = (number: number): Locator => panel.locator(`.head-cell.header[data-layer="${number}"]`);
  const isComing = async (number: number): Promise<boolean> =>
    /still to come/.test((await layer(number).getAttribute('aria-label', { timeout: 500 })) ?? '');

  before(async function () {
    if (VSCode.hostOfRun !== 'node' || process.platform !== 'linux') this.skip();
    this.timeout(180_000);
    mkdirSync(resolve('out/models'), { recursive: true });
    const path = resolve('out/models/twelve-layers.onnx');
    // The tokenizer knows fewer; they are what makes the model large enough to be run in stages.
    writeRandomBert(path, { numLayers, numHeads: 4, width: 128, vocabulary: 20_000, context: 2048 });
    vscode = await VSCode.launch({
      name: 'stages',
      files: {
        '.vscode/settings.json': JSON.stringify({ 'attentionExplorer.modelPath': 'twelve' }),
        'twelve/model.onnx': readFileSync(path),
        'twelve/tokenizer.json': tinyTokenizer(),
        'long.txt': text(2000),
        'longer.txt': text(1150),
        'short.txt': text(100),
      },
    });
    panel = vscode.panelFrame();
    // Of the first run the model has to be loaded, and the panel's page opened.
    await vscode.openFile('short.txt');
    await explain();
    await panel.getByRole('grid').waitFor({ timeout: 90_000 });
    await vscode.waitForStatusBar(/twelve.*100 tokens/, 60_000);
  });
  after(() => vscode?.close());

  it('fills the grid from the top, names the layer, and what is there can be used at once', async function () {
    this.timeout(120_000);
    await vscode.focusEditor();
    await vscode.openFile('long.txt');
    await explain();
    await expectEventually(async () => {
      expect(await isComing(0)).to.equal(false);
      expect(await isComing(numLayers - 1)).to.equal(true);
    });
    expect(await panel.locator('.status.busy').innerText()).to.match(/Running the model: layer \d+ \(0–11\)/);
    // Of a layer that is not there it is said what is waited for; of one that is a head is drawn.
    await panel.locator('.head-cell[data-layer="11"][data-head="2"]').click();
    await panel.getByText('Layer 11 is still to come…').waitFor();
    await vscode.screenshot('waiting');
    await panel.locator('.head-cell[data-layer="0"][data-head="3"]').click();
    await panel.getByRole('heading', { name: /head 0\.3/i }).waitFor();
    await vscode.screenshot('filling');
    await panel.locator('.head-cell[data-layer="11"][data-head="2"]').click();
    await panel.getByRole('heading', { name: /head 11\.2/i }).waitFor({ timeout: 90_000 });
    await expectEventually(async () => expect(await panel.locator('.status.busy').count()).to.equal(0));
    expect(await isComing(numLayers - 1)).to.equal(false);
    await vscode.screenshot('filled');
  });

  it('ends between two layers when it is cancelled, on the engine that there is', async function () {
    this.timeout(120_000);
    const before = enginesOf(vscode.serverPid);
    await vscode.focusEditor();
    await vscode.openFile('longer.txt');
    await explain();
    await expectEventually(async () => {
      expect(await panel.locator('.status.busy').innerText({ timeout: 500 })).to.match(/layer [1-9]\d? \(0–11\)/);
      expect(await isComing(numLayers - 1)).to.equal(true);
    });
    await panel.getByRole('button', { name: 'Cancel' }).click();
    await panel.getByText(/Cancelled: \d+ of 12 layers were read\./).waitFor();
    await vscode.screenshot('cancelled');
    expect(await panel.locator('.head-cell[data-layer="0"][data-head="3"]').count()).to.equal(1);
    await vscode.focusEditor();
    await vscode.openFile('short.txt');
    await explain();
    await vscode.waitForStatusBar(/twelve.*100 tokens/, 60_000);
    // All that there were, the spare among them, and no other.
    expect(enginesOf(vscode.serverPid)).to.include.members(before);
    expect(enginesOf(vscode.serverPid).length).to.be.lessThan(3);
  });
});
