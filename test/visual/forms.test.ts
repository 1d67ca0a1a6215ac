// Weights in another form: without sinks, and of words, lines and symbols.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { violationsInThemes, violationsOf } from './accessibility';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const title = () => page.locator('.matrix-pane h2');

/** Selects the first head whose tile names a sink. */
const selectHeadWithSink = () => page.locator('.head-cell.thumbnail[aria-label*="sink"]').first().click();

describe('weights in another form', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('are of words, lines and symbols, named as sums and means, by the keyboard; nothing is asked of them before', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    const before = await page.evaluate(() => host.patterns.length);
    await token(40).click();
    await page.keyboard.press('l');
    await title().filter({ hasText: 'words: sums over keys, means over queries' }).waitFor();
    await page.keyboard.press('l');
    await title().filter({ hasText: 'lines: sums over keys, means over queries' }).waitFor();
    expect(await page.evaluate(() => host.view.level)).to.equal('line');
    // The list is of lines, each once, with the place of its text.
    const sources = await page.locator('.sources .source').allTextContents();
    expect(sources.every((name) => /\(line \d+\)|\(\d+\)/.test(name))).to.equal(true);
    // Each number stands above its line, and not above the token of the same index.
    const tops = await page
      .locator('.weight-labels > span:visible')
      .evaluateAll((labels) => labels.map((label) => Math.round(label.getBoundingClientRect().top)));
    expect(new Set(tops).size).to.equal(tops.length).and.be.greaterThan(1);
    await page
      .locator('.matrix-pane canvas')
      .last()
      .hover({ position: { x: 200, y: 200 } });
    await page.locator('.crosshair', { hasText: 'strongest single weight' }).waitFor();
    await screenshot(page, 'visual/form-lines');
    // Nobody has told of symbols: lines then, and that is said.
    await page.keyboard.press('l');
    await title().filter({ hasText: 'no symbols are known' }).waitFor();
    await page.keyboard.press('l');
    await title().filter({ hasNotText: 'sums over keys' }).waitFor();
    expect(await page.evaluate(() => host.patterns.length)).to.be.greaterThan(before);
  });

  it('are without sinks, with what was removed beside the numbers, and in four themes', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await selectHeadWithSink();
    await token(60).click();
    const shown = await page.locator('.sources .number').first().textContent();
    await page.keyboard.press('s');
    await title().filter({ hasText: 'sinks faded' }).waitFor();
    // Numbers stay the real ones.
    expect(await page.locator('.sources .number').first().textContent()).to.equal(shown);
    await page.keyboard.press('s');
    await title()
      .filter({ hasText: /sinks removed: 0\.\d+ of a row/ })
      .waitFor();
    await page.locator('.list-pane .rest', { hasText: /0\.\d+ was on sinks, and is removed/ }).waitFor();
    expect(await page.locator('.sources .tag', { hasText: 'sink' }).count()).to.equal(0);
    await page.keyboard.press('s');
    await title().filter({ hasText: 'the rest renormalised' }).waitFor();
    expect(
      await violationsInThemes(page, pages.complaints, (theme) =>
        screenshot(page, `visual/form-without-sinks-${theme}`),
      ),
    ).to.deep.equal([]);
    await page.keyboard.press('s');
    await title().filter({ hasNotText: 'sinks' }).waitFor();
  });

  it('shows relations of a program: heads by what they read along one, whose pairs are drawn', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await page.keyboard.press('c');
    await page.locator('.relations-pane tbody tr').first().waitFor();
    expect(await page.locator('.relations-pane tbody tr').count()).to.equal(48);
    expect(await page.locator('.relations-pane .head-table-caption').textContent()).to.match(/49 pairs/);
    await token(40).click();
    await page.locator('.relations-pane tbody tr').nth(2).click();
    const name = await page.locator('.relations-pane tbody th').nth(2).textContent();
    expect(
      await page.evaluate(() => host.view.selection.heads.map(({ layer, head }) => `${layer}.${head}`)),
    ).to.deep.equal([name]);
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    // Beside the weights the same of norms, once the model was run for them.
    const headers = page.locator('.relations-pane thead th');
    await headers.filter({ hasText: 'ratio by norm' }).locator('button').click();
    const ratios = (await page.locator('.relations-pane tbody tr > :nth-child(6)').allTextContents()).map(Number);
    expect(ratios.some((ratio, i) => i > 0 && ratio < ratios[0])).to.equal(true);
    expect(ratios).to.deep.equal([...ratios].sort((a, b) => b - a));
    await screenshot(page, 'visual/relations');
    await page.locator('.relations-pane vscode-toolbar-button').click();
    await page.locator('.relations-pane').waitFor({ state: 'detached' });
  });

  it('has room for its choices in a narrow panel, and none of levels for a picture', async () => {
    await open({ run: 'code', width: 480, height: 640 });
    await page.locator('.toolbar .select').nth(3).waitFor();
    await screenshot(page, 'visual/form-narrow');
    await page.close();
    await open({ run: 'picture', width: 1000, height: 700 });
    expect(await page.locator('.toolbar [title="Level"]').count()).to.equal(0);
    expect(await page.locator('.toolbar [title="Sinks"]').count()).to.equal(1);
  });
});
