// Processor time of one date by greedy generation with a growing prefix in onnxruntime-web (WASM, one thread): node scripts/models/date_models/time.mjs MODEL.onnx
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';

const [numSource, numTarget] = [16, 11];
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await readFile(process.argv[2]), { executionProviders: ['wasm'] });
const row = (length, value) => new ort.Tensor('int64', BigInt64Array.from({ length }, value), [1, length]);
const times = [];
for (let run = 0; run < 12; run++) {
  const start = process.cpuUsage();
  for (let length = 1; length <= numTarget; length++) {
    await session.run({
      input_ids: row(numSource, (_, at) => BigInt(20 + at)),
      attention_mask: row(numSource, () => 1n),
      decoder_input_ids: row(length, (_, at) => BigInt(20 + at)),
    });
  }
  times.push(process.cpuUsage(start).user / 1000);
}
times.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    numSource,
    numTarget,
    medianMilliseconds: Math.round(times[times.length >> 1]),
    fastestMilliseconds: Math.round(times[0]),
  }),
);
