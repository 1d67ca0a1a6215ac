// BertViz's own pages, with the libraries that they ask a CDN for served from npm packages on this machine.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../test/harness/browser';

/** The files of npm packages that stand for what the pages ask for. */
const libraries = {
  require: ['requirejs', 'require.js'],
  d3: ['d3', 'dist/d3.min.js'],
  jquery: ['jquery', 'dist/jquery.min.js'],
} as const;

/** One of BertViz's two views. */
export interface BertVizView {
  readonly name: string;
  open(size: number): Promise<Page>;
  paint(page: Page, size: number): Promise<number>;
  next(page: Page, index: number): Promise<unknown>;
  hover(page: Page, position: number): Promise<unknown>;
}

/** The file of a library: from this project's packages, or those in the folder that BENCH_LIBRARIES names. */
function libraryFile([name, file]: readonly [string, string]): string | undefined {
  for (const folder of ['.', process.env['BENCH_LIBRARIES'] ?? '.']) {
    try {
      const found = join(dirname(createRequire(resolve(folder, 'package.json')).resolve(`${name}/package.json`)), file);
      if (existsSync(found)) return found;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Serves pages that bench/bertvizPages.py wrote. */
export class BertViz {
  readonly #browser: Browser;
  readonly #folder: string;
  readonly #files: Readonly<Record<string, string>>;

  private constructor(browser: Browser, folder: string, files: Readonly<Record<string, string>>) {
    this.#browser = browser;
    this.#folder = folder;
    this.#files = files;
  }

  /** Resolves to a reason where a library is missing. */
  static async start(folder: string): Promise<BertViz | string> {
    const files: Record<string, string> = {};
    for (const [name, library] of Object.entries(libraries)) {
      const file = libraryFile(library);
      if (file === undefined)
        return `its pages need ${library[0]}, which is not installed (npm install --no-save d3@5.7.0 jquery@2 requirejs@2.3.6)`;
      files[name] = file;
    }
    return new BertViz(await launchBrowser(), folder, files);
  }

  get headView(): BertVizView {
    return {
      name: 'BertViz head view',
      open: (size) => this.#open(`head-${size}`),
      paint: (page) => this.#paint(page),
      next: (page, index) =>
        page.evaluate(
          (layer) => {
            const select = document.querySelector<HTMLSelectElement>('#layer');
            if (select === null) throw new Error('no choice of layers');
            select.value = layer;
            select.dispatchEvent(new Event('change', { bubbles: true }));
          },
          String((index % 11) + 1),
        ),
      hover: (page, position) => this.#hover(page, '#left > g:last-of-type > g', position),
    };
  }

  get modelView(): BertVizView {
    return {
      name: 'BertViz model view',
      open: (size) => this.#open(`model-${size}`),
      paint: (page) => this.#paint(page),
      next: (page, index) =>
        page.evaluate(
          (head) => {
            const region = document.querySelector(`#attn_background_3_${head}`)?.parentElement?.lastElementChild;
            if (!region) throw new Error('no such head');
            region.dispatchEvent(new MouseEvent('click', { bubbles: true }));
          },
          (index % 11) + 1,
        ),
      hover: (page, position) => this.#hover(page, 'g.detail > g', position),
    };
  }

  async stop(): Promise<void> {
    await this.#browser.close();
  }

  /** Opens a page of which all is loaded, numbers and libraries, and nothing drawn. */
  async #open(name: string): Promise<Page> {
    const html = await readFile(join(this.#folder, `${name}.html`), 'utf8');
    const from = html.lastIndexOf('<script type="text/javascript">');
    const script = html.slice(from + '<script type="text/javascript">'.length, html.lastIndexOf('</script>'));
    const [, before = '', params = '', after = ''] =
      /^([\s\S]*?const params = )(\{.*\})(; \/\/ HACK[\s\S]*)$/.exec(script) ?? [];
    if (params === '') throw new Error('BertViz writes its pages otherwise than expected');
    const page = await this.#browser.newPage({ viewport: { width: 1400, height: 860 } });
    await page.route('**/*', async (route) => {
      const { hostname, pathname } = new URL(route.request().url());
      if (hostname === 'bertviz.test')
        return route.fulfill(
          pathname === '/params'
            ? { contentType: 'application/json', body: params }
            : { contentType: 'text/html', body: html.slice(0, from) },
        );
      const library = Object.keys(this.#files).find((each) => pathname.includes(each));
      return library === undefined
        ? route.abort()
        : route.fulfill({ contentType: 'text/javascript', path: this.#files[library] });
    });
    await page.goto('http://bertviz.test/');
    await page.evaluate(
      async (source) => {
        const numbers: unknown = await (await fetch('/params')).json();
        const draw = new Function('params', source) as (numbers: unknown) => void; // BertViz's own script, with its numbers as a parameter
        Object.assign(globalThis, { drawBertViz: () => draw(numbers) });
        const configuration = /require\.config\(\{[\s\S]*?\n\}\);/.exec(source)?.[0] ?? '';
        new Function(configuration)();
        await new Promise<void>((done) =>
          (globalThis as unknown as { requirejs(names: string[], then: () => void): void }).requirejs(
            ['jquery', 'd3'],
            done,
          ),
        ); // require.js defines it
      },
      `${before.replace(/const params = $/, '')}${after.slice(1)}`,
    );
    return page;
  }

  #paint(page: Page): Promise<number> {
    return page.evaluate(
      () =>
        new Promise<number>((done) => {
          const { drawBertViz, requirejs } = globalThis as unknown as {
            drawBertViz(): void;
            requirejs(names: string[], then: () => void): void;
          }; // defined above
          const started = performance.now();
          drawBertViz();
          // It draws when its libraries are handed to it; this is behind it in the line.
          requirejs(['jquery', 'd3'], () =>
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - started))),
          );
        }),
    );
  }

  #hover(page: Page, tokens: string, position: number): Promise<unknown> {
    return page.evaluate(
      ([selector, at]) => {
        const token = document.querySelectorAll(selector as string)[at as number]; // as passed below
        if (token === undefined) throw new Error('no such token');
        token.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
      },
      [tokens, position],
    );
  }
}
