// Hooks for mocha: once a test of a file has failed, the rest of that file is left to the second attempt, which runs all of it. Behind a window
// that was not on time, each of them would wait for a minute.
const failed = new Set();

exports.mochaHooks = {
  beforeEach() {
    if (failed.has(this.currentTest.file)) this.skip();
  },
  afterEach() {
    if (this.currentTest.state === 'failed') failed.add(this.currentTest.file);
  },
};
