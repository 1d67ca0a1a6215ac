// From the command to the first paint, in the editor and in the panel, in a real VS Code.
import { explainAgain, explainTwice, type Key, type Times } from './firstPaint';
import { median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const lengths = (process.env['BENCH_TOKENS'] ?? '64,256,512').split(',').map(Number);

const packages = Object.entries({ wasm: process.env['AE_VSIX'], native: process.env['AE_NATIVE_VSIX'] }).flatMap(
  ([name, vsix]) => (vsix === undefined ? [] : [{ name, vsix, cold: [] as Times[], reopened: [] as Times[] }]),
);
// A window a round, the packages in turn.
for (let round = 0; round < rounds; round++) {
  for (const { vsix, cold, reopened } of packages) {
    const times = await explainTwice(vsix, lengths[0]);
    cold.push(times.cold);
    reopened.push(times.reopened);
  }
}
const row = (name: string, times: readonly Times[]): (string | number)[] => {
  const of = (key: Key | 'lit'): number => median(times.map((each) => each[key]));
  const pages = times.flatMap((each) => each.page ?? []);
  return [
    name,
    ms(of('lit')),
    ms(of('total')),
    ms(of('load')),
    ms(of('tokenize')),
    ms(of('run')),
    ms(median(times.map(({ result, load, tokenize, run }) => result - load - tokenize - run))),
    pages.length === 0 ? '' : ms(median(pages)),
    ms(of('paint')),
  ];
};
const rows = (['cold', 'reopened'] as const).flatMap((when) =>
  packages.map((each) => row(`${each.name}, ${when}, ${lengths[0]} tokens`, each[when])),
);
for (const { name, vsix } of packages)
  for (const length of lengths)
    rows.push(row(`${name}, warm, ${length} tokens`, await explainAgain(vsix, length, rounds)));
console.log(
  `Real VS Code, Node host, bundled model, ms: from the command to the first paint, in the editor (the tokens that the one at the caret reads are lit) and in the panel. Cold: the first command of a fresh window with a fresh profile, medians of ${rounds} windows; reopened: the first command after that window was loaded again, its panel closed, its engine started ahead; warm: later ones, medians of ${rounds}. The page of the panel loads while the engine starts.\n`,
);
console.log(
  table(
    [
      '',
      'command → first paint in the editor',
      'command → first paint in the panel',
      'load',
      'tokenize',
      'run',
      'start, queue, messages',
      'page listens after',
      'run there → first paint in the panel',
    ],
    rows,
  ),
);
