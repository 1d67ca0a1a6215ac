// Messages that are none: to an engine's process, on its control line and in its frames, and to the panel's host side as a page that is not ours
// could post them. Both must go on and answer what is asked properly.
import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import type * as vscode from 'vscode';
import 'vscode-jsonrpc/node';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { ExplorerPanel } from '../../src/host/panel/explorerPanel';
import { PanelMemory } from '../../src/host/panel/panelMemory';
import { ViewStore } from '../../src/host/view/viewStore';
import type { PanelApi } from '../../src/panelProtocol';
import type { EngineApi, EngineEvents } from '../../src/protocol';
import { Emitter } from '../../src/base/event';
import { initialView } from '../../src/model/viewState';
import { ExplorerError } from '../../src/base/errors';
import { openConnection } from '../../src/rpc/connection';
import { FramedChannel } from '../../src/rpc/framedChannel.node';
import { engineMethods, panelMethods } from '../../src/rpc/methods';
import { seededRandom } from '../unit/onnx/mutate';
import { below, oneOf } from './fuzz/fuzzTarget';
import { mutateJson } from './fuzz/mutateJson';
import { Ledger, readOrder } from './ledger';
import { measuredModel } from './models';
import { Uri } from './vscodeStandIn';
import { shownRunOf } from './window';

const ledger = new Ledger(readOrder());
const random = seededRandom(ledger.order.seed + ledger.order.from);
/** A machine that does much else beside a long soak lets it wait. */
const patienceMilliseconds = ledger.order.isShort ? 30_000 : 180_000;
const note = (): void => {};
const log = { debug: note, info: note, warn: () => ledger.count('lines of the log'), error: note };
const text = 'def f(x):\n    return x + 1\n';
const model = { path: measuredModel, backend: 'auto', threads: 1 } as const;

/** What stands in the place of parameters, of messages and of their members. */
const values: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  0.5,
  NaN,
  Infinity,
  -0,
  2 ** 31,
  2 ** 53,
  1n,
  '',
  'x',
  '__proto__',
  '\u0000',
  '../../etc',
  'x'.repeat(100_000),
  [],
  [null],
  [[[[]]]],
  {},
  { value: null },
  { __proto__: { id: 1 } },
  { runId: -1 },
  { runId: '1' },
  { runId: 1e9, selection: {} },
  { path: 7 },
  { path: '' },
  { path: '/', backend: 'x' },
  { model: {} },
  { model: { path: 'media/models', backend: 'wasm', threads: -1 }, text: 7 },
  { selection: { component: 'self', heads: [], aggregation: 'sum' } },
  new Uint8Array(10),
  new Float32Array(5000),
  new Date(0),
  /x/,
  new Map([[1, 2]]),
  new Set([1]),
  new Error('x'),
  { $frame: 1, type: 'Float32Array' },
  { $frame: -1, type: 'Uint8Array' },
  { $frame: 1, type: 'constructor' },
  { $frame: 'x', type: 'toString' },
];

/** What is no call at all; its ids are none of our own calls', which would take an answer to it for theirs. */
const loose: readonly unknown[] = [
  ...values,
  { jsonrpc: '1.0', id: 90_001, method: 'memory' },
  { jsonrpc: '2.0' },
  { jsonrpc: '2.0', method: 7 },
  { jsonrpc: '2.0', id: {}, method: 'memory', params: {} },
  { jsonrpc: '2.0', id: null, method: 'memory', params: {} },
  { jsonrpc: '2.0', id: 5 },
  { jsonrpc: '2.0', id: 5, result: 1, error: 1 },
  { jsonrpc: '2.0', id: 'x', result: null },
  { jsonrpc: '2.0', id: 5, error: null },
  { jsonrpc: '2.0', id: 5, error: { code: 'x', message: 7 } },
  { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 'none' } },
  { jsonrpc: '2.0', method: '$/cancelRequest' },
  { jsonrpc: '2.0', method: '$/progress', params: { token: {}, value: 1 } },
  { jsonrpc: '2.0', method: '$/setTrace', params: [] },
  { jsonrpc: '2.0', id: 90_001, method: '__proto__', params: {} },
  { jsonrpc: '2.0', id: 90_002, method: 'constructor' },
  { jsonrpc: '2.0', id: 90_003, method: 'x'.repeat(50_000) },
  [{ jsonrpc: '2.0', id: 90_001, method: 'memory' }],
  { jsonrpc: '2.0', id: 90_009, method: 'memory', params: [1, 2, 3] },
];

/** Sound parameters of each method, from which others are made. */
const sound = (runId: number): Readonly<Record<string, unknown>> => {
  const selection = { component: 'self', heads: [{ layer: 0, head: 0 }], aggregation: 'mean' };
  return {
    warmUp: { backend: 'auto', threads: 1 },
    explain: { model, text, tokenLimit: 0 },
    explainImage: {
      model: { ...model, path: resolve('media/models/shapes-vit') },
      path: resolve('test/fixtures/images/plain.jpg'),
    },
    picture: { runId },
    pattern: { runId, selection },
    overview: { runId, selection, isCausal: true },
    tile: { runId, selection, level: 0, row: 0, column: 0 },
    row: { runId, selection, position: 0, direction: 'reads' },
    thumbnails: { runId, component: 'self', size: 32, isCausal: true },
    release: { runId: 10 ** 6 },
    inspect: model,
    chatTemplate: model,
    memory: {},
    ready: { value: {} },
    changeView: { value: { view: initialView, sequence: 1 } },
    hover: { value: { stream: 0, position: 1 } },
    reveal: { value: { stream: 0, position: 1 } },
    act: { value: { action: 'rerun' } },
    painted: { value: { runId, milliseconds: 3 } },
  };
};
const intents = ['ready', 'changeView', 'hover', 'reveal', 'act', 'painted'];

let nextId = 10 ** 6;
/** The next message that is none: first each kind once, then changed ones without end. */
function* hostile(methods: readonly string[], runId: number): Generator<unknown> {
  yield* loose;
  for (const method of methods)
    for (const params of values)
      yield { jsonrpc: '2.0', ...(intents.includes(method) ? {} : { id: nextId++ }), method, params };
  const given = sound(runId);
  for (;;) {
    const method = oneOf(random, methods);
    const call = {
      jsonrpc: '2.0',
      ...(intents.includes(method) ? {} : { id: nextId++ }),
      method,
      params: given[method],
    };
    yield random() < 0.7
      ? { ...call, params: mutateJson(random, call.params, Object.values(given)) }
      : mutateJson(random, call, Object.values(given));
  }
}

async function inTime<T>(what: string, promise: Promise<T>): Promise<T | undefined> {
  const late = new Promise<undefined>((give) => setTimeout(give, patienceMilliseconds));
  try {
    const result = await Promise.race([promise.then((value) => ({ value })), late]);
    if (result === undefined) ledger.fail(`no answer to ${what}`);
    return result?.value;
  } catch (error) {
    ledger.fail(`${what}: ${error instanceof ExplorerError ? error.code : String(error)}`);
    return undefined;
  }
}

/** An engine whose two lines are ours to write on. */
function startEngine() {
  const child = fork(resolve('dist/engine.node.cjs'), [], {
    serialization: 'advanced',
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  const bulk = child.stdio[4] as Duplex; // the fifth entry of stdio is 'pipe'
  const channel = new FramedChannel(
    {
      send: (message) => child.connected && child.send(message as object),
      onMessage: (listener) => child.on('message', listener),
      onClose: (listener) => child.once('disconnect', () => listener('disconnected')),
      close: note,
    },
    bulk,
  );
  const { remote } = openConnection<object, EngineApi, object, EngineEvents>(channel, engineMethods, {}, note);
  let isOver = false;
  child.on('exit', (code, signal) => {
    if (!isOver) ledger.fail(`the engine ended: ${code ?? signal}`);
  });
  const frame = (id: number, bytes: Uint8Array): void => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(id, 0);
    header.writeUInt32LE(bytes.length, 4);
    bulk.write(header);
    bulk.write(bytes);
  };
  return {
    remote,
    send: (message: unknown) => child.send(message as object, note),
    frame,
    dispose: () => ((isOver = true), child.kill('SIGKILL')),
  };
}

/** A panel whose page is ours, over a run of a real engine. */
async function openPanel() {
  const supervisor = new EngineSupervisor(nodeEngineLauncher(resolve('dist/engine.node.cjs'), note), log);
  const store = new ViewStore();
  const run = await shownRunOf(supervisor, text);
  store.setRun(run, initialView);
  const [toHost, toPage] = [new Emitter<unknown>(), new Emitter<unknown>()];
  const never = () => ({ dispose: note });
  const webview = {
    options: {},
    html: '',
    cspSource: 'x',
    asWebviewUri: (uri: unknown) => uri,
    onDidReceiveMessage: toHost.event,
    postMessage: (message: unknown) => Promise.resolve(toPage.fire(message)).then(() => true),
  };
  const panel = {
    webview,
    visible: true,
    viewColumn: 2,
    title: '',
    reveal: note,
    dispose: note,
    onDidChangeViewState: never,
    onDidDispose: never,
  } as unknown as vscode.WebviewPanel; // what the panel asks of it
  const memory = new PanelMemory(
    {
      get: note,
      update: () => Promise.resolve(),
      keys: () => [],
    } as unknown as vscode.Memento /* what is asked of it */,
    note,
  );
  const ours = new ExplorerPanel(panel, {
    store,
    memory,
    extensionUri: Uri.file(resolve('.')) as unknown as vscode.Uri,
    log: log as unknown as vscode.LogOutputChannel,
    goOn: note,
    act: note,
    comparisons: () => ({ shown: null, onDidChange: never, want: note }),
    reveal: note,
    onDidChangeSettings: never,
  });
  const page = openConnection<object, PanelApi>(
    { send: (message) => toHost.fire(message), onMessage: toPage.event, onClose: never as never, dispose: note },
    panelMethods,
    {},
  );
  return {
    run,
    send: (message: unknown) => toHost.fire(message),
    remote: page.remote,
    ready: () => toHost.fire({ jsonrpc: '2.0', method: 'ready', params: { value: {} } }),
    dispose: () => (ours.dispose(), store.dispose(), supervisor.dispose()),
  };
}

process.on('unhandledRejection', (reason) =>
  ledger.fail(`an unhandled rejection: ${String(reason)}`, reason instanceof Error ? reason.stack : undefined),
);
const engine = startEngine();
const panel = await openPanel();
const first = await engine.remote.explain({ model, text, tokenLimit: 0 });
const toEngine = hostile(engineMethods, first.runId);
const toPanel = hostile([...panelMethods, ...intents], panel.run.runId);
while (ledger.goesOn) {
  const isPanel = ledger.at % 2 === 0;
  const { value: message } = (isPanel ? toPanel : toEngine).next();
  try {
    if (isPanel) panel.send(message);
    else if (random() < 0.1) engine.frame(below(random, 2 ** 32), new Uint8Array(below(random, 5000)));
    else engine.send(message);
  } catch (error) {
    // What cannot be cloned never leaves the sender.
    if (isPanel) ledger.fail(`the panel threw: ${String(error)}`, error instanceof Error ? error.stack : undefined);
    else ledger.count('could not be sent');
  }
  ledger.count(isPanel ? 'to the panel' : 'to the engine');
  ledger.done();
  if (ledger.at % 100 === 0) await answers();
}
await answers();
ledger.flush();
panel.dispose();
engine.dispose();
process.exit(0);

/** Asks both sides properly. */
async function answers(): Promise<void> {
  await inTime('the engine’s memory', engine.remote.memory({}));
  const again = await inTime('a run', engine.remote.explain({ model, text, tokenLimit: 0 }));
  if (again !== undefined && again.streams[0].tokens.length !== first.streams[0].tokens.length)
    ledger.fail('another run');
  if (again !== undefined) await engine.remote.release({ runId: again.runId });
  panel.ready();
  // A page asks for what it is told of, which is after it was heard.
  await new Promise((turn) => setTimeout(turn, 20));
  await inTime(
    'the panel’s pattern',
    panel.remote.pattern({
      runId: panel.run.runId,
      selection: { component: 'self', heads: [{ layer: 0, head: 0 }], aggregation: 'mean' },
    }),
  );
  ledger.count('answered properly after', 2);
}
