// The stand-alone page, opened from a file without a network: hover, pins, heads, the keyboard, and what its policy forbids.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { bundles } from '../../scripts/build.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from '../../scripts/lib/processes.mjs';
import { joinBytes } from '../../src/base/joinBytes';
import { figureNumber } from '../../src/model/figures/figureNumber';
import { pageFile, type PageAssets, type PageLook } from '../../src/model/figures/pageFile';
import { pageSentences } from '../../src/model/figures/pageWords';
import { headLabel, headsOf } from '../../src/model/head';
import { fromHalf, toHalf } from '../../src/model/numbers/half';
import type { Numbers } from '../../src/model/numbers/numbers';
import { strongest, weightsOf } from '../../src/model/pattern';
import { editorColours, rampFor } from '../../src/model/ramp';
import { visibleText, type Token, type TokenStream } from '../../src/model/token';
import { artefact, launchBrowser } from '../harness/browser';
import { hostileTexts } from '../harness/hostileTexts';
import { violationsOf } from './accessibility';
import { generatePattern, generateRun, type RunKind } from './generatedRun';

const { background, foreground } = editorColours.light;

function lookOf(change: Partial<PageLook> = {}): PageLook {
  return {
    language: 'en',
    words: pageSentences,
    caption: ['tiny · fib.py · attention weight', 'Attention Explorer'],
    componentName: (component) => component,
    first: { head: '1.1', component: 'self' },
    scale: 'absolute',
    ceiling: 1,
    ramps: {
      reads: rampFor('blue', background, foreground, 'reads'),
      readBy: rampFor('blue', background, foreground, 'readBy'),
    },
    background,
    foreground,
    tabSize: 4,
    ...change,
  };
}

function numbersOf(kind: RunKind): Numbers {
  const run = generateRun(kind);
  return {
    model: run.info.model,
    notices: [],
    streams: run.info.streams,
    components: run.info.components,
    method: 'attention',
    heads: undefined,
    read: (name, { layer, head }) => {
      const component = run.info.components.find(({ component: own }) => own === name)!;
      return Promise.resolve(generatePattern(run, component, layer, head).weights);
    },
  };
}

let assets: PageAssets;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

async function written(numbers: Numbers, look: PageLook): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of pageFile(numbers, look, assets)) pieces.push(piece);
  return joinBytes(pieces);
}

async function open(numbers: Numbers, look = lookOf()): Promise<void> {
  const path = join(temporaryFolder('page'), 'page.html');
  await writeFile(path, await written(numbers, look));
  page = await context.newPage();
  complaints = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(path).href);
  await page.locator('canvas[aria-label]').waitFor();
}

const listed = () => page.locator('.sources li').allInnerTexts();
const status = () => page.locator('[role=status]').textContent();
const token = (text: string) => page.locator('.text span', { hasText: text }).first();

describe('the stand-alone page', () => {
  before(async () => {
    const { outputFiles } = await build({ ...bundles().page, absWorkingDir: root, write: false });
    const textOf = (ending: string): string => outputFiles?.find(({ path }) => path.endsWith(ending))?.text ?? '';
    assets = { script: textOf('.js'), style: textOf('.css') };
    browser = await launchBrowser();
    context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 800 } });
  });
  after(() => browser.close());
  afterEach(async () => {
    expect(complaints).to.deep.equal([]);
    await page.close();
  });

  it('answers to hover, pins, the direction and the choice of a head, with the run’s own numbers', async () => {
    const numbers = numbersOf('code');
    const [stream] = numbers.streams;
    const run = generateRun('code');
    const [component] = run.info.components;
    const expected = (head: readonly [number, number], position: number, way: 'reads' | 'readBy'): string[] => {
      const pattern = generatePattern(run, component, ...head);
      const halves = { ...pattern, weights: fromHalf(toHalf(pattern.weights)) };
      return strongest(weightsOf(halves, position, way), 12).map(
        ({ position: other, weight }) => `"${visibleText(stream, other)}" (${other})|${figureNumber(weight)}`,
      );
    };
    const shown = async (): Promise<string[]> => (await listed()).map((line) => line.split('\n').slice(0, 2).join('|'));
    await open(numbers);
    const at = stream.tokens.findIndex((_, position) => visibleText(stream, position) === '·Fibonacci');
    await token('Fibonacci').hover();
    expect(await shown()).to.deep.equal(expected([1, 1], at, 'reads'));
    expect(await status()).to.match(new RegExp(`^"·Fibonacci" \\(${at}\\) reads "`));
    await token('Fibonacci').click();
    await page.locator('.pinned').waitFor();
    await token('class').hover();
    expect(await shown(), 'what is pinned stays').to.deep.equal(expected([1, 1], at, 'reads'));
    await page.getByRole('combobox', { name: 'Head' }).selectOption('2.3');
    await page.locator('canvas[aria-label="Matrix of head 2.3"]').waitFor();
    expect(await shown()).to.deep.equal(expected([2, 3], at, 'reads'));
    await page.getByRole('combobox', { name: 'Direction' }).selectOption('readBy');
    expect(await shown()).to.deep.equal(expected([2, 3], at, 'readBy'));
    await page.screenshot({ path: artefact('visual/page.png') });
    // The matrix answers as well: its third column is the third token.
    await page.getByRole('group', { name: 'Text' }).focus();
    await page.keyboard.press('Escape');
    const box = (await page.locator('canvas').boundingBox())!;
    await page
      .locator('canvas')
      .hover({ position: { x: (box.width * 2.5) / stream.tokens.length, y: box.height / 2 } });
    expect(await shown()).to.deep.equal(expected([2, 3], 2, 'readBy'));
  });

  it('is walked by the keyboard and read out, and nobody is kept from it', async () => {
    await open(numbersOf('encoderDecoder'), lookOf({ first: { head: '0.0', component: 'cross' } }));
    expect(await page.locator('optgroup').count(), 'a group for each component').to.be.greaterThan(1);
    await page.getByRole('group', { name: 'Target' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await status()).to.match(/^".+" \(1\) reads "/);
    await page.keyboard.press('Enter');
    expect(await page.locator('.pinned').count()).to.be.greaterThan(0);
    await page.keyboard.press('Escape');
    expect(await page.locator('.pinned').count()).to.equal(0);
    expect(await violationsOf(page, complaints)).to.deep.equal([]);
  });

  it('takes at most 1.4 times the numbers that it holds, and its own page', async () => {
    await open(numbersOf('code'));
    const numTokens = 128;
    // Numbers that pack badly: every bit of each differs.
    const weights = Float32Array.from(
      { length: numTokens ** 2 },
      (_, i) => Math.abs(Math.sin(i * 12.9898) * 43758.5453) % 1,
    );
    const tokens = Array.from({ length: numTokens }, (_, id): Token => ({
      id,
      piece: 'x',
      start: id,
      end: id + 1,
      isSpecial: false,
    }));
    const stream: TokenStream = { role: 'source', text: 'x'.repeat(numTokens), tokens };
    const numbers: Numbers = { ...numbersOf('code'), streams: [stream], read: () => Promise.resolve(weights) };
    const held = headsOf(numbers.components[0]).length * numTokens ** 2 * 2;
    const size = (await written(numbers, lookOf())).length;
    expect(size / held).to.be.within(1, 1.4);
  });

  it('runs nothing but its own script, whatever a text says', async () => {
    const texts = [
      ...Object.values(hostileTexts).map((text) => text.slice(0, 300)),
      '</script><script>x()</script>',
      '<!--',
    ];
    let end = 0;
    const tokens = texts.map((piece, id): Token => ({
      id,
      piece,
      start: end,
      end: (end += piece.length),
      isSpecial: id % 4 === 3,
    }));
    const hostile: TokenStream = { role: 'source', text: texts.join(''), tokens };
    const [component] = numbersOf('code').components;
    const numbers: Numbers = {
      ...numbersOf('code'),
      streams: [hostile],
      components: [component],
      heads: [{ layer: 0, head: 0 }],
      read: () => Promise.resolve(new Float32Array(tokens.length ** 2).fill(1 / tokens.length)),
    };
    const look = lookOf({
      language: '"><script>',
      caption: texts,
      first: { head: headLabel({ layer: 0, head: 0 }), component: 'self' },
    });
    await open(numbers, look);
    expect(await page.locator('script').count()).to.equal(3);
    expect(await page.locator('img, a, iframe, link, base').count()).to.equal(0);
    // As the file is parsed, before any script: its elements are ours alone.
    const names = await page.evaluate(
      (source) => [
        ...new Set(
          [...new DOMParser().parseFromString(source, 'text/html').querySelectorAll('*')].map(
            ({ localName }) => localName,
          ),
        ),
      ],
      new TextDecoder().decode(await written(numbers, look)),
    );
    expect(names.sort()).to.deep.equal(
      ['body', 'head', 'html', 'main', 'meta', 'noscript', 'script', 'style', 'title'].sort(),
    );
    // A script that somebody puts in is refused by the policy.
    const file = await written(numbers, look);
    const path = join(temporaryFolder('page'), 'changed.html');
    await writeFile(
      path,
      new TextDecoder().decode(file).replace('</body>', '<script>document.title = "changed"</script></body>'),
    );
    const other = await context.newPage();
    await other.goto(pathToFileURL(path).href);
    expect(await other.title()).to.not.equal('changed');
    await other.close();
    expect((await readFile(path)).length).to.be.greaterThan(file.length);
  });
});
