// Chromium for tests that drive it from Node.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { chromiumLaunchOptions, ensureChromium, type ChromiumOptions } from '../../scripts/lib/chromium.mjs';
import { artefacts } from '../../scripts/lib/paths.mjs';
export { startStaticServer } from '../../scripts/lib/staticServer.mjs';

/** Starts Chromium without a window. */
export async function launchBrowser(options: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch(chromiumLaunchOptions(await ensureChromium(), options));
}

const shared = new Map<string, Promise<Browser>>();

/**
 * A Chromium for all suites of this run of mocha that ask for the same one, closed after the last of them. Each opens contexts of its own, which
 * share nothing, and closes them.
 */
export async function sharedBrowser(options: ChromiumOptions = {}): Promise<Browser> {
  const key = JSON.stringify(options);
  const running = await shared.get(key);
  if (running?.isConnected()) return running;
  const started = launchBrowser(options);
  shared.set(key, started);
  // While tests run this adds to the outermost suite.
  after(async () => (await started).close());
  return started;
}

/** The path of a file in test/artefacts, whose folder exists afterwards. */
export function artefact(name: string): string {
  const path = join(artefacts, name.replaceAll(/[^\w./-]+/g, '-'));
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

/** Keeps a picture of the page in test/artefacts; resolves to its path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const path = artefact(`${name}.png`);
  await page.screenshot({ path });
  return path;
}
