// Mocha's ordinary output, and the counts as JSON in the file that RESULTS_FILE names.
const { writeFileSync } = require('node:fs');
const { relative, sep } = require('node:path');
const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // By test file, so that a second attempt can leave out those that passed. A failed hook is its suite's.
    const files = new Map();
    const count = (kind) => (test) => {
      const file = relative(process.env.RESULTS_ROOT ?? process.cwd(), test.file ?? test.parent?.file ?? '')
        .split(sep)
        .join('/');
      if (!files.has(file)) files.set(file, { passed: 0, failed: 0, skipped: 0 });
      files.get(file)[kind]++;
    };
    runner.on(Runner.constants.EVENT_TEST_PASS, count('passed'));
    runner.on(Runner.constants.EVENT_TEST_FAIL, count('failed'));
    runner.on(Runner.constants.EVENT_TEST_PENDING, count('skipped'));
    runner.on(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.RESULTS_FILE)
        writeFileSync(
          process.env.RESULTS_FILE,
          JSON.stringify({ passed: passes, failed: failures, skipped: pending, files: Object.fromEntries(files) }),
        );
      // Does not keep the process alive, and ends one that something else keeps alive: a leak is a failure, not a wait.
      setTimeout(() => {
        console.error(`Something is still open after the last test: ${process.getActiveResourcesInfo().join(', ')}.`);
        process.exit(98);
      }, 20_000).unref();
    });
  }
};
