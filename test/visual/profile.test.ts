// What the heads do over many texts, beside what they do on this one: columns, names, examples, comparisons.
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { violationsInThemes } from './accessibility';
import type { PageOptions } from './panelPage';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const pane = () => page.locator('.head-table-pane');
const names = () => page.locator('.head-table tbody th').allTextContents();
const header = (name: string) => page.locator('.head-table thead button', { hasText: name });
const choice = (name: string) => page.locator(`.head-table-bar vscode-single-select[title="${name}"]`);
const numAsked = () => page.evaluate(() => host.numProfiles);
const profiled = async (kind: 'profile' | 'compared'): Promise<void> => {
  await open({ run: 'code', width: 1500, height: 900 });
  await page.evaluate((has) => (host.profileKind = has), kind);
};
const show = async (): Promise<void> => {
  await page.locator('.heads-bar vscode-toolbar-button[label="All heads with their metrics"]').click();
  await page.locator('.head-table tbody tr').first().waitFor();
};
const choose = async (name: string, option: string): Promise<void> => {
  await choice(name).click();
  await choice(name).locator('li.option', { hasText: option }).click();
};

describe('the profile of the heads', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('costs nothing until the heads are opened; then it has columns that sort and filter, with counts and deciles', async () => {
    await profiled('profile');
    expect(await numAsked()).to.equal(0);
    await show();
    await header('profile: previous token').click();
    expect(await numAsked()).to.equal(1);
    // By rule the last head reads the token before most.
    expect((await names()).slice(0, 3)).to.deep.equal(['5.7', '5.6', '5.5']);
    const cell = page.locator('.head-table tbody tr').first().locator('td.of-profile').first();
    expect(await cell.textContent()).to.equal((47 / 48).toFixed(3));
    expect((await cell.getAttribute('title'))?.split('\n')).to.deep.equal([
      'mean 0.979, over 67 chunks',
      '19.6 times its baseline of 0.050',
      `deciles: ${Array.from({ length: 9 }, (_, i) => ((i + 1) / 10).toFixed(3)).join(' · ')}`,
    ]);
    await pane().getByRole('textbox').fill('profile previous > 0.9');
    expect(await names()).to.deep.equal(['5.7', '5.6', '5.5', '5.4']);
    await pane().getByRole('textbox').fill('');
    await page.locator('.profile-caption', { hasText: 'Profile “my.profile”, of code: 12 texts' }).waitFor();
    // Away with the columns, and back without asking again.
    const without = await page.locator('.head-table thead th').count();
    await page.getByRole('button', { name: 'Profile', exact: true }).click();
    expect(await page.locator('.head-table thead th.of-profile').count()).to.equal(0);
    await page.getByRole('button', { name: 'Profile', exact: true }).click();
    expect(await page.locator('.head-table thead th').count()).to.equal(without);
    expect(await numAsked()).to.equal(1);
    expect(
      await violationsInThemes(page, pages.complaints, (theme) => screenshot(page, `visual/profile-${theme}`)),
    ).to.deep.equal([]);
  });

  it('names heads that pass the thresholds, with their numbers, in the grid, the table and the card, whose examples open', async () => {
    await profiled('profile');
    await page.locator('.head-cell.thumbnail[data-layer="5"][data-head="7"]').hover();
    await page.locator('.heads-pane .caption', { hasText: 'previous token (0.98; 19.6 times 0.050)' }).waitFor();
    await page.waitForFunction(
      () =>
        document
          .querySelector('.head-cell.thumbnail[data-layer="5"][data-head="7"]')
          ?.getAttribute('title')
          ?.includes('profile: definition of the name, in typescript (0.98; 9.8 times 0.100)') === true,
    );
    // 0.4 is no half.
    await page.locator('.head-cell.thumbnail[data-layer="2"][data-head="3"]').hover();
    await page.locator('.heads-pane .caption', { hasText: 'Head 2.3' }).waitFor();
    expect(await page.locator('.heads-pane .caption').textContent()).to.not.contain('previous token');
    await page.locator('.head-cell.thumbnail[data-layer="5"][data-head="7"]').click();
    await show();
    const card = page.locator('.profile-card');
    await card.locator('.profile-names', { hasText: 'previous token (0.98; 19.6 times 0.050)' }).waitFor();
    expect(await card.locator('.profile-examples li').allTextContents()).to.deep.equal([
      'src/file1.ts, lines 10–15 0.900',
      'src/file2.ts, lines 20–25 0.450',
    ]);
    await card.getByRole('button', { name: 'src/file2.ts, lines 20–25' }).click();
    const asked = await page.evaluate(() => host.intents.filter(({ name }) => name === 'openExample'));
    expect(asked.map(({ value }) => value)).to.deep.equal([
      { runId: 1, component: 'self', layer: 5, head: 7, metric: 'previousToken', rank: 2 },
    ]);
  });

  it('is compared with another one, and relations in one language with those in another', async () => {
    await profiled('compared');
    await show();
    await header('profile: previous token').waitFor();
    await choose('Compared with', 'less checkpoint: other.profile');
    await header('difference: previous token').click();
    const first = () => page.locator('.head-table tbody tr').first().locator('td.of-profile').first();
    expect(await first().textContent()).to.equal('+0.729');
    await choose('Columns of the profile', 'relations, in typescript');
    await choose('Compared with', 'less those in python');
    await header('difference: definition of the name, in typescript').click();
    expect((await names())[0]).to.equal('5.7');
    expect(await first().getAttribute('title')).to.contain('compared with 0.021: +0.958');
    await screenshot(page, 'visual/profile-compared');
  });

  it('is missed with a sentence, and with the ways to one', async () => {
    await open({ run: 'code', width: 1500, height: 900 });
    await show();
    await page.locator('.profile-caption', { hasText: 'There is no profile of this model yet.' }).waitFor();
    await page.getByRole('button', { name: 'Profile Heads on Workspace…' }).click();
    const acts = await page.evaluate(() => host.intents.filter(({ name }) => name === 'act'));
    expect(acts.map(({ value }) => value)).to.deep.equal([{ action: 'profileWorkspace' }]);
    await page.evaluate(() => {
      host.profileKind = 'broken';
      host.announceProfile();
    });
    await page.locator('.profile-caption .warning', { hasText: 'cannot be read as a profile' }).waitFor();
    expect(await page.locator('.head-table thead th.of-profile').count()).to.equal(0);
  });
});
