import { expect } from 'chai';
import type { FrameLocator } from 'playwright-core';
import { expectEventually } from '../harness/eventually';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

const head = '1.4';
const typed = '\ndef triple(x):\n    return x + x + x';

describe(`Live mode, extension in the ${VSCode.hostOfRun} host`, () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'live',
      settings: {
        'editor.autoIndent': 'none',
        'editor.autoClosingBrackets': 'never',
        'editor.quickSuggestions': 'off',
        'editor.wordBasedSuggestions': 'off',
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  /** The text of the lit token in the panel. */
  const lit = async (): Promise<string> =>
    (await panel.locator('.stream .looking').allInnerTexts()).join('').replaceAll('\u00a0', ' ').trim();

  it('shows what the token before the caret reads', async function () {
    this.timeout(180_000);
    await vscode.openFile('fibonacci.py');
    await vscode.goTo(10, 1);
    await vscode.page.keyboard.press('End');
    await vscode.runCommand('Attention Explorer: Toggle Live Mode');
    await panel.getByRole('grid').waitFor({ timeout: 120_000 });
    await vscode.waitForStatusBar(/Live.*code-decoder/);
    await panel.getByRole('button', { name: 'Live' }).waitFor();
    await panel.getByRole('gridcell', { name: new RegExp(`^head ${head.replace('.', '\\.')}\\b`, 'i') }).click();
    await panel.getByRole('heading', { name: `Head ${head}` }).waitFor();
  });

  it('follows the person who types, with the head kept, and nothing in between', async () => {
    await vscode.focusEditor();
    await vscode.goTo(10, 1);
    await vscode.page.keyboard.press('End');
    // Anything that flashes is seen: a busy or stale bar, a matrix that is fetched, a text without its tokens.
    const seen = panel.locator('main.panel').evaluate(
      (main) =>
        new Promise<string[]>((resolve) => {
          const found = new Set<string>();
          const look = (): void => {
            for (const selector of ['.status', '.matrix-pane .hint[role=alert]', '.empty'])
              if (main.querySelector(selector) !== null) found.add(selector);
            if (main.querySelector('canvas.matrix-base') === null) found.add('no matrix');
            if (main.querySelector('.stream [data-token]') === null) found.add('no tokens');
            if (main.querySelector('.stream .looking') === null) found.add('no light');
            if (document.body.dataset['liveTestOver'] === undefined) requestAnimationFrame(look);
            else resolve([...found]);
          };
          look();
        }),
    );
    for (const character of typed) await vscode.page.keyboard.type(character, { delay: 20 });
    await expectEventually(async () => {
      expect((await panel.locator('.stream').first().innerText()).replaceAll('\u00a0', ' ')).to.contain(
        'return x + x + x',
      );
      expect(await lit()).to.equal('x');
    });
    await panel.getByRole('heading', { name: `Head ${head}` }).waitFor();
    await expectEventually(async () => expect((await vscode.decorations()).length).to.be.greaterThan(0));
    await vscode.screenshot('1-typed');
    await panel.locator('body').evaluate((body) => (body.dataset['liveTestOver'] = 'yes'));
    expect(await seen).to.deep.equal([]);
  });

  it('lights another token when the caret moves', async () => {
    await vscode.page.keyboard.press('Home');
    for (let i = 0; i < 6; i++) await vscode.page.keyboard.press('ArrowRight');
    await expectEventually(async () => expect(await lit()).to.equal('return'));
    await vscode.screenshot('2-moved');
  });

  it('ends where it is turned off', async () => {
    await vscode.runCommand('Attention Explorer: Toggle Live Mode');
    await panel.getByRole('button', { name: 'Live' }).waitFor({ state: 'detached' });
    await vscode.page.keyboard.press('End');
    await vscode.focusEditor();
    await vscode.page.keyboard.type(' ');
    await panel.locator('.stale').waitFor();
  });
});
