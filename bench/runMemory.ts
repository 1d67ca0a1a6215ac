// What the first long run takes beside the model, as part of its attention: a process of its own for each backend.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as native from 'onnxruntime-node';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { loadWasm } from '../src/engine/runtime/loadWasm.node';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { planInputs } from '../src/onnx/inputs/inputs';
import { inChild } from './inChild';
import { bertBase, writeRandomBert } from './randomBert';
import { table } from './statistics';

/** What a run takes beside the model, in bytes. */
interface RunPeak {
  readonly attention: number;
  /** Of the whole process: when the model has read a few tokens, and at the peak of the run that follows. */
  readonly before: number;
  readonly peak: number;
  /** Pages of the model's own file that the run read for the first time. */
  readonly mapped: number;
}

const path = process.env['BENCH_MEMORY_MODEL'];
if (path === undefined) await measureAll();
else await measureRun(path, process.env['BENCH_MEMORY_RUN'] === 'native' ? 'native' : 'wasm');

/** Reads 8 tokens, then some number of others for the first time, as a person's first text would be. */
async function measureRun(model: string, backend: 'native' | 'wasm'): Promise<void> {
  const { runtime } = await new Runtimes({ native: () => Promise.resolve(native), wasm: loadWasm }, 1).choose(
    backend,
    1,
  );
  const files = await readModelFiles(nodeFileAccess, model);
  const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
  const plan = planInputs(files.analysis.index, session.inputNames);
  const read = async (length: number): Promise<number> => {
    const { inputs, numPositions } = plan.make({
      ids: Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary),
    });
    return (await session.run(inputs, { numPositions })).layers.reduce(
      (sum, { weights }) => sum + weights.byteLength,
      0,
    );
  };
  await read(8);
  (globalThis as { gc?: () => void }).gc?.(); // the process is started with --expose-gc
  const before = statusOf('VmRSS');
  const mappedBefore = statusOf('RssFile');
  writeFileSync('/proc/self/clear_refs', '5'); // the peak is counted anew
  const attention = await read(256);
  const result: RunPeak = { attention, before, peak: statusOf('VmHWM'), mapped: statusOf('RssFile') - mappedBefore };
  process.send?.(result, () => process.exit(0));
}

/** A line of the kernel's account of this process, in bytes. */
function statusOf(name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

async function measureAll(): Promise<void> {
  if (process.platform !== 'linux') {
    console.log('Left out: what a process takes is read from /proc.');
    process.exit(0);
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  const model = join(folder, 'model.onnx');
  const rows: (string | number)[][] = [];
  try {
    writeRandomBert(model, bertBase);
    for (const backend of ['native', 'wasm']) {
      const { attention, before, peak, mapped } = await inChild<RunPeak>(import.meta.url, {
        BENCH_MEMORY_MODEL: model,
        BENCH_MEMORY_RUN: backend,
      });
      const own = peak - before - mapped;
      rows.push([
        backend,
        megabytes(attention),
        megabytes(before),
        megabytes(peak),
        megabytes(mapped),
        megabytes(own),
        (own / attention).toFixed(2),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    '\nThe first run at 256 tokens after a first one at 8, BERT-base size, one thread, the results held; «read from the file» are pages of the weights, which the native runtime maps\n',
  );
  console.log(
    table(
      [
        'backend',
        'attention MB',
        'process before MB',
        'process peak MB',
        'of it newly read from the file MB',
        'beyond the model MB',
        'beyond the model / attention',
      ],
      rows,
    ),
  );
  process.exit(0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
