// The panel's own work in Chromium: first paint, head switch, hover.
import type { CDPSession, Page } from 'playwright-core';
import { PanelPages } from '../test/visual/panelPage';
import type { RunKind } from '../test/visual/generatedRun';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const names = ['TaskDuration', 'ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];
async function work(session: CDPSession): Promise<number[]> {
  const { metrics } = await session.send('Performance.getMetrics');
  return names.map((n) => (metrics.find(({ name }) => name === n)?.value ?? 0) * 1000);
}
const twoFrames = (page: Page): Promise<unknown> => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))));
async function measure(page: Page, session: CDPSession, act: () => Promise<unknown>): Promise<number[]> {
  await twoFrames(page);
  await page.waitForTimeout(100);
  const before = await work(session);
  await act();
  await twoFrames(page);
  await page.waitForTimeout(60);
  const after = await work(session);
  return after.map((v, i) => v - before[i]);
}

const pages = await PanelPages.start();
const rows: (string | number)[][] = [];
for (const kind of (process.env['KINDS'] ?? 'large,long,huge').split(',') as RunKind[]) {
  const page = await pages.open({ run: kind });
  await page.waitForTimeout(1500);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const one = async (name: string, act: (i: number) => Promise<unknown>, n = rounds): Promise<void> => {
    const samples: number[][] = [];
    for (let i = 0; i < n; i++) samples.push(await measure(page, session, () => act(i)));
    rows.push([`${kind} ${name}`, ...names.map((_, k) => ms(median(samples.slice(1).map((s) => s[k]))))]);
  };
  await one('nothing', async () => {});
  const hover = (position: number): Promise<unknown> => page.evaluate((p) => document.querySelector(`[data-token="${p}"]`)?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' })), position);
  await one('hover', (i) => hover(100 + i * 3));
  await one('hover scrolled', async (i) => hover(60 + i * 3));
  await one('hover dense (log scale)', async (i) => {
    if (i === 0) await page.evaluate(() => host.fire('view', { view: { ...host.view, scale: 'log' }, sequence: 5e6 }));
    await hover(300 + i);
  });
  await page.evaluate(() => host.fire('view', { view: { ...host.view, scale: 'absolute' }, sequence: 6e6 }));
  const select = (head: number): Promise<unknown> => page.evaluate((h) => host.fire('view', { view: { ...host.view, selection: { component: 'self', heads: [{ layer: 0, head: h }], aggregation: 'mean' } }, sequence: 7e6 }), head);
  for (const h of [0, 1]) { await select(h); await page.waitForTimeout(1500); }
  await one('head switch', (i) => select(i % 2), 2 * rounds);
  const [x, y] = await page.locator('.matrix-plot').evaluate((e) => { const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; });
  await page.mouse.move(x, y);
  await one('zoom step', () => page.mouse.wheel(0, -100));
  await one('crosshair', (i) => page.mouse.move(x + i * 3, y));
  if (process.env['PROFILE']) {
    await session.send('Profiler.enable');
    await session.send('Profiler.start');
    for (let i = 0; i < 20; i++) { if (process.env['PROFILE'] === 'switch') await select(i % 2); else await hover(100 + i * 5); await twoFrames(page); }
    const { profile } = await session.send('Profiler.stop');
    const self = new Map<string, number>();
    const byId = new Map(profile.nodes.map((n) => [n.id, n]));
    (profile.samples ?? []).forEach((id, i) => { const n = byId.get(id); const k = `${n?.callFrame.functionName}:${n?.callFrame.lineNumber}:${n?.callFrame.columnNumber}`; self.set(k, (self.get(k) ?? 0) + (profile.timeDeltas?.[i] ?? 0) / 1000); });
    console.error(kind, [...self].sort((a, b) => b[1] - a[1]).slice(0, 14));
  }
  await page.close();
}
await pages.stop();
console.log(table(['what', ...names], rows));
process.exit(0);
