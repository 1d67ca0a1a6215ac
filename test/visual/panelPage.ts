// Opens the bundled webview in Chromium, in a theme of VS Code, with a host that answers from a generated run.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { launchBrowser, startStaticServer } from '../harness/browser';
import type { FakeHost } from './fakeHost';
import type { RunKind } from './generatedRun';

/** The themes, by the name of their file, with the classes that VS Code gives the webview's body. */
export const themes = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'hc-black': 'vscode-high-contrast',
  'hc-light': 'vscode-high-contrast vscode-high-contrast-light',
} as const;

/** The name of a theme. */
export type ThemeName = keyof typeof themes;

/** Which page to open. */
export interface PageOptions {
  readonly theme?: ThemeName;
  readonly run?: RunKind;
  readonly state?: 'ready' | 'empty' | 'silent' | 'busy' | 'running' | 'stale' | 'failed' | 'engineStopped';
  readonly map?: string;
  readonly width?: number;
  readonly height?: number;
}

declare global {
  var host: FakeHost;
}

const variablesOf = (theme: ThemeName): Promise<string> =>
  readFile(join(root, 'test/visual/themes', `${theme}.css`), 'utf8');

/** Changes the theme of a page as VS Code does, its variables and then the classes of its body; resolves when it has been drawn in it. */
export async function showTheme(page: Page, theme: ThemeName): Promise<void> {
  await page.evaluate(
    async ([variables, className]) => {
      const style = document.querySelector('#theme');
      if (style === null) throw new Error('the page has no theme');
      style.textContent = variables;
      document.body.className = className;
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    },
    [await variablesOf(theme), themes[theme]] as const,
  );
}

async function html(theme: ThemeName): Promise<string> {
  const variables = await variablesOf(theme);
  // The policy of the real panel, with this server in the place of VS Code's.
  const policy =
    "default-src 'none'; script-src 'nonce-test'; style-src 'self' 'nonce-test'; font-src 'self'; img-src 'self' data: blob:";
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>Attention Explorer</title>
<style nonce="test" id="theme">${variables}</style>
<link rel="stylesheet" id="vscode-codicon-stylesheet" nonce="test" href="/out/visual/codicon.css">
<link rel="stylesheet" href="/out/visual/webview.css">
</head>
<body class="${themes[theme]}" data-elements="/out/visual/elements.js" data-views="/out/visual/views.js">
<div id="root"></div>
<script nonce="test" src="/out/visual/fakeHost.js"></script>
<script nonce="test" src="/out/visual/webview.js"></script>
</body>
</html>`;
}

/** A browser with the panel's pages. */
export class PanelPages {
  readonly #browser: Browser;
  readonly #server: Awaited<ReturnType<typeof startStaticServer>>;
  /** What all pages are in, where that is one. */
  #context: BrowserContext | undefined;
  /** What the pages complained of: errors, and violations of their policy. */
  readonly complaints: string[] = [];

  private constructor(browser: Browser, server: Awaited<ReturnType<typeof startStaticServer>>) {
    this.#browser = browser;
    this.#server = server;
  }

  /**
   * Bundles the host, starts a server and a browser. The webview itself is what the build has put into dist/. With `hasOneProcess` its pages share
   * a process, in which scripts are compiled once, and not again for speed; else each page is alone, as where it is measured.
   */
  static async start({ hasOneProcess = false } = {}): Promise<PanelPages> {
    if (!existsSync(join(root, 'dist/webview.js')))
      throw new Error('dist/webview.js is missing: run npm run build first.');
    await build({
      absWorkingDir: root,
      entryPoints: ['test/visual/fakeHost.ts'],
      outfile: 'out/visual/fakeHost.js',
      bundle: true,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      logLevel: 'warning',
    });
    // Copies, so that a build that goes on meanwhile takes nothing away.
    await mkdir(join(root, 'out/visual'), { recursive: true });
    for (const file of ['webview.js', 'webview.css', 'elements.js', 'views.js', 'codicon.css', 'codicon.ttf'])
      await copyFile(join(root, 'dist', file), join(root, 'out/visual', file));
    const pages = {
      '/blank.html': '<!DOCTYPE html><title>Blank</title><link rel="icon" href="data:,">',
      ...Object.fromEntries(
        await Promise.all(
          Object.keys(themes).map(
            async (theme) => [`/${theme}.html`, await html(theme as ThemeName /* a key of the table */)] as const,
          ),
        ),
      ),
    };
    const started = new PanelPages(
      await launchBrowser({ hasOneProcess, compilesOnce: hasOneProcess }),
      await startStaticServer({ pages }),
    );
    if (hasOneProcess) await started.#share();
    return started;
  }

  /** Opens a page that stays, and the process of the others with it. */
  async #share(): Promise<void> {
    this.#context = await this.#browser.newContext({ reducedMotion: 'reduce' });
    const page = await this.#context.newPage();
    await page.goto(`${this.#server.origin}/blank.html`);
  }

  /** Closes all pages that are left open, and forgets what they complained of. */
  async clear(): Promise<void> {
    const [, ...left] = this.#context?.pages() ?? [];
    await Promise.all(left.map((page) => page.close()));
    this.complaints.length = 0;
  }

  /** Opens a page; with a run it resolves when its matrix has been painted. */
  async open({ theme = 'dark', run, state = 'ready', map, width = 1400, height = 860 }: PageOptions): Promise<Page> {
    const page = await (this.#context?.newPage() ?? this.#browser.newPage({ reducedMotion: 'reduce' }));
    await page.setViewportSize({ width, height });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // The tests themselves read pixels back.
      if (message.text().includes('willReadFrequently')) return;
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    const query = new URLSearchParams({
      state,
      ...(run === undefined ? {} : { run }),
      ...(map === undefined ? {} : { map }),
    });
    await page.goto(`${this.#server.origin}/${theme}.html?${query}`);
    if (run !== undefined && state !== 'empty')
      await page.waitForFunction(() => host.intents.some(({ name }) => name === 'painted'));
    await page.waitForFunction(() => customElements.get('vscode-toolbar-button') !== undefined);
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    return page;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
  }
}
