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
