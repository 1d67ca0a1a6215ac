// From the command to the panel's first paint, in a real VS Code: what the extension's own log says.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VSCode } from '../test/harness/vscode';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const lengths = (process.env['BENCH_TOKENS'] ?? '64,256,512').split(',').map(Number);
const source = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join('\n');

/** The extension's log as it stands. */
function readLog(folder: string): string {
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => /Attention Explorer\.log$/.test(name));
  return file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
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
const page = /page listens (\d+) ms/g;
type Times = Readonly<Record<keyof typeof patterns, number[]>> & { readonly page: number[] };

const numbersOf = (log: string, pattern: RegExp): number[] => [...log.matchAll(pattern)].map((match) => Number(match[1]));

/** Explains a text some times in a fresh VS Code; the first time starts the engine, loads the model and opens the panel. */
async function explain(vsix: string, tokenLimit: number, times: number): Promise<Times> {
  process.env['AE_VSIX'] = vsix;
  const vscode = await VSCode.launch({ host: 'node', version: 'newest', name: `bench-${tokenLimit}`, files: { 'code.py': source }, settings: { 'attentionExplorer.tokenLimit': tokenLimit } });
  try {
    await vscode.openFile('code.py');
    // A window has much to do when it has just opened; nobody is as fast as this script.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    for (let round = 0; round < times; round++) {
      await vscode.focusEditor();
      await vscode.runCommand('Attention Explorer: Explain Attention');
      for (let wait = 0; numbersOf(readLog(vscode.logFolder), patterns.paint).length <= round; wait++) {
        if (wait > 600) throw new Error(`No paint in a minute:\n${readLog(vscode.logFolder)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const log = readLog(vscode.logFolder);
    if (process.env['BENCH_VERBOSE'] !== undefined) console.error(log);
    return { ...mapValues((pattern) => numbersOf(log, pattern)), page: numbersOf(log, page) };
  } finally {
    await vscode.close();
  }
}

function mapValues(of: (pattern: RegExp) => number[]): Readonly<Record<keyof typeof patterns, number[]>> {
  return { total: of(patterns.total), load: of(patterns.load), tokenize: of(patterns.tokenize), run: of(patterns.run), result: of(patterns.result), paint: of(patterns.paint) };
}

const packages = { wasm: process.env['AE_VSIX'], native: process.env['AE_NATIVE_VSIX'] };
const cold: Record<string, Times[]> = { wasm: [], native: [] };
const rows: (string | number)[][] = [];
// A window a round, the packages in turn.
for (let round = 0; round < rounds; round++) for (const [name, vsix] of Object.entries(packages)) if (vsix !== undefined) cold[name].push(await explain(vsix, lengths[0], 1));
const cells = (total: number[], of: (key: keyof typeof patterns) => number[], pages: number[]): (string | number)[] => {
  const [load, tokenize, run, result] = (['load', 'tokenize', 'run', 'result'] as const).map((key) => median(of(key)));
  return [ms(median(total)), ms(load), ms(tokenize), ms(run), ms(result - load - tokenize - run), pages.length === 0 ? '' : ms(median(pages)), ms(median(of('paint')))];
};
for (const [name, samples] of Object.entries(cold)) {
  if (samples.length > 0) rows.push([`${name}, cold, ${lengths[0]} tokens`, ...cells(samples.flatMap((each) => each.total), (key) => samples.flatMap((each) => each[key]), samples.flatMap((each) => each.page))]);
}
for (const [name, vsix] of Object.entries(packages)) {
  if (vsix === undefined) continue;
  for (const length of lengths) {
    const times = await explain(vsix, length, rounds + 1);
    rows.push([`${name}, warm, ${length} tokens`, ...cells(times.total.slice(1), (key) => times[key].slice(1), [])]);
  }
}
console.log(`Real VS Code, Node host, bundled model, ms: from the command to the first paint. Cold: the first command of a fresh window with a fresh profile, medians of ${rounds} windows; warm: later ones, medians of ${rounds}. The page of the panel loads while the engine starts.\n`);
console.log(table(['', 'command → first paint', 'load', 'tokenize', 'run', 'start, queue, messages', 'page listens after', 'run there → first paint'], rows));
