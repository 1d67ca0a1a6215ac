// What live mode costs the person who types, in a real VS Code: from the key to the character on the screen, with live mode and
// without in turn; and what it gives: pictures, and the time from the last key to each. Then runs of the engine by themselves,
// whole and from the first change on.
import { resolve } from 'node:path';
import type { Frame } from 'playwright-core';
import { nodeEngineLauncher } from '../src/host/engine/launchEngine.node';
import { VSCode } from '../test/harness/vscode';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const keysPerBlock = Number(process.env['BENCH_KEYS'] ?? 70);
const source = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join(
  '\n',
);
/** The setting's default. */
const delay = 250;
const sentence = 'total = value + count * rate if value in table else other ';

/** What the pages note: milliseconds since 1970. */
interface Noted {
  keys: number[];
  painted: number[];
}

declare global {
  interface Window {
    typingNoted: Noted;
  }
}

/** Notes keys, and when what they wrote has been drawn. Runs in the workbench. */
function noteTyping(): void {
  const noted: Noted = { keys: [], painted: [] };
  window.typingNoted = noted;
  const channel = new MessageChannel();
  // A message posted while a frame is made arrives when that frame has been handed over.
  channel.port1.onmessage = () => {
    while (noted.painted.length < noted.keys.length) noted.painted.push(performance.timeOrigin + performance.now());
  };
  window.addEventListener(
    'keydown',
    (event) => event.key.length === 1 && noted.keys.push(performance.timeOrigin + event.timeStamp),
    true,
  );
  const lines = document.querySelector('.editor-instance .monaco-editor .view-lines');
  if (lines === null) throw new Error('no editor');
  new MutationObserver(() => noted.painted.length < noted.keys.length && channel.port2.postMessage(0)).observe(lines, {
    childList: true,
    subtree: true,
    characterData: true,
  });
}

/** Notes when another text has been drawn. Runs in the panel. */
function notePictures(): void {
  const noted: Noted = { keys: [], painted: [] };
  window.typingNoted = noted;
  const channel = new MessageChannel();
  channel.port1.onmessage = () => noted.painted.push(performance.timeOrigin + performance.now());
  let shown: Element | null = null;
  const look = (): void => {
    const lines = document.querySelector('.stream .lines');
    if (lines === shown) return;
    shown = lines;
    channel.port2.postMessage(0);
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}

/** Pauses between keys, as of a person: short ones, and longer ones between words. The same at every call. */
function* pauses(): Generator<number> {
  let state = 7;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

async function typing(backend: string): Promise<void> {
  const settings = {
    'attentionExplorer.backend': backend,
    'editor.quickSuggestions': 'off',
    'editor.wordBasedSuggestions': 'off',
    'editor.autoClosingBrackets': 'never',
    'editor.autoIndent': 'none',
    'editor.parameterHints.enabled': false,
  };
  const vscode = await VSCode.launch({
    host: 'node',
    version: 'newest',
    hasAllExtensions: true,
    name: `typing-${backend}`,
    files: { 'code.py': source },
    settings,
  });
  const latencies = { off: [] as number[], on: [] as number[] };
  const pictures: number[] = [];
  const random = pauses();
  try {
    await vscode.openFile('code.py');
    await vscode.goTo(60, 1);
    await vscode.page.keyboard.press('End');
    await vscode.runCommand('Attention Explorer: Toggle Live Mode');
    await vscode.panelFrame().getByRole('grid').waitFor({ timeout: 120_000 });
    await wait(2500); // the spare engine has started
    const panel = await frameOfPanel(vscode);
    await vscode.page.evaluate(noteTyping);
    await panel.evaluate(notePictures);
    for (let block = 0; block < 2 * rounds; block++) {
      const kind = block % 2 === 0 ? 'on' : 'off';
      await vscode.page.keyboard.press('End');
      await vscode.page.keyboard.press('Enter');
      await wait(1000);
      await vscode.page.evaluate(() => (window.typingNoted.keys.length = window.typingNoted.painted.length = 0));
      await panel.evaluate(() => (window.typingNoted.painted.length = 0));
      for (let key = 0; key < keysPerBlock; key++) {
        const character = sentence[key % sentence.length];
        await vscode.page.keyboard.press(character === ' ' ? 'Space' : character);
        const share = Number(random.next().value);
        await wait(character === ' ' && share < 0.6 ? 260 + 500 * share : 70 + 130 * share);
      }
      await wait(1200);
      const { keys, painted } = await vscode.page.evaluate(() => window.typingNoted);
      const shown = await panel.evaluate(() => window.typingNoted.painted);
      latencies[kind].push(...keys.flatMap((at, i) => (painted[i] === undefined ? [] : [painted[i] - at])));
      // A key in the time of the run belongs to the next picture.
      console.error(`${kind}: median ${ms(median(latencies[kind].slice(-keys.length)))} ms, ${shown.length} pictures`);
      if (kind === 'on')
        pictures.push(
          ...shown.map((at) => at - Math.max(...keys.filter((key) => key < at - delay))).filter(Number.isFinite),
        );
      await vscode.runCommand('Attention Explorer: Toggle Live Mode');
      await wait(700);
    }
  } finally {
    await vscode.close();
  }
  const row = (title: string, values: readonly number[]): (string | number)[] => [
    title,
    values.length,
    ms(median(values)),
    ms(percentile(values, 0.95)),
    ms(percentile(values, 0.99)),
  ];
  console.log(
    `\nReal VS Code, Node host, bundled model (${backend}), 256 tokens around the caret, delay 250 ms: from the key to the character drawn, ${rounds} blocks of ${keysPerBlock} keys each, in turn\n`,
  );
  console.log(
    table(
      ['live mode', 'keys', 'median ms', '95 % ms', '99 % ms'],
      [row('off', latencies.off), row('on', latencies.on)],
    ),
  );
  console.log(
    `\nRatio on / off: median ${(median(latencies.on) / median(latencies.off)).toFixed(3)}, 95 % ${(percentile(latencies.on, 0.95) / percentile(latencies.off, 0.95)).toFixed(3)}. Meanwhile live mode drew ${pictures.length} pictures; from the last key to the picture: median ${ms(median(pictures))} ms, 95 % ${ms(percentile(pictures, 0.95))} ms, of which ${delay} ms are the delay.\n`,
  );
}

async function frameOfPanel(vscode: VSCode): Promise<Frame> {
  for (const frame of vscode.page.frames())
    if (
      (await frame
        .locator('main.panel')
        .count()
        .catch(() => 0)) > 0
    )
      return frame;
  throw new Error('The panel is not there.');
}

async function runs(backend: 'wasm' | 'native'): Promise<void> {
  const model = {
    path: resolve(process.env['BENCH_MODEL'] ?? 'media/models/code-decoder'),
    backend,
    threads: 0,
  } as const;
  const launcher = nodeEngineLauncher(resolve('dist/engine.node.cjs'), () => {});
  const engines = [launcher.launch(), launcher.launch()];
  const [whole, live] = engines.map(({ connection }) => connection.remote);
  const rows: (string | number)[][] = [];
  let used: string = backend;
  for (const tokenLimit of [64, 128, 256, 512, 1024]) {
    const {
      streams: [{ text }],
      model: info,
      runId,
    } = await whole.explain({ model, text: source, tokenLimit: tokenLimit - 8 });
    await whole.release({ runId });
    used = info.backend;
    let state = 0;
    const measured: Record<string, number[]> = { whole: [], end: [], middle: [] };
    const explain = async (name: string, remote: typeof live, changed: string, isLive: boolean): Promise<void> => {
      const run = await remote.explain({ model, text: changed, tokenLimit, isLive });
      measured[name].push(run.timings.run);
      await remote.release({ runId: run.runId });
    };
    const middle = text.indexOf('\n', text.length >> 1);
    await interleave(Math.max(rounds, 7), {
      whole: () => explain('whole', whole, `${text}x${state++ % 10}`, false),
      begin: async () =>
        live.explain({ model, text, tokenLimit, isLive: true }).then(({ runId: id }) => live.release({ runId: id })),
      end: () => explain('end', live, `${text}x`, true),
      middle: () => explain('middle', live, `${text.slice(0, middle)}#${text.slice(middle)}`, true),
    });
    const of = (name: string): number => median(measured[name].slice(1));
    rows.push([
      tokenLimit - 7,
      ms(of('whole')),
      ms(of('end')),
      ms(of('middle')),
      (of('whole') / of('end')).toFixed(1),
      (of('whole') / of('middle')).toFixed(1),
    ]);
  }
  for (const engine of engines) engine.dispose();
  if (used !== backend) return;
  console.log(`\nBundled model, ${used}: time of a run, whole and from the first change on (medians)\n`);
  console.log(
    table(
      ['tokens', 'whole ms', 'a token more at the end ms', 'a token in the middle ms', 'whole / end', 'whole / middle'],
      rows,
    ),
  );
}

for (const backend of ['native', 'wasm'] as const) await runs(backend);
await typing('auto');
process.exit(0);
