// What a number between two tokens is: chosen beside the scale, in force in every view.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { violationsInThemes, violationsOf } from './accessibility';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const title = () => page.locator('.matrix-pane h2');
const method = () => page.evaluate(() => host.view.method);
const choice = () => page.locator('.toolbar .select[title^="Method"]');

describe('methods', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('cost nothing until one is chosen; then every view has its numbers, by its name, with unit, meaning and source', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    const before = await page.locator('.sources .number').allTextContents();
    expect(await page.evaluate(() => [host.weighings.length, host.numReasons])).to.deep.equal([0, 0]);
    await page.keyboard.press('n');
    await title().filter({ hasText: 'norm-weighted attention' }).waitFor();
    expect(await method()).to.equal('norm');
    const lengths = await page.locator('.sources .number').allTextContents();
    expect(lengths).to.not.deep.equal(before);
    await page.locator('.toolbar .method', { hasText: 'norm-weighted attention' }).waitFor();
    await page.locator('.legend-title', { hasText: 'norm-weighted attention · Absolute' }).waitFor();
    const note = await page.locator('.legend-method').textContent();
    expect(note)
      .to.match(/Kobayashi et al\. 2020/)
      .and.match(/length in the model’s own units/);
    // Full depth stands for the largest of all heads, which is said.
    const end = Number(await page.locator('.legend-number').last().textContent());
    expect(end).to.be.greaterThan(1);
    await page.locator('.visually-hidden[role=status]', { hasText: 'norm-weighted attention:' }).waitFor();
    await page.locator('.readout .tag', { hasText: 'norm-weighted attention' }).waitFor();
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/method-norm-${theme}`)),
    ).to.deep.equal([]);
  });

  it('that join heads have one matrix for each layer, and give the heads back that were selected', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await page.locator('.head-cell.thumbnail[data-layer="2"][data-head="1"]').click();
    await token(60).click();
    // What cannot be had, as the norm behind the sum, is passed over.
    for (const name of ['norm', 'value', 'summed', 'residual', 'rollout']) {
      await page.keyboard.press('n');
      await page.waitForFunction((wanted) => host.view.method === wanted, name);
      if (name === 'residual')
        await page
          .locator('.legend-method', { hasText: 'Of a token of this layer, 0.270 comes from others' })
          .waitFor();
    }
    await title()
      .filter({ hasText: /^Layer 2, all heads together/ })
      .waitFor();
    const layers = await page.evaluate(() => host.run.info.components[0].layers.length);
    await page.waitForFunction((count) => document.querySelectorAll('.head-cell.thumbnail').length === count, layers);
    // Shares of the input: a row sums to one.
    const numbers = (await page.locator('.sources .number').allTextContents()).map(Number);
    expect(numbers.every((number) => number <= 1)).to.equal(true);
    expect(await page.locator('.legend-method').textContent()).to.match(/Abnar & Zuidema 2020/);
    expect(await page.locator('.how-link').count()).to.equal(0);
    // Beside each share what uniform attention comes to, by hand: three layers of ½ ÷ (i + 1) + ½ [i = j] behind each other.
    await page.locator('.sources .hint', { hasText: 'uniform: ' }).first().waitFor();
    const lengths = Array.from({ length: 61 }, (_, i) => i + 1);
    const uniform = [0, 1, 2].reduce(
      (row) => lengths.map((_, j) => row.reduce((sum, r, i) => sum + (i < j ? 0 : r / 2 / (i + 1)), row[j] / 2)),
      lengths.map((length) => Number(length === 61)),
    );
    for (const row of await page.locator('.sources > li').all()) {
      const position = Number(/\((\d+)\)/.exec((await row.locator('.link, .name').first().textContent()) ?? '')?.[1]);
      const told = Number(
        /[\d.]+$/.exec((await row.locator('.hint', { hasText: 'uniform' }).textContent()) ?? '')?.[0],
      );
      expect(told).to.be.closeTo(uniform[position], 6e-4);
    }
    await screenshot(page, 'visual/method-rollout');
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await page.waitForFunction(() => host.view.method === 'attention');
    await title()
      .filter({ hasText: /^Head 2\.1/ })
      .waitFor();
  });

  it('that cannot be had are disabled with the reason, and one that fails says why and gives way', async () => {
    await open({ run: 'encoderDecoder', width: 1400, height: 900 });
    await page.locator('[role=tab]', { hasText: 'Cross-attention' }).click();
    await choice().hover();
    await page.waitForFunction(() => host.numReasons > 0);
    await page.waitForFunction(() => {
      const select = document.querySelector('.toolbar .select[title^="Method"]');
      const { options } = select as unknown as { options: { disabled: boolean; description: string }[] };
      return options[1].disabled && options[1].description.includes('a gate stands before its projection');
    });
    // What was chosen before, in another component, is told of where it cannot be had.
    await page.locator('[role=tab]').first().click();
    await page.keyboard.press('n');
    await page.waitForFunction(() => host.view.method === 'norm');
    await page.locator('[role=tab]', { hasText: 'Cross-attention' }).click();
    await page.locator('.notice[role=alert]', { hasText: 'a gate stands before its projection' }).waitFor();
    expect(await method()).to.equal('attention');
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
  });

  it('surprisal colours the text on a scale of its own, once it is chosen, and the other views say that they keep to weights', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(41).click();
    const chooseSurprisal = async (): Promise<void> => {
      await choice().click();
      await page.getByRole('option', { name: 'Surprisal', exact: true }).click();
    };
    const colourOf = (position: number) =>
      token(position).evaluate((element) => getComputedStyle(element).backgroundColor);
    const lit = await colourOf(44);
    expect(await page.evaluate(() => host.predicted.length), 'quiet until asked').to.equal(0);
    await chooseSurprisal();
    // Bits of the sample are the position modulo nine, and eight are those of a guess among its 256 tokens.
    await page.locator('[data-token="44"].d48').first().waitFor();
    expect(await page.locator('[data-token="40"].d24').count()).to.be.greaterThan(0);
    expect(await token(45).getAttribute('class')).to.not.match(/ d\d/);
    expect(await colourOf(44)).to.not.equal(lit);
    expect(await page.evaluate(() => host.predicted)).to.deep.equal([null]);
    expect(await page.evaluate(() => [host.view.method, host.view.light])).to.deep.equal(['attention', 'surprisal']);
    expect(await page.locator('.surprisal-scale').innerText()).to.match(/surprisal[^]*0[^]*≥ 8\.0 bits/);
    const note = await page.locator('.legend-method').innerText();
    expect(note).to.contain('−log₂ p').and.contain('Hale 2001').and.contain('Unit: bits.');
    expect(note).to.contain('grid, matrix and list show the attention weight').and.contain('improbable is not wrong');
    await page.locator('.readout .tag', { hasText: 'surprisal 5.00 bits' }).waitFor();
    for (const place of [
      '.matrix-pane h2 .tag',
      '.list-pane .rest',
      '.readout:not(.crosshair) .tag',
      '.toolbar .method',
    ])
      expect(await page.locator(place, { hasText: 'attention weight' }).count(), place).to.be.greaterThan(0);
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/method-surprisal-${theme}`)),
    ).to.deep.equal([]);
    // Another method gives the text back to weights.
    await choice().click();
    await page.getByRole('option', { name: 'Attention weight', exact: true }).click();
    await page.locator('.surprisal-scale').waitFor({ state: 'detached' });
    expect(await colourOf(44)).to.equal(lit);
  });

  it('surprisal gives way, and says why, where a run has none, and is said of a masked language model to be of masked tokens', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    const light = (value: string) =>
      page.evaluate(
        (wanted) => host.fire('view', { view: { ...host.view, light: wanted as 'weights' }, sequence: 1e7 }),
        value,
      );
    await page.evaluate(() => (host.labelsTokens = true));
    // As it was kept when another model was shown.
    await light('surprisal');
    await page.locator('.notice[role=alert]', { hasText: 'it tells labels, and predicts no tokens' }).waitFor();
    expect(await page.evaluate(() => host.view.light)).to.equal('weights');
    expect(await page.locator('.surprisal-scale').count()).to.equal(0);
    await page.close();
    await open({ run: 'code', width: 1400, height: 900 });
    await page.evaluate(() => (host.isMaskedModel = true));
    await light('surprisal');
    await page.locator('.legend-method', { hasText: 'a masked language model tells those that are masked' }).waitFor();
    expect(await page.locator('.source-scroll .token[class*=" d"]').count()).to.equal(0);
  });

  it('flow is told of the pinned tokens, whichever they are', async () => {
    await open({ run: 'tokens64', width: 1400, height: 900 });
    await token(40).click();
    await page.evaluate(() => host.fire('view', { view: { ...host.view, method: 'flow' }, sequence: 1e7 }));
    await title().filter({ hasText: 'attention flow' }).waitFor();
    await page.locator('.legend-method', { hasText: 'It is told of the pinned tokens' }).waitFor();
    const texts = await page.locator('.sources .number').allTextContents();
    const first = texts.map(Number);
    expect(first.length).to.be.greaterThan(1);
    for (const share of first) expect(share).to.be.within(0.001, 1);
    await token(12).click();
    await page.waitForFunction(
      (before) =>
        [...document.querySelectorAll('.sources .number')].map(({ textContent }) => textContent).join() !== before,
      texts.join(),
    );
    const second = (await page.locator('.sources .number').allTextContents()).map(Number);
    expect(second.length).to.be.greaterThan(1);
  });

  it('have room in a narrow panel, and are there for pictures', async () => {
    await open({ run: 'code', width: 480, height: 640 });
    await token(20).click();
    await page.keyboard.press('n');
    await page.locator('.legend-method').waitFor();
    await screenshot(page, 'visual/method-narrow');
    await page.close();
    await open({ run: 'picture', width: 1000, height: 700 });
    await page.keyboard.press('n');
    await page.locator('.legend-method', { hasText: 'Kobayashi' }).waitFor();
    await screenshot(page, 'visual/method-picture');
  });
});
