// Times one run of a model at 256 tokens in onnxruntime-web (WASM, one thread): node scripts/models/code_decoder/time.mjs [MODEL.onnx]
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import * as ort from 'onnxruntime-web';

const path = process.argv[2] ?? 'media/models/code-decoder/model.onnx';
const length = 256;
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await readFile(path), { executionProviders: ['wasm'] });
const row = (value) => new ort.Tensor('int64', BigInt64Array.from({ length }, value), [1, length]);
const feeds = {
  ...Object.fromEntries(
    session.inputNames
      .filter((name) => name.startsWith('past'))
      .map((name) => [name, new ort.Tensor('float32', [], [1, 8, 0, 24])]),
  ),
  input_ids: row((_, index) => BigInt((index * 37) % 3000)),
  attention_mask: row(() => 1n),
};
const times = [];
let shape;
for (let run = 0; run < 12; run++) {
  const start = performance.now();
  const { logits } = await session.run(feeds);
  times.push(performance.now() - start);
  shape = logits.dims;
}
times.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    length,
    logits: shape,
    medianMilliseconds: Math.round(times[times.length >> 1]),
    fastestMilliseconds: Math.round(times[0]),
  }),
);
