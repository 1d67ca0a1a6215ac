// All heads with their metrics: as a table and as a scatter, on the text and on random tokens, and which head reads what.
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
const pane = () => page.locator('.head-table-pane');
const names = () => page.locator('.head-table tbody th').allTextContents();
const header = (name: string) => page.locator('.head-table thead button', { hasText: name });
const show = async (): Promise<void> => {
  await page.locator('.heads-bar vscode-toolbar-button[label="All heads with their metrics"]').click();
  await page.locator('.head-table tbody tr').first().waitFor();
};

describe('all heads with their metrics', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('cost nothing until they are opened; then they are a table that sorts, filters, previews and selects', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    expect(await page.evaluate(() => host.numMetrics)).to.equal(0);
    await show();
    expect(await page.evaluate(() => host.numMetrics)).to.equal(1);
    expect(await names()).to.have.length(48);
    await header('previous token').click();
    const run = generateRun('code');
    const text = textOf(run.info.streams[0].tokens.map(({ id }) => id));
    const [component] = run.info.components;
    const expected = component.layers
      .flatMap(({ numHeads }, layer) =>
        Array.from({ length: numHeads }, (_, head) => ({
          name: `${layer}.${head}`,
          value: Math.fround(headMetrics(generatePattern(run, component, layer, head), text).previousToken),
        })),
      )
      .sort((a, b) => b.value - a.value);
    expect((await names()).slice(0, 5)).to.deep.equal(expected.slice(0, 5).map(({ name }) => name));
    const [strongest] = expected;
    const column = (await page.locator('.head-table thead th').allTextContents()).indexOf('previous token');
    expect(await page.locator('.head-table tbody tr').first().locator('th, td').nth(column).textContent()).to.equal(
      strongest.value.toFixed(3),
    );
    expect(await page.locator('.head-table thead th').nth(column).getAttribute('aria-sort')).to.equal('descending');
    // What takes another run of the model comes after the others, and adds up to one in each layer.
    await header('share of norm').waitFor();
    const shareAt = (await page.locator('.head-table thead th').allTextContents()).indexOf('share of norm');
    const shares = await page.locator(`.head-table tbody tr > :nth-child(${shareAt + 1})`).allTextContents();
    expect(shares.reduce((sum, share) => sum + Number(share), 0)).to.be.closeTo(component.layers.length, 0.05);
    await screenshot(page, 'visual/head-table');
    // Hovering shows, a click selects, and what is hovered no longer shows.
    await page.locator('.head-table tbody tr').nth(2).hover();
    await page.locator('.matrix-pane', { hasText: `head ${expected[2].name}` }).waitFor();
    await page.locator('.head-table tbody tr').nth(1).click();
    const { heads } = (await page.evaluate(() => host.view)).selection;
    expect(heads.map(({ layer, head }) => `${layer}.${head}`)).to.deep.equal([expected[1].name]);
    // The keyboard does the same.
    await page.locator('.head-table').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect((await page.evaluate(() => host.view)).selection.heads[0]).to.deep.equal(
      ((name) => ({ layer: Number(name.split('.')[0]), head: Number(name.split('.')[1]) }))(expected[2].name),
    );
    const least = (strongest.value / 2).toFixed(3);
    await pane().getByRole('textbox').fill(`previous > ${least}`);
    const above = expected.filter(({ value }) => value > Number(least)).map(({ name }) => name);
    expect(above.length).to.be.within(1, 47);
    expect(await names()).to.deep.equal(above);
    await pane().getByRole('textbox').fill('beauty');
    expect(await pane().getByRole('textbox').getAttribute('aria-invalid')).to.equal('true');
    expect(await names(), 'what is no filter leaves all').to.have.length(48);
    await pane().getByRole('textbox').fill('5');
    // Kept over a reload, with the grid coloured by what it is sorted by.
    await pane().getByRole('button', { name: 'Colour the grid by this metric' }).click();
    await page.locator('.legend', { hasText: 'tiles: previous token' }).waitFor();
    const { layout } = (await page.evaluate(() => host.kept)) as {
      layout: { open: string[]; headTable: { sort: string; filter: string } };
    };
    expect(layout.open).to.deep.equal(['headTable']);
    expect(layout.headTable).to.include({ sort: 'previousToken', filter: '5', isAscending: false });
    await page.keyboard.press('Escape');
    await pane().getByRole('button', { name: 'Close the metrics of heads' }).click();
    expect(await pane().count()).to.equal(0);
  });

  it('are a scatter of any two metrics, for the pointer and the keyboard', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await show();
    await pane().getByRole('button', { name: 'Scatter' }).click();
    const points = page.locator('.point');
    await points.first().waitFor();
    expect(await points.count()).to.equal(48);
    await page.locator('.head-scatter svg').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const name = await page.locator('.point.active').getAttribute('aria-label');
    expect(name).to.match(/^Head \d\.\d: entropy 0\.\d{3}, previous token \d\.\d{3}$/);
    await page.keyboard.press('Enter');
    expect(await page.locator('.point[aria-selected=true]').getAttribute('aria-label')).to.equal(name);
    await screenshot(page, 'visual/head-scatter');
  });

  it('say which head reads some tokens from others, beside as far elsewhere', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await show();
    await token(35).click();
    await token(34).click({ modifiers: ['Control', 'Shift'] });
    await page.locator('.asked', { hasText: /From .*\(35\) to .*\(34\)/ }).waitFor();
    await header('from these to those').waitFor();
    expect(await page.evaluate(() => host.asked.filter((asked) => asked !== ''))).to.deep.equal(['35/34']);
    const run = generateRun('code');
    const [component] = run.info.components;
    const weight = (layer: number, head: number): number => {
      const { weights, numKeys } = generatePattern(run, component, layer, head);
      return weights[35 * numKeys + 34];
    };
    const [best] = component.layers
      .flatMap(({ numHeads }, layer) =>
        Array.from({ length: numHeads }, (_, head) => ({ name: `${layer}.${head}`, value: weight(layer, head) })),
      )
      .sort((a, b) => b.value - a.value);
    expect((await names())[0], 'the strongest comes first').to.equal(best.name);
    const cells = await page.locator('.head-table tbody tr').first().locator('td').allTextContents();
    expect(cells[0]).to.equal(best.value.toFixed(3));
    expect(Number(cells[2])).to.be.closeTo(Number(cells[0]) / Number(cells[1]), 0.2);
    await screenshot(page, 'visual/head-table-asked');
    await token(36).click({ modifiers: ['Control', 'Shift'] });
    expect((await page.evaluate(() => host.view)).marked).to.deep.equal([
      { stream: 0, position: 34 },
      { stream: 0, position: 36 },
    ]);
    await page.keyboard.press('Escape');
    expect((await page.evaluate(() => host.view)).marked, 'let go before the pin').to.deep.equal([]);
  });

  it('are measured on random tokens where someone wants that, and on the text again', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await show();
    const button = pane().getByRole('button', { name: 'Measure on a Repeated Random Text' });
    await button.click();
    await page.locator('.head-table-caption', { hasText: 'on 64 random tokens that come twice' }).waitFor();
    expect(await page.evaluate(() => host.numRandom)).to.equal(1);
    expect(await button.getAttribute('aria-pressed')).to.equal('true');
    await button.click();
    await page.locator('.head-table-caption', { hasText: 'on this text' }).waitFor();
    expect(await page.evaluate(() => host.numMetrics), 'what is here is not fetched again').to.equal(1);
  });

  it('open by a command, with the keyboard in them, and say «–» where too little stands behind a number', async () => {
    await open({ run: 'encoderDecoder', width: 1400, height: 900 });
    await page.evaluate(() => host.show());
    await page.locator('.head-table tbody tr').first().waitFor();
    await page.waitForFunction(() => document.activeElement?.classList.contains('head-filter') === true);
    expect(await page.locator('.head-table td.none').first().textContent()).to.equal('–');
  });

  it('are there for a picture, too, without random tokens and without what patches do not have', async () => {
    await open({ run: 'picture', width: 1400, height: 900 });
    await page.keyboard.press('b');
    await page.locator('.head-table tbody tr').first().waitFor();
    expect(await pane().getByRole('button', { name: 'Measure on a Repeated Random Text' }).count()).to.equal(0);
    expect(await page.locator('.head-table-caption').first().textContent()).to.include('on this picture');
    const columns = await page.locator('.head-table thead th').allTextContents();
    const cells = await page.locator('.head-table tbody tr').first().locator('th, td').allTextContents();
    expect(cells[columns.findIndex((title) => title.startsWith('induction (repeated'))]).to.equal('–');
    expect(cells[columns.indexOf('itself')]).to.match(/^[01]\.\d{3}$/);
    await screenshot(page, 'visual/head-table-picture');
  });

  for (const [width, height] of [
    [480, 640],
    [1280, 720],
  ]) {
    it(`are readable and accessible in every theme in ${width} × ${height}`, async () => {
      await open({ run: 'code', width, height });
      await page.keyboard.press('b');
      await page.locator('.head-table tbody tr').first().waitFor();
      await token(35).click();
      await token(34).click({ modifiers: ['Control', 'Shift'] });
      await header('ratio').waitFor();
      for (const theme of Object.keys(themes) as ThemeName[] /* the keys of the table */) {
        await showTheme(page, theme);
        expect(
          await violationsOf(page, pages.complaints, theme === 'dark' ? undefined : rulesOfColours),
          theme,
        ).to.deep.equal([]);
        await screenshot(page, `visual/head-table-${width}-${theme}`);
      }
      await pane().getByRole('button', { name: 'Scatter' }).click();
      await page.locator('.point').first().waitFor();
      expect(await violationsOf(page, pages.complaints), 'scatter').to.deep.equal([]);
      // What closes it is in the bar's first line, and no title of an axis is cut.
      const [bar, close] = await Promise.all(
        ['.head-table-bar', '.head-table-bar .actions'].map((part) => pane().locator(part).boundingBox()),
      );
      expect((close?.y ?? 0) - (bar?.y ?? 0)).to.be.at.most(6);
      const cut = await page.locator('.head-scatter .axes text').evaluateAll((texts) =>
        texts.flatMap((text) => {
          const [own, around] = [text, text.closest('svg')].map((each) => each?.getBoundingClientRect());
          const isIn =
            own !== undefined &&
            around !== undefined &&
            own.left >= around.left &&
            own.top >= around.top &&
            own.right <= around.right &&
            own.bottom <= around.bottom;
          return isIn ? [] : [text.textContent];
        }),
      );
      expect(cut).to.deep.equal([]);
      await screenshot(page, `visual/head-scatter-${width}`);
    });
  }
});
