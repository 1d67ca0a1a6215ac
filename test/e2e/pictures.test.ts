// Takes the pictures of the walkthrough and of the readme, of the product as it is. Only when asked to:
//   AE_PICTURES=1 npm test -- --floor=e2e --grep="Pictures of the product"
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const isAsked =
  process.env['AE_PICTURES'] !== undefined && VSCode.hostOfRun === 'node' && process.env['AE_RELEASE'] !== 'oldest';

(isAsked ? describe : describe.skip)('Pictures of the product', function () {
  this.timeout(180_000);
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  const take = async (name: string, place: string): Promise<void> =>
    copyFileSync(await vscode.screenshot(name), join(root, 'media', place, `${name}.png`));
  /** Where the pointer makes nothing say what it is. */
  const rest = async (): Promise<void> => {
    await vscode.page.mouse.move(400, 690);
    await vscode.page.waitForTimeout(1500);
  };

  before(async () => {
    // VS Code's own marks of words and selections would read as attention.
    vscode = await VSCode.launch({
      name: 'pictures',
      settings: {
        'editor.occurrencesHighlight': 'off',
        'editor.selectionHighlight': false,
        'editor.minimap.enabled': false,
        'window.title': 'Attention Explorer',
      },
    });
    await vscode.page.setViewportSize({ width: 1280, height: 760 });
    await vscode.openFile('fibonacci.py');
    await vscode.runCommand('View: Toggle Primary Side Bar Visibility');
  });
  after(() => vscode?.close());

  it('of the sample', async () => {
    await vscode.runCommand('Attention Explorer: Explain a Sample');
    panel = await vscode.findPanel();
    await panel.getByRole('grid').waitFor({ timeout: 120_000 });
    await panel.getByRole('heading', { name: 'Head 1.4' }).waitFor();
    await rest();
    await take('explain', 'walkthrough');
  });

  it('of the list of models', async () => {
    await vscode.runCommand('Attention Explorer: Select Model');
    await vscode.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ hasText: 'Shapes linear ViT' })
      .first()
      .waitFor();
    await rest();
    await take('model', 'walkthrough');
    await vscode.page.keyboard.press('Escape');
  });

  it('of an induction head and of a bracket in the panel, and over the editor', async () => {
    await vscode.openFile('fibonacci.py');
    await vscode.selectLines(13, 19);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.waitForTab(/fibonacci\.py 13–19/);
    const head = async (name: string): Promise<void> => {
      await panel.getByRole('gridcell', { name: new RegExp(`^head ${name}\\b`, 'i') }).click();
      await panel.getByRole('heading', { name: `Head ${name}` }).waitFor();
    };
    const pin = (token: RegExp, occurrence: number): Promise<void> =>
      panel.locator('.stream [data-token]').filter({ hasText: token }).nth(occurrence).click();
    await head('1.4');
    // The second time that the name is written: what came next the first time is read.
    await pin(/^_m$/, 1);
    await rest();
    await take('explore', 'walkthrough');
    // Alone, all of it is seen.
    await panel.getByRole('radio', { name: 'Selection alone' }).click();
    await vscode.waitForTab(/fibonacci\.py 13–19$/);
    await vscode.goTo(21, 1);
    await pin(/^_m$/, 1);
    await rest();
    await take('panel-dark', 'readme');
    await vscode.setTheme('light');
    await head('2.7');
    await pin(/^\}$/, 0);
    await rest();
    await take('bracket-light', 'readme');
    await vscode.setTheme('dark');
    await head('1.4');
    await panel.locator('.source-scroll').press('Escape');
    await vscode.hoverAt(18, 30);
    await vscode.page.waitForTimeout(1500);
    await take('hover-dark', 'readme');
  });

  it('of a date and what is written for each part of it', async () => {
    writeFileSync(join(vscode.workspace, 'dates.txt'), 'The 3rd of May, 1979\n');
    await vscode.writeWorkspaceSettings({ 'attentionExplorer.modelPath': 'bundled:date-transformer' });
    await vscode.page.keyboard.press('Control+1');
    await vscode.openFile('dates.txt');
    await vscode.selectLines(1, 1);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await vscode.waitForTab(/dates\.txt/);
    await panel.getByRole('heading', { name: 'Head 2.1' }).waitFor({ timeout: 120_000 });
    // Where the month is about to be written.
    await panel.locator('.stream').first().locator('[data-token="6"]').click();
    await rest();
    await take('dates-dark', 'readme');
  });
});
