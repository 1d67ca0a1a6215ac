import { setFlagsFromString } from 'node:v8';
import type { OrtModule } from './runtime';

/**
 * How much of a function has to have run, in bytes of its code or so, before V8 compiles it anew with its optimising compiler; a
 * hundred times its default. By that, a start of the runtime has thousands of functions optimised that run once: measured on two
 * processors, they take twice the time of the start itself, and the functions that count are optimised within the first run anyway.
 */
const tieringBudget = 200_000_000;

/** Loads the WebAssembly build of the runtime. */
export function loadWasm(): Promise<OrtModule> {
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudget}`);
  return import('onnxruntime-web');
}
