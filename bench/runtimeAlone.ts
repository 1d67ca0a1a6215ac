// A process that does nothing but load a runtime and the bundled default model and run it once: what no engine's start can beat.
import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Ort from 'onnxruntime-common';

const key = 'BENCH_RUNTIME_ALONE';

/** Starts such a process and waits until it has run 64 tokens, on a number of threads. */
export function startRuntimeAlone(backend: 'native' | 'wasm', threads: number): Promise<void> {
  return new Promise((settle, reject) => {
    const child = fork(fileURLToPath(new URL('runtimeAlone.mjs', import.meta.url)), {
      env: { ...process.env, [key]: JSON.stringify({ backend, threads }) },
      execArgv: [],
    });
    child.once('message', () => {
      child.kill('SIGKILL');
      settle();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The process with nothing but the runtime ended with ${code}.`)));
  });
}

const task = process.env[key];
if (task !== undefined) {
  const { backend, threads } = JSON.parse(task) as { backend: 'native' | 'wasm'; threads: number }; // what startRuntimeAlone() wrote
  const ort =
    backend === 'native'
      ? ((await import('onnxruntime-node')) as typeof Ort)
      : ((await import('onnxruntime-web')) as unknown as typeof Ort); // both have this interface
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(resolve('media/models/code-decoder/model.onnx'), {
    executionProviders: [backend === 'native' ? 'cpu' : 'wasm'],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  const numTokens = 64;
  const feeds: Record<string, Ort.Tensor> = {};
  for (const meta of session.inputMetadata) {
    if (!meta.isTensor) continue;
    const isPast = meta.name.startsWith('past_key_values');
    const dims = isPast
      ? meta.shape.map((dim) => (typeof dim === 'number' && dim < 2 ** 31 ? dim : 0))
      : [1, numTokens];
    if (isPast) dims[0] = 1;
    feeds[meta.name] = isPast
      ? new ort.Tensor('float32', new Float32Array(0), dims)
      : new ort.Tensor('int64', new BigInt64Array(numTokens).fill(1n), dims);
  }
  await session.run(feeds);
  process.send?.('done');
}
