// A notebook's output that is an attention file: the renderer as it ships, in a page as VS Code makes it for outputs.
import { expect } from 'chai';
import type { FrameLocator, Page } from 'playwright-core';
import { safetensorsHeader } from '../../src/model/numbers/writtenArrays';
import { screenshot } from '../harness/browser';
import { NotebookPages } from './notebookPage';
import { themes, type ThemeName } from './panelPage';

const tokens = ['The', ' cat', ' sat', '<img src=x onerror=alert(1)>', ' mat'];

/** Two layers of two heads: each reads the token before it, the more of it the later the head. */
function outputText(): string {
  const n = tokens.length;
  const weights = Float32Array.from({ length: 2 * n * n }, (_, at) => {
    const [head, query, key] = [Math.floor(at / n / n), Math.floor(at / n) % n, at % n];
    const share = query === 0 ? 1 : 0.7 + 0.2 * head;
    return key === Math.max(0, query - 1) ? share : key === query ? 1 - share : 0;
  });
  const names = new TextEncoder().encode(JSON.stringify(tokens));
  const bytes = new Uint8Array(weights.buffer);
  const header = safetensorsHeader([
    { name: 'attention.self.0', type: 'F32', shape: [2, n, n] },
    { name: 'attention.self.1', type: 'F32', shape: [2, n, n] },
    { name: 'tokens', type: 'U8', shape: [names.length] },
  ]);
  return JSON.stringify({ file: Buffer.concat([header, bytes, bytes, names]).toString('base64') });
}

describe('an output of a notebook', () => {
  let pages: NotebookPages;
  let page: Page;
  let panel: FrameLocator;
  before(async function () {
    this.timeout(120_000);
    pages = await NotebookPages.start();
    page = await pages.open();
    panel = await pages.render(page, 'first', outputText());
    await panel.locator('.source-scroll').waitFor();
  });
  after(async () => {
    await pages.stop();
    expect(pages.complaints).to.deep.equal([]);
  });

  it('shows text, matrix, heads and list of an attention file, in every theme', async () => {
    for (const theme of Object.keys(themes) as ThemeName[] /* the keys of the table */) {
      await pages.dress(page, theme);
      const background = await panel.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
      expect(background, theme).to.equal(theme === 'light' || theme === 'hc-light' ? 'rgb(255, 255, 255)' : theme === 'dark' ? 'rgb(31, 31, 31)' : 'rgb(0, 0, 0)'); // prettier-ignore
      await screenshot(page, `visual/notebook-${theme}`);
    }
    expect(await panel.locator('.source-scroll').textContent()).to.include('<img src=x onerror=alert(1)>');
    expect(await panel.locator('img').count()).to.equal(0);
    // Icons are drawn without a file that the page could load.
    const icon = panel.locator('vscode-toolbar-button[icon=search] .codicon').first();
    expect(await icon.evaluate((element) => getComputedStyle(element, '::before').fontFamily)).to.equal('codicon');
    expect(await icon.evaluate(() => [...document.fonts].map(({ status }) => status))).to.deep.equal(['loaded']);
    // What would take the editor is not offered.
    expect(await panel.getByRole('button', { name: 'Run again' }).count()).to.equal(0);
  });

  it('lights what a token reads as it is pinned, by the numbers of the file, and changes heads', async () => {
    await panel.locator('.source-scroll').getByText('cat').first().click();
    await panel.getByRole('tab', { name: 'Strongest sources' }).click();
    const list = panel.locator('.list-pane');
    await list.getByText('0.700').first().waitFor();
    await panel.locator('.source-scroll').focus();
    await page.keyboard.press('Alt+ArrowRight');
    await list.getByText('0.900').first().waitFor();
    await screenshot(page, 'visual/notebook-list');
  });

  it('says of what would take a model that there is none', async () => {
    await page.keyboard.press('p');
    await panel
      .getByText(/is an attention file/)
      .first()
      .waitFor();
    await screenshot(page, 'visual/notebook-no-model');
    await page.keyboard.press('p');
  });

  it('stands beside others, and says in a sentence what is not to be shown', async () => {
    await pages.render(page, 'second', outputText());
    expect(await page.locator('iframe').count()).to.equal(2);
    await pages.render(page, 'third', JSON.stringify({ file: Buffer.from('nothing').toString('base64') }));
    expect(await page.getByRole('alert').textContent()).to.match(
      /This output cannot be shown as attention \(.*neither/,
    );
    await page.evaluate(() => render('first', `"${'A'.repeat(46 * 2 ** 20)}"`));
    expect(await page.getByRole('alert').last().textContent()).to.match(
      /^This output is .*34.5 MB large, more than the 32 MB/,
    );
  });
});
