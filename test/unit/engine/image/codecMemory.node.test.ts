import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decodeImage } from '../../../../src/engine/image/decodeImage';

describe('the memory of a codec', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // which the flag makes
  /** Bytes beside the heap. */
  const held = async (): Promise<number> => {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    return process.memoryUsage().external;
  };
  /** Bytes beside the heap that stay more than there were, when what is free has been given back: a thread of its own does that, in its time. */
  const heldBeyond = async (before: number, wanted: number): Promise<number> => {
    let beyond = (await held()) - before;
    for (let tries = 0; beyond >= wanted && tries < 100; tries++) beyond = (await held()) - before;
    return beyond;
  };

  for (const name of ['plain.jpg', 'plain.webp'])
    it(`is free when its picture is decoded: ${name}`, async () => {
      const bytes = readFileSync(`test/fixtures/images/${name}`);
      const before = await held();
      expect((await decodeImage(bytes, name)).width).to.be.greaterThan(0);
      expect(await heldBeyond(before, 4e6)).to.be.lessThan(4e6); // its program stays, 16 MB at least are what it works in
    });
});
