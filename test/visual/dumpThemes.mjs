#!/usr/bin/env node
// Writes themes/*.css: the variables that a real VS Code gives to webviews in its four default themes.
//   node test/visual/dumpThemes.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumLaunchOptions, ensureChromium } from '../../scripts/lib/chromium.mjs';
import { removeFolder, temporaryFolder } from '../../scripts/lib/processes.mjs';
import { startServer } from '../../scripts/lib/vscodeServer.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'themes');
mkdirSync(folder, { recursive: true });
const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'hc-black': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
};

for (const [name, id] of Object.entries(themes).filter(
  ([key]) => process.argv.length < 3 || process.argv.includes(key),
)) {
  const workspace = temporaryFolder('themes');
  writeFileSync(join(workspace, 'page.md'), '# Page\n');
  const server = await startServer({
    settings: {
      'workbench.colorTheme': id,
      'workbench.editorAssociations': { '*.md': 'vscode.markdown.preview.editor' },
    },
  });
  const browser = await chromium.launch(chromiumLaunchOptions(await ensureChromium()));
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    await page.goto(server.address(workspace));
    await page.locator('.explorer-folders-view').first().waitFor({ timeout: 60_000 });
    const frame = page
      .locator('iframe.webview.ready')
      .first()
      .contentFrame()
      .locator('iframe#active-frame')
      .contentFrame();
    // A click that comes while the workbench still starts is lost.
    for (
      let attempt = 0;
      !(await frame
        .locator('h1')
        .isVisible()
        .catch(() => false));
      attempt++
    ) {
      if (attempt === 8) throw new Error('The preview did not open.');
      await page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: 'page.md' }).first().dblclick();
      await frame
        .locator('h1')
        .waitFor({ timeout: 15_000 })
        .catch(() => undefined);
    }
    const { style, className, dataset } = await frame.locator('body').evaluate((body) => ({
      style: document.documentElement.style.cssText,
      className: body.className,
      dataset: { ...body.dataset },
    }));
    const variables = style
      .split(/;\s*(?=--|$)/)
      .filter((line) => line.startsWith('--vscode-'))
      .sort();
    writeFileSync(
      join(folder, `${name}.css`),
      `/* ${id}, VS Code ${server.version}; written by dumpThemes.mjs. Body: class "${className.replace(/vscode-body/, '').trim()}", ${JSON.stringify(dataset)} */\n:root {\n${variables.map((line) => `  ${line};`).join('\n')}\n}\n`,
    );
    console.log(name, variables.length);
  } finally {
    await browser.close();
    await server.stop();
    removeFolder(workspace);
  }
}
process.exit(0);
