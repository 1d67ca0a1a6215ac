// The panel in Chromium, and BertViz's head view and model view in the same Chromium, over the same attention numbers: the time
// from the numbers in the page to the picture, and the work of the page's thread for another head and for a hovered token.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { BertViz } from './bertvizPage';
import { generatePattern, generateRun, type RunKind } from '../test/visual/generatedRun';
import { PanelPages } from '../test/visual/panelPage';
import type { ViewState } from '../src/model/viewState';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const sizes = (process.env['BENCH_TOKENS'] ?? '64,128,256').split(',').map(Number);
/** Nobody waits longer for a picture. */
const limit = 60_000;
/** After a round that took so long, one more is enough. */
const slow = 15_000;
/** How many other heads and hovered tokens are measured in a page, after how many that are not: a page is looked at for longer than a second. */
const numActs = 7;
const numWarm = 8;
/** Milliseconds of work after which once is enough. */
const slowAct = 400;
const kindOf = (size: number): RunKind =>
  (({ 64: 'tokens64', 128: 'tokens128', 256: 'tokens256', 512: 'large', 4096: 'huge' }) as const)[size] ?? 'large';

/** A tool with a page of its own for each round. */
interface Tool {
  readonly name: string;
  open(size: number): Promise<Page>;
  /** Draws what is in the page already; resolves to milliseconds until it was on the screen. */
  paint(page: Page, size: number): Promise<number>;
  /** Does what is not to be measured of showing another head. */
  ready?(page: Page): Promise<void>;
  /** Shows another head; one of eleven. */
  next(page: Page, index: number): Promise<unknown>;
  hover(page: Page, position: number): Promise<unknown>;
  /** Keeps a token lit whatever head is shown, where the tool can, and lets it go. */
  pin?(page: Page): Promise<void>;
  letGo?(page: Page): Promise<void>;
}

/** Milliseconds of the page's thread, all in all and of scripts alone. */
interface Work {
  readonly all: number;
  readonly script: number;
}

interface Times {
  readonly paint: number[];
  readonly next: Work[];
  readonly pinned: Work[];
  readonly hover: Work[];
  failure?: string;
}

async function busy(session: CDPSession): Promise<Work> {
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string): number => (metrics.find((metric) => metric.name === name)?.value ?? 0) * 1000;
  return { all: of('TaskDuration'), script: of('ScriptDuration') };
}

/** What the page's thread works on something and on drawing it. */
async function workOf(page: Page, session: CDPSession, act: () => Promise<unknown>): Promise<Work> {
  const settled = (): Promise<unknown> =>
    page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))),
    );
  await settled();
  const idleFrom = await busy(session);
  await settled();
  const from = await busy(session);
  await act();
  await settled();
  const to = await busy(session);
  // Waiting costs a little by itself.
  const beyond = (key: keyof Work): number => Math.max(0, to[key] - from[key] - (from[key] - idleFrom[key]));
  return { all: beyond('all'), script: beyond('script') };
}

/** The same of several in turn, each median by itself; the first are not counted, unless they are slow. */
async function workOfMany(page: Page, session: CDPSession, act: (index: number) => Promise<unknown>): Promise<Work> {
  const works: Work[] = [];
  for (let index = 0; index < numWarm + numActs; index++) {
    works.push(await workOf(page, session, () => act(index)));
    if (works[index].all > slowAct) return works[index];
  }
  const counted = works.slice(numWarm);
  return { all: median(counted.map(({ all }) => all)), script: median(counted.map(({ script }) => script)) };
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
    const crashed = new Promise<never>((_, reject) =>
      opened.once('crash', () => reject(new Error('the page crashed'))),
    );
    const all = async (): Promise<void> => {
      const paint = await tool.paint(opened, size);
      await tool.ready?.(opened);
      const next = await workOfMany(opened, session, (index) => tool.next(opened, index));
      await tool.pin?.(opened);
      const pinned = tool.pin && (await workOfMany(opened, session, (index) => tool.next(opened, index)));
      await tool.letGo?.(opened);
      const hover = await workOfMany(opened, session, (index) => tool.hover(opened, 20 + 2 * index));
      if (round === 0 && paint < slow) return;
      times.paint.push(paint);
      times.next.push(next);
      if (pinned !== undefined) times.pinned.push(pinned);
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

async function change(page: Page, view: Partial<ViewState>): Promise<void> {
  await page.evaluate((changed) => {
    host.view = { ...host.view, ...changed };
    host.fire('view', { view: host.view, sequence: 1e9 });
  }, view);
}

async function showHead(page: Page, name: string): Promise<void> {
  const [layer, head] = name.split('.').map(Number);
  await change(page, { selection: { component: 'self', heads: [{ layer, head }], aggregation: 'mean' } });
  // Asked now and then: a watch in the page would be work of its thread.
  for (let wait = 0; (await page.locator('.matrix-pane h2').textContent()) !== `Head ${name}`; wait++) {
    if (wait > 200) throw new Error(`head ${name} is not shown`);
    await page.waitForTimeout(50);
  }
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
            if (host.intents.some(({ name }) => name === 'painted') && host.numThumbnails > 0)
              requestAnimationFrame(() => done(performance.now() - started));
            else setTimeout(look);
          };
          look();
        }),
      kindOf(size),
    ),
  async ready(page) {
    // The engine makes and sends patterns; here that is in the page too, and no part of drawing.
    for (let index = 0; index < 11; index++) await ours.next(page, index);
  },
  next: (page, index) => showHead(page, `3.${(index % 11) + 1}`),
  pin: (page) => change(page, { pinned: [{ stream: 0, position: 50 }] }),
  letGo: (page) => change(page, { pinned: [] }),
  hover: (page, position) =>
    page.evaluate(
      (at) =>
        document
          .querySelector(`[data-token="${at}"]`)
          ?.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' })),
      position,
    ),
};

/** Writes the numbers that both are given. */
function writeAttention(folder: string, size: number): void {
  const run = generateRun(kindOf(size));
  const [component] = run.info.components;
  const [{ text, tokens }] = run.info.streams;
  const weights = new Float32Array(144 * size * size);
  for (let head = 0; head < 144; head++)
    weights.set(generatePattern(run, component, Math.floor(head / 12), head % 12).weights, head * size * size);
  writeFileSync(join(folder, `attention-${size}.f32`), weights);
  writeFileSync(
    join(folder, `tokens-${size}.json`),
    JSON.stringify(tokens.map(({ start, end }) => text.slice(start, end))),
  );
}

const folder = join('out', 'bench', 'bertviz');
mkdirSync(folder, { recursive: true });
for (const size of sizes) writeAttention(folder, size);
const made = spawnSync(
  process.env['BENCH_PYTHON'] ?? 'python3',
  ['bench/bertvizPages.py', folder, ...sizes.map(String)],
  { encoding: 'utf8' },
);
const bertviz =
  made.status === 0
    ? await BertViz.start(folder)
    : `${made.error?.message ?? made.stderr.trim().split('\n').at(-1) ?? 'no Python'}`;
const tools: Tool[] = [ours, ...(typeof bertviz === 'string' ? [] : [bertviz.headView, bertviz.modelView])];

const compared = (value: number, base: number): string =>
  `${ms(value)}${value === base ? '' : ` (${(value / base).toFixed(1)} ×)`}`;
const medianOf = (works: readonly Work[]): Work => ({
  all: median(works.map(({ all }) => all)),
  script: median(works.map(({ script }) => script)),
});
/** Work with its scripts' part, and how many times ours it is. */
const said = (works: readonly Work[], base: readonly Work[]): string =>
  works.length === 0 ? '' : `${compared(medianOf(works).all, medianOf(base).all)}; ${ms(medianOf(works).script)}`;
const rows: string[][] = [];
for (const size of [...sizes, 512, 4096]) {
  const isShared = sizes.includes(size);
  const times = new Map(
    tools
      .filter((tool) => isShared || tool === ours)
      .map((tool) => [tool, { paint: [], next: [], pinned: [], hover: [] } as Times]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const [tool, own] of times) {
      if (own.failure !== undefined || (own.paint[0] ?? 0) >= slow) continue;
      await measure(tool, size, round, own);
      console.error(`${size} tokens, round ${round}, ${tool.name}: ${own.failure ?? ms(own.paint.at(-1) ?? NaN)}`);
    }
  }
  const base = times.get(ours);
  if (base === undefined || base.paint.length === 0) throw new Error(`ours was not drawn: ${base?.failure ?? 'never'}`);
  for (const [tool, { paint, next, pinned, hover, failure }] of times) {
    const isMeasured = failure === undefined && paint.length > 0;
    rows.push([
      `${size}`,
      tool.name,
      ...(isMeasured
        ? [
            compared(median(paint), median(base.paint)),
            said(next, base.next),
            said(pinned, base.pinned),
            said(hover, base.hover),
          ]
        : [`— (${failure ?? 'not measured'})`, '', '', '']),
      String(isMeasured ? paint.length : 0),
    ]);
  }
}
console.log(
  `12 layers × 12 heads, one Chromium, tools in turn, a new page each round; medians, in brackets how many times ours. «To the picture»: from the numbers in the page, milliseconds on the clock. The other columns are milliseconds of work of the page's thread, styles, layout and drawing included, and after the semicolon of its scripts alone: medians of ${numActs} after ${numWarm} that are not counted, the heads' patterns in the page already. With 4096 tokens the panel draws from tiles; what the engine does for it, the overview first of all, is made in the page too and is in the first column.`,
);
console.log(
  typeof bertviz === 'string'
    ? `\nBertViz is left out: ${bertviz}\n`
    : `\nBertViz ${made.stdout.trim()}; its head view draws one layer of 12 heads, its model view all 144; ours all 144 as thumbnails, one as a matrix, and the text. «Another head» is another layer in the head view, a head's detail in the model view; in both, what takes more than ${slowAct} ms is done once.\n`,
);
console.log(
  table(
    [
      'tokens',
      'tool',
      'to the picture',
      'another head; script',
      'another head, a token pinned; script',
      'hover; script',
      'rounds',
    ],
    rows,
  ),
);
if (typeof bertviz !== 'string') await bertviz.stop();
await pages.stop();
process.exit(0);
