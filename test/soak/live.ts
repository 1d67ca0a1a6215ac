// Live mode at speed: keys, carets, documents, models and accidents, without pause, through the window's own live mode, controller, store and
// supervisor and a real engine. After every change the picture must come to show what stands in the document.
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type * as vscode from 'vscode';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { HostFiles } from '../../src/host/engine/hostFiles';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { LiveMode } from '../../src/host/live/liveMode';
import { ChosenLanguages } from '../../src/host/model/chosenLanguages';
import { FirstHeads } from '../../src/host/model/firstHeads';
import { ModelsOfKinds } from '../../src/host/model/modelsOfKinds';
import { ExplainController } from '../../src/host/run/explainController';
import { ViewStore } from '../../src/host/view/viewStore';
import { seededRandom } from '../unit/onnx/mutate';
import { engineMemory, measuredEngine } from './engineMemory';
import { below, oneOf } from './fuzz/fuzzTarget';
import { Ledger, readOrder } from './ledger';
import { measuredModel, source, textModels } from './models';
import { configure, putCaret, show, TextDocument, Uri, Selection, Position, type Editor } from './vscodeStandIn';

const ledger = new Ledger(readOrder());
const random = seededRandom(ledger.order.seed + ledger.order.from);
/** The least pause before a run that settings allow passes ten times as fast as it would. */
const usualTimeout = globalThis.setTimeout;
globalThis.setTimeout = ((run: () => void, milliseconds?: number) =>
  usualTimeout(run, milliseconds === 50 ? 5 : milliseconds)) as typeof setTimeout; // the same function but for the pause
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Pictures that have not come after so long never come. */
const patienceMilliseconds = 60_000;
const perSample = ledger.order.isShort ? 50 : 250;
const note = (): void => {};
const log = { debug: note, info: note, warn: note, error: note } as unknown as vscode.LogOutputChannel; // what is called of it
const extensionUri = Uri.file(resolve('.')) as unknown as vscode.Uri;

const supervisor = new EngineSupervisor(nodeEngineLauncher(resolve(measuredEngine), note), log);
const store = new ViewStore();
const files = new HostFiles(extensionUri);
const places = {
  extensionUri,
  hasFilePaths: true,
  homePath: undefined,
  tokenizers: { get: () => undefined },
} as unknown as ConstructorParameters<typeof LiveMode>[0]['places']; // what is asked of the chosen tokenizers
const firstHeads = new FirstHeads(() => Promise.resolve(new Map()));
const controller = new ExplainController({
  store,
  supervisor,
  files,
  places,
  firstHeads,
  languages: new ChosenLanguages({ get: () => undefined, update: () => Promise.resolve(), keys: () => [] }),
  log,
  models: new ModelsOfKinds({ get: () => undefined, update: () => Promise.resolve(), keys: () => [] }, () =>
    Promise.resolve(undefined),
  ),
  showPanel: note,
  isPanelVisible: () => true,
});
const live = new LiveMode({
  store,
  supervisor,
  files,
  places,
  controller,
  firstHeads,
  log,
  showPanel: note,
  onDidChangeSettings: () => ({ dispose: note }),
});

// Those that write a text of their own are refused by live mode.
const models = textModels(ledger.order.folder).filter((path) => !/date|t5|bart|marian/.test(path));
const editors = ['one', 'two', 'three'].map((name, i): Editor => {
  const start = new Position(0, 0);
  return {
    document: new TextDocument(Uri.file(`/${name}.py`), source.slice(i * 500, i * 500 + 3000)),
    viewColumn: 1,
    selection: new Selection(start, start),
  };
});
let editor = editors[0];
const runIds = new Set<number>();
store.onDidChangeRun((run) => run !== undefined && runIds.add(run.info.runId));

configure({ modelPath: measuredModel, backend: 'auto', threads: 1, liveDelay: 50, liveTokens: 96 });
show(editor);
live.toggle();
await shown();
while (ledger.goesOn) {
  await change();
  if (random() < 0.8) await shown();
  ledger.done();
  if (ledger.at % perSample === 0) await measure();
}
ledger.flush();
live.dispose();
supervisor.dispose();
process.exit(0);

/** What a person does, a few keys at a time. */
async function change(): Promise<void> {
  const { document } = editor;
  const { length } = document.getText();
  const caret = document.offsetAt(editor.selection.active);
  const kind = random();
  if (kind < 0.6) {
    const text = oneOf(random, ['x', ' ', '\n', 'def f(a):\n    return a\n', '🦙', '(', 'self.']);
    document.edit({ rangeOffset: caret, rangeLength: 0, text });
    putCaret(editor, caret + text.length);
  } else if (kind < 0.75) {
    const count = Math.min(caret, 1 + below(random, length > 6000 ? 2000 : 5));
    document.edit({ rangeOffset: caret - count, rangeLength: count, text: '' });
    putCaret(editor, caret - count);
  } else if (kind < 0.93) putCaret(editor, below(random, length));
  else if (kind < 0.97) {
    editor = oneOf(random, editors);
    show(editor);
  } else if (kind < 0.99) {
    configure({ modelPath: oneOf(random, [measuredModel, measuredModel, ...models]) });
    live.refresh();
    ledger.count('other models');
  } else if (kind < 0.995) {
    live.toggle();
    live.toggle();
    ledger.count('turned off and on');
  } else if (kind < 0.9955) {
    supervisor.crash();
    ledger.count('engines ended');
  } else if (kind < 0.998) {
    live.toggle();
    await controller.explain(() => ({
      document: document as unknown as vscode.TextDocument,
      range: undefined,
      chat: 'no',
    }));
    live.toggle();
    ledger.count('explained in between');
  }
}

/** Waits until the picture shows what stands around the caret, or live mode says why not; what never comes is a failure. */
async function shown(): Promise<void> {
  const began = performance.now();
  for (;;) {
    const { run } = store;
    const { document } = editor;
    const caret = document.offsetAt(editor.selection.active);
    if (
      run?.isLive === true &&
      run.text.uri.toString() === document.uri.toString() &&
      !run.text.isEdited &&
      run.held.isHeld
    ) {
      const { start, end } = run.text.range;
      if (start <= caret && caret <= end && document.getText().slice(start, end) === run.source.text) break;
    }
    // In a line of spaces only, and with a long one before it, there is nothing to read: what stands is shown.
    if (document.getText(document.lineAt(editor.selection.active.line).range).trim() === '') break;
    if (store.live.kind === 'paused') {
      ledger.fail('live mode rests', JSON.stringify(store.live));
      live.refresh();
    }
    if (document.getText().trim() === '') document.edit({ rangeOffset: 0, rangeLength: 0, text: 'x = 1\n' });
    if (performance.now() - began > patienceMilliseconds) {
      ledger.fail(
        'the picture does not come',
        JSON.stringify({
          status: store.status,
          live: store.live,
          engine: supervisor.state,
          at: editor.selection.active,
          isOn: live.isOn,
          line: document.getText(document.lineAt(editor.selection.active.line).range),
          caret,
          shown: run && {
            isLive: run.isLive === true,
            isOfDocument: run.text.uri.toString() === document.uri.toString(),
            isEdited: run.text.isEdited,
            isHeld: run.held.isHeld,
            range: run.text.range,
            isSame: document.getText().slice(run.text.range.start, run.text.range.end) === run.source.text,
          },
        }),
      );
      live.toggle();
      if (!live.isOn) live.toggle();
      return;
    }
    await new Promise((turn) => usualTimeout(turn, 2));
  }
  ledger.count('runs shown', runIds.size);
  runIds.clear();
  ledger.most('ms to a picture', performance.now() - began);
}

async function measure(): Promise<void> {
  configure({ modelPath: measuredModel });
  live.refresh();
  await shown();
  collect();
  await new Promise((turn) => usualTimeout(turn, 20));
  collect();
  const { heapUsed, external } = process.memoryUsage();
  ledger.sample('window: heap and buffers', heapUsed + external);
  if (supervisor.pid === undefined) return;
  const engine = await engineMemory(supervisor.pid).catch(() => undefined);
  if (engine === undefined) return;
  ledger.sample('engine: heap and buffers', engine.heapUsed + engine.external);
  ledger.sample('engine: resident', engine.rss);
}
