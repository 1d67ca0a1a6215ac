import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { unzipSync } from 'fflate';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { expectEventually } from '../harness/eventually';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

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
  async function saveAs(path: string): Promise<void> {
    const { page } = vscode;
    await page
      .locator('.quick-input-widget', { hasText: 'Export Numbers' })
      .locator('input[type=text]')
      .first()
      .fill(path);
    await page.keyboard.press('Enter');
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
    await saveAs(path);
    await vscode.waitForNotification('The numbers were written to');
    const files = unzipSync(readFileSync(path));
    const weights = new Float32Array(files['attention.self.0.npy'].slice(-16).buffer);
    // The weights of the text that teaches them: 112 and 96, divided by 8.
    expect(Array.from(weights, (weight) => weight.toFixed(2)).slice(0, 2)).to.deep.equal(['0.88', '0.12']);
    expect(readdirSync(folder)).to.deep.equal(['numbers.attention.npz']);
  });
});
