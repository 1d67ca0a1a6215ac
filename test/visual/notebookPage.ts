// Opens a page as VS Code makes it for a notebook's outputs, with the bundled renderer, in Chromium and in a theme of VS Code.
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { root } from '../../scripts/lib/paths.mjs';
import { launchBrowser, startStaticServer } from '../harness/browser';
import { themes, type ThemeName } from './panelPage';

/** The policy of VS Code's own page for outputs, with the test's server in the place of its own. */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' https: http: data:; font-src 'self' https:; connect-src 'self' https:; child-src https: data:;";

const html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>Outputs</title>
</head>
<body class="vscode-dark">
<div id="outputs"></div>
<script type="module">
import { activate } from '/out/notebook/notebook.js';
const renderer = activate({});
globalThis.render = (id, text) => {
  const element = document.createElement('div');
  document.querySelector('#outputs').append(element);
  return renderer.renderOutputItem({ id, text: () => text }, element);
};
</script>
</body>
</html>`;

declare global {
  var render: (id: string, text: string) => Promise<void>;
}

/** A browser with pages of outputs. */
export class NotebookPages {
  readonly #browser: Browser;
  readonly #server: Awaited<ReturnType<typeof startStaticServer>>;
  /** What the pages complained of: errors, and violations of their policies. */
  readonly complaints: string[] = [];

  private constructor(browser: Browser, server: Awaited<ReturnType<typeof startStaticServer>>) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Starts a server and a browser. The renderer and the panel's page are what the build has put into dist/. */
  static async start(): Promise<NotebookPages> {
    const folder = join(root, 'out/notebook');
    await mkdir(folder, { recursive: true });
    for (const file of [
      'notebook.js',
      'webview.js',
      'webview.css',
      'elements.js',
      'views.js',
      'codicon.css',
      'codicon.ttf',
    ])
      await copyFile(join(root, 'dist', file), join(folder, file));
    return new NotebookPages(await launchBrowser(), await startStaticServer({ pages: { '/outputs.html': html } }));
  }

  /** Opens the page; frames in it can load nothing, as in VS Code, where only the page itself reaches our files. */
  async open(): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width: 1100, height: 600 }, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    // No page asks for anything but our own files.
    page.on('request', (request) => {
      if (!request.url().startsWith(this.#server.origin) && !/^(?:data|about):/.test(request.url()))
        this.complaints.push(`asked for ${request.url()}`);
    });
    await page.route('**/*', (route) =>
      route.request().frame() === page.mainFrame() ? route.continue() : route.abort(),
    );
    await page.goto(`${this.#server.origin}/outputs.html`);
    await page.waitForFunction(() => 'render' in globalThis);
    await this.dress(page, 'dark');
    return page;
  }

  /** Changes the theme as VS Code does. */
  async dress(page: Page, theme: ThemeName): Promise<void> {
    const css = await readFile(join(root, 'test/visual/themes', `${theme}.css`), 'utf8');
    await page.evaluate(
      async ([variables, className]) => {
        document.documentElement.style.cssText = variables;
        document.body.className = className;
        for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
      },
      [/\{(.*)\}/s.exec(css.replace(/^\/\*.*?\*\//s, ''))?.[1] ?? '', themes[theme]] as const,
    );
  }

  /** Renders an output; resolves to the panel's page in the newest one. */
  async render(page: Page, id: string, text: string): Promise<FrameLocator> {
    await page.evaluate(([name, value]) => render(name, value), [id, text] as const);
    return page.frameLocator('iframe').last();
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
  }
}
