// One pair, one token, or one metric in all heads: the tiles of the grid, their legend, and the ranking.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { headMetrics } from '../../src/model/metrics/headTable';
import { screenshot } from '../harness/browser';
import { textOf } from '../harness/metricText';
import { rulesOfColours, violationsOf } from './accessibility';
import { generatePattern, generateRun } from './generatedRun';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
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
    .flatMap(({ numHeads }, layer) =>
      Array.from({ length: numHeads }, (_, head) => ({
        name: `${layer}.${head}`,
        value: Math.fround(of(layer, head)),
      })),
    )
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
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 8)).to.deep.equal(
      ranked((layer, head) => weightOf(layer, head, 35, 34)).slice(0, 8),
    );
    const list = page.getByRole('listbox', { name: /\(35\) reads .*\(34\)/ });
    expect(
      await list.evaluate((element) => document.activeElement === element),
      'whoever pressed the key is in the list',
    ).to.equal(true);
    expect(Number(await options().first().locator('.number').textContent())).to.be.closeTo(
      Math.max(
        ...ranked(() => 0).map((name) => weightOf(Number(name.split('.')[0]), Number(name.split('.')[1]), 35, 34)),
      ),
      5e-4,
    );
    await legendSays('tiles: this pair in each head, absolute, up to 1');
    // The pair stays while the pointer goes elsewhere.
    await token(20).hover();
    expect(await list.count()).to.equal(1);
    expect(await token(34).getAttribute('class')).to.include('cross-key');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await list.getAttribute('aria-activedescendant')).to.equal('ranked-2');
    await page.keyboard.press('Enter');
    const [layer, head] = ranked((l, h) => weightOf(l, h, 35, 34))[2]
      .split('.')
      .map(Number);
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
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter', 'ArrowLeft', 'h'])
      await page.keyboard.press(key);
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
    const box = await page.locator('[data-layer="0"][data-head="1"]').evaluate((element: HTMLElement) => ({
      left: element.offsetLeft,
      top: element.offsetTop,
      size: element.offsetWidth,
    }));
    const strongest = await page.locator('.heads-grid canvas').evaluate((canvas, { left, top, size }) => {
      const ratio = (canvas as HTMLCanvasElement).width / (canvas as HTMLElement).offsetWidth;
      const { data } = (canvas as HTMLCanvasElement)
        .getContext('2d')
        ?.getImageData((left + 2) * ratio, (top + size / 2) * ratio, (size - 4) * ratio, 1) ?? { data: [] };
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
    const metric = (name: 'previousToken' | 'repeatedInduction') => (layer: number, head: number) =>
      headMetrics(generatePattern(run, run.info.components[0], layer, head), textOf(ids))[name];
    await page.getByRole('listbox', { name: 'Heads by previous token' }).waitFor();
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 5)).to.deep.equal(
      ranked(metric('previousToken')).slice(0, 5),
    );
    await choose('induction (repeated tokens)');
    await page.getByRole('listbox', { name: 'Heads by induction (repeated tokens)' }).waitFor();
    expect((await options().locator('.rank-head').allTextContents()).slice(0, 5)).to.deep.equal(
      ranked(metric('repeatedInduction')).slice(0, 5),
    );
    await screenshot(page, 'visual/heads-metric');
  });

  it('orders the heads of each layer by a metric, then all heads, for the pointer, the keyboard and a screen reader, and remembers it', async () => {
    await open({ run: 'code' });
    const names = (layer: number): Promise<(string | null)[]> =>
      page
        .locator('[role=row]')
        .nth(layer + 1)
        .getByRole('gridcell')
        .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('aria-label')));
    const lefts = (layer: number): Promise<number[]> =>
      page
        .locator('[role=row]')
        .nth(layer + 1)
        .getByRole('gridcell')
        .evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).offsetLeft));
    const run = generateRun('code');
    const ids = run.info.streams[0].tokens.map(({ id }) => id);
    const byMetric = ranked(
      (layer, head) =>
        headMetrics(generatePattern(run, run.info.components[0], layer, head), textOf(ids)).previousToken,
    );
    const inLayer = (layer: number): string[] =>
      byMetric.filter((name) => name.startsWith(`${layer}.`)).map((name) => `Head ${name}`);
    const places = await lefts(1);
    await page.getByRole('gridcell', { name: 'Head 1.0' }).focus();
    await page.keyboard.press('o');
    await choose('previous token');
    await legendSays('the strongest of each layer first');
    for (const layer of [0, 1, 5])
      expect((await names(layer)).map((name) => name?.split(',')[0])).to.deep.equal(inLayer(layer));
    expect(await lefts(1), 'the places are the same').to.deep.equal(places);
    await screenshot(page, 'visual/heads-ordered');
    // The arrows walk what is seen, and the description says where a head stands.
    const nameOfFocus = (): Promise<string | null | undefined> =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.getByRole('gridcell', { name: inLayer(1)[0] }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await nameOfFocus()).to.equal(inLayer(1)[1]);
    await page.keyboard.press('ArrowDown');
    expect(await nameOfFocus()).to.equal(inLayer(2)[1]);
    await page.waitForFunction(() =>
      document.activeElement?.ariaDescription?.startsWith('place 2 of 8 in its layer, '),
    );
    await page.keyboard.press('Enter');
    await page.keyboard.press('Alt+ArrowRight');
    expect((await view()).selection.heads.map(({ layer, head }) => `Head ${layer}.${head}`)).to.deep.equal([
      inLayer(2)[2],
    ]);
    await page.getByRole('columnheader', { name: 'Place 1 of every layer' }).click();
    expect((await view()).selection.heads.map(({ layer, head }) => `Head ${layer}.${head}`)).to.deep.equal(
      [0, 1, 2, 3, 4, 5].map((layer) => inLayer(layer)[0]),
    );
    const kept = async (): Promise<string> =>
      ((await page.evaluate(() => host.kept)) as { layout: { ordering: string } }).layout.ordering;
    expect(await kept()).to.equal('layer');
    // Of all heads in one order, whatever their layer: rows are packed, and each says which places it has.
    await page.getByRole('gridcell', { name: inLayer(1)[0] }).focus();
    await page.getByRole('button', { name: 'Order all heads' }).click();
    await legendSays('the strongest of all first');
    const inRow = (row: number): string[] => byMetric.slice(8 * row, 8 * row + 8).map((name) => `Head ${name}`);
    for (const row of [0, 3, 5])
      expect((await names(row)).map((name) => name?.split(',')[0])).to.deep.equal(inRow(row));
    expect(await lefts(1), 'the places are the same').to.deep.equal(places);
    expect(await kept()).to.equal('all');
    await screenshot(page, 'visual/heads-ordered-all');
    await page.getByRole('gridcell', { name: inRow(0)[7] }).focus();
    await page.keyboard.press('ArrowDown');
    expect(await nameOfFocus()).to.equal(inRow(1)[7]);
    await page.waitForFunction(() =>
      document.activeElement?.ariaDescription?.startsWith('place 16 of 48 of all heads, '),
    );
    await page.keyboard.press('Enter');
    await page.keyboard.press('Alt+ArrowRight');
    const chosen = async (): Promise<string[]> =>
      (await view()).selection.heads.map(({ layer, head }) => `Head ${layer}.${head}`);
    expect(await chosen()).to.deep.equal([inRow(2)[0]]);
    await page.getByRole('rowheader', { name: 'Heads in places 9 to 16' }).click();
    expect(await chosen()).to.have.members(inRow(1));
    await page.getByRole('columnheader', { name: 'Column 1', exact: true }).click();
    expect(await chosen()).to.have.members([0, 1, 2, 3, 4, 5].map((row) => inRow(row)[0]));
    // What has the focus keeps it, in whichever row it comes to stand.
    await page.getByRole('gridcell', { name: inRow(4)[3] }).focus();
    await page.keyboard.press('o');
    await page.waitForFunction(() =>
      document
        .querySelectorAll('[role=row]')[4]
        .querySelector('[role=gridcell]')
        ?.getAttribute('aria-label')
        ?.startsWith('Head 3.0'),
    );
    expect(await page.getByRole('columnheader', { name: 'Head 0 of every layer' }).count()).to.equal(1);
    expect(await nameOfFocus()).to.equal(inRow(4)[3]);
    expect(await kept()).to.equal('model');
  });

  it('changes the order under no pointer: what live mode brings waits until it leaves', async () => {
    const orderOf = (kind: 'tokens64' | 'tokens128', layer: number): number[] => {
      const run = generateRun(kind);
      const ids = run.info.streams[0].tokens.map(({ id }) => id);
      const values = Array.from({ length: 12 }, (_, head) =>
        Math.fround(headMetrics(generatePattern(run, run.info.components[0], layer, head), textOf(ids)).distance),
      );
      return values.map((_, head) => head).sort((a, b) => values[b] - values[a]);
    };
    const layer = Array.from({ length: 12 }, (_, i) => i).find(
      (i) => String(orderOf('tokens64', i)) !== String(orderOf('tokens128', i)),
    );
    if (layer === undefined) throw new Error('both texts have the same order');
    const shown = (): Promise<number[]> =>
      page
        .locator('[role=row]')
        .nth(layer + 1)
        .getByRole('gridcell')
        .evaluateAll((cells) => cells.map((cell) => Number((cell as HTMLElement).dataset['head'])));
    await open({ run: 'tokens64' });
    await choose('distance');
    await page.keyboard.press('o');
    await legendSays('the strongest of each layer first');
    await page.mouse.move(2, 2);
    expect(await shown()).to.deep.equal(orderOf('tokens64', layer));
    await page.locator('.heads-grid').hover();
    const metrics = (): Promise<number> => page.evaluate(() => host.numMetrics);
    const before = await metrics();
    await page.evaluate(() => host.followRun('tokens128', 2, 5));
    await page.waitForFunction((asked) => host.numMetrics > asked, before);
    await legendSays('the strongest of each layer first');
    expect(await shown()).to.deep.equal(orderOf('tokens64', layer));
    await page.mouse.move(2, 2);
    await page.waitForFunction(
      ([row, heads]) =>
        [...document.querySelectorAll('[role=row]')[row].querySelectorAll<HTMLElement>('[role=gridcell]')]
          .map(({ dataset }) => dataset['head'])
          .join() === heads,
      [layer + 1, orderOf('tokens128', layer).join()] as const,
    );
  });

  it('tells of the metrics in a tile’s description, to the pointer and to a screen reader', async () => {
    await open({ run: 'code' });
    const tile = page.locator('[data-layer="1"][data-head="3"]');
    await tile.hover();
    await page.waitForFunction(() =>
      document.querySelector('[data-layer="1"][data-head="3"]')?.getAttribute('title')?.includes('previous token:'),
    );
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
    const number = async (): Promise<number> =>
      Number(await page.locator('.source-pane .readout .number').textContent());
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

  for (const [width, height] of [
    [480, 600],
    [1280, 720],
  ] as const) {
    it(`is readable and accessible in every theme in ${width} × ${height}`, async () => {
      await open({ run: 'code', width, height });
      await token(35).click();
      await token(34).hover();
      await page.keyboard.press('h');
      await options().first().waitFor();
      await legendSays('in each head');
      const inThemes = async (name: string, look: (theme: ThemeName) => Promise<void>): Promise<void> => {
        for (const theme of Object.keys(themes) as ThemeName[] /* the keys of the table */) {
          await showTheme(page, theme);
          await screenshot(page, `visual/heads-${name}-${theme}-${width}`);
          await look(theme);
        }
      };
      await inThemes('pair', async (theme) => {
        expect(
          await violationsOf(page, pages.complaints, theme === 'dark' ? undefined : rulesOfColours),
          theme,
        ).to.deep.equal([]);
      });
      await page.keyboard.press('h');
      for (let i = 0; i < 2; i++) await page.keyboard.press('t');
      await legendSays('what the pinned token reads in each head');
      await inThemes('row', () => Promise.resolve());
    });
  }
});
