// Stands in for @vscode/spdlog, whose native part needs a compiler: without it VS Code's output channels stay empty.
const { appendFileSync, mkdirSync } = require('node:fs');
const { dirname } = require('node:path');

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];

class Logger {
  constructor(name, file) {
    this.file = file;
    this.level = 0;
    this.isRaw = false;
    mkdirSync(dirname(file), { recursive: true });
  }
  log(level, message) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace('T', ' ').slice(0, 23);
    try {
      appendFileSync(this.file, this.isRaw ? message : `${time} [${levels[level]}] ${message}\n`);
    } catch {
      // the profile has been removed: nobody reads this any more
    }
  }
  trace(message) {
    this.log(0, message);
  }
  debug(message) {
    this.log(1, message);
  }
  info(message) {
    this.log(2, message);
  }
  warn(message) {
    this.log(3, message);
  }
  error(message) {
    this.log(4, message);
  }
  critical(message) {
    this.log(5, message);
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  setPattern() {}
  clearFormatters() {
    this.isRaw = true;
  }
  flush() {}
  drop() {}
}

// One assignment each: this is how an ESM importer learns a CommonJS module's names.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.shutdown = () => {};
exports.createRotatingLogger = async (name, file) => new Logger(name, file);
exports.createAsyncRotatingLogger = async (name, file) => new Logger(name, file);
