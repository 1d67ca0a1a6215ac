import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

// In the web host the same code runs in a worker.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('What heads do over many texts', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({ name: 'profile' });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('stands beside what they do on this text, names them, opens its examples, and is measured on the workspace', async function () {
    this.timeout(300_000);
    await vscode.openFile('fibonacci.py');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    await vscode.runCommand('Attention Explorer: Show Heads and Their Metrics');
    const pane = panel.locator('.head-table-pane');
    // The profile that comes with the decoder.
    await pane.locator('.profile-caption', { hasText: 'Profile “sample texts”, of code-decoder' }).waitFor();
    await pane.locator('thead button', { hasText: 'profile: previous token' }).click();
    await pane.locator('tbody th').first().click();
    const name = pane.locator('.profile-names', { hasText: /previous token \(\d\.\d\d; [\d.]+ times 0\.\d+\)/ });
    await name.waitFor();
    await vscode.screenshot('profile-heads');
    const example = pane.locator('.profile-examples button').first();
    const file = /^media\/sample\/([\w.]+), lines/.exec((await example.textContent()) ?? '')?.[1] ?? '';
    await example.click();
    await vscode.waitForTab(file);
    // The same text by its hash: the workspace is a copy of the samples.
    await panel.locator('.source-pane').waitFor();
    await vscode.screenshot('profile-example');
    vscode.writeFile('few/add.py', 'def add(a, b):\n    return a + b\n');
    vscode.writeFile('few/double.ts', 'export const double = (x: number) => 2 * x;\n');
    await vscode.runCommand('Attention Explorer: Profile Heads on Workspace…');
    await vscode.page.locator('.quick-input-widget input').first().waitFor();
    await vscode.page.keyboard.press('ControlOrMeta+A');
    await vscode.page.keyboard.type('few/*.py, few/*.ts');
    await vscode.page.keyboard.press('Enter');
    await vscode.page.locator('.quick-input-widget', { hasText: 'Files to leave out' }).waitFor();
    await vscode.page.keyboard.press('Enter');
    await vscode.pick('All files');
    await vscode.waitForNotification(/The heads were profiled on 2 files, \d+ tokens\./, 120_000);
    const made = pane.locator('.profile-caption', { hasText: /Profile “code-decoder-\d/ });
    await made.waitFor();
    expect(await made.textContent()).to.match(/of code-decoder: 2 texts, \d+ tokens/);
    await vscode.screenshot('profile-workspace');
  });
});
