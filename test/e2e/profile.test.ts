import { expect } from 'chai';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { expectSoon, keepEvidenceOfFailures, VSCode } from '../harness/vscode';

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

  /** Profiles all files of the workspace that globs name. */
  const profile = async (globs: string): Promise<void> => {
    await vscode.runCommand('Attention Explorer: Profile Heads on Workspace…');
    await vscode.page.locator('.quick-input-widget input').first().waitFor();
    await vscode.page.keyboard.press('ControlOrMeta+A');
    await vscode.page.keyboard.type(globs);
    await vscode.page.keyboard.press('Enter');
    await vscode.page.locator('.quick-input-widget', { hasText: 'Files to leave out' }).waitFor();
    await vscode.page.keyboard.press('Enter');
    await vscode.pick('All files');
  };

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
    await profile('few/*.py, few/*.ts');
    await vscode.waitForNotification(/The heads were profiled on 2 files, \d+ tokens\./, 120_000);
    const made = pane.locator('.profile-caption', { hasText: /Profile “code-decoder-\d/ });
    await made.waitFor();
    expect(await made.textContent()).to.match(/of code-decoder: 2 texts, \d+ tokens/);
    await vscode.screenshot('profile-workspace');
  });

  it('is found in the picker, the hover and by search, compared and paused, and tells of a file or a model that was changed', async function () {
    this.timeout(300_000);
    const pane = panel.locator('.head-table-pane');
    const list = vscode.page.locator('.quick-input-list .monaco-list-row');
    const input = vscode.page.locator('.quick-input-widget input').first();
    const caption = pane.locator('.profile-caption');
    // A checkpoint of the model: its profile has other numbers of other files.
    const checkpoint = join(vscode.workspace, 'checkpoint.profile');
    cpSync('media/profiles/code-decoder', checkpoint, { recursive: true });
    const about = join(checkpoint, 'profile.json');
    writeFileSync(
      about,
      readFileSync(about, 'utf8').replace(/"modelHash": "[0-9a-f]+"/, `"modelHash": "${'0'.repeat(64)}"`),
    );
    await vscode.openFile('fibonacci.py');
    await vscode.runCommand('Attention Explorer: Explain Attention');
    // Over three files no head has a name.
    await vscode.runAndPick('Attention Explorer: Choose Profile of Heads…', 'Sample texts');
    await caption.filter({ hasText: 'Profile “sample texts”' }).waitFor();
    await vscode.runCommand('Attention Explorer: Select Head');
    await list
      .filter({ hasText: /profile: previous token \(\d\.\d\d; / })
      .first()
      .click();
    await pane.locator('.profile-names', { hasText: 'previous token' }).waitFor();
    const named = /profile: previous token \(\d\.\d\d; /;
    await expectSoon(
      async () => named.test((await (await vscode.hoverAt(1, 6)).textContent()) ?? ''),
      'a name in the hover',
    );
    await vscode.runCommand('Attention Explorer: Find Heads in Profile…');
    await input.fill('definition python');
    const found = list.filter({ hasText: /definition of the name, in python/ }).first();
    const head = /\d+\.\d+/.exec((await found.textContent()) ?? '')?.[0] ?? '';
    await found.click();
    await pane.locator('.profile-card h3', { hasText: `Head ${head}` }).waitFor();
    // Beside the profile of this workspace that of the sample texts.
    await vscode.runCommand('Attention Explorer: Compare with Profile…');
    await vscode.pick('code-decoder');
    await pane.locator('vscode-single-select[title="Compared with"]').click();
    await pane.locator('li.option', { hasText: 'less code-decoder' }).click();
    await pane.locator('thead button', { hasText: 'difference: previous token' }).waitFor();
    // Chosen from a folder, with what it was not made of.
    await vscode.runAndPick('Attention Explorer: Choose Profile of Heads…', 'From a Folder…');
    await vscode.fillPath(`${checkpoint}/`, 'Choose');
    await vscode.page.locator('.quick-input-widget').getByRole('button', { name: 'Choose', exact: true }).click();
    await caption.locator('.warning', { hasText: 'made with other files of the model' }).waitFor();
    await vscode.screenshot('profile-other-files');
    // The file of an example is not what it was, where it was and anywhere else.
    const example = pane.locator('.profile-examples button').first();
    const file = /^(media\/sample\/[\w.]+), lines/.exec((await example.textContent()) ?? '')?.[1] ?? '';
    for (const path of [file, basename(file)]) vscode.writeFile(path, `# changed\n${readFileSync(file, 'utf8')}`);
    await example.click();
    await vscode.waitForNotification(new RegExp(`${basename(file)} was changed since it was profiled`));
    // A large file is told of while it is read, and waits.
    vscode.writeFile('large/long.py', 'def f(a, b):\n    return [a, b, a]\n\n'.repeat(8000));
    await profile('large/*.py');
    const status = await vscode.waitForStatusBar(/0 of 1 file · [1-9]\d* % of the next · \d+ tokens\/s/, 120_000);
    await status.click();
    await vscode.pick('Pause');
    await (await vscode.waitForStatusBar(/0 of 1 file .* paused/)).click();
    await vscode.quickPickRow('Go On').waitFor();
    await vscode.pick('Cancel');
    await status.waitFor({ state: 'hidden' });
  });
});
