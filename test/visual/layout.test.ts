// The panel in every size: all that it shows is seen together, and nothing moves under the pointer.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

const sizes = [
  [480, 600],
  [760, 760],
  [1280, 720],
  [1600, 1000],
] as const;

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const cell = (name: string) => page.getByRole('gridcell', { name: new RegExp(`^${name}\\b`) });
const heading = (name: string) => page.locator('.matrix-pane').getByRole('heading', { name, exact: true });

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function boxOf(selector: string): Promise<Box> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not seen`);
  return box;
}

describe('the layout of the panel', () => {
  pages = suitePages();
  afterEach(() => page.close());

  for (const [width, height] of sizes) {
    it(`shows text, grid, matrix and list together in ${width} × ${height}`, async () => {
      await open({ run: 'code', width, height });
      await page.waitForFunction(() => host.numThumbnails > 0);
      await token(35).click();
      await page.mouse.move(1, 1);
      for (const theme of Object.keys(themes) as ThemeName[] /* the keys of the table */) {
        await showTheme(page, theme);
        await screenshot(page, `visual/layout-${width}-${theme}`);
        for (const selector of [
          '.source-scroll',
          '.heads-grid',
          '.matrix-base',
          '.sources > li:nth-child(4)',
          '.legend',
          'footer',
        ]) {
          const box = await boxOf(selector);
          expect(
            box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height,
            `${theme}, ${selector}: ${JSON.stringify(box)}`,
          ).to.equal(true);
        }
        // What is pinned is in sight of the text, which may be scrolled.
        const [text, pinned] = [await boxOf('.source-scroll'), await boxOf('.token.pinned')];
        expect(pinned.y >= text.y - 1 && pinned.y + pinned.height <= text.y + text.height + 1, theme).to.equal(true);
        // All 48 tiles without a scroll bar, and, where there is any room for it, each entry of the list with its whole name.
        expect(
          await page
            .locator('.heads-scroll')
            .evaluate(
              (element) => element.scrollWidth <= element.clientWidth && element.scrollHeight <= element.clientHeight,
            ),
          theme,
        ).to.equal(true);
        if (width > 480)
          expect(
            await page
              .locator('.sources .link, .sources .name')
              .evaluateAll((names) => names.every((name) => name.scrollWidth <= name.clientWidth)),
            theme,
          ).to.equal(true);
        const matrix = await boxOf('.matrix-plot');
        expect(Math.min(matrix.width, matrix.height), theme).to.be.at.least(Math.min(width, height) * 0.28);
      }
    });
  }

  it('has its list beside the text where it is wide', async () => {
    await open({ run: 'code', width: 1280, height: 720 });
    const [source, list, matrix] = [
      await boxOf('.source-pane'),
      await boxOf('.list-pane'),
      await boxOf('.matrix-pane'),
    ];
    expect(list.x).to.be.greaterThan(source.x + source.width);
    expect(matrix.x).to.be.greaterThan(list.x + list.width);
    expect(matrix.height).to.equal(source.height);
  });

  it('shares one place by tabs where there is no room, each there at once', async () => {
    await open({ run: 'code', width: 380, height: 640 });
    await token(35).click();
    await screenshot(page, 'visual/layout-tabs');
    expect(await page.getByRole('tab').allTextContents()).to.deep.equal(['Matrix', 'Heads', 'Strongest sources']);
    expect(await page.getByRole('grid').count()).to.equal(0);
    await page.getByRole('tab', { name: 'Matrix' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tabpanel', { name: 'Heads' }).getByRole('grid').waitFor();
    await cell('Head 0.3').click();
    await page.getByRole('tab', { name: 'Strongest sources' }).click();
    expect(await page.getByRole('listitem').count()).to.be.greaterThan(4);
    expect(((await page.evaluate(() => host.kept)) as { layout: { tab: string } }).layout.tab).to.equal('list');
    // A run is drawn behind its tab, too.
    await page.evaluate(() => host.showRun('odd', 2));
    await page.waitForFunction(() => host.intents.filter(({ name }) => name === 'painted').length === 2);
  });

  it('moves nothing under the pointer when a second head is selected, and previews none until the pointer moves', async () => {
    await open({ run: 'code', width: 620, height: 760 });
    const aggregation = page.getByRole('combobox', { name: 'Aggregation of several heads' });
    expect(await aggregation.isDisabled()).to.equal(true);
    await cell('Head 2.4').hover();
    const before = await boxOf('.heads-grid');
    await cell('Head 2.4').click({ modifiers: ['Control'] });
    await heading('Mean of 2 heads').waitFor();
    expect(await boxOf('.heads-grid')).to.deep.equal(before);
    expect(await aggregation.isDisabled()).to.equal(false);
    // Even if the grid does move: what comes under a pointer at rest is not asked for.
    await page.locator('.heads-grid').evaluate((element) => (element.style.transform = 'translateY(-60px)'));
    await page.waitForTimeout(150);
    expect(await heading('Mean of 2 heads').count()).to.equal(1);
    await page.mouse.move(before.x + 120, before.y + 60);
    await page.waitForFunction(
      () => document.querySelector('.matrix-pane h2')?.textContent?.includes('preview') === true,
    );
  });

  it('shows a hovered head everywhere: matrix, text and list', async () => {
    await open({ run: 'code', width: 1280, height: 720 });
    await token(58).click();
    const lit = (): Promise<string> =>
      page
        .locator('.token[class*=" d"]')
        .evaluateAll((elements) => elements.map((element) => / d\d+/.exec(element.className)?.[0]).join());
    const [text, list] = [await lit(), await page.locator('.sources').textContent()];
    await cell('Head 0.3').hover();
    await page.waitForFunction(
      () => document.querySelector('.list-pane .aside')?.textContent?.includes('head 0.3') === true,
    );
    expect(await lit()).to.not.equal(text);
    expect(await page.locator('.sources').textContent()).to.not.equal(list);
    expect(await page.locator('.list-pane .aside').textContent()).to.contain('preview');
    expect(await page.evaluate(() => host.view.selection.heads)).to.deep.equal([{ layer: 0, head: 0 }]);
    await page.mouse.move(5, 5);
    await page.waitForFunction((before) => document.querySelector('.sources')?.textContent === before, list);
    expect(await lit()).to.equal(text);
    expect(await page.locator('.caption').textContent()).to.equal('Selected: head 0.0');
  });

  it('says where a hovered head is, counted as its name counts', async () => {
    await open({ run: 'code' });
    await cell('Head 3.4').hover();
    await page.getByText('Head 3.4: layer 3 (0–5), head 4 (0–7)').waitFor();
  });
});
