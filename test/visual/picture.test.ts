// A picture in the panel: in Chromium, in VS Code's themes, with a host that answers from generated runs.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { editorColours, rampFor, type Rgb } from '../../src/model/ramp';
import { screenshot } from '../harness/browser';
import { marginsFor } from '../../webview/draw/drawAxes';
import { fitView } from '../../webview/layout/matrixView';
import { rulesOfColours, violationsOf } from './accessibility';
import { canvasPixel } from './canvasPixel';
import { generatePattern, generatePicture, generateRun } from './generatedRun';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

const kinds = {
  dark: 'dark',
  light: 'light',
  'hc-black': 'highContrastDark',
  'hc-light': 'highContrastLight',
} as const;
/** Of the generated run: an eight by eight grid after one class token. */
const positionOf = (row: number, column: number): number => 1 + (row - 1) * 8 + column - 1;

let pages: ReturnType<typeof suitePages>;
let page: Page;

async function open(options: PageOptions = {}): Promise<void> {
  page = await pages.open({ run: 'picture', ...options });
  await page.locator('canvas.picture').waitFor();
}

/** The middle of a patch on its canvas, in CSS pixels; rows and columns count from one. */
async function place(row: number, column: number): Promise<{ x: number; y: number }> {
  const { width, height } = await page
    .locator('canvas.picture')
    .evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
  return { x: ((column - 0.5) * width) / 8, y: ((row - 0.5) * height) / 8 };
}

const hover = async (row: number, column: number): Promise<void> =>
  page.locator('canvas.picture').hover({ position: await place(row, column) });
const click = async (row: number, column: number, modifiers: 'Shift'[] = []): Promise<void> =>
  page.locator('canvas.picture').click({ position: await place(row, column), modifiers });
const readout = (): Promise<string | null> => page.locator('.source-pane .readout').textContent();
const pinned = (): Promise<number[]> => page.evaluate(() => host.view.pinned.map(({ position }) => position));

const pixel = ({ x, y }: { x: number; y: number }): Promise<Rgb> =>
  canvasPixel(page.locator('canvas.picture'), { x: Math.round(x), y: Math.round(y) });

describe('a picture in the panel', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it("stands in the place of the text, lit in the ramp's colour by weight, without serious accessibility violations, in every theme", async () => {
    const allThemes = Object.keys(themes) as ThemeName[]; // the keys of the table
    await open();
    expect(await page.locator('.answer').textContent()).to.equal('code-decoder says: red circle, 0.988');
    const { pixels } = generatePicture();
    for (const theme of allThemes) {
      await showTheme(page, theme);
      await screenshot(page, `visual/picture-${theme}-plain`);
      const own = await pixel(await place(2, 2));
      const at = (1.5 * 12 * 96 + 1.5 * 12) * 4;
      expect([own.r, own.g, own.b], theme).to.deep.equal([...pixels.subarray(at, at + 3)]);
    }
    await page.locator('[role=gridcell]').nth(3).click(); // a local head
    await click(4, 5);
    await page.mouse.move(5, 5);
    const run = generateRun('picture');
    const pattern = generatePattern(run, run.info.components[0], 0, 3);
    for (const theme of allThemes) {
      await showTheme(page, theme);
      const { background, foreground } = editorColours[kinds[theme]];
      const full = rampFor('blue', background, foreground, 'reads').colour(1);
      for (const [row, column] of [
        [4, 4],
        [4, 6],
        [1, 1],
        [8, 8],
      ] as const) {
        const weight = pattern.weights[positionOf(4, 5) * pattern.numKeys + positionOf(row, column)];
        // Forty-eight levels are told apart.
        const depth = Math.round(weight * 48) / 48;
        const from = ((row - 0.5) * 12 * 96 + (column - 0.5) * 12) * 4;
        const found = await pixel(await place(row, column));
        for (const [i, channel] of (['r', 'g', 'b'] as const).entries()) {
          const veiled = pixels[from + i] * (1 - 0.66 * (1 - depth)) + background[channel] * 0.66 * (1 - depth);
          expect(found[channel], `${theme}: ${channel} of ${row}, ${column}`).to.be.closeTo(
            veiled * (1 - 0.55 * depth) + full[channel] * 0.55 * depth,
            3,
          );
        }
      }
      await screenshot(page, `visual/picture-${theme}`);
      expect(
        await violationsOf(page, pages.complaints, theme === 'dark' ? undefined : rulesOfColours),
        theme,
      ).to.deep.equal([]);
    }
  });

  it('says what a patch reads on hover, in words of rows and columns', async () => {
    await open();
    await page.locator('[role=gridcell]').nth(1).click(); // the previous token
    await hover(3, 5);
    expect(await readout()).to.match(/^ ?patch row 3, column 5 reads patch row 3, column 4 0\.\d+/);
    await page.locator('.special-tokens .chip').hover();
    expect(await readout()).to.match(/^ ?\[CLS\] reads/);
    await page.mouse.move(5, 5);
    expect(await readout()).to.include('Hover a patch');
  });

  it('pins on click, several with Shift, lists patches, and lets go', async () => {
    await open();
    await click(3, 5);
    await click(3, 6, ['Shift']);
    expect(await pinned()).to.deep.equal([positionOf(3, 5), positionOf(3, 6)]);
    expect(await page.locator('.list-pane h2').textContent()).to.equal(
      'mean of 2 patches: patch row 3, column 5, patch row 3, column 6 reads',
    );
    expect(await page.locator('.sources .name').first().textContent()).to.match(/^\[CLS\]$|^patch row \d, column \d$/);
    await page.keyboard.press('Escape');
    expect(await pinned()).to.deep.equal([]);
  });

  it('is walked in two dimensions by the keyboard, and spoken', async () => {
    await open();
    await page.locator('.image-scroll').focus();
    const status = page.locator('[role=status][aria-live=polite]').last();
    await page.keyboard.press('ArrowDown');
    await status.getByText('[CLS] reads').waitFor();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    await status.getByText('patch row 2, column 3 reads').waitFor();
    await page.keyboard.press('Enter');
    expect(await pinned()).to.deep.equal([positionOf(2, 3)]);
    await page.keyboard.press('End');
    await status.getByText(/^patch row 2, column 8, weight [\d.e-]+$/).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await status.getByText(/^\[CLS\], weight/).waitFor();
  });

  it('lights both patches of the matrix under the crosshair, which is labelled by rows and columns', async () => {
    await open();
    const before = await pixel({ x: (await place(1, 2)).x, y: 1 });
    const { width, height } = await page
      .locator('.matrix-plot')
      .evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
    const margins = marginsFor(width, height);
    const { cell } = fitView({
      numQueries: 65,
      numKeys: 65,
      width: width - margins.left - margins.right,
      height: height - margins.top - margins.bottom,
    });
    await page.locator('.matrix-overlay').hover({
      position: {
        x: margins.left + (positionOf(1, 2) + 0.5) * cell,
        y: margins.top + (positionOf(5, 5) + 0.5) * cell,
      },
    });
    expect(await page.locator('.readout.crosshair').textContent()).to.match(
      /^from patch row 5, column 5 to patch row 1, column 2: /,
    );
    expect(await pixel({ x: (await place(1, 2)).x, y: 1 })).to.not.deep.equal(before);
    await screenshot(page, 'visual/picture-crosshair');
  });

  it('names the method of linear attention', async () => {
    await open({ run: 'linearPicture' });
    expect(await page.locator('.toolbar .method').textContent()).to.equal('derived: φ(q)φ(k)ᵀ, normalised');
    expect(await page.locator('.legend-title').first().textContent()).to.include('derived: φ(q)φ(k)ᵀ, normalised');
  });

  it('stands above the matrix at the usual width of the panel, both large enough to be read', async () => {
    await open({ width: 520, height: 780 });
    await click(1, 1);
    await screenshot(page, 'visual/picture-medium');
    const boxOf = async (selector: string): Promise<{ x: number; y: number; width: number; height: number }> => {
      const box = await page.locator(selector).boundingBox();
      if (box === null) throw new Error(`${selector} is not there`);
      return box;
    };
    const [picture, matrix, heads, list] = await Promise.all(
      ['canvas.picture', '.matrix-plot', '.heads-pane', '.list-pane'].map(boxOf),
    );
    const margins = marginsFor(matrix.width, matrix.height);
    expect(
      Math.min(matrix.width - margins.left - margins.right, matrix.height - margins.top - margins.bottom),
    ).to.be.at.least(160);
    expect(picture.width).to.be.at.least(190);
    expect(heads.x).to.be.greaterThan(picture.x + picture.width);
    expect(list.x).to.be.at.least(matrix.x + matrix.width);
    expect(matrix.y).to.be.greaterThan(picture.y + picture.height);
    // No name is cut off.
    expect(
      await page
        .locator('.sources .name')
        .evaluateAll((names) => names.every((name) => name.scrollWidth <= name.clientWidth)),
    ).to.equal(true);
    // The line between them moves both.
    const separator = page.getByRole('separator', { name: 'Width of the matrix' });
    await separator.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(
      (before) => (document.querySelector('.matrix-plot')?.getBoundingClientRect().width ?? 0) > before,
      matrix.width,
    );
  });

  it('fits narrow panels', async () => {
    await open({ width: 420, height: 900 });
    await click(1, 1);
    await screenshot(page, 'visual/picture-narrow');
    const { width } = await page.locator('canvas.picture').evaluate((element) => ({ width: element.clientWidth }));
    expect(width).to.be.within(100, 420);
  });

  it('stands there twice where queries and keys are of two grids, and has a tab for each stage', async () => {
    page = await pages.open({ run: 'stages' });
    const pictures = page.locator('canvas.picture');
    await pictures.nth(1).waitFor();
    expect(await page.locator('[role=tab][id^=tab-stage]').allTextContents()).to.deep.equal([
      '8 × 8 patches read 2 × 2 patches',
      '4 × 4 patches',
    ]);
    expect(await page.locator('.picture-pair h2').allTextContents()).to.deep.equal([
      'Queries: 8 × 8 patches',
      'Keys: 2 × 2 patches',
    ]);
    const hoverIn = async (index: number, row: number, column: number, side: number): Promise<void> => {
      const { width, height } = await pictures
        .nth(index)
        .evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
      await pictures
        .nth(index)
        .hover({ position: { x: ((column - 0.5) * width) / side, y: ((row - 0.5) * height) / side } });
    };
    await hoverIn(0, 3, 5, 8);
    expect(await readout()).to.match(/^ ?patch row 3, column 5 reads patch row [12], column [12] 0\.\d+/);
    await screenshot(page, 'visual/picture-stages');
    await hoverIn(1, 2, 1, 2);
    expect(await readout()).to.match(/^ ?patch row 2, column 1 is read by patch row \d, column \d 0\.\d+/);
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    await page.locator('[role=tab]', { hasText: /^4 × 4 patches$/ }).click();
    await pictures.nth(1).waitFor({ state: 'detached' });
    await hoverIn(0, 4, 4, 4);
    expect(await readout()).to.match(/^ ?patch row 4, column 4 reads patch row \d, column \d 0\.\d+/);
  }).timeout(60_000);

  it('stands there once where queries that the model has learned read it, which have names of their own', async () => {
    page = await pages.open({ run: 'learnedQueries' });
    const picture = page.locator('canvas.picture');
    await picture.waitFor();
    expect(await picture.count()).to.equal(1);
    expect(await page.locator('.picture-pair h2').allTextContents()).to.deep.equal([
      'Queries: 6 learned queries',
      'Keys: 4 × 4 patches',
    ]);
    await page.locator('.special-tokens .chip', { hasText: '[Q3]' }).hover();
    expect(await readout()).to.match(/^ ?\[Q3\] reads patch row \d, column \d 0\.\d+/);
    await screenshot(page, 'visual/picture-learned');
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    await page.locator('.image-scroll').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await readout()).to.match(/^ ?\[Q2\] reads /);
    await page.locator('[role=tab]', { hasText: /^Decoder$/ }).click();
    await picture.waitFor({ state: 'detached' });
    await page.locator('.special-tokens .chip', { hasText: '[Q1]' }).hover();
    expect(await readout()).to.match(/^ ?\[Q1\] reads \[Q\d\] 0\.\d+/);
  }).timeout(60_000);

  it('within a text has its tokens beside it, which light the patches and are lit by them', async () => {
    page = await pages.open({ run: 'pictureInText' });
    await page.locator('canvas.picture').waitFor();
    const chips = page.locator('.special-tokens .chip');
    expect(await chips.allTextContents()).to.deep.equal(['Look', ':', '·what', '·is', '·it', '?']);
    expect(await chips.last().getAttribute('title')).to.equal('A token of the text that is read with the picture');
    await page.locator('[role=gridcell]').nth(3).click(); // a local head
    await chips.nth(2).click();
    await page.mouse.move(5, 5);
    expect(await pinned()).to.deep.equal([66]);
    expect(await readout()).to.include('"·what" (66)');
    await screenshot(page, 'visual/picture-in-text');
    // What a patch is read by stands beside the picture, in the ramp's colour.
    await click(8, 8);
    await page.mouse.move(5, 5);
    expect(await readout()).to.include('patch row 8, column 8');
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
  });

  it('in tiles stands there as all of them together, and once more as a whole, each lit by its own tokens', async () => {
    page = await pages.open({ run: 'pictureInTiles', width: 1400, height: 900 });
    const canvases = page.locator('canvas.picture');
    await canvases.nth(1).waitFor();
    expect(await page.locator('.picture-pair h2').allTextContents()).to.deep.equal([
      'In tiles: 8 × 8 patches',
      'As a whole: 4 × 4 patches',
    ]);
    const chips = ['<row_1_col_1>', '<row_1_col_2>', '<row_2_col_1>', '<row_2_col_2>', '<global-img>'];
    expect((await page.locator('.special-tokens .chip').allTextContents()).slice(0, 5)).to.deep.equal(chips);
    const sizeOf = (at: number) =>
      canvases.nth(at).evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
    const middle = async (at: number, side: number, row: number, column: number) => {
      const { width, height } = await sizeOf(at);
      return { x: ((column - 0.5) * width) / side, y: ((row - 0.5) * height) / side };
    };
    // The first patch of the second row of the second tile.
    await canvases.first().click({ position: await middle(0, 8, 2, 5) });
    expect(await pinned()).to.deep.equal([22]);
    await canvases.nth(1).click({ position: await middle(1, 4, 4, 2) });
    expect(await pinned()).to.deep.equal([82]);
    expect(await readout()).to.include('thumbnail row 4, column 2');
    await page.mouse.move(5, 5);
    await screenshot(page, 'visual/picture-in-tiles');
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
  });

  it('is compared with another one, which is chosen as a file, and no text is offered', async () => {
    await open({ width: 1400, height: 900 });
    await page.keyboard.press('x');
    const pane = page.locator('.compare-pane');
    await pane.getByRole('button', { name: 'Another Picture…' }).click();
    expect(await pane.locator('textarea').count()).to.equal(0);
    const intents = await page.evaluate(() => host.intents.filter(({ name }) => name === 'compareWith'));
    expect(intents.map(({ value }) => value)).to.deep.equal([{ kind: 'picture' }]);
    await page.evaluate(() => host.compareWithAnother());
    await pane.locator('.head-table tbody tr').first().waitFor();
    await page.locator('.legend-title', { hasText: 'B − A' }).waitFor();
    await screenshot(page, 'visual/picture-compared');
  });
});
