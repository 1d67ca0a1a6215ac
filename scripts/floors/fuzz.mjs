// Half a minute of mutated files for the reader of models; with another seed each time, which it prints.
import { runProcess } from '../lib/processes.mjs';
import { oneFailure } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/** Feeds broken files to the ONNX reader for so many seconds; resolves to the counts. */
export async function runFuzz({ seconds = 30, log }) {
  const seed = Date.now() % 2 ** 31;
  try {
    const output = await runProcess(process.execPath, ['scripts/fuzzOnnx.mjs', 'Infinity', String(seconds), String(seed)], { cwd: root });
    log(`  ✔ seed ${seed}: ${output.trim()}`);
    return { passed: 1 };
  } catch (error) {
    log(`  ✘ seed ${seed}: ${error.message}`);
    return oneFailure;
  }
}
