// The contract and engine floors again, in Chromium: what the webview is, and what the engine is in the web.
import { relative } from 'node:path';
import { chromium } from 'playwright-core';
import { bundleForBrowser } from '../lib/bundleTests.mjs';
import { chromiumLaunchOptions, ensureChromium } from '../lib/chromium.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';
import { startStaticServer } from '../lib/staticServer.mjs';

const page = (script) =>
  `<!doctype html><meta charset="utf-8"><title>Tests</title><script type="module" src="${script}"></script>`;
const pageWithWorker = (
  script,
) => `<!doctype html><meta charset="utf-8"><title>Tests in a worker</title><script type="module">
  const worker = new Worker(${JSON.stringify(script)}, { type: 'module' });
  worker.onmessage = ({ data }) => { if (data?.counts) window.counts = data.counts; };
  worker.onerror = (event) => { console.log('The worker failed: ' + event.message); window.counts = { passed: 0, failed: 1, skipped: 0 }; };
</script>`;

async function runPage(browser, address, log) {
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    tab.on('console', (message) => log(`  ${message.text()}`));
    const broken = new Promise((_, reject) => {
      tab.on('pageerror', reject);
      tab.on('crash', () => reject(new Error('The page crashed.')));
    });
    await tab.goto(address);
    // By the clock: asked in every frame, as is the default, a page that draws nothing has sixty frames made a second.
    const counts = tab
      .waitForFunction(() => window.counts, undefined, { timeout: 600_000, polling: 250 })
      .then((handle) => handle.jsonValue());
    counts.catch(() => undefined); // the page may break first
    return await Promise.race([counts, broken]);
  } catch (error) {
    log(`  ✘ ${error.message}`);
    return oneFailure;
  } finally {
    await context.close();
  }
}

const addresses = {
  'a page': '/page.html',
  'a worker': '/worker.html',
  'a worker with shared memory': '/worker.html?isolated',
};

/** Runs test files in some of these places: a page, a worker, a worker with shared memory; with WebGPU in software where that is asked for. Resolves to the counts. */
export async function runInChromium({ name, files, places, grep, hasWebGpu = false, log }) {
  const script = `/${relative(root, await bundleForBrowser(name, files, { grep })).replaceAll('\\', '/')}`;
  const server = await startStaticServer({
    pages: { '/page.html': page(script), '/worker.html': pageWithWorker(script) },
  });
  const browser = await chromium.launch(
    chromiumLaunchOptions(await ensureChromium(log), { hasWebGpu, compilesOnce: true }),
  );
  try {
    const results = [];
    for (const place of places) {
      log(`  In ${place}${hasWebGpu ? ' with WebGPU' : ''}:`);
      results.push(await runPage(browser, server.origin + addresses[place], log));
    }
    return sum(...results);
  } finally {
    await browser.close();
    await server.stop();
  }
}
