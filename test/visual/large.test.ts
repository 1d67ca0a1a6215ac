// Patterns too large to be sent whole, in the panel: 4096 tokens, with a real store of attention behind it.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { editorColours, rampFor, type Rgb } from '../../src/model/ramp';
import type { ViewState } from '../../src/model/viewState';
import { overviewLevel } from '../../src/model/patternLevels';
import { screenshot } from '../harness/browser';
import { marginsFor } from '../../webview/draw/drawAxes';
import { fitView } from '../../webview/layout/matrixView';
import { canvasPixel } from './canvasPixel';
import { hotCell, LongLayer } from './longRun';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

const numTokens = 4096;
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const readout = () => page.locator('.source-pane .readout');
const crosshair = () => page.locator('.matrix-pane .crosshair');

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions = {}): Promise<Page> => (page = await pages.open({ run: 'long', ...options }));

/** The place of a cell on the matrix while all of it is shown, in CSS pixels. */
async function placeOf(query: number, key: number): Promise<{ x: number; y: number }> {
  const { width, height } = await page
    .locator('.matrix-plot')
    .evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
  const margins = marginsFor(width, height, true); // by their rule, these rows do not sum to one
  const { cell } = fitView({
    numQueries: numTokens,
    numKeys: numTokens,
    width: width - margins.left - margins.right,
    height: height - margins.top - margins.bottom,
  });
  return { x: margins.left + (key + 0.5) * cell, y: margins.top + (query + 0.5) * cell };
}

/** How far the strongest pixel of a square is from the plot's background. */
async function strongestPixel({ x, y }: { x: number; y: number }, reach = 2): Promise<number> {
  return page.locator('.matrix-base').evaluate(
    (element, at) => {
      const data =
        (element as HTMLCanvasElement)
          .getContext('2d')
          ?.getImageData(at.x - at.reach, at.y - at.reach, 2 * at.reach + 1, 2 * at.reach + 1).data ??
        new Uint8ClampedArray(4); // a canvas by its class
      let most = 0;
      for (let i = 0; i < data.length; i += 4) most = Math.max(most, data[i + 3]);
      return most;
    },
    { x: Math.floor(x), y: Math.floor(y), reach },
  );
}

const pixel = (place: { x: number; y: number }): Promise<Rgb & { a: number }> =>
  canvasPixel(page.locator('.matrix-base'), place);

/** The middle of the hot cell where it is drawn near a place; the place itself where it is not. */
function hotPlace({ x, y }: { x: number; y: number }): Promise<{ x: number; y: number }> {
  return page.locator('.matrix-base').evaluate(
    (element, near) => {
      const context = (element as HTMLCanvasElement).getContext('2d'); // a canvas by its class
      const reach = 60;
      const data =
        context?.getImageData(near.x - reach, near.y - reach, 2 * reach, 2 * reach).data ?? new Uint8ClampedArray(0);
      // The fill of the hot cell is the only opaque one here: labels and hatching are elsewhere, or let the background through.
      let [count, x, y] = [0, 0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255) continue;
        count++;
        x += (i / 4) % (2 * reach);
        y += Math.floor(i / 4 / (2 * reach));
      }
      return count === 0
        ? near
        : { x: near.x - reach + Math.round(x / count), y: near.y - reach + Math.round(y / count) };
    },
    { x: Math.round(x), y: Math.round(y) },
  );
}

/** Zooms in on the hot cell as a person does: a little, then about where it is seen now. Returns its middle. */
async function zoomToHotCell(): Promise<{ x: number; y: number }> {
  let place = await placeOf(hotCell.query, hotCell.key);
  for (let round = 0; round < 12; round++) {
    await page.locator('.matrix-plot').hover({ position: place });
    await page.mouse.wheel(0, -400);
    // A wheel is answered with the next picture, which may be under way: until it stands still.
    for (let before: typeof place | undefined; before?.x !== place.x || before.y !== place.y;) {
      before = place;
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      place = await hotPlace(place);
    }
  }
  await page.locator('.matrix-plot').hover({ position: place });
  return place;
}

const tiles = (): Promise<string[]> => page.evaluate(() => [...host.tiles]);

describe('a pattern of 4096 tokens', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('shows one hot cell among sixteen million at once, without a tile', async () => {
    await open();
    expect(await tiles()).to.deep.equal([]);
    const place = await placeOf(hotCell.query, hotCell.key);
    expect(await strongestPixel(place)).to.equal(255);
    expect(await strongestPixel({ x: place.x + 8, y: place.y })).to.equal(0);
  });

  it('says of how many cells a pixel is the strongest, in the matrix and in the tiles, and in which scale tiles are', async () => {
    await open();
    const side = await page.locator('.matrix-plot').evaluate((plot) => Math.min(plot.clientWidth, plot.clientHeight));
    const said = /^Rows: queries\. Columns: keys\. Each pixel: the strongest of (\d+) × \1\.$/.exec(
      (await crosshair().textContent()) ?? '',
    );
    // A level halves the one before it: a pixel is of more cells than needed by less than twice.
    expect(Number(said?.[1])).to.be.within(numTokens / side, (2.5 * numTokens) / side);
    const tiles = page.locator('.legend-note').filter({ hasText: /^tiles: strongest of (\d{2,}) × \1$/ });
    await tiles.waitFor();
    await page.evaluate(() => host.fire('view', { view: { ...host.view, scale: 'row' }, sequence: 2e6 }));
    await page
      .locator('.legend-note')
      .filter({ hasText: /^tiles: absolute, strongest of / })
      .waitFor();
    await page.evaluate(() => host.showRun('code', 2));
    await page.waitForFunction(() => host.intents.filter(({ name }) => name === 'painted').length === 2);
    expect(await crosshair().textContent()).to.equal('Rows: queries. Columns: keys.');
  });

  it('fetches the tiles that come into view, shows a coarser level until they are there, and reads the exact weight', async () => {
    await open();
    await page.evaluate(() => (host.tileDelay = 400));
    const middle = await zoomToHotCell();
    // What was there before it: the coarser picture of the same place, not nothing.
    expect(await strongestPixel(middle)).to.equal(255);
    const [row, column] = [Math.floor(hotCell.query / 256), Math.floor(hotCell.key / 256)];
    await page.waitForFunction((name) => host.tiles.includes(name), `0/${row}/${column}`);
    await page.waitForFunction(() => document.querySelector('.crosshair .weight')?.textContent !== '…');
    expect(await crosshair().textContent())
      .to.contain(`(${hotCell.query}) to `)
      .and.to.contain(`(${hotCell.key}): 0.813`);
    await page.waitForFunction(
      ({ x, y }) => {
        const data = document
          .querySelector<HTMLCanvasElement>('.matrix-base')
          ?.getContext('2d')
          ?.getImageData(x, y, 1, 1).data;
        return data !== undefined && data[3] === 0;
      },
      { x: Math.floor(middle.x) + 70, y: Math.floor(middle.y) },
    );
    expect(await strongestPixel(middle)).to.equal(255);
    const asked = await tiles();
    // Each tile is asked for once, none of a level as coarse as the overview, and few of those that the zoom only passed.
    expect(new Set(asked).size).to.equal(asked.length);
    expect(asked.filter((name) => Number(name.split('/')[0]) >= overviewLevel(numTokens, numTokens))).to.deep.equal([]);
    expect(asked.length).to.be.lessThan(40);
    await screenshot(page, 'visual/large-zoomed');
  });

  it('reads the exact weight of a cell that no tile is here for, and says the sums of its row and column', async () => {
    await open();
    await page.locator('.matrix-plot').hover({ position: await placeOf(2000, 100) });
    await page.waitForFunction(() =>
      /: (0|\d\.\d+)/.test(document.querySelector('.matrix-pane .crosshair')?.textContent ?? ''),
    );
    const said = /\((\d+)\) to .*\((\d+)\): (\S+) row sum (\S+), mean read (\S+)/.exec(
      (await crosshair().textContent()) ?? '',
    );
    const [query, key] = [Number(said?.[1]), Number(said?.[2])];
    const layer = new LongLayer(0, 2, numTokens);
    const row = await layer.rows(0, query, query + 1);
    expect(Number(said?.[3])).to.be.closeTo(row[key], 1e-3);
    expect(Number(said?.[4])).to.be.closeTo(
      row.reduce((sum, weight) => sum + weight, 0),
      5e-3,
    );
    expect(await tiles()).to.deep.equal([]);
  });

  it('lights a token by its row, several pinned ones by the mean of theirs, and asks for no row twice', async () => {
    await open();
    await token(hotCell.query).evaluate((element) => element.scrollIntoView({ block: 'center' }));
    await token(hotCell.query).click();
    await page.waitForFunction(
      (key) => document.querySelector(`[data-token="${key}"]`)?.className.includes(' d39') === true,
      hotCell.key,
    );
    const row = await new LongLayer(0, 2, numTokens).rows(0, hotCell.query, hotCell.query + 1);
    expect(
      await page.evaluate(
        () =>
          new Set(
            [...document.querySelectorAll<HTMLElement>('.token')]
              .filter(({ className }) => / d\d/.test(className))
              .map(({ dataset }) => dataset['token']),
          ).size,
      ),
    ).to.equal(row.filter((weight) => weight >= 0.5 / 48).length);
    expect(await page.locator('.sources li .number').first().textContent()).to.equal('0.813');
    expect(await page.locator('.list-pane .rest').textContent()).to.contain('0.350 is on sink tokens');
    await token(hotCell.query + 1).click({ modifiers: ['Shift'] });
    await page.waitForFunction(
      () => document.querySelector('.list-pane h2')?.textContent?.startsWith('mean of 2 tokens') === true,
    );
    expect(await page.locator('.sources li .number').allTextContents()).to.include('0.406');
    expect(await readout().textContent()).to.contain('mean of 2 tokens');
    await token(hotCell.query + 1).click({ modifiers: ['Shift'] });
    expect(await page.locator('.sources li .number').first().textContent()).to.equal('0.813');
    const rows = await page.evaluate(() => host.rows);
    expect(new Set(rows).size).to.equal(rows.length);
  });

  it('shows what reads a token by its column', async () => {
    await open();
    await page.keyboard.press('r');
    await token(hotCell.key).evaluate((element) => element.scrollIntoView({ block: 'center' }));
    await token(hotCell.key).click();
    await page.waitForFunction(() => document.querySelectorAll('.sources li').length > 0);
    expect(await page.locator('.sources li .name, .sources li .link').first().textContent()).to.contain(
      `(${hotCell.query})`,
    );
  });

  it('takes the scale by row from the maxima of the rows, and the threshold, for what is drawn first', async () => {
    await open();
    // The middle of its block: a pixel beside it may be another's.
    const block = 2 ** overviewLevel(numTokens, numTokens);
    const middle = (cell: number): number => (Math.floor(cell / block) + 0.5) * block - 0.5;
    const place = await placeOf(middle(hotCell.query), middle(hotCell.key));
    const colourOf = (depth: number): Rgb =>
      rampFor('blue', editorColours.dark.background, editorColours.dark.foreground, 'reads').colour(
        Math.round(depth * 255) / 255,
      );
    expect(await pixel(place)).to.deep.equal({ ...colourOf(hotCell.weight), a: 255 });
    const show = (view: Partial<ViewState>, sequence: number): Promise<void> =>
      page.evaluate((event) => host.fire('view', { view: { ...host.view, ...event.view }, sequence: event.sequence }), {
        view,
        sequence,
      });
    await show({ scale: 'row' }, 2e6);
    await page.waitForTimeout(50);
    expect(await pixel(place)).to.deep.equal({ ...colourOf(1), a: 255 });
    await show({ scale: 'absolute', threshold: 0.9 }, 3e6);
    await page.waitForTimeout(50);
    expect((await pixel(place)).a).to.equal(0);
  });

  it('says that weights are recomputed', async () => {
    await open({ run: 'code' });
    await page.evaluate(() => host.showRun('code', 2, { held: 'recomputed' }));
    await page.waitForFunction(
      () =>
        document.querySelector('.toolbar .method')?.textContent === 'attention weight, recomputed when it is looked at',
    );
    // It is a label, and looks like one beside what can be pressed.
    const isFlat = (selector: string): Promise<boolean> =>
      page.locator(selector).evaluate((element) => {
        const { backgroundColor, borderTopWidth } = getComputedStyle(element);
        return backgroundColor === 'rgba(0, 0, 0, 0)' && borderTopWidth === '0px';
      });
    expect(await isFlat('.toolbar .method')).to.equal(true);
    expect(await isFlat('.toolbar .segmented [aria-pressed=true]')).to.equal(false);
  });

  for (const theme of ['light', 'hc-black'] as const) {
    it(`is drawn in a theme: ${theme}`, async () => {
      await open({ theme });
      await token(20).click();
      await page.waitForFunction(() => document.querySelectorAll('.sources li').length > 0);
      await page.waitForFunction(() => host.numThumbnails > 0);
      await page.waitForTimeout(200);
      await screenshot(page, `visual/large-${theme}`);
      await zoomToHotCell();
      await page.waitForFunction(() => document.querySelector('.crosshair .weight')?.textContent === '0.813');
      await screenshot(page, `visual/large-zoomed-${theme}`);
    });
  }
});
