// Drives a real VS Code with the packaged extension through its own user interface.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { stillWindow } from '../../scripts/lib/chromium.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { removeFolder, temporaryFolder } from '../../scripts/lib/processes.mjs';
import { startServer, stillSettings, webHostSettings, type Server } from '../../scripts/lib/vscodeServer.mjs';
import { artefact, launchBrowser, screenshot, sharedBrowser } from './browser';
import { readDecorations, rectOfCharacter, type Decoration } from './editorPage';

/** VS Code's four default themes by kind: the setting's value in the newest and the oldest, the title, and the workbench's class. */
export const themes = {
  light: { newest: ['Light 2026', 'Light 2026'], oldest: ['Default Light Modern', 'Light Modern'], className: 'vs' },
  dark: { newest: ['Dark 2026', 'Dark 2026'], oldest: ['Default Dark Modern', 'Dark Modern'], className: 'vs-dark' },
  highContrastDark: {
    newest: ['Default High Contrast', 'Dark High Contrast'],
    oldest: ['Default High Contrast', 'Dark High Contrast'],
    className: 'hc-black',
  },
  highContrastLight: {
    newest: ['Default High Contrast Light', 'Light High Contrast'],
    oldest: ['Default High Contrast Light', 'Light High Contrast'],
    className: 'hc-light',
  },
} as const;

/** The name of one of the four default themes. */
export type Theme = keyof typeof themes;

/** How to launch; what is left out comes from the runner's environment, else the newest VS Code and the Node host. */
export interface LaunchOptions {
  /** Where our extension runs. */
  readonly host?: 'node' | 'web';
  readonly version?: 'newest' | 'oldest';
  /** User settings on top of the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of the machine that the server and its extensions are on. */
  readonly machineSettings?: Readonly<Record<string, unknown>>;
  /** A file of certificates that the server trusts beside the usual ones. */
  readonly certificates?: string;
  /** The workspace's files by path; without any it is a copy of media/sample. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly theme?: Theme;
  /** Opens the workspace as one that is not trusted yet. */
  readonly needsTrust?: boolean;
  readonly hasWebGpu?: boolean;
  /** Whether all of VS Code's own extensions are there, and not only what tests meet of them, and things move: as a person has it. */
  readonly hasAllExtensions?: boolean;
  /** Names the artefacts. */
  readonly name?: string;
}

/** A window on a busy machine answers late. */
const timeout = 60_000;

/** A running VS Code. Lines and columns count from one, as its status bar has them. */
export class VSCode {
  readonly host: 'node' | 'web';
  readonly version: string;
  readonly #release: 'newest' | 'oldest';
  /** The workspace's folder on disk. */
  readonly workspace: string;
  readonly page: Page;
  readonly #name: string;
  readonly #server: Server;
  readonly #context: BrowserContext;
  /** Ends what the window ran in. */
  readonly #closeBrowser: () => Promise<void>;
  #isTracing = false;
  #numSettings = 0;

  private constructor(
    host: 'node' | 'web',
    release: 'newest' | 'oldest',
    name: string,
    workspace: string,
    server: Server,
    context: BrowserContext,
    closeBrowser: () => Promise<void>,
    page: Page,
  ) {
    this.host = host;
    this.version = server.version;
    this.#release = release;
    this.#name = name;
    this.workspace = workspace;
    this.#server = server;
    this.#context = context;
    this.#closeBrowser = closeBrowser;
    this.page = page;
  }

  /** The kind of extension host that this run of the tests is for. */
  static get hostOfRun(): 'node' | 'web' {
    return process.env['AE_HOST'] === 'web' ? 'web' : 'node';
  }

  /** Starts a server and opens a workspace in it as a browser does that was never there; resolves when the workbench is ready. */
  static async launch(options: LaunchOptions = {}): Promise<VSCode> {
    const host = options.host ?? VSCode.hostOfRun;
    const version = options.version ?? (process.env['AE_RELEASE'] === 'oldest' ? 'oldest' : 'newest');
    const name = `e2e/${options.name ?? 'vscode'}-${version}-${host}`;
    const workspace = temporaryFolder('workspace');
    if (options.files === undefined) cpSync(join(root, 'media', 'sample'), workspace, { recursive: true });
    for (const [path, content] of Object.entries(options.files ?? {})) writeWorkspaceFile(workspace, path, content);
    const isPrepared =
      version === (process.env['AE_RELEASE'] ?? 'newest') && process.env['AE_EXTENSIONS_DIR'] !== undefined;
    const server = await startServer({
      host: version,
      extensionsDir: isPrepared ? process.env['AE_EXTENSIONS_DIR'] : undefined,
      vsix: isPrepared ? undefined : (process.env['AE_VSIX'] ?? join(root, 'attention-explorer.vsix')),
      needsTrust: options.needsTrust ?? false,
      hasFewExtensions: options.hasAllExtensions !== true,
      settings: {
        ...(options.hasAllExtensions === true ? {} : stillSettings),
        'workbench.colorTheme': themes[options.theme ?? 'dark'][version][0],
        ...(host === 'web' ? webHostSettings : {}),
        ...options.settings,
      },
      machineSettings: options.machineSettings ?? {},
      certificates: options.certificates,
      logFile: artefact(`${name}.server.log`),
    });
    // As a person has it, it is alone in its browser.
    const isAlone = options.hasAllExtensions === true;
    const wanted = { hasWebGpu: options.hasWebGpu ?? false, compilesOnce: !isAlone };
    let closeBrowser = (): Promise<void> => Promise.resolve();
    try {
      const browser = isAlone ? await launchBrowser(wanted) : await sharedBrowser(wanted);
      if (isAlone) closeBrowser = () => browser.close();
      const context = await browser.newContext({
        viewport: { width: 1400, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      if (!isAlone) closeBrowser = () => context.close();
      context.setDefaultTimeout(timeout);
      const page = await context.newPage();
      if (!isAlone) await stillWindow(page);
      const lines: string[] = [];
      page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
      page.on('dialog', (dialog) => void dialog.accept().catch(() => undefined));
      page.on('close', () => writeFileSync(artefact(`${name}.console.log`), lines.join('\n')));
      const vscode = new VSCode(host, version, name, workspace, server, context, closeBrowser, page);
      await vscode.#startTracing();
      await vscode.#open();
      return vscode;
    } catch (error) {
      await closeBrowser();
      await server.stop();
      throw error;
    }
  }

  async #open(): Promise<void> {
    await this.page.goto(this.#server.address(this.workspace));
    await this.#waitForWorkbench();
  }

  async #waitForWorkbench(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    // The remote indicator gets its label when the extension host's connection stands.
    await this.page
      .locator('.part.explorer, .explorer-viewlet, .explorer-folders-view')
      .first()
      .waitFor({ timeout: 60_000 });
  }

  // ---- evidence ----

  async #startTracing(): Promise<void> {
    this.#isTracing = process.env['AE_TRACE'] !== 'off';
    if (this.#isTracing) await this.#context.tracing.start({ screenshots: true, snapshots: false });
  }

  /** Keeps a picture of the whole window in test/artefacts; resolves to its path. */
  async screenshot(name: string): Promise<string> {
    return screenshot(this.page, `${this.#name}-${name}`);
  }

  /** Keeps a picture and the trace so far, for a test that failed. */
  async keepEvidence(name: string): Promise<void> {
    await this.screenshot(`FAILED-${name}`).catch(() => undefined);
    if (!this.#isTracing) return;
    await this.#context.tracing.stop({ path: artefact(`${this.#name}-${name}.trace.zip`) }).catch(() => undefined);
    await this.#startTracing();
  }

  /** The last lines that the server printed. */
  serverOutput(): string {
    return this.#server.output();
  }

  /** Folder of the logs that the server and its extensions write. */
  get logFolder(): string {
    return join(this.#server.dataDir, 'data', 'logs');
  }

  /** The server's process. */
  get serverPid(): number {
    return this.#server.pid;
  }

  // ---- life ----

  /** Ends the window and the server and removes the workspace. */
  async close(): Promise<void> {
    await this.page.close().catch(() => undefined);
    await this.#closeBrowser();
    await this.#server.stop();
    removeFolder(this.workspace);
  }

  /** Reloads the window as the command does, with its state kept. */
  async reloadWindow(): Promise<void> {
    const reloaded = this.page.waitForEvent('load', { timeout: 60_000 });
    await this.runCommand('Developer: Reload Window');
    await reloaded;
    await this.#waitForWorkbench();
  }

  // ---- workspace and settings ----

  /** Writes a file of the workspace on disk. */
  writeFile(path: string, content: string | Uint8Array): void {
    writeWorkspaceFile(this.workspace, path, content);
  }

  /** Removes a file or folder of the workspace on disk. */
  removeFile(path: string): void {
    rmSync(join(this.workspace, path), { recursive: true, force: true });
  }

  /** Writes the workspace's settings on disk, and waits until the window has them: a title among them says so. */
  async writeWorkspaceSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const title = `settings ${++this.#numSettings}`;
    await expectSoon(async () => {
      // A change that comes while the window still reads the one before is missed now and then: it is made again.
      this.writeFile('.vscode/settings.json', JSON.stringify({ ...settings, 'window.title': title }));
      return this.page
        .waitForFunction((wanted) => document.title === wanted, title, { timeout: 5000 })
        .then(
          () => true,
          () => false,
        );
    }, 'the window to take its settings');
  }

  /** Merges into the user's settings, in the editor for them; undefined removes one. */
  async updateSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(this.#server.dataDir, 'data', 'User', 'settings.json');
    const settings = {
      ...(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) /* our own file */,
      ...changes,
    };
    // Not on disk: the web workbench does not reliably notice a change of that file from outside.
    await this.runCommand('Preferences: Open User Settings (JSON)');
    const tab = this.page.locator('.tab.active').filter({ hasText: 'settings.json' });
    await tab.waitFor();
    await this.page.locator('.editor-instance .monaco-editor.focused').first().waitFor();
    await this.page.keyboard.press('Control+A');
    await this.paste(JSON.stringify(settings));
    await this.page.keyboard.press('Control+S');
    await expectSoon(() => {
      try {
        return JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) === JSON.stringify(settings);
      } catch {
        return false; // being written
      }
    }, 'the settings to be saved');
    await this.runCommand('View: Close Editor');
    await tab.waitFor({ state: 'hidden' });
  }

  /** Switches to one of the four default themes, by VS Code's own picker. */
  async setTheme(theme: Theme): Promise<void> {
    await this.runCommand('Preferences: Color Theme');
    const [, title] = themes[theme][this.#release];
    await this.#quickInput.fill(title);
    await this.pick(title);
    await this.page.locator(`.monaco-workbench.${themes[theme].className}`).first().waitFor();
  }

  // ---- commands ----

  get #quickInput(): Locator {
    return this.page.locator('.quick-input-widget input[type="text"]').first();
  }

  async #openQuickInput(key: string, text: string): Promise<void> {
    const input = this.#quickInput;
    // A key that comes while the workbench still starts is lost, and one that still closes an earlier quick input leaves nothing
    // to fill: so the key is pressed until the text is in.
    await this.page
      .locator('.quick-input-widget')
      .waitFor({ state: 'hidden', timeout: 1500 })
      .catch(() => undefined);
    for (let attempt = 0; attempt < 20; attempt++) {
      if (!(await input.isVisible())) await this.page.keyboard.press(key);
      const isFilled = await input.fill(text, { timeout: 1500 }).then(
        () => true,
        () => false,
      );
      if (isFilled) return;
    }
    throw new Error(`${key} opened no quick input.`);
  }

  /** Runs a command by its title in the palette, e.g. `Attention Explorer: Explain Attention`. */
  async runCommand(title: string): Promise<void> {
    // A list that was opened before the window knew the extension does not get its commands.
    for (let attempt = 1; ; attempt++) {
      await this.#openQuickInput('F1', `>${title}`);
      const listed = this.quickPickRow(title).waitFor({ timeout: 6000 });
      if (
        await listed.then(
          () => true,
          () => false,
        )
      )
        break;
      if (attempt === 10) throw new Error(`The palette does not list «${title}».`);
      await this.page.keyboard.press('Escape');
    }
    // The list may still be sorted anew, so a click could hit another row: the focus goes to ours, and Enter takes what has it.
    const focused = this.page
      .locator('.quick-input-list .monaco-list-row.focused')
      .filter({ has: this.page.locator('.label-name').getByText(title, { exact: true }) });
    for (let step = 0; ; step++) {
      if (step === 20) throw new Error(`The palette does not reach «${title}».`);
      const isFocused = await focused.waitFor({ timeout: 500 }).then(
        () => true,
        () => false,
      );
      if (!isFocused) await this.page.keyboard.press('ArrowDown');
      else {
        // A list that is still being sorted moves the focus to its first row: ours has to keep it.
        await this.page.waitForTimeout(150);
        if (await focused.isVisible()) break;
      }
    }
    await this.page.keyboard.press('Enter');
    await this.page
      .locator('.quick-input-widget')
      .filter({ hasText: title })
      .waitFor({ state: 'hidden' })
      .catch(() => undefined);
  }

  /** The row of an open quick pick whose label is this text. */
  quickPickRow(label: string): Locator {
    return this.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({
        has: this.page
          .locator('.quick-input-list-label .label-name, .quick-input-list-entry .label-name')
          .getByText(label, { exact: true }),
      })
      .first();
  }

  /** Chooses a row of an open quick pick. */
  async pick(label: string): Promise<void> {
    await this.quickPickRow(label).click();
  }

  /** Runs a command that asks, and takes the row with this text; once more where the page, which had the focus before, takes it back and the list is closed by that. */
  async runAndPick(title: string, text: string): Promise<void> {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
    for (let attempt = 1; ; attempt++) {
      await this.runCommand(title);
      try {
        return await row.click({ timeout: 15_000 });
      } catch (error) {
        if (attempt === 2 || (await row.isVisible())) throw error;
      }
    }
  }

  /** Answers a question about a file, whose list has a title, by a path. */
  async answerPath(path: string, title: string): Promise<void> {
    await this.fillPath(path, title);
    await this.page.keyboard.press('Enter');
  }

  /** Writes a path where a list with a title asks for one. */
  async fillPath(path: string, title: string): Promise<void> {
    const { page } = this;
    const input = page.locator('.quick-input-widget', { hasText: title }).locator('input[type=text]').first();
    // A list of that title may still be closing, and the question writes its own path first: ours has to stay.
    for (let stays = 0; stays < 3; await page.waitForTimeout(200)) {
      stays = (await input.inputValue()) === path ? stays + 1 : 0;
      if (stays === 0 && (await input.inputValue()).includes('/')) await input.fill(path);
    }
  }

  // ---- editor ----

  /** Opens a file of the workspace by its path there, and waits until its text shows. */
  async openFile(path: string): Promise<void> {
    await this.openTab(path);
    await this.editor.locator('.view-line').first().waitFor();
  }

  /** Opens a file of the workspace in whatever shows it, e.g. the preview of pictures. */
  async openTab(path: string): Promise<void> {
    const name = path.split('/').at(-1) ?? path;
    // By its whole path, which is looked up and not searched for: the oldest VS Code has no search program here.
    await this.#openQuickInput('Control+P', join(this.workspace, path));
    // A click that comes while the list is made anew is lost.
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: name }).first();
    const box = this.page.locator('.quick-input-widget');
    await row.click();
    for (
      let attempt = 0;
      attempt < 5 &&
      (await box.waitFor({ state: 'hidden', timeout: 8000 }).then(
        () => false,
        () => true,
      ));
      attempt++
    )
      await row.click({ timeout: 2000 }).catch(() => undefined);
    await box.waitFor({ state: 'hidden' });
    await this.page.locator('.tab.active').filter({ hasText: name }).first().waitFor();
  }

  /** The active text editor, or the first one when a panel has the focus. */
  get editor(): Locator {
    return this.page.locator('.editor-instance .monaco-editor').first();
  }

  /** Gives the text editor the keyboard's focus. */
  async focusEditor(): Promise<void> {
    await this.editor.locator('.view-lines').click({ position: { x: 200, y: 5 } });
    await this.page.locator('.editor-instance .monaco-editor.focused').first().waitFor();
  }

  /** Puts the cursor somewhere, and the place in view. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.focusEditor();
    await this.#openQuickInput('Control+G', `:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.page
      .locator('.statusbar-item')
      .filter({ hasText: new RegExp(`Ln ${line}, Col ${column}\\b`) })
      .waitFor();
  }

  /** Selects whole lines, the last one's break left out; waits until the status bar counts the selection. */
  async selectLines(from: number, to: number): Promise<void> {
    await this.goTo(from, 1);
    for (let line = from; line < to; line++) await this.page.keyboard.press('Shift+ArrowDown');
    await this.page.keyboard.press('Shift+End');
    await this.page
      .locator('.statusbar-item')
      .filter({ hasText: new RegExp(`Ln ${to}, Col \\d+ \\(\\d+ selected\\)`) })
      .waitFor();
  }

  /** Types at the cursor; VS Code closes brackets and quotes as it does for a person. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.insertText(text);
  }

  /** Pastes at the cursor, exactly this text. */
  async paste(text: string): Promise<void> {
    await this.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
    await this.page.keyboard.press('Control+V');
  }

  /** Moves the pointer over a character and waits for the hover that then shows. */
  async hoverAt(line: number, column: number): Promise<Locator> {
    const hover = this.page
      .locator('.monaco-editor .monaco-hover:not(.hidden), .monaco-resizable-hover .monaco-hover:not(.hidden)')
      .filter({ visible: true })
      .first();
    const place = await this.placeOf(line, column);
    // A pointer that never rests long enough or was there before shows nothing: away and back, at most a few times.
    for (let attempt = 0; ; attempt++) {
      await this.page.mouse.move(place.x + 60, place.y + 120);
      await this.page.mouse.move(place.x - 1, place.y);
      await this.page.mouse.move(place.x, place.y);
      try {
        await hover.waitFor({ timeout: 4000 });
        return hover;
      } catch (error) {
        if (attempt === 4) throw error;
      }
    }
  }

  /** The middle of a character in the window; the line must be in view. */
  async placeOf(line: number, column: number): Promise<{ readonly x: number; readonly y: number }> {
    const rect = await this.editor.evaluate(rectOfCharacter, { line, column });
    if (rect === undefined) throw new Error(`Line ${line}, column ${column} is not in view.`);
    return { x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 };
  }

  /** What extensions have decorated in the lines in view: place, text and colours, top to bottom. */
  async decorations(): Promise<Decoration[]> {
    return this.editor.evaluate(readDecorations, undefined);
  }

  // ---- what VS Code shows ----

  /** Waits for a notification with this text. */
  async waitForNotification(text: string | RegExp, limit = timeout): Promise<Locator> {
    const toast = this.page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text }).first();
    await toast.waitFor({ timeout: limit });
    return toast;
  }

  /** Waits for a status bar item with this text. */
  async waitForStatusBar(text: string | RegExp, limit = timeout): Promise<Locator> {
    const item = this.page.locator('.part.statusbar .statusbar-item').filter({ hasText: text }).first();
    await item.waitFor({ timeout: limit });
    return item;
  }

  /** Waits for an editor tab with this title. */
  async waitForTab(title: string | RegExp): Promise<Locator> {
    const tab = this.page.locator('.tab').filter({ hasText: title }).first();
    await tab.waitFor();
    return tab;
  }

  /** The inside of a webview: ours, unless others are open before it. */
  panelFrame(index = 0): FrameLocator {
    return this.page
      .locator('iframe.webview.ready')
      .nth(index)
      .contentFrame()
      .locator('iframe#active-frame')
      .contentFrame();
  }

  /** The inside of our panel, whichever webviews are open beside it. */
  async findPanel(limit = 60_000): Promise<FrameLocator> {
    for (const end = Date.now() + limit; Date.now() < end; await this.page.waitForTimeout(200)) {
      const count = await this.page.locator('iframe.webview.ready').count();
      for (let i = 0; i < count; i++)
        if ((await this.panelFrame(i).locator('main.panel').count()) > 0) return this.panelFrame(i);
    }
    throw new Error('There is no panel of ours.');
  }
}

function writeWorkspaceFile(workspace: string, path: string, content: string | Uint8Array): void {
  const file = join(workspace, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Registers mocha hooks that keep a picture and a trace of each test that fails. */
export function keepEvidenceOfFailures(running: () => VSCode | undefined): void {
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await running()?.keepEvidence(this.currentTest.title);
  });
}

/** Waits until something outside the page holds; for what is in the page, wait with a locator. */
export async function expectSoon(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limit = timeout,
): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited ${limit} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
