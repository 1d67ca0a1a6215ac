// The text in the panel: how it wraps, and what stands around it.
import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';
import { screenshot } from '../harness/browser';
import { rulesOfColours, violationsOf } from './accessibility';
import { showTheme, themes, type PageOptions, type ThemeName } from './panelPage';
import { suitePages } from './suitePages';

const allThemes = Object.keys(themes) as ThemeName[]; // the keys of the table

let pages: ReturnType<typeof suitePages>;
let page: Page;

const open = async (options: PageOptions): Promise<Page> => (page = await pages.open(options));
const token = (position: number) => page.locator(`[data-token="${position}"]`).first();

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The boxes of the elements that a selector finds, one for each row that they stand on. */
const boxesOf = (selector: string): Promise<Box[]> =>
  page
    .locator(selector)
    .evaluateAll((elements) =>
      elements.flatMap((element) =>
        [...element.getClientRects()].map(({ left, top, right, bottom }) => ({ left, top, right, bottom })),
      ),
    );

/** How much two boxes share, in CSS pixels of the shorter overlap. */
const shared = (a: Box, b: Box): number =>
  Math.min(
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  );

describe('the text in the panel', () => {
  pages = suitePages();
  afterEach(() => page.close());

  it('wraps as an editor does, with the numbers of its lines beside it, in every theme', async () => {
    await open({ run: 'prose', width: 480, height: 600 });
    await token(58).click();
    for (const theme of allThemes) {
      await showTheme(page, theme);
      await screenshot(page, `visual/prose-${theme}`);
      const { right, gutter, scrollWidth, clientWidth } = await page.locator('.source-scroll').evaluate((element) => ({
        right: element.getBoundingClientRect().right,
        gutter: parseFloat(getComputedStyle(element.querySelector('.line') ?? element).paddingInlineStart),
        scrollWidth: element.scrollWidth,
        clientWidth: element.clientWidth,
      }));
      expect(scrollWidth).to.equal(clientWidth);
      const tokens = await boxesOf('.token');
      expect(new Set(tokens.map(({ top }) => Math.round(top))).size).to.be.greaterThan(8);
      for (const box of tokens)
        expect(box.left >= gutter - 1 && box.right <= right, JSON.stringify(box)).to.equal(true);
      // What is indented goes on at its own beginning.
      const second = await boxesOf('.line:nth-child(2) .token');
      const { start, own } = await page
        .locator('.line')
        .nth(1)
        .evaluate((element) => ({
          start: element.getBoundingClientRect().left + parseFloat(getComputedStyle(element).paddingInlineStart),
          own: element.getBoundingClientRect().top,
        }));
      const below = second.filter(({ top }) => top > own + 20);
      expect(Math.min(...below.map(({ left }) => left))).to.be.closeTo(start, 1);
      expect(start).to.be.greaterThan(gutter + 20);
    }
  });

  it('has both texts of a pair, each with its own lines and from its own column', async () => {
    await open({ run: 'pair', width: 640, height: 600 });
    expect(await page.locator('.stream-section h2').allTextContents()).to.deep.equal(['First text', 'Second text']);
    expect(
      await page.locator('.line').evaluateAll((lines) => lines.map((line) => (line as HTMLElement).dataset['number'])),
    ).to.deep.equal(['12', '41', '42']);
    const [first, second, third] = await page
      .locator('.line')
      .evaluateAll((lines) => lines.map((line) => line.querySelector('.token')?.getBoundingClientRect().left ?? 0));
    expect(second - first).to.be.greaterThan(20);
    expect(third).to.be.closeTo(first, 2);
    // Tokens of both light up for one.
    await page.locator('.line').last().locator('.token').last().click();
    for (const line of [0, 2]) await page.locator('.line').nth(line).locator('.token[class*=" d"]').first().waitFor();
    await page.keyboard.press('End');
    await screenshot(page, 'visual/pair');
  });

  it('is not scrolled sideways by what is hovered in the editor', async () => {
    await open({ run: 'prose', width: 480, height: 600 });
    await page.evaluate(() => host.fire('hover', { stream: 0, position: 68 }));
    await page.waitForFunction(
      () => document.querySelector('[data-token="68"]')?.classList.contains('looking') === true,
    );
    expect(await page.locator('.source-scroll').evaluate((element) => element.scrollLeft)).to.equal(0);
    expect((await boxesOf('.source-scroll .line'))[0].left).to.be.at.least(0);
  });

  it('has room for the numbers: none covers a token', async () => {
    await open({ run: 'prose', width: 480, height: 600 });
    await page.getByRole('gridcell', { name: 'Head 0.3' }).click(); // a local head: it reads a few neighbours
    await token(58).click();
    await page.waitForFunction(() => document.querySelectorAll('.weight-labels > :not([hidden])').length > 1);
    const numbers = await boxesOf('.weight-labels > :not([hidden])');
    const tokens = await boxesOf('.token');
    for (const number of numbers)
      for (const box of tokens)
        expect(shared(number, box), `${JSON.stringify(number)} over ${JSON.stringify(box)}`).to.be.at.most(1);
  });

  it('frames a token that begins with a space as one box', async () => {
    await open({ run: 'prose', width: 480, height: 600 });
    await token(58).click();
    expect(await boxesOf('[data-token="58"]')).to.have.length(1);
    // Nothing in it has a box that the frame would have to go around.
    expect(
      await page
        .locator('[data-token="58"] *')
        .evaluateAll((elements) =>
          elements.every((element) => getComputedStyle(element, '::before').display === 'inline'),
        ),
    ).to.equal(true);
  });

  it('stands as the editor has it where it is written from the right: token by token to the left, letters joined', async () => {
    await open({ run: 'code', width: 760, height: 760 });
    await page.evaluate(() => {
      const { info, ...run } = host.run;
      const [stream] = info.streams;
      const text = '\u0633\u0644\u0627\u0645 '.repeat(stream.tokens.length / 2); // salam, in two tokens
      const tokens = stream.tokens.map((token, i) => {
        const start = Math.floor(i / 2) * 5 + (i % 2) * 2;
        return { ...token, isSpecial: false, start, end: start + 2 };
      });
      host.fire('run', { ...run, info: { ...info, runId: 2, streams: [{ ...stream, text, tokens }] } });
    });
    await page.locator('.line').filter({ hasText: '\u0633' }).waitFor();
    await screenshot(page, 'visual/source-from-the-right');
    const lefts = (await boxesOf('.line:first-child .token')).slice(0, 6).map(({ left }) => left);
    expect(lefts).to.deep.equal([...lefts].sort((a, b) => b - a));
    // Letters join across elements that stand in one line of text, not across boxes of their own.
    expect(await token(1).evaluate((element) => getComputedStyle(element).display)).to.equal('inline');
  });

  it('is walked by the rows that are seen', async () => {
    await open({ run: 'prose', width: 480, height: 600 });
    const scroller = page.locator('.source-scroll');
    await scroller.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const topOf = async (): Promise<number> => (await boxesOf('.token.cursor'))[0].top;
    const first = await topOf();
    const columns = (await boxesOf('.token.cursor'))[0].left;
    await page.keyboard.press('ArrowDown');
    const second = await topOf();
    expect(second).to.be.greaterThan(first + 10);
    expect(second).to.be.lessThan(first + 50);
    expect((await boxesOf('.token.cursor'))[0].left).to.be.closeTo(columns, 80);
    await page.keyboard.press('ArrowUp');
    expect(await topOf()).to.equal(first);
  });

  it('tells of the token that the keyboard is at after one is pinned, whatever the pointer rests on', async () => {
    await open({ run: 'code' });
    await token(35).click();
    const readout = page.locator('.source-pane .readout');
    await page.keyboard.press('ArrowLeft');
    await readout.getByText('"(" (34)').waitFor();
    expect(await readout.textContent()).to.match(/^pinned "n" \(35\) reads "\(" \(34\): 0\.0\d+$/);
  });

  it('marks what is found in the editor\u2019s own colours, over any weight', async () => {
    await open({ run: 'code' });
    await page.locator('.source-scroll').focus();
    await page.keyboard.press('/');
    await page.keyboard.type('self');
    const colours = await page
      .locator('.token.found:not(.pointed)')
      .evaluateAll((elements) => [...new Set(elements.map((element) => getComputedStyle(element).backgroundColor))]);
    expect(colours).to.deep.equal(['rgba(234, 92, 0, 0.33)']);
    expect(
      await page
        .locator('.token.found.pointed')
        .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).backgroundColor)),
    ).to.deep.equal(['rgb(158, 106, 3)']);
    await screenshot(page, 'visual/found');
    await page.keyboard.press('Escape');
    expect(await page.locator('.token.found').count()).to.equal(0);
  });

  it('keeps the target in sight above a long source', async () => {
    await open({ run: 'longSource', width: 480, height: 600 });
    await page.evaluate(() => host.fire('hover', { stream: 0, position: 300 }));
    await page.waitForFunction(
      () =>
        document.querySelectorAll('.stream')[1]?.querySelector('[data-token="300"]')?.classList.contains('looking') ===
        true,
    );
    const [target] = await boxesOf('.stream-section:first-child .token');
    const [pane] = await boxesOf('.source-scroll');
    expect(target.top).to.be.at.least(pane.top);
    expect(target.bottom).to.be.at.most(pane.bottom);
    const [looked] = await boxesOf('.token.looking');
    expect(looked.top).to.be.at.least(target.bottom);
    expect(looked.bottom).to.be.at.most(pane.bottom + 1);
    await screenshot(page, 'visual/long-source');
  });

  it('keeps what is pinned in sight in another size, and leaves whoever has scrolled away from it', async () => {
    await open({ run: 'context', width: 1280, height: 900 });
    await token(70).click();
    const isInSight = async (): Promise<boolean> => {
      const [[box], [room]] = [await boxesOf('.token.pinned'), await boxesOf('.source-scroll')];
      return box.top >= room.top && box.bottom <= room.bottom;
    };
    await page.setViewportSize({ width: 480, height: 600 });
    await page.waitForFunction(() => (document.querySelector('.source-scroll')?.scrollTop ?? 0) > 0);
    expect(await isInSight()).to.equal(true);
    await page.waitForTimeout(300); // what happens then is another's doing
    const twoFrames = (): Promise<unknown> =>
      page.evaluate(
        () =>
          new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 50)))),
      );
    await page.locator('.source-scroll').evaluate((element) => (element.scrollTop = 0));
    await twoFrames(); // whoever scrolls has seen it before they make the window another size
    await page.setViewportSize({ width: 490, height: 600 });
    await twoFrames();
    expect(await isInSight()).to.equal(false);
  });

  it('has the focus when the panel gets it', async () => {
    await open({ run: 'code' });
    expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal('BODY');
    await page.evaluate(() => window.dispatchEvent(new FocusEvent('focus')));
    await page.waitForFunction(() => document.activeElement?.className === 'source-scroll');
  });

  it('has what was selected in sight and marked, and the rest fainter, but what is lit there as it is anywhere, in every theme', async () => {
    await open({ run: 'context', width: 480, height: 600 });
    const [first] = await boxesOf('.token.selected');
    const [room] = await boxesOf('.source-scroll');
    expect(first.top >= room.top && first.bottom <= room.bottom, JSON.stringify([first, room])).to.equal(true);
    expect(await page.locator('.token.selected').allTextContents()).to.deep.equal([
      ' return',
      ' self',
      '.',
      'items',
      '[',
      'key',
      ']',
    ]);
    const colours = (): Promise<Record<'text' | 'around' | 'beside', string>> =>
      page.evaluate(() => {
        const colour = (selector: string): string =>
          getComputedStyle(document.querySelector(selector) ?? document.body).color;
        return {
          text: colour('.token.selected'),
          around: colour('.line.context .token'),
          beside: colour('.line:not(.context) .token.context'),
        };
      });
    for (const theme of allThemes) {
      await showTheme(page, theme);
      const { text, around, beside } = await colours();
      expect(beside, theme).to.equal(around);
      if (!theme.startsWith('hc')) expect(around, theme).to.not.equal(text);
      expect(
        await page
          .locator('.token.selected')
          .first()
          .evaluate((element) => getComputedStyle(element).textDecorationLine),
      ).to.equal('underline');
    }
    await page.locator('.token.selected').first().click();
    const lit = page.locator('.line.context .token[class*=" d"]').first();
    await lit.waitFor({ state: 'attached' });
    const level = /\bd\d+\b/.exec((await lit.getAttribute('class')) ?? '')?.[0] ?? '';
    const colourOf = (className: string): Promise<string> =>
      page.evaluate((name) => {
        const element = document.body.appendChild(document.createElement('span'));
        element.className = name;
        const { color } = getComputedStyle(element);
        element.remove();
        return color;
      }, className);
    for (const theme of allThemes) {
      await showTheme(page, theme);
      expect(await lit.evaluate((element) => getComputedStyle(element).color), theme).to.equal(await colourOf(level));
      await screenshot(page, `visual/context-${theme}`);
      expect(
        await violationsOf(page, pages.complaints, theme === 'dark' ? undefined : rulesOfColours),
        theme,
      ).to.deep.equal([]);
    }
  });

  it('says how the selection is read, and changes that by mouse and by keyboard', async () => {
    const acts = (): Promise<unknown[]> =>
      page.evaluate(() => host.intents.filter(({ name }) => name === 'act').map(({ value }) => value));
    await open({ run: 'context', width: 480, height: 600 });
    const group = (): Locator => page.getByRole('radiogroup', { name: 'How the selection is read' });
    await page.getByText('fibonacci.py 26, in lines 12–27').waitFor();
    expect(
      await group()
        .getByRole('radio')
        .evaluateAll((radios) =>
          radios.map((radio) => [
            radio.textContent,
            radio.getAttribute('aria-checked'),
            (radio as HTMLElement).tabIndex,
          ]),
        ),
    ).to.deep.equal([
      ['In context', 'true', 0],
      ['Selection alone', 'false', -1],
    ]);
    await group().getByRole('radio', { name: 'In context' }).click();
    expect(await acts()).to.deep.equal([]);
    await page.keyboard.press('ArrowRight');
    expect(await acts()).to.deep.equal([{ action: 'readAlone' }]);
    expect(await page.evaluate(() => document.activeElement?.textContent)).to.equal('Selection alone');
    await page.close();
    await open({ run: 'alone', width: 480, height: 600 });
    expect(await page.locator('.token.context, .line.context').count()).to.equal(0);
    await group().getByRole('radio', { name: 'In context' }).click();
    expect(await acts()).to.deep.equal([{ action: 'readInContext' }]);
  });

  it('has notices above it with what can be done', async () => {
    await open({ run: 'context' });
    await page.getByRole('button', { name: 'From the Start' }).click();
    expect(await page.evaluate(() => host.intents.at(-1))).to.deep.equal({
      name: 'act',
      value: { action: 'explainFromStart' },
    });
  });

  it('has notices above it that can be closed', async () => {
    await open({ run: 'context' });
    const notice = page.getByText('Nothing was selected, so the text around the caret is explained');
    await notice.waitFor();
    await page.getByRole('button', { name: 'Close the notice' }).click();
    await notice.waitFor({ state: 'detached' });
  });
});
