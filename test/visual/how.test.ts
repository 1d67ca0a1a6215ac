// How one weight came about: from the keyboard, the matrix and the list, step by step, in every theme.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { rulesOfColours, violationsOf } from './accessibility';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const pane = () => page.locator('.how-pane');
const step = () => pane().locator('h3');
/** Pins a token, looks at another and asks. */
const ask = async (query: number, key: number): Promise<void> => {
  await token(query).click();
  await token(key).hover();
  await page.keyboard.press('w');
  await step().waitFor();
};

describe('how a weight came about', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('costs nothing until it is opened; then it is steps with formulas, nodes and numbers to be copied', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    expect(await page.evaluate(() => host.hows)).to.deep.equal([]);
    await ask(9, 4);
    expect(await page.evaluate(() => host.hows)).to.deep.equal(['9/4']);
    expect(await step().textContent()).to.equal('1 of 4: Query');
    expect(await pane().textContent())
      .to.include('MatMul')
      .and.include('/layers.1/q_proj/MatMul');
    await page.keyboard.press('ArrowRight');
    expect(await step().textContent()).to.equal('2 of 4: Raw score');
    // The formula is typeset: its sum has what it runs over below it.
    expect(await pane().locator('math munder mo').textContent()).to.equal('Σ');
    const box = await pane().locator('math munder').boundingBox();
    expect(box?.height).to.be.greaterThan(15);
    const products = pane().locator('table', { hasText: 'products' });
    const rows = () => products.locator('tbody th').allTextContents();
    expect(await rows()).to.have.length(16);
    await screenshot(page, 'visual/how-score');
    await pane().getByRole('button', { name: 'Sort by Size' }).click();
    const sizes = (await products.locator('td.number').allTextContents()).map((text) => Math.abs(Number(text)));
    expect(sizes).to.deep.equal([...sizes].sort((a, b) => b - a));
    await page.evaluate(() => {
      Object.assign(window, { copied: [] });
      navigator.clipboard.writeText = async (text) =>
        void (window as unknown as { copied: string[] }).copied.push(text); // where the test looks
    });
    await products.locator('td.number button').first().click();
    await pane().getByRole('button', { name: 'Copy as NumPy' }).click();
    const copied = await page.evaluate(() => (window as unknown as { copied: string[] }).copied);
    expect(Math.abs(Number(copied[0]))).to.be.closeTo(sizes[0], 1e-4);
    expect(copied[1]).to.include('products = query * key\nscore = products.sum()').and.include('assert np.allclose');
    // A step that is not understood says so, and shows nothing.
    await pane().focus();
    await page.keyboard.press('ArrowRight');
    expect(await pane().getByRole('alert').textContent()).to.include('not understood');
    expect(await pane().locator('table').count()).to.equal(0);
    await page.keyboard.press('End');
    expect(await pane().locator('tr[aria-current] th').last().textContent()).to.include('(4)');
    await screenshot(page, 'visual/how-weight');
    const { layout } = (await page.evaluate(() => host.kept)) as {
      layout: { open: string[]; how: { step: number; isSorted: boolean; pair: object } };
    };
    expect(layout.open).to.deep.equal(['how']);
    expect(layout.how).to.deep.equal({ step: 3, isSorted: true, pair: { query: 9, key: 4 } });
    await pane().getByRole('button', { name: 'Close how a weight came about' }).click();
    expect(await pane().count()).to.equal(0);
  });

  it('opens with a second click on a cell, from the list, and for a weight that is kept', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    const matrix = page.locator('.matrix-overlay');
    const box = await matrix.boundingBox();
    if (box === null) throw new Error('no matrix');
    await matrix.dblclick({ position: { x: box.width * 0.3, y: box.height * 0.6 } });
    await step().waitFor();
    const [asked] = await page.evaluate(() => host.hows);
    expect(asked).to.match(/^\d+\/\d+$/);
    await page.locator('.how-pane').getByRole('button', { name: 'Close how a weight came about' }).click();
    await token(12).click();
    await page.locator('.list-pane .how-link').first().click();
    await step().waitFor();
    expect((await page.evaluate(() => host.hows)).at(-1)).to.match(/^12\/\d+$/);
  });

  it('has room in a narrow panel, and is accessible in every theme', async () => {
    await open({ run: 'code', width: 1200, height: 800 });
    await ask(9, 4);
    await page.keyboard.press('ArrowRight');
    for (const [i, theme] of (Object.keys(themes) as ThemeName[]).entries()) {
      await showTheme(page, theme);
      expect(await violationsOf(page, pages.complaints, i === 0 ? undefined : rulesOfColours), theme).to.deep.equal([]);
      await screenshot(page, `visual/how-${theme}`);
    }
    await page.setViewportSize({ width: 380, height: 700 });
    await step().waitFor();
    const { width = 0, height = 0 } = (await pane().boundingBox()) ?? {};
    expect(width).to.be.greaterThan(300);
    expect(height).to.be.greaterThan(150);
    await screenshot(page, 'visual/how-narrow');
  });
});
