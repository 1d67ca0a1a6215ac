import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { numbersWriter } from '../../../../src/engine/serve/numbersWriter.node';
import { fileOf, numberFormats, plainFileForm } from '../../../../src/model/numbers/numbersFile';
import { sampleNumbers } from './sampleNumbers';

const [numLayers, numHeads, numTokens] = [2, 12, 256];
const headBytes = numTokens * numTokens * 4;
const layerBytes = numHeads * headBytes;

/** A run whose weights are made when they are read, as those of long texts are: nothing of it is held. */
const numbers = sampleNumbers({ numLayers, numHeads, numTokens }, 'recomputed', async (_, { head }) => {
  await new Promise((resolve) => setImmediate(resolve));
  return new Float32Array(numTokens * numTokens).fill(head / numHeads);
});

describe('The memory that writing numbers takes', function () {
  this.timeout(20_000);
  let folder: string;
  let collect: () => void;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-memory-'));
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What is in use once all that nobody needs is gone: arrays, and V8's own objects. */
  const used = (): number => {
    // What the first one finds is given back beside the program, until the second one waits for that.
    collect();
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };

  for (const format of numberFormats)
    for (const precision of format === 'npz' || format === 'safetensors'
      ? (['float32', 'float16'] as const)
      : (['float32'] as const))
      // prettier-ignore
      it(`is never more than 1.2 times a layer: ${format}, ${precision}`, async () => {
        const before = used();
        let most = 0;
        let numPieces = 0;
        const isText = format === 'csv' || format === 'json';
        async function* watched(): AsyncGenerator<Uint8Array> {
          for await (const piece of fileOf(numbers, { ...plainFileForm, format, precision }, numbersWriter.crc32)) {
            if (numPieces++ % (isText ? 40 : 8) === 0) most = Math.max(most, used() - before);
            yield piece;
          }
        }
        const path = join(folder, `numbers.${format}`);
        await numbersWriter.write(path, 'w', watched());
        expect(most).to.be.within(headBytes / 4, 1.2 * layerBytes);
        expect(statSync(path).size).to.be.greaterThan(numLayers * layerBytes * (precision === 'float16' ? 0.5 : 0.3));
      });
});
