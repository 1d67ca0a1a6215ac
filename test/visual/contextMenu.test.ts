// What VS Code is told of the place that a menu is opened over, and the figure that it can save.
import { expect } from 'chai';
import { PNG } from 'pngjs';
import type { Page } from 'playwright-core';
import { suitePages } from './suitePages';

let pages: ReturnType<typeof suitePages>;
let page: Page;

const token = (position: number) => page.locator(`[data-token="${position}"]`).first();
const context = (): Promise<unknown> =>
  page.evaluate(() => JSON.parse(document.body.dataset['vscodeContext'] ?? 'null') as unknown);

describe('the panel’s menu', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('is about the token that it is opened over, and has ours in the place of Cut, Copy and Paste', async () => {
    page = await pages.open({ run: 'code' });
    await token(35).click({ button: 'right' });
    expect(await context()).to.deep.equal({
      preventDefaultContextMenuItems: true,
      webviewSection: 'token',
      runId: 1,
      stream: 0,
      position: 35,
    });
    await page.locator('footer').click({ button: 'right' });
    expect(await context()).to.deep.equal({ preventDefaultContextMenuItems: true, webviewSection: 'panel' });
    const box = await page.locator('.matrix-overlay').boundingBox();
    if (box === null) throw new Error('the matrix is not there');
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2, { button: 'right' });
    expect(await context()).to.include({ webviewSection: 'token', stream: 0 });
  });

  it('leaves the usual entries where text is selected or typed', async () => {
    page = await pages.open({ run: 'code' });
    await page.evaluate(() =>
      document.getSelection()?.selectAllChildren(document.querySelector('.line') ?? document.body),
    );
    await token(3).click({ button: 'right' });
    expect(await context()).to.deep.equal({});
    await page.keyboard.press('/');
    await page.locator('.find input').click({ button: 'right' });
    expect(await context()).to.deep.equal({});
  });

  it('saves the matrix as it is drawn, with what it is', async () => {
    page = await pages.open({ run: 'code' });
    await page.evaluate(() => host.fire('figure', { kind: 'drawn' }));
    await page.waitForFunction(() => host.intents.some(({ name }) => name === 'figure'));
    const bytes = await page.evaluate(() => {
      const found = host.intents.find(({ name }) => name === 'figure')?.value as
        { readonly png: Uint8Array } | undefined; // the intent's own type
      return Array.from(found?.png ?? []);
    });
    const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
    const plot = await page
      .locator('.matrix-base')
      .evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]);
    expect(width).to.equal(plot[0]);
    expect(height).to.be.greaterThan(plot[1]);
    const opaque = data.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255);
    expect(opaque, 'it can be read wherever it is pasted').to.equal(true);
    // The lines that say what it is.
    const inked = new Set(Array.from({ length: width * 40 }, (_, i) => data.subarray(i * 4, i * 4 + 3).join()));
    expect(inked.size).to.be.greaterThan(3);
  });
});
