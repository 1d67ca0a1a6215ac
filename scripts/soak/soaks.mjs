// The soaks: what each is, how much of it there is to do, its short form, and what must hold.
// `file` is the TypeScript that does it; `slopes` names what is measured against the number done, with the most that it may grow by for each, in bytes.
// `hasJobs`: it can be done in several threads. `differences` names what is one measured thing less another: what is compiled grows until all that is used often has been compiled for speed.

const fuzzers = {
  onnx: { what: 'models', runs: 1e7, shortSeconds: 6 },
  tokenizer: { what: 'tokenizer.json', runs: 1e6, shortSeconds: 3 },
  template: { what: 'chat templates', runs: 1e6, shortSeconds: 2 },
  image: { what: 'pictures', runs: 1e6, shortSeconds: 3 },
  feeds: { what: 'tensors from files', runs: 1e6, shortSeconds: 2 },
  config: { what: 'models’ settings', runs: 1e6, shortSeconds: 2 },
};
const fuzz = Object.entries(fuzzers).map(([name, { what, runs, shortSeconds }]) => [
  `fuzz-${name}`,
  {
    title: `${what}, changed and made up`,
    unit: 'inputs',
    file: 'test/soak/fuzz.ts',
    runs,
    hasJobs: true,
    short: { runs: Infinity, seconds: shortSeconds },
  },
]);
// Guided by what they reach, which takes longer for each.
const guided = Object.entries(fuzzers).map(([name, { what, runs }]) => [
  `guided-${name}`,
  { title: `${what}, guided by V8’s coverage`, unit: 'inputs', file: 'test/soak/fuzz.ts', runs: runs / 10 },
]);

const standIn = { vscode: './test/soak/vscodeStandIn.ts' };
const runs = { unit: 'runs', file: 'test/soak/runs.ts', needsBuild: true, slopes: { 'heap and buffers': 1000 } };

export const soaks = {
  kills: {
    title: 'engines ended at random moments, each time a request after it',
    unit: 'kills',
    file: 'test/soak/kills.ts',
    needsBuild: true,
    runs: 1000,
  },
  runs: {
    ...runs,
    title: 'runs of changing lengths and models in one engine, native runtime',
    runs: 1e4,
    short: { runs: 150, seconds: 8 },
  },
  messages: {
    title: 'messages that are none, to the engine and to the panel’s host side',
    unit: 'messages',
    file: 'test/soak/messages.ts',
    alias: standIn,
    needsBuild: true,
    runs: 1e5,
    short: { runs: 1200, seconds: 10 },
  },
  mutants: {
    title: 'models changed in a field or a few, run by the engine',
    unit: 'models',
    file: 'test/soak/mutants.ts',
    needsBuild: true,
    runs: 1e4,
    short: { runs: 40, seconds: 6 },
  },
  sockets: {
    title: 'command line and engine, their sockets watched',
    unit: 'programs',
    file: 'test/soak/sockets.ts',
    needsBuild: true,
    platform: 'linux',
    runs: 200,
    short: { runs: 2, seconds: 15 },
  },
  sleep: {
    title: 'a machine that sleeps, and an engine that stands still',
    unit: 'rounds',
    file: 'test/soak/sleep.ts',
    needsBuild: true,
    platform: 'linux',
    runs: 20,
    short: { runs: 1, seconds: 30 },
  },
  storage: {
    title: 'a full and a read-only storage',
    unit: 'rounds',
    file: 'test/soak/storage.ts',
    needsBuild: true,
    platform: 'linux',
    runs: 10,
    short: { runs: 1, seconds: 60 },
  },
  'editor-full': {
    title: 'explanations in a real VS Code whose storage is full',
    unit: 'runs',
    run: async (order) => (await import('./editor.mjs')).runEditorOnFullStorage(order),
    needsBuild: true,
    platform: 'linux',
    runs: 30,
  },
  editor: {
    title: 'explanations in a real VS Code',
    unit: 'runs',
    run: async (order) => (await import('./editor.mjs')).runEditor(order),
    needsBuild: true,
    differences: Object.fromEntries(
      ['extension host', 'engine'].map((whose) => [
        `${whose}: without code`,
        [`${whose}: heap and buffers`, `${whose}: its code`],
      ]),
    ),
    slopes: { 'extension host: without code': 1000, 'engine: without code': 1000 },
    runs: 1000,
  },
  live: {
    title: 'live mode at speed: keys, carets, documents, models, ended engines',
    unit: 'changes',
    file: 'test/soak/live.ts',
    alias: standIn,
    needsBuild: true,
    slopes: { 'window: heap and buffers': 1000, 'engine: heap and buffers': 1000 },
    runs: 2e5,
    short: { runs: 200, seconds: 8 },
  },
  'runs-wasm': { ...runs, title: 'the same with WebAssembly', runs: 1e4 },
  ...Object.fromEntries([...fuzz, ...guided]),
};
