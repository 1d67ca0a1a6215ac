// Figures as a browser has them: parsed strictly, their numbers and labels those of the run, and drawn.
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { PNG } from 'pngjs';
import type { Browser, Page } from 'playwright-core';
import { figureNumber } from '../../src/model/figures/figureNumber';
import { gridSvg } from '../../src/model/figures/gridSvg';
import { listSvg } from '../../src/model/figures/listSvg';
import { matrixSvg, type NumberColours } from '../../src/model/figures/matrixSvg';
import { oneColumn, twoColumns, type Paper } from '../../src/model/figures/paper';
import { sourceSvg } from '../../src/model/figures/sourceSvg';
import { stepsSvg } from '../../src/model/figures/stepsSvg';
import { tableSvg } from '../../src/model/figures/tableSvg';
import { gridFigure, listFigure, sourceFigure, stepsFigure, type LitView } from '../../src/model/figures/viewFigures';
import { lightingFrom, lookAt } from '../../src/model/lighting';
import { strongest, weightsOf } from '../../src/model/pattern';
import { editorColours, rampFor, type ThemeKind } from '../../src/model/ramp';
import { shortWeight } from '../../src/model/shortWeight';
import { visibleText, type Token, type TokenStream } from '../../src/model/token';
import { artefact, launchBrowser, screenshot } from '../harness/browser';
import { hostileTexts } from '../harness/hostileTexts';
import { generatePattern, generatePicture, generateRun, generateThumbnails } from './generatedRun';
import { suitePages } from './suitePages';
import { sampleHow } from './sampleHow';

const paperOf = (kind: ThemeKind, millimetres: number): Paper => ({
  ...editorColours[kind],
  millimetres,
  caption: ['tiny-gpt2 · fib.py · head 1.1 · attention weight · absolute scale', 'Attention Explorer 0.1.0'],
});
const coloursOf = ({ background, foreground }: Paper): NumberColours => ({
  scale: 'absolute',
  ceiling: 1,
  threshold: 0,
  ramp: rampFor('blue', background, foreground, 'reads'),
});

/** What a strict parser finds in a figure. */
interface Parsed {
  readonly texts: readonly string[];
  /** Names of elements and attributes that a figure has no business with. */
  readonly foreign: readonly string[];
  readonly width: string | null;
  /** Texts that stand beyond the figure's edges. */
  readonly outside: readonly string[];
  readonly overfull: readonly string[];
}

let browser: Browser;
let page: Page;

/** Parses a figure as XML, which forgives nothing, and draws it. */
async function parsed(svg: string): Promise<Parsed> {
  await page.setContent(`<body style="margin:0">${svg}</body>`);
  return page.evaluate((source) => {
    const root = new DOMParser().parseFromString(source, 'image/svg+xml');
    const error = root.querySelector('parsererror');
    if (error !== null) throw new Error(error.textContent ?? 'not XML');
    const known = new Set(['svg', 'title', 'rect', 'g', 'text', 'image']);
    const drawn = document.querySelector('svg')!;
    const bounds = drawn.getBoundingClientRect();
    const isOutside = (element: Element): boolean => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return left < bounds.left - 1 || right > bounds.right + 1 || top < bounds.top - 1 || bottom > bounds.bottom + 1;
    };
    const texts = [...drawn.querySelectorAll('text')];
    return {
      texts: [...root.querySelectorAll('text')].map((text) => text.textContent ?? ''),
      foreign: [...root.querySelectorAll('*')].flatMap((element) => [
        ...(known.has(element.localName) ? [] : [element.localName]),
        ...[...element.attributes].map(({ name }) => name).filter((name) => /^on|^xlink/.test(name)),
        ...(element.getAttribute('href')?.startsWith('data:image/png') === false ? ['href'] : []),
      ]),
      width: root.documentElement.getAttribute('width'),
      outside: texts.filter(isOutside).map((text) => text.textContent ?? ''),
      overfull: [...drawn.querySelectorAll('rect')].filter(isOutside).map((rect) => rect.outerHTML),
    };
  }, svg);
}

const shot = async (name: string): Promise<string> => screenshot(page, `visual/figure-${name}`);

describe('figures', () => {
  const run = generateRun('code');
  const [component] = run.info.components;
  const [stream] = run.info.streams;
  const pattern = generatePattern(run, component, 1, 1);
  const labels = stream.tokens.map((_, position) => visibleText(stream, position));
  const pinned = [{ stream: 0, position: 40 }];

  before(async () => {
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 720, height: 900 } });
  });
  after(() => browser.close());

  /** A view of a stream's tokens with the strongest of one lit. */
  function viewOf(streams: readonly TokenStream[], paper: Paper): LitView {
    const look = lookAt(pattern, component, pinned, 'reads')!;
    return {
      streams,
      lighting: lightingFrom(look, [weightsOf(pattern, 40, 'reads')]),
      pinned,
      colours: coloursOf(paper),
      isSigned: false,
      sinks: [],
    };
  }

  it('are the matrix with its labels, its cells where their numbers are', async () => {
    const paper = paperOf('light', twoColumns);
    const colours = coloursOf(paper);
    const found = await parsed(
      matrixSvg({ ...colours, pattern, queries: labels, keys: labels, pinned: { rows: [40], columns: [] } }, paper),
    );
    await shot('matrix');
    expect([found.foreign, found.outside, found.overfull, found.width]).to.deep.equal([[], [], [], '174mm']);
    for (const text of [labels[0], labels[40]].map((label) => [...label].slice(0, 9).join('')))
      expect(
        found.texts.some((shown) => shown.startsWith(text)),
        text,
      ).to.equal(true);
    const cells = await page.evaluate(() =>
      [...document.querySelectorAll('g[stroke="none"] rect')].map((rect) =>
        ['x', 'y', 'fill'].map((name) => rect.getAttribute(name)).join(' '),
      ),
    );
    const expected = [...pattern.weights.keys()]
      .filter((at) => Math.round(255 * pattern.weights[at]) > 0)
      .map((at) => {
        const { r, g, b } = colours.ramp.colour(Math.round(255 * pattern.weights[at]) / 255);
        return `${at % pattern.numKeys} ${Math.floor(at / pattern.numKeys)} rgb(${r}, ${g}, ${b})`;
      });
    expect(cells).to.deep.equal(expected);
  });

  for (const [kind, millimetres] of [
    ['light', oneColumn],
    ['dark', twoColumns],
  ] as const)
    it(`are the text with its highlights and numbers, ${millimetres} mm wide, on a ${kind} page`, async () => {
      const paper = paperOf(kind, millimetres);
      const view = viewOf([stream], paper);
      const found = await parsed(sourceSvg(sourceFigure(view, [], 4), paper));
      await shot(`source-${kind}`);
      expect([found.foreign, found.outside, found.overfull]).to.deep.equal([[], [], []]);
      const words = stream.text.split(/\s+/).filter((word) => word !== '');
      expect(found.texts.join('').replaceAll(/\s/g, '')).to.include(words[words.length - 1]);
      const numbers = strongest(weightsOf(pattern, 40, 'reads'), 8).map(({ weight }) => shortWeight(weight));
      expect(found.texts).to.include.members(numbers.slice(0, 1));
      // Every sign of the text, in order, once the numbers above it are gone.
      const read = found.texts
        .slice(0, -paper.caption.length)
        .filter((text) => !numbers.includes(text))
        .join('');
      expect(read.replaceAll(/\s|…|↵/g, '')).to.include(words.slice(0, 6).join(''));
    });

  it('are the list, the grid, tables and steps', async () => {
    const paper = paperOf('light', oneColumn);
    const view = viewOf([stream], paper);
    const list = await parsed(
      listSvg(listFigure(view, { title: 'x reads', rest: ({ restCount }) => [`${restCount} others`] }), paper),
    );
    await shot('list');
    expect([list.foreign, list.outside, list.overfull]).to.deep.equal([[], [], []]);
    for (const { position, weight } of strongest(weightsOf(pattern, 40, 'reads'), 3))
      expect(list.texts.join('\n')).to.match(new RegExp(`\\(${position}\\)\n${figureNumber(weight)}(\n|$)`));
    const wide = paperOf('highContrastDark', twoColumns);
    const grid = await parsed(
      gridSvg(
        gridFigure(generateThumbnails(run, component.component, 48), coloursOf(wide), {
          isSigned: false,
          selected: [{ layer: 1, head: 1 }],
        }),
        wide,
      ),
    );
    await shot('grid');
    expect([grid.foreign, grid.outside, grid.overfull]).to.deep.equal([[], [], []]);
    expect(await page.locator('image').count(), 'as many cells are one picture').to.equal(1);
    const table = await parsed(
      tableSvg({ columns: ['head', 'entropy', 'previous token'], rows: [['0.0', '1.25', '0.5']] }, paper),
    );
    expect(table.texts.slice(0, 7)).to.include.members(['head', 'entropy', '0.0', '1.25', '0.5']);
    const how = sampleHow({ component: 'self', layer: 0, head: 0, query: 2, key: 1 }, stream.tokens.length);
    const steps = await parsed(stepsSvg(stepsFigure(how, { title: 'b reads a', translated: (text) => text }), paper));
    await shot('steps');
    expect([steps.foreign, steps.outside]).to.deep.equal([[], []]);
    expect(steps.texts.filter((text) => /^\d+\. /.test(text))).to.have.length(how.steps.length);
  });

  it('are no markup of what a file says, whatever it says', async () => {
    const texts = Object.values(hostileTexts).map((text) => text.slice(0, 400));
    const text = texts.join('');
    let end = 0;
    const tokens = texts.map((piece, id): Token => ({
      id,
      piece,
      start: end,
      end: (end += piece.length),
      isSpecial: id % 5 === 4,
    }));
    const hostile: TokenStream = { role: 'source', text, tokens };
    const numTokens = tokens.length;
    const weights = new Float32Array(numTokens ** 2).fill(1 / numTokens);
    const paper = { ...paperOf('light', oneColumn), caption: texts };
    const names = tokens.map((_, position) => visibleText(hostile, position));
    const view: LitView = {
      ...viewOf([hostile], paper),
      lighting: lightingFrom({ tokens: [{ stream: 0, position: 1 }], direction: 'reads', stream: 0 }, [
        weights.subarray(0, numTokens),
      ]),
    };
    const own = { numQueries: numTokens, numKeys: numTokens, weights };
    for (const svg of [
      matrixSvg({ ...coloursOf(paper), pattern: own, queries: names, keys: names }, paper),
      sourceSvg(sourceFigure(view, texts, 4), paper),
      listSvg(listFigure(view, { title: texts[0], rest: () => texts }), paper),
      tableSvg({ columns: texts.slice(0, 4), rows: [texts.slice(0, 4)] }, paper),
    ]) {
      const found = await parsed(svg);
      expect(found.foreign).to.deep.equal([]);
      expect(svg).to.not.match(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\ufeff]/);
    }
  });
});

describe('figures in the panel', () => {
  const pages = suitePages();
  let panel: Page;
  afterEach(() => panel.close());

  /** What the page answers. */
  const ask = (request: object) =>
    panel.evaluate(async (asked) => {
      const before = host.intents.length;
      host.fire('figure', asked as never);
      for (let i = 0; i < 100; i++) {
        const found = host.intents.slice(before).find(({ name }) => name === 'figure')?.value as any;
        if (found !== undefined)
          return { ...found, ...(found.png === undefined ? {} : { png: Array.from(found.png) }) };
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error('nothing came');
    }, request);

  it('become pictures as large as is asked, and go into the clipboard', async () => {
    panel = await pages.open({ run: 'code', theme: 'dark' });
    const paper = paperOf('light', oneColumn);
    const weights = Float32Array.of(1, 0, 0.5, 0.25);
    const svg = matrixSvg(
      { ...coloursOf(paper), pattern: { numQueries: 2, numKeys: 2, weights }, queries: ['a', 'b'], keys: ['a', 'b'] },
      paper,
    );
    const sizes = [];
    for (const times of [1, 4]) {
      const { width, height, data } = PNG.sync.read(Buffer.from((await ask({ kind: 'picture', svg, times })).png));
      sizes.push(width);
      expect([...data.subarray(8 * (width + 1), 8 * (width + 1) + 4)], 'a light page').to.deep.equal([
        255, 255, 255, 255,
      ]);
      const full = coloursOf(paper).ramp.colour(1);
      const isFull = (i: number): boolean => data[i] === full.r && data[i + 1] === full.g && data[i + 2] === full.b;
      expect(Array.from({ length: width * height }, (_, i) => 4 * i).some(isFull)).to.equal(true);
    }
    expect(sizes[1] / sizes[0]).to.be.closeTo(4, 0.05);
    await panel.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await panel.bringToFront();
    expect(await ask({ kind: 'copy', svg, times: 2 })).to.deep.equal({ kind: 'copied' });
    const types = await panel.evaluate(async () => (await navigator.clipboard.read()).flatMap(({ types: all }) => all));
    expect(types).to.include('image/png');
    expect((await ask({ kind: 'picture', svg: 'no figure', times: 1 })).kind).to.equal('failed');
  });

  it('become pictures of a picture with its patches lit, each over what the model sees', async () => {
    panel = await pages.open({ run: 'picture', theme: 'dark' });
    const [stream] = generateRun('picture').info.streams;
    const picture = generatePicture();
    const paper = paperOf('light', oneColumn);
    const colours = coloursOf(paper);
    // The class token reads a patch of the disc with half of its attention; what is lit less stays below a veil.
    const [lit, half, unlit] = [3 * 8 + 4, 6 * 8 + 1, 8 + 1];
    const weights = new Float32Array(65);
    weights.set([1], lit + 1);
    weights.set([0.5], half + 1);
    const view: LitView = {
      streams: [stream],
      lighting: lightingFrom({ tokens: [{ stream: 0, position: 0 }], direction: 'reads', stream: 0 }, [weights]),
      pinned: [{ stream: 0, position: 0 }],
      colours,
      isSigned: false,
      sinks: [],
    };
    const svg = sourceSvg(sourceFigure(view, [], 4, picture), paper);
    const times = 2;
    const png = Buffer.from((await ask({ kind: 'picture', svg, times })).png);
    await writeFile(artefact('visual/figure-picture.png'), png);
    const { width, height, data } = PNG.sync.read(png);
    // Where the picture stands, a browser says that draws the figure.
    const blank = await panel.context().browser()!.newPage();
    await blank.setContent(`<body style="margin:0">${svg}</body>`);
    const [figure, image] = await blank.evaluate(() =>
      ['svg', 'svg image'].map((name) => {
        const { x, y, width: wide, height: high } = document.querySelector(name)!.getBoundingClientRect();
        return { x, y, wide, high };
      }),
    );
    await blank.close();
    // A browser takes whole pixels of a picture first.
    expect(width).to.be.closeTo(figure.wide * times, times);
    expect(height).to.be.closeTo(figure.high * times, times);
    const full = colours.ramp.colour(1);
    for (const [patch, depth] of [
      [lit, 1],
      [half, 0.5],
      [unlit, 0],
    ] as const) {
      // Beside its number, which stands in the middle.
      const [column, row] = [(patch % 8) + 0.5, Math.floor(patch / 8) + 0.12];
      const [x, y] = [image.x - figure.x + (column / 8) * image.wide, image.y - figure.y + (row / 8) * image.high];
      const at = 4 * (Math.round(y * times) * width + Math.round(x * times));
      const seen = 4 * (Math.round(row * 12) * picture.width + Math.round(column * 12));
      const [veil, light] = [0.66 * (1 - depth), 0.55 * depth];
      const expected = [full.r, full.g, full.b].map((ramp, i) => {
        const veiled = picture.pixels[seen + i] * (1 - veil) + 255 * veil;
        return veiled * (1 - light) + ramp * light;
      });
      expected.forEach((value, i) => expect(data[at + i], `patch ${patch}, ${i}`).to.be.closeTo(value, 6));
    }
  });

  it('are told in which colours the page is, and how it is arranged', async () => {
    panel = await pages.open({ run: 'code', theme: 'dark' });
    const { seen } = await ask({ kind: 'seen' });
    expect(seen).to.deep.equal({ ...editorColours.dark, sort: 'head' });
  });
});
