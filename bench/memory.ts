// Peak memory of loading a large model, as part of the size of its files: a process of its own for each.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as web from 'onnxruntime-web';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { inChild } from './inChild';
import { writeRandomBert, type EncoderSize } from './randomBert';
import { table } from './statistics';

/** Width and context of BERT-large, with as many layers as the largest single file holds: 1.9 GB. */
const large: EncoderSize = { numLayers: 36, numHeads: 16, width: 1024, vocabulary: 30522, context: 512 };
/** One layer more than a single file may hold. */
const larger: EncoderSize = { ...large, numLayers: 40 };

interface Peak {
  /** Bytes before and at the peak of loading. */
  readonly before: number;
  readonly peak: number;
  readonly inspectMs: number;
}

const path = process.env['BENCH_MEMORY_MODEL'];
if (path === undefined) await measureAll();
else await measure(path);

async function measure(model: string): Promise<void> {
  web.env.wasm.numThreads = 1;
  const before = process.resourceUsage().maxRSS * 1024;
  const started = performance.now();
  const files = await readModelFiles(nodeFileAccess, model);
  const inspectMs = performance.now() - started;
  const session = await AttentionSession.create({ ort: web, files });
  const peak = process.resourceUsage().maxRSS * 1024;
  await session.release();
  const result: Peak = { before, peak, inspectMs };
  process.send?.(result, () => process.exit(0));
}

async function measureAll(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  const rows: (string | number)[][] = [];
  try {
    for (const [title, size, isExternal] of [
      ['one file', large, false],
      ['external data', larger, true],
    ] as const) {
      const model = join(folder, 'model.onnx');
      writeRandomBert(model, size, { isExternal, isRepeated: true });
      const bytes = statSync(model).size + (isExternal ? statSync(`${model}.data`).size : 0);
      const { before, peak, inspectMs } = await inChild<Peak>(import.meta.url, { BENCH_MEMORY_MODEL: model });
      rows.push([
        title,
        gigabytes(bytes),
        gigabytes(before),
        gigabytes(peak),
        (peak / bytes).toFixed(3),
        inspectMs.toFixed(0),
      ]);
      for (const file of isExternal ? [model, `${model}.data`] : [model]) rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    '\nLoading a model with its attention exposed, WASM, one thread; the peak is that of the whole process, Node and runtime included\n',
  );
  console.log(table(['weights', 'files GB', 'before GB', 'peak GB', 'peak / files', 'read graph ms'], rows));
  process.exit(0);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
