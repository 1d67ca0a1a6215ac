// One pair, one token, or one metric in all heads: the tiles of the grid, their legend, and the ranking.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { headMetrics } from '../../src/model/headMetrics';
import { screenshot } from '../harness/browser';
import { violationsOf } from './accessibility';
import { generatePattern, generateRun } from './generatedRun';
import { themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const view = () => page.evaluate(() => host.view);
const options = () => page.getByRole('option').filter({ has: page.locator('.rank-head') });
const legend = () => page.locator('.legend');
const legendSays = (text: string): Promise<void> => page.locator('.legend', { hasText: text }).waitFor();
const choose = async (label: string): Promise<void> => {
  const select = page.locator('.heads-bar vscode-single-select');
  await select.click();
  await select.getByText(label, { exact: true }).click();
};

/** The heads of the run in order of a number, strongest first, as the list has them. */
function ranked(of: (layer: number, head: number) => number): string[] {
  const [{ layers }] = generateRun('code').info.components;
  return layers
    .flatMap(({ numHeads }, layer) => Array.from({ length: numHeads }, (_, head) => ({ name: `${layer}.${head}`, value: Math.fround(of(layer, head)) })))
    .sort((a, b) => b.value - a.value)
    .map(({ name }) => name);
}

const weightOf = (layer: number, head: number, query: number, key: number): number => {
  const run = generateRun('code');
  const { weights, numKeys } = generatePattern(run, run.info.components[0], layer, head);
  return weights[query * numKeys + key];
};

describe('one pair, one token, one metric in all heads', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('ranks the heads by the pinned and the hovered token with one key, and an option selects its head', async () => {
    await open({ run: 'code' });
    await token(35).click();
    await token(34).hover();
    await page.keyboard.press('h');
    await options().first().waitFor();
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 8)).to.deep.equal(ranked((layer, head) => weightOf(layer, head, 35, 34)).slice(0, 8));
    const list = page.getByRole('listbox', { name: /\(35\) reads .*\(34\)/ });
    expect(await list.evaluate((element) => document.activeElement === element), 'whoever pressed the key is in the list').to.equal(true);
    expect(Number(await options().first().locator('.number').textContent())).to.be.closeTo(Math.max(...ranked(() => 0).map((name) => weightOf(Number(name.split('.')[0]), Number(name.split('.')[1]), 35, 34))), 5e-4);
    await legendSays('tiles: weight of this pair in each head, absolute, up to 1');
    // The pair stays while the pointer goes elsewhere.
    await token(20).hover();
    expect(await list.count()).to.equal(1);
    expect(await token(34).getAttribute('class')).to.include('cross-key');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await list.getAttribute('aria-activedescendant')).to.equal('ranked-2');
    await page.keyboard.press('Enter');
    const [layer, head] = ranked((l, h) => weightOf(l, h, 35, 34))[2].split('.').map(Number);
    expect((await view()).selection.heads).to.deep.equal([{ layer, head }]);
    expect(await options().nth(2).getAttribute('aria-selected')).to.equal('true');
    await page.keyboard.press('Escape');
    expect((await view()).pinned, 'the second token goes first').to.have.length(1);
    await page.mouse.move(2, 2);
    await page.keyboard.press('h');
    await page.locator('.sources').waitFor();
  });

  it('takes the second token from the keyboard, and from Ctrl and a click', async () => {
    await open({ run: 'code' });
    await page.locator('.source-scroll').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter', 'ArrowLeft', 'h']) await page.keyboard.press(key);
    await options().first().waitFor();
    expect(await page.getByRole('listbox').last().getAttribute('aria-label')).to.match(/\(2\) reads .*\(1\)/);
    await token(0).click({ modifiers: ['Control'] });
    await page.getByRole('listbox', { name: /\(2\) reads .*\(0\)/ }).waitFor();
    expect((await view()).pinned).to.deep.equal([{ stream: 0, position: 2 }]);
  });

  it('shows the row of the pinned token in every tile, and follows direction and pin', async () => {
    await open({ run: 'code' });
    await page.keyboard.press('t');
    expect(await page.locator('.heads-bar .hint').textContent()).to.include('Pin a token first');
    await token(35).click();
    await legendSays('what the pinned token reads in each head');
    expect(await page.evaluate(() => host.headRows)).to.deep.equal(['35']);
    await page.keyboard.press('r');
    await legendSays('what reads the pinned token in each head');
    await token(35).click();
    await legendSays('sink token');
    expect(await legend().textContent()).to.not.include('in each head');
  });

  it('loses no weight in a tile that has fewer pixels than the row has tokens', async () => {
    await open({ run: 'tokens128' });
    await token(100).click();
    await page.keyboard.press('t');
    await legendSays('strongest of');
    const run = generateRun('tokens128');
    // A head that reads the token before with nearly all of its weight: some pixel of its tile has nearly full depth.
    const { weights, numKeys } = generatePattern(run, run.info.components[0], 0, 1);
    expect(weights[100 * numKeys + 99]).to.be.greaterThan(0.9);
    const box = await page.locator('[data-layer="0"][data-head="1"]').evaluate((element: HTMLElement) => ({ left: element.offsetLeft, top: element.offsetTop, size: element.offsetWidth }));
    const strongest = await page.locator('.heads-grid canvas').evaluate((canvas, { left, top, size }) => {
      const ratio = (canvas as HTMLCanvasElement).width / (canvas as HTMLElement).offsetWidth;
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData((left + 2) * ratio, (top + size / 2) * ratio, (size - 4) * ratio, 1) ?? { data: [] };
      let most = 0;
      for (let i = 0; i < data.length; i += 4) most = Math.max(most, data[i + 2]); // the canvas that the selector names
      return most;
    }, box);
    expect(strongest, 'blue of the dark theme’s ramp').to.be.greaterThan(200);
  });

  it('finds the head that reads the token before, or that does induction, by colour, number and rank', async () => {
    await open({ run: 'code' });
    await choose('previous token');
    await legendSays('tiles: previous token (share), absolute, up to 1');
    await page.keyboard.press('h');
    const run = generateRun('code');
    const ids = run.info.streams[0].tokens.map(({ id }) => id);
    const metric = (name: 'previousToken' | 'repeatedInduction') => (layer: number, head: number) => headMetrics(generatePattern(run, run.info.components[0], layer, head), ids, true)[name];
    await page.getByRole('listbox', { name: 'Heads by previous token' }).waitFor();
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 5)).to.deep.equal(ranked(metric('previousToken')).slice(0, 5));
    await choose('induction (repeated tokens)');
    await page.getByRole('listbox', { name: 'Heads by induction (repeated tokens)' }).waitFor();
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 5)).to.deep.equal(ranked(metric('repeatedInduction')).slice(0, 5));
    await screenshot(page, 'visual/heads-metric');
  });

  it('tells of the metrics in a tile’s description, to the pointer and to a screen reader', async () => {
    await open({ run: 'code' });
    const tile = page.locator('[data-layer="1"][data-head="3"]');
    await tile.hover();
    await page.waitForFunction(() => document.querySelector('[data-layer="1"][data-head="3"]')?.getAttribute('title')?.includes('previous token:'));
    expect(await tile.getAttribute('aria-description')).to.match(/^induction \(repeated tokens\): [\d.<]+, /);
  });

  it('asks for nothing of all heads until someone wants it', async () => {
    await open({ run: 'code' });
    await token(35).click();
    await token(20).hover();
    expect(await page.evaluate(() => host.headRows)).to.deep.equal([]);
    expect(await page.evaluate(() => host.headPairs)).to.deep.equal([]);
  });

  it('works for a text of which parts are fetched, and says what it cannot show of recomputed layers', async () => {
    await open({});
    await page.evaluate(() => host.showRun('long', 1, { held: 'recomputed' }));
    await page.waitForFunction(() => host.intents.some(({ name }) => name === 'painted'));
    await token(20).click();
    await token(19).hover();
    await page.keyboard.press('h');
    await options().first().waitFor();
    expect(await options().count()).to.equal(4);
    await page.keyboard.press('h');
    await page.keyboard.press('r');
    for (let i = 0; i < 2; i++) await page.keyboard.press('t');
    expect(await page.locator('.heads-bar .hint').textContent()).to.include('Not for a text so long');
  });

  it('averages several pinned tokens over all, or over those that can see the other one', async () => {
    await open({ run: 'code' });
    await token(10).click();
    await token(35).click({ modifiers: ['Shift'] });
    const number = async (): Promise<number> => Number(await page.locator('.source-pane .readout .number').textContent());
    await token(34).hover();
    const own = weightOf(0, 0, 35, 34);
    expect(await number()).to.be.closeTo(own / 2, 5e-4);
    expect(await page.locator('.list-pane .rest').textContent()).to.include('Mean over all 2');
    await page.keyboard.press('m');
    expect(await number()).to.be.closeTo(own, 5e-4);
    expect(await page.locator('.list-pane .rest').textContent()).to.include('that can see');
    expect((await view()).pinnedMean).to.equal('seeing');
    await page.getByRole('button', { name: 'Mean over all 2' }).click();
    expect((await view()).pinnedMean).to.equal('all');
  });

  for (const theme of Object.keys(themes) as ThemeName[] /* the keys of the table */) {
    it(`is readable and accessible in every size: ${theme}`, async () => {
      for (const [width, height] of [[480, 600], [1280, 720]] as const) {
        await open({ theme, run: 'code', width, height });
        await token(35).click();
        await token(34).hover();
        await page.keyboard.press('h');
        await options().first().waitFor();
        await legendSays('in each head');
        await screenshot(page, `visual/heads-pair-${theme}-${width}`);
        expect(await violationsOf(page, pages.complaints), `${width}`).to.deep.equal([]);
        await page.keyboard.press('h');
        for (let i = 0; i < 2; i++) await page.keyboard.press('t');
        await legendSays('what the pinned token reads in each head');
        await screenshot(page, `visual/heads-row-${theme}-${width}`);
        if (width < 1280) await page.close();
      }
    });
  }
});
