import { expect } from 'chai';
import type { FrameLocator, Locator } from 'playwright-core';
import { keepEvidenceOfFailures, VSCode } from '../harness/vscode';

// What is asked of the engine, and the panel itself, are the same code in both hosts.
(VSCode.hostOfRun === 'node' ? describe : describe.skip)('All heads with their metrics', () => {
  let vscode: VSCode;
  let panel: FrameLocator;
  keepEvidenceOfFailures(() => vscode);
  const rows = (): Locator => panel.locator('.head-table tbody tr');
  const caption = (text: string | RegExp): Promise<void> =>
    panel.locator('.head-table-caption', { hasText: text }).waitFor({ timeout: 60_000 });

  before(async function () {
    this.timeout(180_000);
    vscode = await VSCode.launch({
      name: 'heads',
      files: {
        'repeats.py': 'def first(value):\n    return value + 1\n\n\ndef second(value):\n    return value + 2\n',
      },
    });
    panel = vscode.panelFrame();
  });
  after(() => vscode?.close());

  it('open from the palette, and find the heads that do induction on random tokens that come twice', async function () {
    this.timeout(180_000);
    await vscode.openFile('repeats.py');
    await vscode.selectLines(1, 6);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    await panel.getByRole('grid').first().waitFor({ timeout: 120_000 });
    await vscode.runCommand('Attention Explorer: Show Heads and Their Metrics');
    await rows().first().waitFor({ timeout: 60_000 });
    expect(await rows().count()).to.equal(32);
    await caption('on this text');
    await panel.getByRole('button', { name: 'Measure on a Repeated Random Text' }).click();
    await caption('on 64 random tokens that come twice');
    await panel.locator('.head-table thead button', { hasText: /^induction \(repeated tokens\)/ }).click();
    const column = await panel
      .locator('.head-table thead th')
      .evaluateAll((cells) => cells.findIndex((cell) => cell.textContent === 'induction (repeated tokens)'));
    const strongest = Number(await rows().first().locator('th, td').nth(column).textContent());
    expect(strongest).to.be.within(0.6, 1);
    await vscode.screenshot('heads-random');
  });

  it('say which head reads one selected part from another', async function () {
    this.timeout(120_000);
    await panel.getByRole('button', { name: 'Measure on a Repeated Random Text' }).click();
    await vscode.openFile('repeats.py');
    // Both occurrences of a word: two selections.
    await vscode.goTo(5, 13);
    await vscode.page.keyboard.press('Control+d');
    await vscode.page.keyboard.press('Control+d');
    await vscode.runCommand('Attention Explorer: Which Head Reads This?');
    await caption(/Which head reads this\? From .* to /);
    await panel.locator('.head-table thead button', { hasText: 'as far elsewhere' }).waitFor({ timeout: 60_000 });
    const sorted = panel.locator('.head-table thead th[aria-sort=descending]');
    expect(await sorted.textContent()).to.equal('from these to those');
    const weights = (await rows().locator('td:nth-of-type(1)').allTextContents()).map(Number);
    expect(weights)
      .to.have.length(32)
      .and.deep.equal([...weights].sort((a, b) => b - a));
    await vscode.screenshot('heads-asked');
  });

  it('read along the relations of the program, and lines in the place of tokens', async function () {
    this.timeout(180_000);
    await vscode.openFile('repeats.py');
    await vscode.selectLines(1, 6);
    await vscode.runCommand('Attention Explorer: Explain Attention');
    const body = panel.locator('.source-scroll');
    await body.focus();
    await vscode.page.keyboard.press('c');
    await panel.locator('.relations-pane tbody tr').first().waitFor({ timeout: 60_000 });
    await panel.locator('.relations-pane .head-table-caption', { hasText: /\d+ pairs/ }).waitFor();
    await panel.locator('.relations-pane thead', { hasText: 'ratio by norm' }).waitFor({ timeout: 60_000 });
    await body.focus();
    await vscode.page.keyboard.press('l');
    await vscode.page.keyboard.press('l');
    await panel.locator('.matrix-pane h2', { hasText: 'lines: sums over keys, means over queries' }).waitFor();
    await vscode.screenshot('heads-relations');
  });

  it('are weighed as a method says that is chosen from the list, in the panel and in the editor', async function () {
    this.timeout(120_000);
    await panel.getByRole('combobox', { name: /^Method: / }).click();
    await panel.getByRole('option', { name: 'Norm-weighted', exact: true }).click();
    const readout = panel.locator('.source-pane .readout');
    await readout.locator('.tag', { hasText: 'norm-weighted attention' }).waitFor({ timeout: 60_000 });
    await panel.locator('.legend-method', { hasText: 'Kobayashi et al. 2020' }).waitFor();
    const numberRead = async (): Promise<number> =>
      Number(/([\d.]+)\s*$/.exec((await readout.textContent()) ?? '')?.[1]);
    const length = await numberRead();
    await vscode.screenshot('heads-method');
    await panel.getByRole('combobox', { name: /^Method: / }).click();
    await panel.getByRole('option', { name: 'Attention weight', exact: true }).click();
    await panel.locator('.legend-method').waitFor({ state: 'detached' });
    // A length may be more than one, a weight is a share.
    expect(length).to.be.greaterThan(1);
    expect(await numberRead()).to.be.within(0, 1);
  });

  it('are beside what the model predicts, from the palette', async function () {
    this.timeout(120_000);
    await vscode.runCommand('Attention Explorer: Show Predictions');
    const predictions = panel.locator('.predictions-pane');
    await predictions.getByText(/^Mean over \d+ tokens: \d+\.\d\d bits/).waitFor({ timeout: 60_000 });
    // A function's second definition in a row is no surprise to a model of code: all is below a uniform guess.
    const [mean, uniform] = [...(await predictions.innerText()).matchAll(/: (\d+\.\d\d) bits/g)].map(([, bits]) =>
      Number(bits),
    );
    expect(mean).to.be.lessThan(uniform);
    await panel.locator('.source-scroll [data-token]').nth(3).click();
    await predictions.locator('.prediction-facts dd', { hasText: / of 3072$/ }).waitFor();
    await vscode.screenshot('heads-predictions');
    await predictions.getByRole('button', { name: 'Show What Heads Write' }).click();
    await predictions
      .getByText(/^Head \d\.\d, which writes [+−]\d+\.\d{3}, by the tokens that it reads$/)
      .waitFor({ timeout: 60_000 });
    await predictions.locator('.writes-numbers').last().scrollIntoViewIfNeeded();
    await vscode.screenshot('heads-writes');
    // Quiet until asked: then the editor's own tokens have its colours, too, which are no weight's.
    const coloured = (): Promise<number> =>
      vscode.page.locator('.view-overlays .cdr').evaluateAll(
        (elements) =>
          elements.filter((element) => {
            const [red, green, blue] = [...getComputedStyle(element).backgroundColor.matchAll(/[\d.]+/g)].map(Number);
            return green > red + 10 && green > blue + 10;
          }).length,
      );
    const chooseMethod = async (name: string): Promise<void> => {
      await panel.getByRole('combobox', { name: /^Method: / }).click();
      await panel.getByRole('option', { name, exact: true }).click();
    };
    expect(await coloured()).to.equal(0);
    await chooseMethod('Surprisal');
    for (let i = 0; i < 100 && (await coloured()) === 0; i++) await vscode.page.waitForTimeout(100);
    expect(await coloured()).to.be.greaterThan(10);
    await panel.locator('.surprisal-scale', { hasText: '≥ 11.6 bits' }).waitFor();
    await vscode.screenshot('heads-surprisal');
    await chooseMethod('Attention weight');
    for (let i = 0; i < 100 && (await coloured()) > 0; i++) await vscode.page.waitForTimeout(100);
    expect(await coloured()).to.equal(0);
  });

  it('go on: the model writes after the text, and another token makes a branch', async function () {
    this.timeout(180_000);
    const written = panel.locator('.predictions-pane .branches button');
    const numTokens = (): Promise<number> => panel.locator('.source-scroll [data-token]').count();
    const read = await numTokens();
    await vscode.runCommand('Attention Explorer: Continue the Text');
    await panel.locator('.predictions-pane', { hasText: '20 tokens, greedily' }).waitFor({ timeout: 60_000 });
    expect(await numTokens()).to.equal(read + 20);
    // The third token that was written, and what else it could have been.
    await panel
      .locator(`.source-scroll [data-token="${read + 2}"]`)
      .first()
      .click();
    const others = panel.locator('.prediction-shares th button');
    await others.nth(1).waitFor();
    await vscode.screenshot('heads-continued');
    await others.nth(1).click();
    await written.nth(1).waitFor({ timeout: 60_000 });
    const [branch, first] = await written.allTextContents();
    expect(branch).to.not.equal(first);
    expect(await numTokens()).to.equal(read + 20);
    await written.nth(1).click();
    await panel.locator('.branches [aria-current]', { hasText: first }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('heads-branches');
    // The other branch is a run that this one can be compared with.
    await vscode.runAndPick('Attention Explorer: Compare With…', 'An Earlier Run');
    const name = branch.slice(0, 30);
    await vscode.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ hasText: `then “${name}` })
      .click();
    const compared = panel.locator('.compare-pane');
    for (const [side, text] of [first, branch].entries())
      await compared
        .locator('.compare-sides dd')
        .nth(side)
        .filter({ hasText: `then “${text.slice(0, 30)}` })
        .waitFor({ timeout: 60_000 });
    await compared.getByText(/Only in A: .*Only in B: /).waitFor({ timeout: 60_000 });
    const changes = await compared.locator('.head-table tbody td:nth-of-type(2)').allTextContents();
    expect(changes).to.have.length(32);
    expect(Number(changes[0])).to.be.above(0.001);
    await compared.getByRole('button', { name: 'Predictions Side by Side' }).click();
    await compared.getByRole('table', { name: 'Predictions side by side' }).waitFor({ timeout: 60_000 });
    await vscode.screenshot('heads-branches-compared');
  });
});
