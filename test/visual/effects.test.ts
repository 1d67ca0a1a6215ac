// What heads do to a prediction, as the panel shows it.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { violationsInThemes, violationsOf } from './accessibility';
import { canvasPixel } from './canvasPixel';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const pane = (text?: string | RegExp) =>
  page.locator('.effects-pane', ...(text === undefined ? [] : [{ hasText: text }]));
const button = (name: string | RegExp) => page.locator('.effects-pane').getByRole('button', { name });
const rows = () => page.locator('.effect-table tbody tr th').allTextContents();
const asked = (): Promise<{ effects: number; scans: number; predicted: number }> =>
  page.evaluate(() => ({
    effects: host.effects.length,
    scans: host.scans.length,
    predicted: host.predicted.length,
  }));

describe('effects', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('of every head colour the grid around zero, the strongest first; nothing is asked before the view is open, and no head before someone wants it', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    expect(await asked()).to.deep.equal({ effects: 0, scans: 0, predicted: 0 });
    await page.keyboard.press('e');
    await pane(/ln p of “·w\d+”, at token 40/).waitFor();
    expect(await asked()).to.deep.equal({ effects: 1, scans: 0, predicted: 1 });
    await page.evaluate(() => {
      host.nextLayer = new Promise((resolve) => Object.assign(globalThis, { goOn: resolve }));
    });
    await button(/Silence Each of the \d+ Heads in Turn/).click();
    // The first layer has come, and is drawn.
    await page.locator('.effect-table tbody tr').first().waitFor();
    expect((await rows())[0]).to.equal('0.1');
    expect(new Set((await rows()).map((name) => name.split('.')[0]))).to.deep.equal(new Set(['0']));
    await page.locator('.effects-pane [role=status]', { hasText: /^\d+ of \d+ heads$/ }).waitFor();
    await screenshot(page, 'visual/effects-growing');
    await page.evaluate(() => (globalThis as unknown as { goOn: () => void }).goOn());
    await button('Measure Again').waitFor();
    const numHeads = await page.evaluate(() =>
      host.run.info.components[0].layers.reduce((sum, layer) => sum + layer.numHeads, 0),
    );
    const numbers = (await page.locator('.effect-table tbody td:nth-of-type(2)').allTextContents()).map((text) =>
      Number(text.replace('−', '-').replace(/[<>]/, '')),
    );
    expect(numbers).to.have.length(numHeads);
    expect(numbers[0]).to.equal(-0.9);
    const sizes = numbers.map(Math.abs);
    expect(sizes).to.deep.equal([...sizes].sort((a, b) => b - a));
    await page.locator('.effect-legend', { hasText: 'effect on ln p · total, zeros' }).waitFor();
    expect(await page.locator('.effect-legend .legend-number').allTextContents()).to.deep.equal(['−0.900', '+0.900']);
    await pane('Other heads may take over when one is off').waitFor();
    // Both sides of zero have a colour of their own.
    const inTile = async (layer: number, head: number): Promise<string> => {
      const box = await page.locator(`[data-layer="${layer}"][data-head="${head}"]`).boundingBox();
      const grid = await page.locator('.heads-grid').boundingBox();
      if (box === null || grid === null) throw new Error('no grid');
      const { r, g, b } = await canvasPixel(page.locator('.heads-grid canvas'), {
        x: box.x - grid.x + 5,
        y: box.y - grid.y + 5,
      });
      return g > r && g > b ? 'green' : r > g && b > g ? 'purple' : `${r} ${g} ${b}`;
    };
    expect(await inTile(0, 1)).to.equal('purple');
    const positive = (await rows())[numbers.findIndex((value) => value > 0.2)].split('.').map(Number);
    expect(await inTile(positive[0], positive[1])).to.equal('green');
    // Another experiment is a column beside it.
    await button('its mean').first().click();
    await button(/Silence Each/).click();
    await button('Measure Again').waitFor();
    expect(await page.locator('.effect-table thead th').allTextContents()).to.include.members([
      'total, zeros (nats)',
      'total, its mean (nats)',
    ]);
    // The ranking beside the matrix has the same numbers, with their signs.
    await page.keyboard.press('h');
    const first = page.locator('.ranking li').first();
    expect(await first.locator('.rank-head').textContent()).to.equal('0.1');
    expect(await first.locator('.number').textContent()).to.equal('−0.450');
    await page.keyboard.press('h');
    // The keyboard goes through the heads and selects one.
    await page.locator('.effect-table').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator(`.effect-table tbody tr.active[aria-selected=true]`).waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/effects-${theme}`)),
    ).to.deep.equal([]);
  });

  it('of swapped heads are shares of the difference to the other text that the run is compared with', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    await page.keyboard.press('e');
    await button('swapped').click();
    await pane('There is no other text yet').waitFor();
    expect(await button(/Swap Each/).isDisabled()).to.equal(true);
    await button('Replace a Span…').click();
    await page.locator('.compare-pane textarea').waitFor();
    await page.evaluate(() => host.compareWithAnother());
    await page.locator('.compare-pane').getByRole('button', { name: 'Swap Heads' }).click();
    await button(/Swap Each of the \d+ Heads in Turn/).click();
    await button('Measure Again').waitFor();
    expect(await page.evaluate(() => host.scans.at(-1)?.by)).to.equal('swap');
    // −0.9 nats, where both texts are ln 4 apart.
    expect((await rows())[0]).to.equal('0.1');
    expect(await page.locator('.effect-table tbody td:nth-of-type(2)').first().textContent()).to.equal('+0.649');
    await page.locator('.effect-legend', { hasText: 'effect on ln p · total, swapped' }).waitFor();
    await page.locator('.effect-legend .legend-note', { hasText: 'share' }).waitFor();
    await pane('Share of the difference between both predictions').waitFor();
    await button('Swap head 0.1').click();
    await page.locator('.effect-share', { hasText: '+0.500' }).waitFor();
    expect(await page.evaluate(() => host.effects.at(-1)?.interventions)).to.deep.equal([
      { kind: 'swap', component: 'self', heads: [{ layer: 0, head: 1 }] },
    ]);
    await page.locator('.notice.intervened', { hasText: 'head 0.1: swapped with what it reads in B' }).waitFor();
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    await screenshot(page, 'visual/effects-swapped');
    // Nothing can be swapped with what is no longer there.
    await page.evaluate(() => host.fire('comparison', null));
    await pane('It is off: the run is compared with no other text now').waitFor();
    await page.locator('.notice.intervened').waitFor({ state: 'detached' });
  });

  it('end when they are cancelled or closed, and keep what has come', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await page.evaluate(() => {
      host.nextLayer = new Promise(() => {});
    });
    await page.keyboard.press('e');
    await button(/Silence Each/).click();
    await page.locator('.effect-table tbody tr').first().waitFor();
    await button('Cancel').click();
    await pane(/Only \d+ of \d+ heads: it was cancelled/).waitFor();
    await button('Measure Again').click();
    await button('Cancel').waitFor();
    await page.locator('.source-scroll').focus();
    await page.keyboard.press('e');
    await pane().waitFor({ state: 'detached' });
    await page.keyboard.press('e');
    await pane(/Only \d+ of \d+ heads: it was cancelled/).waitFor();
    expect((await asked()).scans).to.equal(2);
  });

  it('of interventions stand before and after, stack, are named, and are switched on and off; the panel says so', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    await token(12).hover();
    await page.keyboard.press('k');
    await pane('does not read').waitFor();
    await page.locator('.notice.intervened', { hasText: 'Intervened run' }).waitFor();
    await page.locator('.effect-value', { hasText: '−0.693 nats' }).waitFor();
    expect((await page.locator('.prediction-shares tr.asked td').allTextContents()).slice(0, 2)).to.deep.equal([
      '0.5000',
      '0.2500',
    ]);
    const last = (): Promise<unknown> => page.evaluate(() => host.effects.at(-1)?.interventions);
    const heads = [{ layer: 0, head: 0 }];
    expect(await last()).to.deep.equal([
      { kind: 'block', component: 'self', heads, query: 40, key: 12, isRenormalized: false },
    ]);
    // Patterns are those of that run, and said to be.
    await page.locator('.legend-title', { hasText: 'attention weight of the intervened run' }).waitFor();
    await page.locator('.notice.intervened', { hasText: 'Patterns of the layers behind it' }).waitFor();
    expect(await page.evaluate(() => host.intervened)).to.deep.equal([
      [{ kind: 'block', component: 'self', heads, query: 40, key: 12, isRenormalized: false }],
    ]);
    await page.mouse.move(1, 1);
    const inked = (): Promise<number> =>
      page.locator('.matrix-overlay').evaluate((canvas: HTMLCanvasElement) => {
        const data =
          canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray(0);
        return data.reduce((sum, value, i) => sum + Number(i % 4 === 3 && value > 0), 0);
      });
    await page.getByLabel('renormalised').check();
    await pane('shares its weight').waitFor();
    await page.keyboard.press('z');
    await page.locator('.effect-value', { hasText: '−1.39 nats' }).waitFor();
    expect(await last()).to.deep.equal([
      { kind: 'block', component: 'self', heads, query: 40, key: 12, isRenormalized: true },
      { kind: 'silence', component: 'self', heads, by: 'zero' },
    ]);
    await page.getByLabel(/^Name of: head 0\.0 silenced/).fill('mine');
    await page.keyboard.press('Tab');
    await page.locator('.notice.intervened', { hasText: 'mine' }).waitFor();
    // The cell is struck through in the matrix, as long as it is blocked.
    const ofIntervened = page.locator('.legend-title', { hasText: 'attention weight of the intervened run' });
    await ofIntervened.waitFor();
    const struck = await inked();
    await page.getByLabel(/^On: head 0\.0: /).uncheck();
    await page.locator('.effect-value', { hasText: '−0.693 nats' }).waitFor();
    await ofIntervened.waitFor();
    expect(await inked()).to.be.lessThan(struck);
    expect(
      await violationsInThemes(page, pages.complaints, (theme) =>
        screenshot(page, `visual/effects-intervened-${theme}`),
      ),
    ).to.deep.equal([]);
    // What is arranged outlives a reload of the window.
    expect(await page.evaluate(() => JSON.stringify(host.kept))).to.match(/"name":"mine","isOn":true/);
    await page.locator('.notice.intervened').getByRole('button', { name: 'Switch All Off' }).click();
    await page.locator('.notice.intervened').waitFor({ state: 'detached' });
    await pane('before').waitFor();
    await page.locator('.legend-title', { hasText: /^attention weight ·/ }).waitFor();
    expect(await page.evaluate(() => host.intervened.at(-1))).to.deep.equal([]);
    expect(await page.locator('.effect-value').count()).to.equal(0);
    // Another text: what named its tokens is gone, what heads do stays.
    await page.evaluate(() => host.showRun('tokens64', 2));
    await page.locator('.interventions > li').first().waitFor();
    expect(await page.locator('.interventions > li').count()).to.equal(1);
    await page.locator('.interventions > li', { hasText: 'silenced' }).waitFor();
  });

  it('of what a causal mask has taken out already are nothing, and that is why', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(12).click();
    await token(40).hover();
    await page.keyboard.press('k');
    await page
      .locator('.interventions > li', { hasText: 'The causal mask has taken this weight out already' })
      .waitFor();
    await page.locator('.effects > .hint', { hasText: 'blocking it changes nothing' }).waitFor();
    // All that reads a token is no such weight.
    await page.locator('.interventions .select').nth(1).click();
    await page.getByRole('option', { name: 'the whole column' }).click();
    await page.locator('.interventions > li', { hasText: 'nothing reads' }).waitFor();
    expect(await page.locator('.effects', { hasText: 'The causal mask' }).count()).to.equal(0);
  });

  it('are arranged in another page as they were kept in a file, and nothing there is believed', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    await page.keyboard.press('z');
    await pane(/ln p of/).waitFor();
    await page.evaluate(() => host.fire('arrangement', {}));
    await page.waitForFunction(() => host.intents.some(({ name }) => name === 'arrangement'));
    const arrangement = await page.evaluate(() => host.intents.find(({ name }) => name === 'arrangement')?.value);
    const listed = await page.locator('.effects-pane li').allTextContents();
    expect(listed).to.have.length.greaterThan(0);
    await page.close();
    await open({ run: 'code', width: 1400, height: 900 });
    await page.evaluate((kept) => host.fire('restore', { arrangement: kept }), arrangement);
    await pane(/ln p of/).waitFor();
    expect(await page.locator('.effects-pane li').allTextContents()).to.deep.equal(listed);
    for (const lie of [null, 'x', { open: 7, effects: { interventions: [{ deed: 'rm' }, null] } }])
      await page.evaluate((kept) => host.fire('restore', { arrangement: kept }), lie);
    await page.locator('.effects-pane').waitFor({ state: 'detached' });
  });

  it('are also of the mean loss, against another token, and of what the menu and the list block', async () => {
    await open({ run: 'code', width: 700, height: 900 });
    await token(40).click();
    await page.locator('.list-pane .how-link', { hasText: 'block' }).first().click();
    await page.locator('.effect-value').waitFor();
    await page.getByLabel('against', { exact: true }).fill('other');
    await page.keyboard.press('Enter');
    await pane(/logit of “·w\d+” − logit of “·w888”/).waitFor();
    expect(await page.evaluate(() => host.effects.at(-1)?.question)).to.include({ against: 'other' });
    await button('Mean Loss').click();
    await pane('mean loss over the text’s own tokens').waitFor();
    await page.locator('.effect-value', { hasText: '+1.00 nats' }).waitFor();
    await token(33).click({ button: 'right' });
    // From the menu: what the pinned token reads from the one that it was opened over.
    await page.evaluate(() => host.fire('show', { view: 'effects', does: 'block' }));
    await page.locator('.effect-value', { hasText: '+2.00 nats' }).waitFor();
    expect(await page.evaluate(() => host.effects.at(-1)?.interventions.at(-1))).to.include({ query: 40, key: 33 });
    await page.evaluate(() => host.fire('show', { view: 'effects', does: 'silence' }));
    await page.locator('.effect-value', { hasText: '+3.00 nats' }).waitFor();
    await screenshot(page, 'visual/effects-narrow');
    // As from the card in the editor, which has pinned its token.
    await token(44).click();
    await page.evaluate(() => host.fire('show', { view: 'effects', does: 'ask' }));
    await pane(/at token 44/).waitFor();
  });

  it('of a masked language model are of a token that is pinned, or of the mean loss', async () => {
    await open({ run: 'code', width: 700, height: 900 });
    await page.evaluate(() => (host.isMaskedModel = true));
    await page.keyboard.press('e');
    await pane('pin one, and ask about it').waitFor();
    expect((await asked()).effects).to.equal(0);
    await button('Mean Loss').click();
    await pane('mean loss over the text’s own tokens').waitFor();
    await button('Mean Loss').click();
    await pane('pin one, and ask about it').waitFor();
    await token(12).click();
    await pane(/at token 12/).waitFor();
    // All that reads a token, where nothing else is looked at.
    await token(12).click();
    await token(20).hover();
    await page.keyboard.press('k');
    await pane('nothing reads').waitFor();
    expect(await page.evaluate(() => host.effects.at(-1)?.interventions)).to.deep.equal([
      { kind: 'block', component: 'self', heads: [{ layer: 0, head: 0 }], key: 20, isRenormalized: false },
    ]);
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
  });
});
