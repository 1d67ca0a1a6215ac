import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { expect } from 'chai';
import { numbersWriter } from '../../../../src/engine/serve/numbersWriter.node';
import { fileOf, numberFormats, plainFileForm, type FileForm } from '../../../../src/model/numbers/numbersFile';
import { sampleNumbers } from './sampleNumbers';

const [numLayers, numHeads, numTokens] = [2, 12, 256];
const headBytes = numTokens * numTokens * 4;
const layerBytes = numHeads * headBytes;

/** What is to be written, and where. */
interface Order {
  readonly path: string;
  readonly form: Pick<FileForm, 'format' | 'precision'>;
}

/** A run whose weights are made when they are read, as those of long texts are: nothing of it is held. */
const numbers = sampleNumbers({ numLayers, numHeads, numTokens }, 'recomputed', async (_, { head }) => {
  await new Promise((resolve) => setImmediate(resolve));
  return new Float32Array(numTokens * numTokens).fill(head / numHeads);
});

/** Writes a file and resolves to the most bytes that were in use meanwhile, beyond those before. */
async function mostInUse({ path, form }: Order): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // the flag makes it
  /** What is in use once all that nobody needs is gone: arrays, and V8's own objects. */
  const used = (): number => {
    // What the first one finds is given back beside the program, until the second one waits for that.
    collect();
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  const before = used();
  let most = 0;
  let numPieces = 0;
  const isText = form.format === 'csv' || form.format === 'json';
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const piece of fileOf(numbers, { ...plainFileForm, ...form }, numbersWriter.crc32)) {
      if (numPieces++ % (isText ? 40 : 8) === 0) most = Math.max(most, used() - before);
      yield piece;
    }
  }
  await numbersWriter.write(path, 'w', watched());
  return most;
}

// In a thread of its own, whose memory is small: beside what all other tests hold, each look takes many times as long.
if (!isMainThread) void mostInUse(workerData as Order /* from below */).then((most) => parentPort?.postMessage(most));
else
  describe('The memory that writing numbers takes', function () {
    this.timeout(20_000);
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), 'ae-memory-'))));
    after(() => rmSync(folder, { recursive: true }));

    for (const format of numberFormats)
      for (const precision of format === 'npz' || format === 'safetensors'
        ? (['float32', 'float16'] as const)
        : (['float32'] as const))
        it(`is never more than 1.2 times a layer: ${format}, ${precision}`, async () => {
          const path = join(folder, `numbers.${format}`);
          const order: Order = { path, form: { format, precision } };
          const worker = new Worker(new URL(import.meta.url), { workerData: order });
          const most = await new Promise<number>((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
            worker.once('exit', () => reject(new Error('The thread ended without a word.')));
          });
          expect(most).to.be.within(headBytes / 4, 1.2 * layerBytes);
          expect(statSync(path).size).to.be.greaterThan(numLayers * layerBytes * (precision === 'float16' ? 0.5 : 0.3));
        });
  });
