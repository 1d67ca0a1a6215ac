// An attention file from the command to the first paint in a real VS Code, beside a Python process that reads it and draws one head.
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VSCode } from '../test/harness/vscode';

const python = process.env['BENCH_PYTHON'] ?? 'python3';

/** Reads all of a file and draws one head, as a person does without an editor. */
const program = `
import sys
import numpy as np
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
with np.load(sys.argv[1]) as file:
    arrays = {name: file[name] for name in file.files}
plt.imshow(arrays["attention.self.0"][0])
plt.colorbar()
plt.savefig(sys.argv[2])
`;

/** Whether there is a Python with both packages. */
export function hasMatplotlib(): boolean {
  try {
    execFileSync(python, ['-c', 'import numpy, matplotlib'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What the extension's own logs say of first paints: when, in milliseconds since 1970. */
function paints(folder: string): readonly number[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /Attention Explorer\.log$/.test(name))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/^(\S+ \S+) \[info\] First paint of the panel/gm),
    ])
    .map(([, stamp]) => Date.parse(`${stamp.replace(' ', 'T')}Z`));
}

/** Opens the file again and again, in turn with the Python process; milliseconds of each. The first round is not counted. */
export async function openInTurn(
  file: string,
  rounds: number,
): Promise<{ readonly editor: readonly number[]; readonly python: readonly number[] }> {
  const name = 'run.attention.npz';
  const vscode = await VSCode.launch({
    host: 'node',
    version: 'newest',
    hasAllExtensions: true,
    name: 'bench-open',
    files: { 'notes.txt': 'nothing\n' },
  });
  const times: { readonly editor: number[]; readonly python: number[] } = { editor: [], python: [] };
  try {
    copyFileSync(file, join(vscode.workspace, name));
    await vscode.openFile('notes.txt');
    // When a key that runs the command was pressed, by the page's own clock.
    await vscode.page.evaluate(() =>
      window.addEventListener(
        'keydown',
        ({ key }) => key === 'Enter' && Object.assign(window, { enteredAt: Date.now() }),
        true,
      ),
    );
    await vscode.openTab(name);
    for (let round = 0; round <= rounds; round++) {
      const known = paints(vscode.logFolder).length;
      await new Promise((resolve) => setTimeout(resolve, 3000));
      if (round > 0) {
        await vscode.runCommand('View: Close Editor');
        await vscode.page.locator('.tab', { hasText: name }).waitFor({ state: 'detached' });
        await vscode.runCommand('View: Reopen Closed Editor');
      }
      const count = round === 0 ? 0 : known;
      for (let wait = 0; paints(vscode.logFolder).length <= count; wait++) {
        if (wait > 600) throw new Error(`No paint in a minute:\n${vscode.serverOutput()}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const enteredAt = await vscode.page.evaluate(() => (window as unknown as { enteredAt: number }).enteredAt); // set above
      const started = performance.now();
      await promisify(execFile)(python, ['-c', program, file, `${file}.png`]);
      if (round === 0) continue;
      times.python.push(performance.now() - started);
      times.editor.push((paints(vscode.logFolder).at(-1) ?? NaN) - enteredAt);
    }
    return times;
  } finally {
    if (process.env['BENCH_VERBOSE'] !== undefined) writeFileSync(`${file}.log`, vscode.serverOutput());
    await vscode.close();
  }
}
