// Live mode in the panel: one run takes the place of another.
import { expect } from 'chai';
import type { PlainText } from '../../src/base/safeText';
import type { Page } from 'playwright-core';
import { suitePages } from './suitePages';

describe('the panel in live mode', () => {
  let page: Page;

  const pages = suitePages();
  before(async () => {
    page = await pages.open({ run: 'code', width: 1000, height: 560 });
    await page.locator('.matrix-base').waitFor();
    await follow(2, 4);
    await lit(4).waitFor();
  });

  const picture = (): Promise<string> =>
    page.locator('.matrix-base').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()); // a canvas by its class
  const follow = (runId: number, caret: number): Promise<void> =>
    page.evaluate(([id, position]) => host.followRun('code', id, position), [runId, caret] as const);
  const lit = (position: number) => page.locator(`[data-token="${position}"].looking`).first();

  it('says so, and turns it off', async () => {
    await page.getByRole('button', { name: 'Live' }).click();
    expect(await page.evaluate(() => host.intents.at(-1))).to.deep.equal({
      name: 'act',
      value: { action: 'toggleLive' },
    });
  });

  it('shows another run without a break: head, zoom and place stay, and the token before the caret is lit', async () => {
    await page.getByRole('gridcell', { name: /^head 1\.2\b/i }).click();
    await page.getByRole('heading', { name: 'Head 1.2' }).waitFor();
    await page.locator('.matrix-plot').focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('+');
    const [place, caret] = await page.locator('.source-scroll').evaluate((element) => {
      element.scrollTop = 40;
      const { top, height } = element.getBoundingClientRect();
      const middle = [...element.querySelectorAll<HTMLElement>('[data-token]')].find(
        (token) => token.getBoundingClientRect().top > top + height / 2,
      );
      return [element.scrollTop, Number(middle?.dataset['token'])];
    });
    const zoomed = await picture();
    const seen = page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const found = new Set<string>();
          let isLeft = 90;
          const look = (): void => {
            for (const wanted of ['.matrix-base', '.stream [data-token]', '.stream .looking', '.heads-grid canvas'])
              if (document.querySelector(wanted) === null) found.add(wanted);
            for (const unwanted of ['.status', '.matrix-pane .hint[role=alert]', '.tag.loading'])
              if (document.querySelector(unwanted) !== null) found.add(unwanted);
            if (--isLeft > 0) requestAnimationFrame(look);
            else resolve([...found]);
          };
          requestAnimationFrame(look);
        }),
    );
    await follow(3, caret);
    await lit(caret).waitFor();
    expect(await seen).to.deep.equal([]);
    expect(await page.getByRole('heading', { name: 'Head 1.2' }).count()).to.equal(1);
    expect(await page.locator('.source-scroll').evaluate((element) => element.scrollTop)).to.equal(place);
    expect((await picture()) === zoomed, 'the same part of the same matrix').to.equal(true);
    // A token that holds a line break has an element on each of its lines.
    expect(
      await page
        .locator('.stream .looking')
        .evaluateAll((elements) => [
          ...new Set(elements.map((element) => Number((element as HTMLElement).dataset['token']))),
        ]),
    ).to.deep.equal([caret]);
  });

  it('says in one sentence what went wrong', async () => {
    await page.evaluate(() =>
      host.fire('live', {
        isPaused: true,
        sentence: 'The model is gone.' as PlainText /* a page has no module of ours */,
      }),
    );
    await page.getByText('The model is gone.').waitFor();
  });
});
