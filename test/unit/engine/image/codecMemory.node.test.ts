import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decodeImage } from '../../../../src/engine/image/decodeImage';

describe('the memory of a codec', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // which the flag makes
  /** Bytes beside the heap, what is free left out. */
  const held = async (): Promise<number> => {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    return process.memoryUsage().external;
  };

  for (const name of ['plain.jpg', 'plain.webp'])
    it(`is free when its picture is decoded: ${name}`, async () => {
      const bytes = readFileSync(`test/fixtures/images/${name}`);
      const before = await held();
      expect((await decodeImage(bytes, name)).width).to.be.greaterThan(0);
      expect((await held()) - before).to.be.lessThan(4e6); // its program stays, 16 MB at least are what it works in
    });
});
