// Mocha's ordinary output, and the counts as JSON in the file that RESULTS_FILE names.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.on(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.RESULTS_FILE) writeFileSync(process.env.RESULTS_FILE, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
      // Does not keep the process alive, and ends one that something else keeps alive: a leak is a failure, not a wait.
      setTimeout(() => {
        console.error(`Something is still open after the last test: ${process.getActiveResourcesInfo().join(', ')}.`);
        process.exit(98);
      }, 20_000).unref();
    });
  }
};
