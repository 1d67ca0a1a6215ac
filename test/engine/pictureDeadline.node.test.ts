import { expect } from 'chai';
import { Deadlines } from '../../src/engine/limits/deadlines';
import { decodeImage } from '../../src/engine/image/decodeImage';
import { interrupt } from '../../src/engine/serve/interrupt.node';
import { timeLimits } from '../../src/engine/limits/timeLimits';
import { codeOf } from '../harness/codeOf';
import { readFixture } from '../harness/fixtures';

const quick = new Deadlines({
  interrupt,
  limits: { ...timeLimits, preparePicture: { title: 'Preparing the picture', seconds: 0.02, perMillion: 0 } },
});

/** A JPEG file that says it is 6000 × 6000 pixels and holds the first few: the rest is grey, and takes its time. */
async function tallJpeg(name: string): Promise<Uint8Array> {
  const bytes = (await readFixture(`images/${name}`)).slice();
  const frame = bytes.findIndex((byte, at) => byte === 0xff && (bytes[at + 1] === 0xc0 || bytes[at + 1] === 0xc2));
  bytes.set([6000 >> 8, 6000 & 255, 6000 >> 8, 6000 & 255], frame + 5);
  return bytes;
}

describe('A picture that takes too long', () => {
  for (const name of ['plain.jpg', 'progressive.jpg']) {
    it(`is ended inside of its decoder, and spoils none that comes after: ${name}`, async () => {
      const started = performance.now();
      expect(await codeOf(decodeImage(await tallJpeg(name), name, quick))).to.equal('tookTooLong');
      expect(performance.now() - started).to.be.below(3000);
      const { width, height } = await decodeImage(
        await readFixture(`images/${name}`),
        name,
        new Deadlines({ interrupt }),
      );
      expect([width, height]).to.deep.equal([61, 43]);
    });
  }
});
