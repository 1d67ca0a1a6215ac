// Mocha where there is no terminal: in a page, a worker and VS Code's extension hosts. Imported before any test file.
import 'mocha/mocha.js';

/** What a run of tests came to. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The same by the title of the outermost suite, so that a second attempt can leave out those that passed. */
  readonly suites: Readonly<Record<string, Omit<Counts, 'suites'>>>;
}

const suites = new Map<string, { passed: number; failed: number; skipped: number }>();

function count(test: Mocha.Test | Mocha.Hook, kind: 'passed' | 'failed' | 'skipped'): void {
  let suite = test.parent;
  while (suite?.parent !== undefined && !suite.parent.root) suite = suite.parent;
  const title = suite?.title ?? '';
  const counts = suites.get(title) ?? { passed: 0, failed: 0, skipped: 0 };
  counts[kind]++;
  suites.set(title, counts);
}

class Lines extends Mocha.reporters.Base {
  static print: (line: string) => void = () => undefined;
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    let depth = 0;
    const say = (line: string): void => Lines.print('  '.repeat(depth) + line);
    runner.on('suite', (suite) => {
      if (suite.title !== '') say(suite.title);
      if (!suite.root) depth++;
    });
    runner.on('suite end', (suite) => {
      if (!suite.root) depth--;
    });
    runner.on('pass', (test) => say(`✔ ${test.title}${(test.duration ?? 0) > 1000 ? ` (${test.duration} ms)` : ''}`));
    runner.on('pending', (test) => say(`- ${test.title}`));
    runner.on('pass', (test) => count(test, 'passed'));
    runner.on('pending', (test) => count(test, 'skipped'));
    runner.on('fail', (test, error: Error) => {
      count(test, 'failed');
      say(`✘ ${test.title}`);
      for (const line of `${error.message}\n${error.stack ?? ''}`.split('\n').slice(0, 25)) say(`    ${line}`);
    });
  }
}

mocha.setup({
  ui: 'bdd',
  reporter: Lines as unknown as Mocha.ReporterConstructor /* its type wants a name, which mocha does not */,
  timeout: 60_000,
});

/** Runs every test that has been imported; `grep` chooses by title, `onlySuites` by the titles of outermost suites, and `print` gets the report line by line. */
export function runMocha(options: {
  readonly grep: string;
  readonly onlySuites?: readonly string[];
  readonly print: (line: string) => void;
}): Promise<Counts> {
  Lines.print = options.print;
  if (options.grep !== '') mocha.grep(options.grep);
  if (options.onlySuites !== undefined) {
    const { suite } = mocha;
    suite.suites = suite.suites.filter(({ title }) => options.onlySuites?.includes(title));
  }
  return new Promise((resolve) => {
    // Not `mocha.run`: in this build it reads the page's address, which an extension host has not.
    const runner = Mocha.prototype.run.call(mocha, () => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      resolve({ passed: passes, failed: failures, skipped: pending, suites: Object.fromEntries(suites) });
    });
  });
}
