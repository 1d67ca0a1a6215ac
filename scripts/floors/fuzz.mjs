// Half a minute of mutated files for the readers of models and pictures; with another seed each time, which it prints.
import { runProcess } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/** Feeds broken files to the ONNX reader for so many seconds, and broken pictures to their decoders for a sixth of them; resolves to the counts. */
export async function runFuzz({ seconds = 30, log }) {
  const results = [];
  for (const [script, time] of [['scripts/fuzzOnnx.mjs', seconds], ['scripts/fuzzImages.mjs', seconds / 6]]) {
    const seed = Date.now() % 2 ** 31;
    try {
      const output = await runProcess(process.execPath, [script, 'Infinity', String(time), String(seed)], { cwd: root });
      log(`  ✔ seed ${seed}: ${output.trim()}`);
      results.push({ passed: 1 });
    } catch (error) {
      log(`  ✘ ${script}, seed ${seed}: ${error.message}`);
      results.push(oneFailure);
    }
  }
  return sum(...results);
}
