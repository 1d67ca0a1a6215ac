// A run beside another one: which is seen, which heads changed most, and what both predict.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { violationsInThemes } from './accessibility';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const pane = () => page.locator('.compare-pane');
const view = (name: string) => pane().locator('.compare-views button', { hasText: new RegExp(`^${name}$`) });
const weights = () => page.locator('.list-pane .number').allTextContents();

describe('comparing', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('shows B − A in source, grid, matrix and list, with the heads that changed most, and costs nothing before', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    await page.evaluate(() => host.compareWithAnother());
    expect(await page.evaluate(() => host.numComparisons)).to.equal(0);
    const own = await weights();
    await page.keyboard.press('x');
    await view('B − A').and(page.locator('[aria-pressed="true"]')).waitFor();
    expect(await page.evaluate(() => host.numComparisons)).to.equal(1);
    expect(await pane().locator('.compare-sides dd').allTextContents()).to.have.length(2);
    const rows = pane().locator('.head-table tbody tr');
    const divergences = (await rows.locator('td:nth-child(3)').allTextContents()).map(Number);
    expect(divergences).to.deep.equal([...divergences].sort((a, b) => b - a));
    expect(divergences[0]).to.be.greaterThan(0);
    expect(await pane().textContent())
      .to.match(/Only in A: /)
      .and.match(/Only in B: /);
    await page.mouse.move(1, 1);
    // Of the head that is alike in both that is said, and nothing of thresholds.
    await page.locator('.readout', { hasText: /\(40\)\s+A and B do not differ here/ }).waitFor();
    await page.locator('.list-pane', { hasText: 'A and B do not differ here.' }).waitFor();
    expect(await page.locator('.list-pane .rest').innerText()).to.not.contain('weight.');
    // The head that changed most is shown.
    await rows.first().click();
    await page.locator('.legend-title', { hasText: 'difference of weights, B − A' }).waitFor();
    await page.locator('.list-pane .number', { hasText: /^[+−]/ }).first().waitFor();
    const ends = await page.locator('.legend-number').allTextContents();
    expect(ends[0]).to.equal(ends[1].replace('+', '−'));
    const lit = await page
      .locator('[data-token]')
      .evaluateAll((all) => all.map(({ className }) => Number(/ d(\d+)/.exec(className)?.[1] ?? 0)));
    expect(
      lit.some((level) => level > 48),
      'some are read less',
    ).to.equal(true);
    expect(
      lit.some((level) => level > 0 && level <= 48),
      'some are read more',
    ).to.equal(true);
    // What only A has has no difference.
    expect(await token(20).getAttribute('class')).to.not.match(/ d\d/);
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/compare-${theme}`)),
    ).to.deep.equal([]);
    await view('B').click();
    await page.locator('.legend-title', { hasText: 'attention weight of B' }).waitFor();
    await view('A').click();
    await page.locator('.legend-title', { hasText: /^attention weight ·/ }).waitFor();
    // Closed, the run itself is shown, as before.
    await view('B − A').click();
    await page.keyboard.press('x');
    await pane().waitFor({ state: 'detached' });
    await page.locator('.legend-title', { hasText: /^attention weight ·/ }).waitFor();
    expect((await weights()).length).to.be.at.least(own.length > 0 ? 1 : 0);
  });

  it('puts predictions side by side where someone asks, and offers a copy of the text that can be edited', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await page.keyboard.press('x');
    const text = pane().locator('textarea');
    await text.waitFor();
    const button = pane().getByRole('button', { name: 'Compare with This Text' });
    expect(await button.isDisabled()).to.equal(true);
    await text.fill('def other(x): pass');
    await button.click();
    await pane().getByRole('button', { name: 'Another Precision…' }).click();
    const intents = await page.evaluate(() => host.intents.filter(({ name }) => name === 'compareWith'));
    expect(intents.map(({ value }) => value)).to.deep.equal([
      { kind: 'text', text: 'def other(x): pass' },
      { kind: 'precision' },
    ]);
    await page.evaluate(() => host.compareWithAnother());
    await pane().getByRole('button', { name: 'Predictions Side by Side' }).click();
    const table = pane().getByRole('table', { name: 'Predictions side by side' });
    await table.waitFor();
    expect(await page.evaluate(() => host.numOtherPredictions)).to.equal(1);
    expect((await table.locator('tbody tr').first().locator('td').nth(2).textContent())?.trim()).to.equal('+1.50');
    await screenshot(page, 'visual/compare-predictions');
    await pane().getByRole('button', { name: 'Compare with Something Else' }).click();
    await pane().locator('textarea').waitFor();
    await screenshot(page, 'visual/compare-choice');
  });
});
