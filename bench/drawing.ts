// The panel in Chromium, and BertViz's head view and model view in the same Chromium, over the same attention numbers: the time
// from the numbers in the page to the picture, and the work of the page's thread for another head and for a hovered token.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { BertViz } from './bertvizPage';
import { generatePattern, generateRun, type RunKind } from '../test/visual/generatedRun';
import { PanelPages } from '../test/visual/panelPage';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const sizes = (process.env['BENCH_TOKENS'] ?? '64,128,256').split(',').map(Number);
/** Nobody waits longer for a picture. */
const limit = 60_000;
/** After a round that took so long, one more is enough. */
const slow = 15_000;
const kindOf = (size: number): RunKind => (({ 64: 'tokens64', 128: 'tokens128', 256: 'tokens256', 512: 'large', 4096: 'huge' }) as const)[size] ?? 'large';

/** A tool with a page of its own for each round. */
interface Tool {
  readonly name: string;
  open(size: number): Promise<Page>;
  /** Draws what is in the page already; resolves to milliseconds until it was on the screen. */
  paint(page: Page, size: number): Promise<number>;
  /** Does what is not to be measured of showing another head. */
  ready?(page: Page, round: number): Promise<void>;
  /** Shows another head. */
  next(page: Page, round: number): Promise<unknown>;
  hover(page: Page, position: number): Promise<unknown>;
}

interface Times {
  readonly paint: number[];
  readonly next: number[];
  readonly hover: number[];
  failure?: string;
}

async function busy(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
}

/** Milliseconds that the page's thread works on something and on drawing it. */
async function workOf(page: Page, session: CDPSession, act: () => Promise<unknown>): Promise<number> {
  const settled = (): Promise<unknown> => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))));
  await settled();
  const idleFrom = await busy(session);
  await settled();
  const from = await busy(session);
  await act();
  await settled();
  // Waiting costs a little by itself.
  return Math.max(0, (await busy(session)) - from - (from - idleFrom));
}

async function measure(tool: Tool, size: number, round: number, times: Times): Promise<void> {
  let page: Page | undefined;
  try {
    page = await tool.open(size);
    const opened = page;
    const session = await opened.context().newCDPSession(opened);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not there after ${limit / 1000} s`)), limit);
    });
    const crashed = new Promise<never>((_, reject) => opened.once('crash', () => reject(new Error('the page crashed'))));
    const all = async (): Promise<void> => {
      const paint = await tool.paint(opened, size);
      await tool.ready?.(opened, round);
      const next = await workOf(opened, session, () => tool.next(opened, round));
      const hover = await workOf(opened, session, () => tool.hover(opened, 20 + round));
      if (round === 0 && paint < slow) return;
      times.paint.push(paint);
      times.next.push(next);
      times.hover.push(hover);
    };
    try {
      await Promise.race([all(), late, crashed]);
    } finally {
      clearTimeout(timer);
    }
  } catch (error) {
    times.failure = error instanceof Error ? error.message.split('\n')[0] : String(error);
  } finally {
    // A page that hangs does not close when asked.
    await Promise.race([page?.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
  }
}

async function showHead(page: Page, name: string): Promise<void> {
  await page.evaluate((label) => {
    const [layer, head] = label.split('.').map(Number);
    host.view = { ...host.view, selection: { component: 'self', heads: [{ layer, head }], aggregation: 'mean' } };
    host.fire('view', { view: host.view, sequence: 1e9 });
  }, name);
  await page.waitForFunction((label) => document.querySelector('.matrix-pane h2')?.textContent === `Head ${label}`, name);
}

const pages = await PanelPages.start();
const ours: Tool = {
  name: 'Attention Explorer',
  async open(size) {
    const page = await pages.open({});
    await page.evaluate((kind) => host.keep(kind, 32), kindOf(size));
    return page;
  },
  paint: (page, size) =>
    page.evaluate(
      (kind) =>
        new Promise<number>((done) => {
          const started = performance.now();
          host.showRun(kind);
          const look = (): void => {
            if (host.intents.some(({ name }) => name === 'painted') && host.numThumbnails > 0) requestAnimationFrame(() => done(performance.now() - started));
            else setTimeout(look);
          };
          look();
        }),
      kindOf(size),
    ),
  async ready(page, round) {
    // Of a large pattern the engine makes the overview; here that is in the page too, and no part of drawing.
    if (!(await page.evaluate(() => (host.run.info.streams[0]?.tokens.length ?? 0) > 2000))) return;
    await showHead(page, `3.${(round % 11) + 1}`);
    await showHead(page, '0.0');
  },
  next: (page, round) => showHead(page, `3.${(round % 11) + 1}`),
  hover: (page, position) => page.evaluate((at) => document.querySelector(`[data-token="${at}"]`)?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' })), position),
};

/** Writes the numbers that both are given. */
function writeAttention(folder: string, size: number): void {
  const run = generateRun(kindOf(size));
  const [component] = run.info.components;
  const [{ text, tokens }] = run.info.streams;
  const weights = new Float32Array(144 * size * size);
  for (let head = 0; head < 144; head++) weights.set(generatePattern(run, component, Math.floor(head / 12), head % 12).weights, head * size * size);
  writeFileSync(join(folder, `attention-${size}.f32`), weights);
  writeFileSync(join(folder, `tokens-${size}.json`), JSON.stringify(tokens.map(({ start, end }) => text.slice(start, end))));
}

const folder = join('out', 'bench', 'bertviz');
mkdirSync(folder, { recursive: true });
for (const size of sizes) writeAttention(folder, size);
const made = spawnSync(process.env['BENCH_PYTHON'] ?? 'python3', ['bench/bertvizPages.py', folder, ...sizes.map(String)], { encoding: 'utf8' });
const bertviz = made.status === 0 ? await BertViz.start(folder) : `${made.error?.message ?? made.stderr.trim().split('\n').at(-1) ?? 'no Python'}`;
const tools: Tool[] = [ours, ...(typeof bertviz === 'string' ? [] : [bertviz.headView, bertviz.modelView])];

const said = (values: readonly number[], failure: string | undefined): string => (failure !== undefined ? `— (${failure})` : `${ms(median(values))}`);
const ratio = (values: readonly number[], base: readonly number[], failure: string | undefined): string => (failure !== undefined || values === base ? '' : ` (${(median(values) / median(base)).toFixed(values.length > 0 ? 1 : 0)} ×)`);
const rows: string[][] = [];
for (const size of [...sizes, 512, 4096]) {
  const isShared = sizes.includes(size);
  const times = new Map(tools.filter((tool) => isShared || tool === ours).map((tool) => [tool, { paint: [], next: [], hover: [] } as Times]));
  for (let round = 0; round <= rounds; round++) {
    for (const [tool, own] of times) {
      if (own.failure !== undefined || (own.paint[0] ?? 0) >= slow) continue;
      await measure(tool, size, round, own);
      console.error(`${size} tokens, round ${round}, ${tool.name}: ${own.failure ?? ms(own.paint.at(-1) ?? NaN)}`);
    }
  }
  const base = times.get(ours);
  for (const [tool, { paint, next, hover, failure }] of times) {
    const cell = (values: number[], of: number[]): string => (failure !== undefined ? said(values, failure) : said(values, undefined) + ratio(values, of, undefined));
    rows.push([`${size}`, tool.name, cell(paint, base?.paint ?? []), failure === undefined ? cell(next, base?.next ?? []) : '—', failure === undefined ? cell(hover, base?.hover ?? []) : '—', String(failure === undefined ? paint.length : 0)]);
  }
}
console.log(`12 layers × 12 heads, one Chromium, tools in turn, a new page each round; medians, in brackets how many times ours. «To the picture»: from the numbers in the page, milliseconds on the clock. «Another head», «hover»: milliseconds of work of the page's thread, drawing included. With 4096 tokens the panel draws from tiles; what the engine does for it, the overview first of all, is made in the page too and is in the first column.`);
console.log(typeof bertviz === 'string' ? `\nBertViz is left out: ${bertviz}\n` : `\nBertViz ${made.stdout.trim()}; its head view draws one layer of 12 heads, its model view all 144; ours all 144 as thumbnails, one as a matrix, and the text. «Another head» is another layer in the head view, a head's detail in the model view.\n`);
console.log(table(['tokens', 'tool', 'to the picture', 'another head', 'hover', 'rounds'], rows));
if (typeof bertviz !== 'string') await bertviz.stop();
await pages.stop();
process.exit(0);
