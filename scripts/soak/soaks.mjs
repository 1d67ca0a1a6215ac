// The soaks: what each is, how much of it there is to do, its short form, and what must hold.
// `file` is the TypeScript that does it; `slopes` names what is measured against the number done, with the most that it may grow by for each, in bytes.

const fuzzers = {
  onnx: { what: 'models', runs: 1e7, shortSeconds: 12 },
  tokenizer: { what: 'tokenizer.json', runs: 1e6, shortSeconds: 6 },
  template: { what: 'chat templates', runs: 1e6, shortSeconds: 3 },
  image: { what: 'pictures', runs: 1e6, shortSeconds: 5 },
  feeds: { what: 'tensors from files', runs: 1e6, shortSeconds: 3 },
  config: { what: 'models’ settings', runs: 1e6, shortSeconds: 3 },
};
const fuzz = Object.entries(fuzzers).map(([name, { what, runs, shortSeconds }]) => [`fuzz-${name}`, { title: `${what}, changed and made up`, unit: 'inputs', file: 'test/soak/fuzz.ts', runs, short: { runs: Infinity, seconds: shortSeconds } }]);
// Guided by what they reach, which takes longer for each.
const guided = Object.entries(fuzzers).map(([name, { what, runs }]) => [`guided-${name}`, { title: `${what}, guided by V8’s coverage`, unit: 'inputs', file: 'test/soak/fuzz.ts', runs: runs / 10 }]);

export const soaks = {
  ...Object.fromEntries([...fuzz, ...guided]),
};
