// One look at the first paint after the command, in the editor and in the panel, in a real VS Code: what the extension's own log says, and when the
// editor's decorations stand in the window.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VSCode } from '../test/harness/vscode';

const source = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join(
  '\n',
);
const command = 'Attention Explorer: Explain Attention';

/** The extension's logs as they stand, one for each time that the window was loaded. */
function readLog(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /Attention Explorer\.log$/.test(name),
  );
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('');
}

/** What is read from the log, in milliseconds, once a run. */
const patterns = {
  total: /First paint of the panel \d+ ms after the run had arrived, (\d+) ms after the command/g,
  load: /load (\d+) ms/g,
  tokenize: /tokenize (\d+) ms/g,
  run: /run (\d+) ms/g,
  result: /tokens in (\d+) ms, from the command/g,
  paint: /First paint of the panel (\d+) ms/g,
};
/** What is told apart, in milliseconds. */
export type Key = keyof typeof patterns;
const keys = Object.keys(patterns) as Key[]; // names of the object above
const page = /page listens (\d+) ms/g;
/** When the command began: when the result was told of, in UTC as the harness's VS Code stamps its logs, less what it took. */
const begun = /^(\S+ \S+) \[info\] Explained \d+ tokens in (\d+) ms, from the command/gm;

/** One run; `page` where it opened the panel. */
export type Times = Readonly<Record<Key | 'lit', number>> & { readonly page: number | undefined };

const numbersOf = (log: string, pattern: RegExp): number[] =>
  [...log.matchAll(pattern)].map((match) => Number(match[1]));

/** Makes the window note when extensions' decorations first stand in an editor and have been painted. */
function noteLight(): void {
  const noted = window as unknown as { litAt: number | undefined }; // a property of ours
  noted.litAt = undefined;
  const observer = new MutationObserver(() => {
    if (document.querySelector('.editor-instance .view-overlays [class*="ced-"]') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (noted.litAt = Date.now());
      port2.postMessage(0); // comes after the frame
    });
  });
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] });
}

/** Explains the open file once and waits for both paints. */
async function explain(vscode: VSCode): Promise<Times> {
  const countBefore = numbersOf(readLog(vscode.logFolder), patterns.paint).length;
  const pagesBefore = numbersOf(readLog(vscode.logFolder), page).length;
  await vscode.focusEditor();
  await vscode.page.keyboard.press('ArrowRight'); // what an earlier run has lit goes out
  await vscode.page.locator('.editor-instance .view-overlays [class*="ced-"]').first().waitFor({ state: 'detached' });
  await vscode.page.evaluate(noteLight);
  await vscode.runCommand(command);
  let litAt: number | undefined;
  for (
    let wait = 0;
    litAt === undefined || numbersOf(readLog(vscode.logFolder), patterns.paint).length <= countBefore;
    wait++
  ) {
    if (wait > 600) throw new Error(`No paint in a minute:\n${readLog(vscode.logFolder)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    litAt = await vscode.page.evaluate(() => (window as unknown as { litAt: number | undefined }).litAt); // as above
  }
  const log = readLog(vscode.logFolder);
  const [, stamp, taken] = [...log.matchAll(begun)].at(-1) ?? [];
  const latest = (pattern: RegExp): number => numbersOf(log, pattern).at(-1) ?? NaN;
  const pages = numbersOf(log, page);
  return {
    ...(Object.fromEntries(keys.map((key) => [key, latest(patterns[key])])) as Record<
      Key,
      number
    >) /* one for each key */,
    lit: litAt - (Date.parse(`${stamp.replace(' ', 'T')}Z`) - Number(taken)),
    page: pages.length > pagesBefore ? pages.at(-1) : undefined,
  };
}

/** A window has much to do when it has just opened; nobody is as fast as this script. */
const settle = (milliseconds = 5000): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function inWindow<T>(vsix: string, tokenLimit: number, use: (vscode: VSCode) => Promise<T>): Promise<T> {
  process.env['AE_VSIX'] = vsix;
  const vscode = await VSCode.launch({
    host: 'node',
    version: 'newest',
    hasAllExtensions: true,
    name: `bench-${tokenLimit}`,
    files: { 'code.py': source },
    settings: { 'attentionExplorer.tokenLimit': tokenLimit },
  });
  try {
    await vscode.openFile('code.py');
    await settle();
    return await use(vscode);
  } finally {
    if (process.env['BENCH_VERBOSE'] !== undefined) console.error(readLog(vscode.logFolder));
    await vscode.close();
  }
}

/** The first command of a fresh window with a fresh profile, and the first one after that window was loaded again without its panel. */
export async function explainTwice(
  vsix: string,
  tokenLimit: number,
): Promise<{ readonly cold: Times; readonly reopened: Times }> {
  return inWindow(vsix, tokenLimit, async (vscode) => {
    const cold = await explain(vscode);
    await vscode.runCommand('View: Close Editors in Other Groups');
    await vscode.page.locator('iframe.webview').first().waitFor({ state: 'detached' });
    await vscode.reloadWindow();
    await vscode.editor.locator('.view-line').first().waitFor();
    // The engine starts ahead three seconds after the extension.
    await settle(8000);
    return { cold, reopened: await explain(vscode) };
  });
}

/** Several runs in one window, the panel open from the first one on, which is not counted. */
export async function explainAgain(vsix: string, tokenLimit: number, rounds: number): Promise<Times[]> {
  return inWindow(vsix, tokenLimit, async (vscode) => {
    const times: Times[] = [];
    for (let round = 0; round <= rounds; round++) times.push(await explain(vscode));
    return times.slice(1);
  });
}
