// What the model predicts, as the panel shows it.
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
const pane = (text?: string | RegExp) =>
  page.locator('.predictions-pane', ...(text === undefined ? [] : [{ hasText: text }]));
const facts = () => page.locator('.prediction-facts dd').allTextContents();
describe('predictions', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('are those of the token that is looked at, else of the next; and nothing is asked before', async () => {
    await open({ run: 'code', width: 1400, height: 900 });
    await token(40).click();
    expect(await page.evaluate(() => host.predicted.length)).to.equal(0);
    await page.keyboard.press('p');
    await pane(/Surprisal/).waitFor();
    expect(await facts()).to.deep.equal(['4.000 bits', '5 of 256', '1.000 bits']);
    expect(await page.locator('.prediction-shares th').allTextContents()).to.deep.equal(
      [40, 41, 42, 43, 44].map((id) => `·w${id}`),
    );
    expect(await page.locator('.prediction-shares .number').first().textContent()).to.equal('0.5000');
    await token(44).click();
    await pane('8.000 bits').waitFor();
    // What is pinned, and then where the keyboard and the pointer are, is let go.
    await page.mouse.move(1, 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await pane('What comes next').waitFor();
    expect(await facts()).to.have.length(1);
    await token(0).click();
    await pane('Nothing stands before the first token').waitFor();
    expect(await page.evaluate(() => host.predicted)).to.deep.equal([null]);
    await token(40).click();
    await pane('4.000 bits').waitFor();
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/predictions-${theme}`)),
    ).to.deep.equal([]);
    await page.keyboard.press('p');
    await pane().waitFor({ state: 'detached' });
  });

  it('of a masked language model are of the tokens that it does not see', async () => {
    await open({ run: 'code', width: 700, height: 800 });
    await page.evaluate(() => (host.isMaskedModel = true));
    await page.keyboard.press('p');
    await pane('pin one, and mask it').waitFor();
    await token(12).click();
    await pane('Mask it to see what it would fill in').waitFor();
    await page.locator('.predictions-pane button', { hasText: 'Mask This Token' }).focus();
    await page.keyboard.press('Enter');
    await pane('3.000 bits').waitFor();
    await token(13).click();
    await pane('Mask it to see').waitFor();
    await page.locator('.predictions-pane button', { hasText: 'Mask This Token' }).click();
    await pane('4.000 bits').waitFor();
    await token(12).click();
    await pane('3.000 bits').waitFor();
    expect(await page.evaluate(() => host.predicted)).to.deep.equal([null, 12, 13]);
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
    await screenshot(page, 'visual/predictions-masked');
  });

  it('of a classifier of tokens are labels: of all tokens, and all of the token that is looked at', async () => {
    await open({ run: 'code', width: 900, height: 800 });
    await page.evaluate(() => (host.labelsTokens = true));
    await page.keyboard.press('p');
    await pane('The label of each token').waitFor();
    expect(await page.locator('.prediction-shares td:nth-of-type(1)').nth(1).textContent()).to.match(
      /other|name|keyword/,
    );
    await screenshot(page, 'visual/predictions-token-labels');
    await token(40).click();
    await pane('0.7500').waitFor();
    expect(await page.locator('.prediction-shares th').allTextContents()).to.deep.equal(['name', 'keyword', 'other']);
    expect(await facts()).to.deep.equal(['1.061 bits']);
    expect(await violationsOf(page, pages.complaints)).to.deep.equal([]);
  });

  it('say what heads write to them, once someone asks: the parts, the heads, and the tokens that the selected head reads', async () => {
    await open({ run: 'code', width: 1400, height: 1000 });
    await token(40).click();
    await page.keyboard.press('p');
    await pane('Show What Heads Write').waitFor();
    expect(await page.evaluate(() => host.written)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Show What Heads Write' }).focus();
    await page.keyboard.press('Enter');
    await pane('Logit of ·w40: 7.250').waitFor();
    expect(await page.evaluate(() => host.written)).to.deep.equal(['40/40/']);
    await pane('before the model’s soft cap').waitFor();
    const numbers = (caption: string) =>
      page.locator('.writes-numbers', { has: page.locator('caption', { hasText: caption }) }).locator('td.number');
    expect(await numbers('What adds up to it').allTextContents()).to.deep.equal([
      '+0.250',
      '+9.000',
      '−1.500',
      '−0.500',
    ]);
    // Head 0.0 writes nothing: another, by its name.
    const [first] = await numbers('Heads that write most').allTextContents();
    expect(first).to.equal('−11.000');
    await page.locator('.writes-numbers button', { hasText: 'head 5.0' }).click();
    await pane('Head 5.0, which writes −11.000').waitFor();
    expect((await numbers('by the tokens that it reads').allTextContents()).slice(0, 2)).to.deep.equal([
      '−10.000',
      '−1.000',
    ]);
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/writes-${theme}`)),
    ).to.deep.equal([]);
    // Another place has not been asked about.
    await token(44).click();
    await pane('8.000 bits').waitFor();
    expect(await page.locator('.writes-numbers').count()).to.equal(0);
  });

  it('lead on: the model goes on with the text, greedily or drawn, and another token begins a branch', async () => {
    await open({ run: 'code', width: 1000, height: 900 });
    const continued = () =>
      page.evaluate(() => host.intents.flatMap(({ name, value }) => (name === 'continueText' ? [value] : [])));
    await page.keyboard.press('p');
    await pane('Continue the Text').waitFor();
    expect(await continued()).to.deep.equal([]);
    await page.getByRole('button', { name: 'Continue the Text' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('checkbox', { name: 'drawn, not greedily' }).check();
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('7');
    await page.getByRole('spinbutton', { name: 'Seed' }).fill('3');
    await page.keyboard.press('Enter');
    // What comes next may be any of those that are probable.
    await page.locator('.prediction-shares th button').first().click();
    const { length } = await page.evaluate(() => host.run.info.streams[0].tokens);
    expect(await continued()).to.deep.equal([
      { written: [], tokens: 20, sampling: undefined },
      { written: [], tokens: 7, sampling: { temperature: 0.8, topP: 0.95, seed: 3 } },
      { written: [length], tokens: 0, sampling: undefined },
    ]);
    await page.getByRole('button', { name: 'Continue the Text' }).scrollIntoViewIfNeeded();
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/continuation-${theme}`)),
    ).to.deep.equal([]);
    // The person's own text has no branches.
    await token(40).click();
    await pane('4.000 bits').waitFor();
    expect(await page.locator('.prediction-shares th button').count()).to.equal(0);
  });
});
