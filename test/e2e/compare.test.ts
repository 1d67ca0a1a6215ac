import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Locator } from 'playwright-core';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const zoo = (name: string): Buffer => readFileSync(join(process.cwd(), 'test/fixtures/zoo', name, 'model.onnx'));

// What is asked of the engine, and the panel itself, are the same code in both hosts.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('A run beside another one', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);
  const pane = (): Locator => panel.locator('.compare-pane');
  const take = async (text: string): Promise<void> => {
    const row = vscode.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: text }).first();
    await row.waitFor({ timeout: 30_000 });
    await row.click();
  };
  const compareWith = async (kind: string): Promise<void> => {
    await vscode.runCommand('Attention Explorer: Compare With…');
    await take(kind);
  };
  /** What B is, once it is read. */
  const other = (text: string | RegExp): Promise<void> =>
    pane().locator('.compare-sides dd').nth(1).filter({ hasText: text }).waitFor({ timeout: 60_000 });
  const divergences = async (): Promise<number[]> => {
    const rows = pane().locator('.head-table tbody tr');
    await rows.first().waitFor({ timeout: 60_000 });
    return (await rows.locator('td:nth-of-type(2)').allTextContents()).map(Number);
  };

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'compare',
      files: {
        'loop.py': 'for i in range(9):\n    print(i)\n',
        'models/tiny/tokenizer.json': tinyTokenizer(),
        'models/tiny/model.onnx': zoo('bert.sdpa.legacy'),
        'models/tiny/model_int8.onnx': zoo('bert.sdpa.legacy.int8'),
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('is compared with an edited text, with its own heads and what both predict', async function () {
    this.timeout(180_000);
    await vscode.openFile('loop.py');
    await vscode.selectLines(1, 1);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    await compareWith('Another Text');
    const text = pane().locator('textarea');
    await text.waitFor({ timeout: 60_000 });
    await text.fill((await text.inputValue()).replace('for i', 'while i'));
    await pane().getByRole('button', { name: 'Compare with This Text' }).click();
    const changes = await divergences();
    expect(changes).to.have.length(32);
    expect(changes[0]).to.be.within(0.0001, 1);
    expect(changes).to.deep.equal([...changes].sort((a, b) => b - a));
    await panel.locator('.legend-title', { hasText: 'difference of weights, B − A' }).waitFor();
    await pane().getByRole('button', { name: 'Predictions Side by Side' }).click();
    await pane().getByRole('table', { name: 'Predictions side by side' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('compare-text');
  });

  it('hands what its heads read to the run that is shown: each by itself, as shares of the difference, and one that stays', async function () {
    this.timeout(180_000);
    await vscode.runCommand('Attention Explorer: Show Effects');
    const effects = panel.locator('.effects-pane');
    await effects.getByRole('button', { name: 'swapped', exact: true }).click({ timeout: 60_000 });
    await effects.getByRole('button', { name: 'Swap Each of the 32 Heads in Turn' }).click();
    await effects.getByRole('button', { name: 'Measure Again' }).waitFor({ timeout: 120_000 });
    const rows = effects.locator('.effect-table tbody tr');
    expect(await rows.count()).to.equal(32);
    await effects
      .getByText(/0 leaves the prediction as it is, 1 makes it that of B/)
      .first()
      .waitFor();
    await vscode.screenshot('effects-swapped');
    await rows
      .first()
      .getByRole('button', { name: /^Swap head \d\.\d/ })
      .click();
    await panel
      .locator('.notice.intervened', { hasText: 'swapped with what it reads in B' })
      .waitFor({ timeout: 60_000 });
    await effects.locator('.effect-value', { hasText: /\d/ }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('effects-swap');
    await panel.locator('.notice.intervened').getByRole('button', { name: 'Switch All Off' }).click();
    await effects.getByRole('button', { name: 'Close the effects' }).click();
  });

  it('is compared with another precision, and with an earlier run of another model', async function () {
    this.timeout(180_000);
    await vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': 'models/tiny/model.onnx' });
    await vscode.focusEditor();
    await vscode.selectLines(1, 1);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByText(/^tiny/).first().waitFor({ timeout: 60_000 });
    await compareWith('Another Precision');
    await take('model_int8');
    await other('model_int8.onnx');
    const changes = await divergences();
    expect(changes[0], 'quantisation changes some').to.be.within(1e-9, 0.2);
    expect(await pane().textContent()).to.match(/Beside each head stands the one with its layer and index/);
    await vscode.screenshot('compare-precision');
    await pane().getByRole('button', { name: 'Compare with Something Else' }).click();
    await pane().getByRole('button', { name: 'An Earlier Run…' }).click();
    await take('code-decoder');
    await other('code-decoder');
    await pane()
      .getByText(/beside each head of A stands the one of B that is nearest/)
      .waitFor({ timeout: 60_000 });
    await vscode.screenshot('compare-models');
  });
});
