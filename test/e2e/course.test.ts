import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { expectSoon, keepEvidenceOfFailures, VSCode } from '../harness/vscode';

describe('The course', () => {
  let vscode: VSCode;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({ name: 'course', files: { 'notes.txt': 'Some notes.\n' } });
  });
  after(() => vscode?.close());

  /** The inside of the station's text, which is in a frame of its own. */
  async function findText(heading: string | RegExp): Promise<FrameLocator> {
    let found: FrameLocator | undefined;
    await expectSoon(
      async () => {
        const count = await vscode.page.locator('iframe.webview.ready').count();
        for (let i = 0; i < count && found === undefined; i++) {
          const frame = vscode.panelFrame(i);
          const title = frame.locator('h2', { hasText: heading }).first();
          // What a tab has hidden keeps its frame for a while.
          if (await title.isVisible().catch(() => false)) found = frame;
        }
        return found !== undefined;
      },
      `the text «${String(heading)}»`,
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** Clicks a button of the station that is open. */
  const open = (label: string): Promise<void> => vscode.page.getByRole('button', { name: label, exact: true }).click();

  it('opens from the palette, and its buttons show what the text asks about beside it', async function () {
    this.timeout(240_000);
    await vscode.runCommand('Attention Explorer: Learn Attention');
    const text = await findText('The bottleneck, and what removed it');
    const answer = text.locator('details');
    expect(await answer.getByText('0.944').isVisible()).to.equal(false);
    await text.getByText('Answer', { exact: true }).click();
    await answer.getByText('0.944').waitFor();
    // What the numbers are made of is for tests, and not for readers.
    expect(await text.locator('body').textContent()).to.not.include('weight 6 9');
    await open('Open the Score');
    let panel = await vscode.findPanel();
    await panel.locator('.how-pane h3', { hasText: 'Additive score' }).waitFor({ timeout: 120_000 });
    await vscode.screenshot('score');
    // Beside the panel the walkthrough has no room for the text: the question stands above the buttons, and the text opens in a tab.
    await vscode.page.getByText('Find out: Which letter of the month').first().waitFor();
    await vscode.page.getByText('Read it in a tab').first().click();
    await (await findText('The bottleneck, and what removed it')).getByText('Answer', { exact: true }).waitFor();
    await vscode.screenshot('text');
    await vscode.page.keyboard.press('Control+w');
    // Another station takes the place of what was open.
    await vscode.page.getByRole('button', { name: /^Several heads/ }).click();
    await open('Open All Heads');
    panel = await vscode.findPanel();
    await panel.locator('.head-table tbody tr').first().waitFor({ timeout: 60_000 });
    expect(await panel.locator('.how-pane').count()).to.equal(0);
    expect(await panel.locator('.head-table thead th[aria-sort=descending]').textContent()).to.equal(
      'induction (repeated tokens)',
    );
    await vscode.screenshot('heads');
    await vscode.page.getByRole('button', { name: /^Pictures as patches/ }).click();
    await open('Open the Picture');
    await panel.locator('.picture').first().waitFor({ timeout: 60_000 });
    await vscode.screenshot('patches');
  });

  it('speaks the language of the window', async function () {
    this.timeout(180_000);
    await vscode.runCommand('Attention Explorer: Learn Attention');
    await vscode.page.getByText('Find out:').locator('visible=true').first().waitFor();
    // A server without language packs serves English words; what extensions are told is the language that the page names.
    await vscode.page.addInitScript("globalThis._VSCODE_NLS_LANGUAGE = 'zh-cn';");
    await vscode.reloadWindow();
    // The walkthrough comes back with the station that was open.
    const link = vscode.page.locator('a', { hasText: '在标签页里阅读' }).locator('visible=true');
    await link.click();
    await findText(/[一-龥]{3}/);
    await vscode.screenshot('chinese');
    // Commands, panel and editor speak it too: all that a person reads.
    await vscode.runCommand('Attention Explorer: 解释示例');
    const panel = await vscode.findPanel();
    await panel.locator('.readout').getByText('读取').first().waitFor({ timeout: 60_000 });
    expect(await panel.locator('footer').textContent()).to.equal(
      '注意力显示一个头看了哪里，而不是模型为什么这样回答。',
    );
    await vscode.screenshot('chinese-panel');
  });
});
