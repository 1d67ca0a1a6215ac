// One round of what drawing must not get slower, as JSON: milliseconds of work of the page's thread, so that a busy machine says the same. It is
// bundled with the sources of the build that it measures (`npm run bench -- --against COMMIT`).
import type { CDPSession, Page } from 'playwright-core';
import { PanelPages } from '../test/visual/panelPage';
import { median } from './statistics';

const numWarm = 6;
const numActs = 11;

async function busy(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
}

const settled = (page: Page): Promise<unknown> =>
  page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))),
  );

/** What the page's thread works on something and on drawing it, less what waiting costs. */
async function workOf(page: Page, session: CDPSession, act: () => Promise<unknown>): Promise<number> {
  await settled(page);
  const idleFrom = await busy(session);
  await settled(page);
  const from = await busy(session);
  await act();
  await settled(page);
  return Math.max(0, (await busy(session)) - from - (from - idleFrom));
}

async function medianWork(page: Page, session: CDPSession, act: (index: number) => Promise<unknown>): Promise<number> {
  const works: number[] = [];
  for (let index = 0; index < numWarm + numActs; index++) works.push(await workOf(page, session, () => act(index)));
  return median(works.slice(numWarm));
}

const pages = await PanelPages.start();
const page = await pages.open({});
const session = await page.context().newCDPSession(page);
await session.send('Performance.enable', { timeDomain: 'threadTicks' });
await page.evaluate(() => host.keep('tokens256', 32));
const picture = await workOf(page, session, async () => {
  await page.evaluate(() => host.showRun('tokens256'));
  await page.waitForFunction(
    () => host.intents.some(({ name }) => name === 'painted') && host.numThumbnails > 0,
    undefined,
    { polling: 200 },
  );
});
let sequence = 1e9;
const showHead = (index: number): Promise<void> =>
  page.evaluate(
    ({ head, at }) => {
      host.view = { ...host.view, selection: { component: 'self', heads: [{ layer: 3, head }], aggregation: 'mean' } };
      host.fire('view', { view: host.view, sequence: at });
    },
    { head: (index % 11) + 1, at: ++sequence },
  );
for (let index = 0; index < 11; index++) await showHead(index);
const head = await medianWork(page, session, showHead);
const hover = await medianWork(page, session, (index) =>
  page.evaluate(
    (at) =>
      document
        .querySelector(`[data-token="${at}"]`)
        ?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' })),
    20 + 2 * index,
  ),
);
await pages.stop();
console.log(
  JSON.stringify({
    'panel, 256 tokens × 144 heads: work to the picture': picture,
    'another head': head,
    'another hovered token': hover,
  }),
);
process.exit(0);
