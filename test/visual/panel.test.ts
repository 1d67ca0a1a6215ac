// The panel as a person meets it: in Chromium, in VS Code's themes, with a host that answers from generated runs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { contrastOf, editorColours, rampFor, type Rgb } from '../../src/model/ramp';
import { root } from '../../scripts/lib/paths.mjs';
import { panelHtml } from '../../src/host/panel/panelHtml';
import { screenshot } from '../harness/browser';
import { marginsFor } from '../../webview/draw/drawAxes';
import { fitView, type MatrixFrame } from '../../webview/layout/matrixView';
import { rulesOfColours, violationsOf } from './accessibility';
import { canvasPixel } from './canvasPixel';
import { generatePattern, generateRun } from './generatedRun';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

const allThemes = Object.keys(themes) as ThemeName[]; // the keys of the table

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const intents = (name: string): Promise<unknown[]> =>
  page.evaluate((wanted) => host.intents.filter((intent) => intent.name === wanted).map(({ value }) => value), name);
const lastIntent = async (name: string): Promise<unknown> => (await intents(name)).at(-1);
const view = () => page.evaluate(() => host.view);
const readout = () => page.locator('.source-pane .readout');

/** The classes that a token has now, beyond its own. */
async function marksOf(position: number): Promise<string[]> {
  const classes = (await token(position).getAttribute('class')) ?? '';
  return classes.split(' ').filter((name) => name !== 'token' && name !== '');
}

const pixel = (x: number, y: number): Promise<Rgb & { a: number }> =>
  canvasPixel(page.locator('.matrix-base'), { x, y });

/** The frame of the matrix as it is laid out, and the middle of a cell on its canvas. */
async function matrixFrame(
  numQueries: number,
  numKeys: number,
): Promise<{ frame: MatrixFrame; middle: (query: number, key: number) => { x: number; y: number } }> {
  const { width, height } = await page
    .locator('.matrix-plot')
    .evaluate((element) => ({ width: element.clientWidth, height: element.clientHeight }));
  const margins = marginsFor(width, height);
  const frame = {
    numQueries,
    numKeys,
    width: width - margins.left - margins.right,
    height: height - margins.top - margins.bottom,
  };
  const { cell } = fitView(frame);
  return {
    frame,
    middle: (query, key) => ({
      x: Math.floor(margins.left + (key + 0.5) * cell),
      y: Math.floor(margins.top + (query + 0.5) * cell),
    }),
  };
}

describe('the panel', () => {
  pages = suitePages();
  afterEach(() => page.close());

  describe('in every theme', () => {
    /** The same page in one theme after another, as when someone changes it: all rules in the first one, those of colours in each. */
    const check = async (name: string): Promise<void> => {
      for (const [i, theme] of allThemes.entries()) {
        await showTheme(page, theme);
        await screenshot(page, `visual/${theme}-${name}`);
        expect(
          await violationsOf(page, pages.complaints, i === 0 ? undefined : rulesOfColours),
          `${name}: ${theme}`,
        ).to.deep.equal([]);
      }
    };

    it('has no serious accessibility violation and keeps text readable: a pinned token, and the keys', async () => {
      await open({ run: 'code' });
      await page.locator('[role=gridcell]').nth(2).click();
      await token(35).click();
      await check('wide');
      await page.getByRole('button', { name: 'Show the keys' }).click();
      await page.getByRole('dialog').waitFor();
      await check('keys');
    });

    it('has no serious accessibility violation and keeps text readable: two texts', async () => {
      await open({ run: 'encoderDecoder', width: 680, height: 800 });
      await page.getByRole('tab', { name: 'Cross-attention' }).click();
      await token(5).click();
      await check('medium');
    });

    it('has no serious accessibility violation and keeps text readable: out of date, narrow', async () => {
      await open({ run: 'odd', state: 'stale', width: 400, height: 900 });
      await check('narrow-stale');
    });

    it('has no serious accessibility violation and keeps text readable: without a run', async () => {
      for (const state of ['empty', 'busy', 'failed', 'engineStopped', 'silent'] as const) {
        await open({ state, width: 720, height: 420 });
        await check(state);
        if (state !== 'silent') await page.close();
      }
    });

    it("draws the weights of known cells in the ramp's colours", async () => {
      await open({ run: 'odd' });
      const run = generateRun('odd');
      const pattern = generatePattern(run, run.info.components[0], 0, 0);
      for (const theme of allThemes) {
        await showTheme(page, theme);
        const { middle } = await matrixFrame(pattern.numQueries, pattern.numKeys);
        const { background, foreground } =
          editorColours[
            (
              { dark: 'dark', light: 'light', 'hc-black': 'highContrastDark', 'hc-light': 'highContrastLight' } as const
            )[theme]
          ];
        const ramp = rampFor('blue', background, foreground, 'reads');
        for (const [query, key] of [
          [0, 0],
          [5, 0],
          [13, 0],
          [9, 8],
        ] as const) {
          const wanted = ramp.colour(pattern.weights[query * pattern.numKeys + key]);
          const { x, y } = middle(query, key);
          const found = await pixel(x, y);
          for (const channel of ['r', 'g', 'b'] as const)
            expect(found[channel], `${theme}: ${channel} at ${query}, ${key}`).to.be.closeTo(wanted[channel], 4);
        }
        // What the causal mask forbids is hatched: among the pixels of such cells some are not the background's.
        const { x, y } = middle(2, 10);
        const opacities = await Promise.all(
          [0, 1, 2, 3, 4, 5, 6, 7].map(async (shift) => (await pixel(x + shift, y)).a),
        );
        expect(Math.max(...opacities)).to.be.greaterThan(0);
        expect(Math.min(...opacities)).to.be.lessThan(40);
      }
    });

    it('lights tokens in the same colours, with text that stays readable', async () => {
      await open({ run: 'code', theme: 'dark' });
      await token(35).hover();
      const { background, color } = await token(0).evaluate((element) => ({
        background: getComputedStyle(element).backgroundColor,
        color: getComputedStyle(element).color,
      }));
      const rgb = (text: string): Rgb => {
        const [r, g, b] = text.match(/\d+/g)?.map(Number) ?? [];
        return { r, g, b };
      };
      expect(contrastOf(rgb(background), editorColours.dark.background)).to.be.greaterThan(3);
      expect(contrastOf(rgb(background), rgb(color))).to.be.at.least(4.5);
    });

    it('keeps the weights where the system forces its colours', async () => {
      await open({ run: 'code' });
      await page.emulateMedia({ forcedColors: 'active' });
      await token(35).hover();
      const { background, shadow } = await token(0).evaluate((element) => ({
        background: getComputedStyle(element).backgroundColor,
        shadow: getComputedStyle(element).boxShadow,
      }));
      expect(background).not.to.equal('rgba(0, 0, 0, 0)');
      expect(shadow).to.contain('inset');
      await screenshot(page, 'visual/forced-colours');
    });

    it('carries the weight in an outline in high contrast', async () => {
      await open({ run: 'code', theme: 'hc-black' });
      await token(35).hover();
      // One pixel within, the rest below.
      const width = async (position: number): Promise<number> =>
        1 +
        Number(
          / 0px ([\d.]+)px 0px 0px$/.exec(
            await token(position).evaluate((element) => getComputedStyle(element).boxShadow),
          )?.[1],
        );
      expect(await width(0)).to.be.greaterThan(await width(34));
      expect(await width(34)).to.be.greaterThan(0);
    });
  });

  describe('the source', () => {
    it('says in one line what attention does not tell', async () => {
      await open({ run: 'odd' });
      expect(await page.locator('footer').innerText()).to.contain(
        'Attention shows where a head looked, not why the model answered.',
      );
    });

    it('lights up on hover with the number, and tells the editor', async () => {
      await open({ run: 'code' });
      await token(35).hover();
      expect(await marksOf(35)).to.include('looking');
      expect((await marksOf(0)).some((name) => /^d\d+$/.test(name))).to.equal(true);
      expect(await readout().textContent()).to.match(/"n" \(35\) reads "<\|endoftext\|>" \(0\) 0\.7\d\d/);
      await page.waitForFunction(() => host.intents.some(({ name }) => name === 'hover'));
      expect(await lastIntent('hover')).to.deep.equal({ stream: 0, position: 35 });
      await page.mouse.move(5, 5);
      await page.waitForFunction(() => host.intents.at(-1)?.value === null);
      expect(await marksOf(0)).to.deep.equal(['chip', 'sink']);
    });

    it('pins on click, shows the number of any other token on hover, and lets go', async () => {
      await open({ run: 'code' });
      await token(35).click();
      expect((await view()).pinned).to.deep.equal([{ stream: 0, position: 35 }]);
      await token(34).hover();
      expect(await readout().textContent()).to.match(/pinned "n" \(35\) reads "\(" \(34\): 0\.05/);
      expect(await marksOf(35)).to.include('pinned');
      await token(35).click();
      expect((await view()).pinned).to.deep.equal([]);
      await token(35).click();
      await page.keyboard.press('Escape');
      expect((await view()).pinned).to.deep.equal([]);
    });

    it('averages several with Shift', async () => {
      await open({ run: 'code' });
      await token(35).click();
      await token(28).click({ modifiers: ['Shift'] });
      expect((await view()).pinned).to.deep.equal([
        { stream: 0, position: 35 },
        { stream: 0, position: 28 },
      ]);
      expect(await page.locator('.list-pane h2').textContent()).to.equal('mean of 2 tokens: "n" (35), "n" (28) reads');
      const run = generateRun('code');
      const { weights, numKeys } = generatePattern(run, run.info.components[0], 0, 0);
      const mean = (weights[35 * numKeys] + weights[28 * numKeys]) / 2;
      expect(Number(await page.locator('.sources .number').first().textContent())).to.be.closeTo(mean, 0.0006);
    });

    it('touches only the tokens that change, and builds nothing', async () => {
      await open({ run: 'tokens128' });
      await page.locator('[role=gridcell]').nth(3).click(); // a local head: it reads a few neighbours
      await page.waitForFunction(() => document.querySelector('.matrix-pane h2')?.textContent === 'Head 0.3');
      await token(20).hover();
      const counts = await page.evaluate(async () => {
        let [attributes, nodes] = [0, 0];
        const observer = new MutationObserver((records) => {
          for (const { type } of records) type === 'attributes' ? attributes++ : nodes++;
        });
        const lines = document.querySelector('.lines');
        if (lines !== null)
          observer.observe(lines, { attributes: true, childList: true, subtree: true, characterData: true });
        const other = document.querySelector('[data-token="30"]');
        other?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        await new Promise((resolve) => setTimeout(resolve, 50));
        const first = { attributes, nodes };
        other?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { first, again: attributes - first.attributes };
      });
      expect(counts.first.nodes).to.equal(0);
      expect(counts.first.attributes).to.be.within(2, 60);
      expect(counts.again).to.equal(0);
    });

    it('copies the text as it is: tabs, CRLF and shared characters', async () => {
      await open({ run: 'odd' });
      const copied = await page.evaluate(() => {
        const lines = document.querySelector('.lines');
        if (lines === null) return undefined;
        document.getSelection()?.selectAllChildren(lines);
        const data = new DataTransfer();
        lines.dispatchEvent(new ClipboardEvent('copy', { bubbles: true, cancelable: true, clipboardData: data }));
        return data.getData('text/plain');
      });
      expect(copied).to.equal(generateRun('odd').info.streams[0].text);
      const part = await page.evaluate(() => {
        const from = document.querySelector('[data-token="8"]');
        const to = [...document.querySelectorAll('[data-token="9"]')].at(-1);
        const range = document.createRange();
        if (from?.firstChild === null || from === null || to === undefined) return undefined;
        range.setStart(from, 0);
        range.setEnd(to, to.childNodes.length);
        document.getSelection()?.removeAllRanges();
        document.getSelection()?.addRange(range);
        const data = new DataTransfer();
        from.dispatchEvent(new ClipboardEvent('copy', { bubbles: true, cancelable: true, clipboardData: data }));
        return data.getData('text/plain');
      });
      expect(part).to.equal('\r\n\tb');
    });

    it('shows whitespace, special tokens and the bytes of shared characters without making them text', async () => {
      await open({ run: 'odd' });
      expect(await token(0).evaluate((element) => getComputedStyle(element, '::before').content)).to.equal('"<s>"');
      expect(await token(4).evaluate((element) => getComputedStyle(element, '::after').content)).to.equal('"F0 9F"');
      expect(await page.locator('.lines').evaluate((element) => element.textContent)).to.equal(
        'a = "🙂"\tb <s> é  end',
      );
      expect(
        await page
          .locator('[data-token="8"] .nl')
          .first()
          .evaluate((element) => getComputedStyle(element, '::before').content),
      ).to.equal('"↵"');
    });

    it('stays light with 4096 tokens: lines out of sight are not rendered', async () => {
      await open({ run: 'long' });
      expect(
        await page
          .locator('.line > .token:first-child')
          .evaluateAll(
            (tokens) => tokens.filter((element) => element.checkVisibility({ contentVisibilityAuto: true })).length,
          ),
      ).to.be.lessThan(120);
      await token(20).hover();
      expect(await readout().textContent()).to.contain('(20) reads');
    }).timeout(120_000);
  });

  describe('the keyboard', () => {
    it('reaches everything in the order in which it stands', async () => {
      await open({ run: 'code' });
      const order: string[] = [];
      for (let i = 0; i < 30; i++) {
        await page.keyboard.press('Tab');
        order.push(
          await page.evaluate(() => {
            let element = document.activeElement;
            for (let inner = element?.shadowRoot?.activeElement; inner; inner = inner.shadowRoot?.activeElement)
              element = inner;
            return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
          }),
        );
        if (order.at(-1)?.startsWith('Matrix of')) break;
      }
      const names = [
        'code-decoder',
        'Reads',
        'Read by',
        'Heads',
        'Colour scale',
        'Method',
        'Level',
        'Sinks',
        '',
        'Find a token',
        'Run again',
        'Show the extraction report',
        'Open the settings',
        'Show the keys',
        'Source, 101 tokens',
        'Tiles show',
        'Rank the heads',
        'All heads with their metrics',
        'Order the heads of each layer',
        'Head 0.0',
        'Zoom out',
        'Fit',
        'Zoom in',
        'Matrix of head 0.0',
      ];
      expect(order).to.have.length(names.length);
      order.forEach((name, i) => expect(name.startsWith(names[i]), `${i}: ${name}, not ${names[i]}`).to.equal(true));
    });

    it('walks tokens, pins with Enter, adds with Shift, and changes the direction', async () => {
      await open({ run: 'code' });
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect(await marksOf(1)).to.include('cursor');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      const [pinned] = (await view()).pinned;
      expect(pinned.position).to.be.greaterThan(5);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Shift+Enter');
      expect((await view()).pinned).to.have.length(2);
      await page.keyboard.press('r');
      expect((await view()).direction).to.equal('readBy');
      expect(await page.locator('.list-pane h2').textContent()).to.contain('is read by');
    });

    it('says what is pinned to a screen reader', async () => {
      await open({ run: 'code' });
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('Control+End');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() =>
        document.querySelector('[aria-live=polite].visually-hidden')?.textContent?.includes('pinned'),
      );
      expect(await page.locator('[aria-live=polite].visually-hidden').textContent()).to.match(
        /pinned "↵" \(100\) reads "<\|endoftext\|>" \(0\) 0\.7/,
      );
    });

    it('walks heads with Alt from anywhere, and keeps the keys from VS Code', async () => {
      await open({ run: 'code' });
      await page.evaluate(() => {
        Object.assign(globalThis, { leaked: 0 });
        window.addEventListener('keydown', () => ((globalThis as unknown as { leaked: number }).leaked += 1)); // set above
      });
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('Alt+ArrowRight');
      await page.keyboard.press('Alt+ArrowDown');
      expect((await view()).selection.heads).to.deep.equal([{ layer: 1, head: 1 }]);
      // Alt itself goes on, the arrows with it do not: VS Code would go back in its history.
      expect(await page.evaluate(() => (globalThis as unknown as { leaked: number }).leaked)).to.equal(2);
    });

    it('finds tokens', async () => {
      await open({ run: 'code' });
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('/');
      await page.keyboard.type('items');
      expect(await page.locator('.find .count').textContent()).to.equal('1 of 3');
      await page.keyboard.press('Enter');
      expect(await page.locator('.find .count').textContent()).to.equal('2 of 3');
      await page.keyboard.press('Escape');
      expect(await page.locator('.find').count()).to.equal(0);
      expect(await page.evaluate(() => document.activeElement?.className)).to.equal('source-scroll');
      await page.keyboard.press('Enter');
      expect((await view()).pinned).to.have.length(1);
    });

    it('shows the keys, what a pointer does and what the marks mean, and gives the focus back', async () => {
      await open({ run: 'code' });
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('?');
      const dialog = page.getByRole('dialog', { name: 'Keys' });
      await dialog.waitFor();
      const terms = async (title: string): Promise<string[]> =>
        dialog.locator('dl').nth(['Keys', 'Pointer', 'Marks'].indexOf(title)).locator('dt').allTextContents();
      expect(await dialog.getByRole('heading').allTextContents()).to.deep.equal(['Keys', 'Pointer', 'Marks']);
      expect(await terms('Keys')).to.include.members(['Alt + ← →', 'H', 'T', 'O', 'B', 'M', 'R', '/', '?']);
      expect(await terms('Pointer')).to.include.members([
        'Click',
        'Shift + click',
        'Ctrl + click',
        'Click on a number',
        'Wheel, drag',
      ]);
      expect(await terms('Marks')).to.include.members(['Hatching', 'Bars below', 'Triangle, dots', 'Solid, dashed']);
      for (const text of await dialog.locator('dd').allTextContents()) expect(text).to.match(/\p{L}.*\.?$/u);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await page.evaluate(() => document.activeElement?.className)).to.equal('source-scroll');
    });
  });

  describe('the grid of heads', () => {
    const heads = async (): Promise<string> =>
      (await view()).selection.heads.map(({ layer, head }) => `${layer}.${head}`).join(' ');

    it('has one cell for each of 144 heads, and asks for nothing that nobody looks at', async () => {
      await open({ run: 'tokens128' });
      expect(await page.getByRole('gridcell').count()).to.equal(144);
      await page.waitForFunction(() => host.numThumbnails > 0);
      expect(await page.evaluate(() => ({ patterns: host.patterns, thumbnails: host.numThumbnails }))).to.deep.equal({
        patterns: ['0.0'],
        thumbnails: 1,
      });
      await page.getByRole('gridcell', { name: 'Head 3.5' }).hover();
      await page.waitForFunction(() => document.querySelector('.matrix-pane h2')?.textContent?.includes('Head 3.5'));
      await screenshot(page, 'visual/large-preview');
      expect(await heads()).to.equal('0.0');
      await page.mouse.move(5, 5);
      await page.waitForFunction(() => document.querySelector('.matrix-pane h2')?.textContent === 'Head 0.0');
      await page.getByRole('gridcell', { name: 'Head 3.5' }).click();
      await page.waitForFunction(() => document.querySelector('.matrix-pane h2')?.textContent === 'Head 3.5');
      // Looked at twice, asked for once.
      expect(await page.evaluate(() => host.patterns.filter((name) => name === '3.5').length)).to.equal(1);
    });

    it('says that it is being drawn until its pictures come', async () => {
      await open({});
      await page.evaluate(() => {
        let come = (): void => {};
        host.thumbnailsAfter = new Promise((resolve) => (come = resolve));
        Object.assign(globalThis, { come: () => come() });
        host.showRun('code');
      });
      await page.getByRole('grid').getByText('drawing…').waitFor();
      await page.evaluate(() => (globalThis as unknown as { come: () => void }).come()); // set above
      await page.getByText('drawing…').waitFor({ state: 'detached' });
    });

    it('paints the thumbnails', async () => {
      await open({ run: 'code' });
      await page.waitForFunction(() => host.numThumbnails > 0);
      const numColours = (): Promise<number> =>
        page.locator('.heads-grid canvas').evaluate((element) => {
          const canvas = element as HTMLCanvasElement; // by its selector
          const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
            data: new Uint8ClampedArray(),
          };
          return new Set(new Uint32Array(data.buffer)).size;
        });
      await page.waitForFunction(() => host.numThumbnails === 1);
      expect(await numColours()).to.be.greaterThan(20);
    });

    it('selects one, several with Ctrl, ranges with Shift, layers and indices by their headers, and all', async () => {
      await open({ run: 'code' });
      await page.getByRole('gridcell', { name: 'Head 1.2' }).click();
      expect(await heads()).to.equal('1.2');
      await page.getByRole('gridcell', { name: 'Head 2.4' }).click({ modifiers: ['Control'] });
      expect(await heads()).to.equal('1.2 2.4');
      expect(await page.getByRole('gridcell', { selected: true }).count()).to.equal(2);
      await page.waitForFunction(() => document.querySelector('.matrix-pane h2')?.textContent === 'Mean of 2 heads');
      await page.getByRole('gridcell', { name: 'Head 1.2' }).click({ modifiers: ['Control'] });
      expect(await heads()).to.equal('2.4');
      await page.getByRole('gridcell', { name: 'Head 3.5' }).click({ modifiers: ['Shift'] });
      expect(await heads()).to.equal('2.4 2.5 3.4 3.5');
      await page.getByRole('rowheader', { name: 'Layer 4' }).click();
      expect((await view()).selection.heads).to.have.length(8);
      await page.waitForFunction(
        () => document.querySelector('.matrix-pane h2')?.textContent === 'Mean of layer 4 (8 heads)',
      );
      await page.getByRole('columnheader', { name: 'Head 3 of every layer' }).click();
      expect(await heads()).to.equal('0.3 1.3 2.3 3.3 4.3 5.3');
      await page.getByRole('columnheader', { name: 'All heads' }).click();
      expect((await view()).selection.heads).to.have.length(48);
      // Now that there are several, how they become one can be chosen.
      await page.getByRole('combobox', { name: 'Aggregation of several heads' }).click();
      await page.getByRole('option', { name: 'Maximum' }).click();
      expect((await view()).selection.aggregation).to.equal('max');
    });

    it('is one stop for Tab, and walked with the arrows', async () => {
      await open({ run: 'code' });
      const cell = page.getByRole('gridcell', { name: 'Head 0.0' });
      await cell.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).to.equal('Head 1.1');
      expect(await page.locator('.heads-grid [tabindex="0"]').count()).to.equal(1);
      expect(await heads()).to.equal('0.0');
      await page.keyboard.press('Enter');
      expect(await heads()).to.equal('1.1');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Control+Space');
      expect(await heads()).to.equal('1.1 1.2');
    });

    it('picks a head by typing its name', async () => {
      await open({ run: 'code' });
      await page.getByRole('combobox', { name: 'Heads', exact: true }).click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('Head 4.2');
      await page.getByRole('option', { name: 'Head 4.2' }).click();
      expect(await heads()).to.equal('4.2');
    });
  });

  describe('the matrix', () => {
    it('says which weight the crosshair is on, and marks both tokens in the source', async () => {
      await open({ run: 'odd' });
      const run = generateRun('odd');
      const { weights, numQueries, numKeys } = generatePattern(run, run.info.components[0], 0, 0);
      const { middle } = await matrixFrame(numQueries, numKeys);
      const box = await page.locator('.matrix-base').boundingBox();
      if (box === null) throw new Error('The matrix is not laid out');
      const { x, y } = middle(9, 2);
      await page.mouse.move(box.x + x, box.y + y);
      expect(await page.locator('.readout.crosshair').textContent()).to.match(
        new RegExp(
          `^from "b" \\(9\\) to "·=" \\(2\\): ${weights[9 * numKeys + 2].toPrecision(3)} row sum 1\\.00, mean read 0\\.0`,
        ),
      );
      expect(await marksOf(9)).to.include('cross-query');
      expect(await marksOf(2)).to.include('cross-key');
      await page.mouse.click(box.x + x, box.y + y);
      expect((await view()).pinned).to.deep.equal([{ stream: 0, position: 9 }]);
      const forbidden = middle(2, 9);
      await page.mouse.move(box.x + forbidden.x, box.y + forbidden.y);
      expect(await page.locator('.readout.crosshair').textContent()).to.equal(
        'from "·=" (2) to "b" (9): 0 (a causal model cannot read ahead)',
      );
    });

    it('zooms with the wheel about the pointer, pans by dragging, and fits', async () => {
      await open({ run: 'code' });
      const box = await page.locator('.matrix-base').boundingBox();
      if (box === null) throw new Error('The matrix is not laid out');
      const [x, y] = [box.x + 200, box.y + 200];
      const at = async (): Promise<string> => (await page.locator('.readout.crosshair').textContent()) ?? '';
      await page.mouse.move(x, y);
      const before = await at();
      await page.mouse.wheel(0, -600);
      await page.mouse.move(x + 1, y);
      await page.mouse.move(x, y);
      expect(await at()).to.equal(before);
      expect((await view()).pinned).to.deep.equal([]);
      await page.mouse.down();
      await page.mouse.move(x - 60, y - 60, { steps: 3 });
      await page.mouse.up();
      await page.mouse.move(x, y);
      expect(await at()).not.to.equal(before);
      expect((await view()).pinned, 'a drag pins nothing').to.deep.equal([]);
      await screenshot(page, 'visual/matrix-zoomed');
      await page.locator('.matrix-plot').focus();
      await page.keyboard.press('0');
      await page.mouse.move(x + 1, y);
      await page.mouse.move(x, y);
      expect(await at()).to.equal(before);
    });

    it('moves its crosshair with Shift and the arrows, and pins with Enter', async () => {
      await open({ run: 'code' });
      await page.locator('.matrix-plot').focus();
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Shift+ArrowDown');
      expect(await page.locator('.readout.crosshair').textContent()).to.match(
        /^from "·fib" \(2\) to "<\|endoftext\|>" \(0\): /,
      );
      await page.keyboard.press('Enter');
      expect((await view()).pinned).to.deep.equal([{ stream: 0, position: 2 }]);
    });
  });

  describe('the list', () => {
    it('links to the editor, and says what the rest and the sinks hold', async () => {
      await open({ run: 'code' });
      await token(35).click();
      const rows = page.locator('.sources > li');
      expect(await rows.count()).to.equal(12);
      expect(await rows.first().textContent()).to.match(/"<\|endoftext\|>" \(0\)sinkhowblock0\.7\d\d/);
      expect(await page.locator('.rest').textContent()).to.match(
        /^24 others hold 0\.0\d+\. 0\.7\d\d is on sink tokens\.$/,
      );
      const place = '.link:not(.how-link)';
      await rows.nth(2).locator(place).click();
      expect(await lastIntent('reveal')).to.deep.equal({ stream: 0, position: 34 });
      // Beyond the text there is no place to go to.
      expect(await rows.first().locator(place).count()).to.equal(0);
    });

    it('has its sentence above it whole in a narrow panel, of several tokens too', async () => {
      const isWhole = async (): Promise<void> => {
        const { text, room } = await readout().evaluate((element) => ({
          text: element.scrollHeight,
          room: element.clientHeight,
        }));
        expect(text, (await readout().textContent()) ?? '').to.be.at.most(room);
      };
      await open({ run: 'code', width: 320, height: 640 });
      await token(58).click();
      await isWhole();
      await token(20).hover();
      await isWhole();
      await page.setViewportSize({ width: 480, height: 600 });
      for (const position of [20, 35, 47]) await token(position).click({ modifiers: ['Shift'] });
      expect(await readout().textContent()).to.contain('mean of 4 tokens');
      await isWhole();
    });

    it('leaves out what is below the threshold, and says so', async () => {
      await open({ run: 'code' });
      await token(35).click();
      await page.getByRole('slider', { name: 'Threshold' }).press('End');
      expect((await view()).threshold).to.equal(0.5);
      expect(await page.locator('.sources > li').count()).to.equal(1);
      await page.getByRole('gridcell', { name: 'Head 0.3' }).click();
      await page.locator('.list-pane .hint').waitFor();
      expect(await page.locator('.list-pane .hint').textContent()).to.equal('Nothing reaches the threshold of 0.5.');
    });
  });

  describe('a model with two texts', () => {
    it('has a tab for each attention, the target above the source, and one direction between them', async () => {
      await open({ run: 'encoderDecoder' });
      expect(await page.getByRole('tab').allTextContents()).to.deep.equal(['Encoder', 'Decoder', 'Cross-attention']);
      expect(await page.locator('.stream-section h2').allTextContents()).to.deep.equal([
        'Target, written by the model',
        'Source',
      ]);
      const [target, source] = [page.locator('.stream').nth(0), page.locator('.stream').nth(1)];
      await target.locator('[data-token="2"]').hover();
      expect(await readout().textContent()).to.contain('has no part in this attention');
      await page.getByRole('tab', { name: 'Encoder' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect((await view()).selection.component).to.equal('cross');
      await page.getByRole('gridcell', { name: 'Head 0.1' }).click();
      await target.locator('[data-token="6"]').click();
      // A row belongs to what the decoder has read, and says what it is about to write.
      expect(await readout().textContent()).to.match(/"·der" \(6\) predicting "·Matte" reads "·\w+" \(\d\)/);
      expect(await page.locator('.list-pane h2').textContent()).to.equal('"·der" (6) predicting "·Matte" reads');
      expect(await source.locator('[class*=" d"]').count()).to.be.greaterThan(0);
      expect(await target.locator('[class*=" d"]').count()).to.equal(0);
      await page.keyboard.press('Escape');
      await source.locator('[data-token="4"]').hover();
      expect(await readout().textContent()).to.match(/"·the" \(4\) is read by "/);
      expect(await page.locator('.list-pane li').first().textContent()).to.match(/^"·\w+" \(\d+\) predicting "/);
    });

    it('is walked with the keyboard from one text into the other, and the matrix has the target in its rows', async () => {
      await open({ run: 'encoderDecoder' });
      await page.getByRole('tab', { name: 'Cross-attention' }).click();
      await page.getByRole('gridcell', { name: 'Head 0.1' }).click();
      await page.locator('.source-scroll').focus();
      await page.keyboard.press('Control+End');
      expect(await readout().textContent()).to.match(/"\." \(13\) predicting "<\/s>" reads/);
      await page.keyboard.press('ArrowRight');
      expect(await readout().textContent()).to.match(/"The" \(0\) is read by/);
      await page.keyboard.press('ArrowLeft');
      expect(await readout().textContent()).to.match(/"\." \(13\) predicting/);
      await page.locator('.matrix-plot').focus();
      await page.keyboard.press('Shift+ArrowDown');
      expect(await page.locator('.crosshair').textContent()).to.match(
        /^from "(<s>|Die)" \([01]\) predicting "(Die|·Katze)" to "\S+" \(\d\)/,
      );
    });

    it('says whose the target is, and lets it be changed', async () => {
      await open({ run: 'encoderDecoder' });
      expect(await page.getByRole('button', { name: 'Use the model’s own' }).count()).to.equal(0);
      await page.getByRole('button', { name: 'Target text…' }).click();
      expect(await lastIntent('act')).to.deep.equal({ action: 'explainWithTarget' });
    });

    it('lights what a token of the target reads', async () => {
      await open({ run: 'encoderDecoder' });
      await page.getByRole('tab', { name: 'Cross-attention' }).click();
      await page.getByRole('gridcell', { name: 'Head 0.1' }).click();
      await page.locator('.stream').nth(0).locator('[data-token="6"]').click();
      expect(await page.locator('.stream').nth(1).locator('[class*=" d"]').count()).to.be.greaterThan(0);
      for (const theme of allThemes) {
        await showTheme(page, theme);
        await screenshot(page, `visual/cross-attention-${theme}`);
      }
    });
  });

  describe('its states', () => {
    it('say what to do, and do it', async () => {
      const press = async (options: PageOptions, button: string): Promise<unknown> => {
        await open(options);
        await page.getByRole('button', { name: button, exact: true }).first().click();
        const action = await lastIntent('act');
        await page.close();
        return action;
      };
      expect(await press({ state: 'empty' }, 'Explain Attention')).to.deep.equal({ action: 'explain' });
      expect(await press({ state: 'empty' }, 'Try a Sample')).to.deep.equal({ action: 'explainSample' });
      expect(await press({ state: 'busy' }, 'Cancel')).to.deep.equal({ action: 'cancel' });
      expect(await press({ state: 'failed' }, 'Select Model')).to.deep.equal({ action: 'selectModel' });
      expect(await press({ state: 'engineStopped', run: 'code' }, 'Restart Engine')).to.deep.equal({
        action: 'restartEngine',
      });
      expect(await press({ state: 'stale', run: 'code' }, 'Run again')).to.deep.equal({ action: 'rerun' });
      await open({ state: 'failed', run: 'code' });
      // The details are folded, and what was shown before is still there.
      expect(await page.locator('details pre').isVisible()).to.equal(false);
      expect(await page.locator('.source-scroll').isVisible()).to.equal(true);
    }).timeout(120_000);

    it('show how far a run is', async () => {
      await open({ state: 'busy' });
      expect(await page.locator('.status.busy p').textContent()).to.equal('Loading the model – 42 %');
      expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).to.equal('42');
      await page.evaluate(() => host.status({ kind: 'busy', stage: 'run' }));
      await page.getByText('Running the model…').waitFor();
      // Once the run is a long one.
      await page.locator('vscode-progress-bar[indeterminate]').waitFor();
    });

    it('never leave the panel blank', async () => {
      await open({ state: 'silent' });
      expect(await page.locator('main').textContent()).to.contain('Waiting for the editor…');
    });

    it('have a word, off the edges, before the script has drawn anything', async () => {
      await open({ state: 'silent' });
      const style = await readFile(join(root, 'out/visual/webview.css'), 'utf8');
      const assets = { script: '', style, elements: '', views: '', codicons: '', cspSource: "'self'" };
      await page.setContent(panelHtml(assets, 'test', 'en', 'Loading the panel …'));
      const text = await page.getByText('Loading the panel …').evaluate((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getBoundingClientRect().toJSON() as { x: number; y: number };
      });
      expect(Math.min(text.x, text.y)).to.be.at.least(8);
    });
  });

  describe('with its host', () => {
    it('takes a view from it, but not one that is older than its own change', async () => {
      await open({ run: 'code' });
      await page.evaluate(() => host.fire('view', { view: { ...host.view, scale: 'log' }, sequence: 2e6 }));
      await page.locator('.legend-title').filter({ hasText: 'Logarithmic' }).waitFor();
      await page.getByRole('button', { name: 'Read by' }).click();
      const { sequence } = (await lastIntent('changeView')) as { sequence: number };
      await page.evaluate(
        (older) => host.fire('view', { view: { ...host.view, direction: 'reads' }, sequence: older }),
        sequence - 1,
      );
      await page.waitForTimeout(50);
      expect(await page.getByRole('button', { name: 'Read by' }).getAttribute('aria-pressed')).to.equal('true');
    });

    it('lights up what is hovered in the editor, and scrolls it into view', async () => {
      await open({ run: 'large' });
      await page.evaluate(() => host.fire('hover', { stream: 0, position: 500 }));
      await page.waitForFunction(
        () => document.querySelector('[data-token="500"]')?.classList.contains('looking') === true,
      );
      expect(await token(500).evaluate((element) => element.getBoundingClientRect().top < window.innerHeight)).to.equal(
        true,
      );
      await page.evaluate(() => host.fire('hover', null));
      await page.waitForFunction(() => document.querySelector('.looking') === null);
    });

    it('keeps what the host asks to keep beside its own layout', async () => {
      await open({ run: 'code' });
      const persist = { version: 2 as const, key: 'abc' };
      await page.evaluate((value) => host.fire('persist', value), persist);
      await page.getByRole('separator', { name: 'Width of the heads' }).focus();
      await page.keyboard.press('ArrowRight');
      const { persist: kept, layout } = (await page.evaluate(() => host.kept)) as {
        persist: unknown;
        layout: { shares: Record<string, number> };
      };
      expect(kept).to.deep.equal(persist);
      expect(Object.keys(layout.shares)).to.deep.equal(['wideHeads']);
      expect(layout.shares['wideHeads']).to.be.closeTo(0.38, 1e-2);
    });

    it('shows another run from its beginning, and only moves the lines of the same one', async () => {
      await open({ run: 'code' });
      await token(35).click();
      await page.evaluate(() => host.fire('run', { ...host.run, startLine: 99 }));
      await page.locator('.line[data-number="100"]').waitFor();
      expect(await marksOf(35)).to.include('pinned');
      expect(await page.evaluate(() => host.patterns.length)).to.equal(1);
      await page.evaluate(() => host.showRun('odd', 2));
      await page.waitForFunction(() => host.intents.filter(({ name }) => name === 'painted').length === 2);
      expect(await page.locator('.toolbar .model').textContent()).to.contain('14 tokens');
      expect(await page.locator('.pinned').count()).to.equal(0);
    });

    it('follows a theme that changes', async () => {
      await open({ run: 'odd', theme: 'dark' });
      const before = await pixel(100, 100);
      await page.evaluate(() => {
        document.documentElement.style.setProperty('--vscode-editor-background', '#ffffff');
        document.documentElement.style.setProperty('--vscode-editor-foreground', '#000000');
        document.body.className = 'vscode-light';
      });
      await page.waitForTimeout(100);
      expect(await pixel(100, 100)).not.to.deep.equal(before);
    });

    it('draws in the colour map of the settings', async () => {
      await open({ run: 'code', map: 'viridis' });
      await token(35).hover();
      await screenshot(page, 'visual/viridis');
      const ramp = rampFor('viridis', editorColours.dark.background, editorColours.dark.foreground, 'reads');
      const { r, g, b } = ramp.colour(1);
      expect(
        await page.locator('.legend-ramp').evaluate((element) => getComputedStyle(element).backgroundImage),
      ).to.contain(`rgb(${r}, ${g}, ${b})`);
    });
  });
});
