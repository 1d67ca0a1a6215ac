// From the command to the panel's first paint, in a real VS Code: what the extension's own log says, beside the wall clock.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VSCode } from '../test/harness/vscode';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const source = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join('\n');

/** The extension's log as it stands. */
function readLog(folder: string): string {
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => /Attention Explorer\.log$/.test(name));
  return file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
}

const numbersOf = (log: string, pattern: RegExp): number[] => [...log.matchAll(pattern)].map((match) => Number(match[1]));
const patterns = {
  load: /load (\d+) ms/g,
  tokenize: /tokenize (\d+) ms/g,
  run: /run (\d+) ms/g,
  result: /tokens in (\d+) ms, from the command/g,
  paint: /First paint of the panel (\d+) ms/g,
};

const rows: (string | number)[][] = [];
for (const tokenLimit of [64, 256, 512]) {
  const vscode = await VSCode.launch({ host: 'node', version: 'newest', name: `bench-${tokenLimit}`, files: { 'code.py': source }, settings: { 'attentionExplorer.tokenLimit': tokenLimit } });
  try {
    await vscode.openFile('code.py');
    for (let round = 0; round <= rounds; round++) {
      await vscode.focusEditor();
      await vscode.runCommand('Attention Explorer: Explain Attention');
      for (let wait = 0; numbersOf(readLog(vscode.logFolder), patterns.paint).length <= round; wait++) {
        if (wait > 600) throw new Error(`No paint in a minute:\n${readLog(vscode.logFolder)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const log = readLog(vscode.logFolder);
    // The first round starts the engine and loads the model; it is the cold one.
    const take = (pattern: RegExp): { cold: number; warm: number } => {
      const [cold = NaN, ...warm] = numbersOf(log, pattern);
      return { cold, warm: median(warm) };
    };
    const [load, tokenize, run, result, paint] = [take(patterns.load), take(patterns.tokenize), take(patterns.run), take(patterns.result), take(patterns.paint)];
    for (const kind of ['cold', 'warm'] as const) rows.push([`${tokenLimit}, ${kind}`, ms(result[kind] + paint[kind]), ms(load[kind]), ms(tokenize[kind]), ms(run[kind]), ms(result[kind] - load[kind] - tokenize[kind] - run[kind]), ms(paint[kind])]);
  } finally {
    await vscode.close();
  }
}
console.log(`\nReal VS Code, Node host, bundled model: from the command to the first paint, ms; warm: medians of ${rounds}\n`);
console.log(table(['tokens', 'command → first paint', 'load', 'tokenize', 'run', 'start, queue, messages', 'fetch and draw'], rows));
process.exit(0);
