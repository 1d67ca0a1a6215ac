// A run that is under way: its layers come one after another.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { generatePattern, generateRun } from './generatedRun';
import { suitePages } from './suitePages';

describe('the panel while a run is under way', () => {
  const pages = suitePages();
  let page: Page;

  beforeEach(async () => {
    page = await pages.open({});
  });
  afterEach(() => page.close());

  const show = (numThere: number, layer: number, head: number): Promise<void> =>
    page.evaluate(([there, l, h]) => host.showGrowing('code', there, { layer: l, head: h }), [
      numThere,
      layer,
      head,
    ] as const);
  const grow = (numThere: number): Promise<void> => page.evaluate((there) => host.grow('code', there), numThere);
  const cell = (layer: number, head: number) => page.locator(`.head-cell[data-layer="${layer}"][data-head="${head}"]`);
  const heading = (name: string): Promise<void> => page.getByRole('heading', { name: `Head ${name}` }).waitFor();

  it('says what it waits for where the head that is shown first is still to come, and draws it when it is there', async () => {
    await show(1, 3, 2);
    const status = page.locator('.matrix-pane [role=status]');
    await status.getByText('Layer 3 is still to come…').waitFor();
    expect(await page.locator('.matrix-base').count()).to.equal(0);
    expect(await cell(3, 2).getAttribute('aria-label')).to.include('still to come');
    expect(await cell(0, 2).getAttribute('aria-label')).to.not.include('still to come');
    await screenshot(page, 'visual/first-head-to-come');
    // Another layer than the one that is waited for.
    await grow(3);
    await page.waitForFunction(
      () => !/still to come/.test(document.querySelector('[data-layer="2"]')?.ariaLabel ?? ''),
    );
    expect(await status.textContent()).to.equal('Layer 3 is still to come…');
    await grow(4);
    await heading('3.2');
    expect(await status.count()).to.equal(0);
    expect(await page.evaluate(() => host.patterns.filter((name) => name === '3.2'))).to.have.length(1);
  });

  it('can be used where its layers are there: hover, pin, and another head', async () => {
    const run = generateRun('code');
    const weightOf = (layer: number, head: number): number => {
      const { weights, numKeys } = generatePattern(run, run.info.components[0], layer, head);
      return weights[35 * numKeys + 34];
    };
    const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
    /** What the pinned token reads of the one before it, by the readout under the text. */
    const hoveredWeight = async (): Promise<number> => {
      await token(34).hover();
      const said = await page.locator('.source-pane .readout').textContent();
      return Number(/pinned .* \(35\) reads .* \(34\): (\d\.\d+)/.exec(said ?? '')?.[1]);
    };
    await show(2, 0, 0);
    await heading('0.0');
    await token(35).click();
    expect((await page.evaluate(() => host.view)).pinned).to.deep.equal([{ stream: 0, position: 35 }]);
    expect(await hoveredWeight()).to.be.closeTo(weightOf(0, 0), 5e-4);
    await cell(1, 5).click();
    await heading('1.5');
    expect(await hoveredWeight()).to.be.closeTo(weightOf(1, 5), 5e-4);
    // What there is stays as it is while a head that is to come is waited for, and when the pointer is on one.
    await cell(4, 2).click();
    await page.locator('.matrix-pane .tag', { hasText: 'Layer 4 is still to come…' }).waitFor();
    await cell(5, 1).hover();
    await heading('1.5');
    expect(await hoveredWeight()).to.be.closeTo(weightOf(1, 5), 5e-4);
    await cell(0, 3).click();
    await heading('0.3');
    expect(await page.locator('.matrix-pane .tag').count()).to.equal(0);
    expect(await hoveredWeight()).to.be.closeTo(weightOf(0, 3), 5e-4);
    await cell(4, 2).click();
    await grow(6);
    await heading('4.2');
    expect(await hoveredWeight(), 'still pinned').to.be.closeTo(weightOf(4, 2), 5e-4);
    expect(await page.getByRole('gridcell', { name: 'still to come' }).count()).to.equal(0);
  });
});
