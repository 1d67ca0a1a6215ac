import { expect } from 'chai';
import { ExplorerError } from '../../src/base/errors';
import { isAllocationFailure } from '../../src/engine/limits/allocationFailure';
import { decodeImage } from '../../src/engine/image/decodeImage';
import { readPreprocessing } from '../../src/engine/image/readPreprocessing';
import { shapePicture } from '../../src/engine/image/shapePicture';
import type { Raster } from '../../src/engine/image/raster';
import { readFixture } from '../harness/fixtures';
import { madeGif, madePng, withScans } from './madePictures';

const palette = [10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42];
const reds = ({ pixels }: Raster): number[] => [...pixels.filter((_, i) => i % 4 === 0)];

/** What a picture is answered with: its code and its reason, or `none`. */
async function answerOf(bytes: Uint8Array, shape?: Readonly<Record<string, unknown>>): Promise<string> {
  try {
    const raster = await decodeImage(bytes, 'p');
    if (shape !== undefined) shapePicture(raster, readPreprocessing(shape, 'm'), 'p');
    return 'none';
  } catch (error) {
    if (error instanceof ExplorerError) return `${error.code}: ${error.args[1]}`;
    throw error;
  }
}

describe('pictures that no encoder makes', () => {
  it('are refused: GIFs', async () => {
    const sound = { screen: [2, 2], frame: [0, 0, 2, 2], palette, indices: [0, 1, 2, 3] } as const;
    expect(reds(await decodeImage(madeGif(sound), 'p'))).to.deep.equal([10, 20, 30, 40]);
    const cases: readonly (readonly [Uint8Array, string])[] = [
      ...[0, 9, 12, 255].map(
        (codeBits) => [madeGif({ ...sound, codeBits }), 'its codes have an impossible size'] as const,
      ),
      [madeGif({ ...sound, palette: undefined }), 'it has no palette'],
      [madeGif({ ...sound, frame: [0, 0, 0, 2] }), 'its first frame does not fit'],
      [madeGif({ ...sound, frame: [1, 0, 2, 2] }), 'its first frame does not fit'],
      [madeGif({ ...sound, indices: [0, 1, 2] }), 'it ends too early'],
      [madeGif({ ...sound, codes: [4, 0] }), 'it ends too early'],
      [madeGif({ ...sound, codes: [4, 6, 5] }), 'it uses a code that it has not made'],
      [madeGif({ ...sound, codes: [4, 0, 7, 5] }), 'it uses a code that it has not made'],
      [madeGif(sound).subarray(0, -4), 'it ends too early'],
      [Uint8Array.from([...madeGif(sound).subarray(0, 25), 0x3b]), 'it holds no picture'],
      [Uint8Array.from([...madeGif(sound).subarray(0, 25), 0x99]), 'it holds a block of a kind that GIF does not have'],
    ];
    for (const [bytes, reason] of cases) expect(await answerOf(bytes)).to.equal(`imageUnreadable: ${reason}`);
    // Two bits for a code and so a table of eight colours: the last four are not there.
    expect(await answerOf(madeGif({ ...sound, codeBits: 3, codes: [0, 1, 6, 0, 4, 0, 0] }))).to.match(
      /^imageUnreadable/,
    );
  });

  it('are refused: PNGs', async () => {
    const sound = { width: 2, height: 1, colours: 3, palette, rows: Uint8Array.of(0, 3, 0) } as const;
    expect(reds(await decodeImage(madePng(sound), 'p'))).to.deep.equal([40, 10]);
    const { palette: _, ...bare } = sound;
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [madePng(bare), 'it has no palette'],
      [madePng({ ...sound, palette: [] }), 'its palette has an impossible length'],
      [madePng({ ...sound, palette: palette.slice(1) }), 'its palette has an impossible length'],
      [
        madePng({ ...sound, palette: Array.from({ length: 257 * 3 }, () => 1) }),
        'its palette has an impossible length',
      ],
      [madePng({ ...sound, rows: Uint8Array.of(0, 4, 0) }), 'it uses a colour that its palette does not have'],
      [madePng({ ...sound, rows: Uint8Array.of(5, 0, 0) }), 'it names a filter that PNG does not have'],
      [madePng({ ...sound, rows: Uint8Array.of(0, 0) }), 'its data is too short'],
      [madePng({ ...sound, rows: Uint8Array.of(0, 0, 0, 0) }), 'it holds more data than its size says'],
      [madePng({ ...sound, depth: 3 }), 'its header is not one of a PNG'],
      [madePng({ ...sound, colours: 5 }), 'its header is not one of a PNG'],
      [madePng(sound).subarray(0, -12), 'it ends too early'],
    ];
    for (const [bytes, reason] of cases) expect(await answerOf(bytes)).to.equal(`imageUnreadable: ${reason}`);
  });
});

describe('pictures that few encoders make', () => {
  it('are shown: a GIF whose frame covers a part, over its transparent colour, else its first one', async () => {
    const part = { screen: [3, 3], frame: [1, 1, 1, 2], palette, indices: [1, 2] } as const;
    expect(reds(await decodeImage(madeGif(part), 'p'))).to.deep.equal([10, 10, 10, 10, 20, 10, 10, 30, 10]);
    expect(reds(await decodeImage(madeGif({ ...part, transparent: 3 }), 'p'))).to.deep.equal([
      40, 40, 40, 40, 20, 40, 40, 30, 40,
    ]);
    expect(
      reds(
        await decodeImage(
          madeGif({ screen: [1, 5], frame: [0, 0, 1, 5], palette, indices: [0, 1, 2, 3, 0], isInterlaced: true }),
          'p',
        ),
      ),
    ).to.deep.equal([10, 30, 20, 40, 10].map((_, row) => [10, 40, 30, 10, 20][row]));
  });

  it('are shown: an interlaced PNG of one bit', async () => {
    // Of 3 × 3 pixels six of the seven passes have some: one, one, two, one, two and three to a row.
    const rows = Uint8Array.of(0, 0x80, 0, 0x80, 0, 0x80, 0, 0x00, 0, 0x80, 0, 0x40);
    const raster = await decodeImage(madePng({ width: 3, height: 3, depth: 1, isInterlaced: true, rows }), 'p');
    expect(reds(raster)).to.have.lengthOf(9);
  });

  it('take no longer for coming in parts of one byte each', async () => {
    const rows = new Uint8Array(40_000).map((_, i) => (i % 200 === 0 ? 0 : (i * 2654435761) >>> 13));
    const [width, height] = [199, 200];
    const [whole, parted] = [
      await decodeImage(madePng({ width, height, rows }), 'p'),
      await decodeImage(madePng({ width, height, rows, partBytes: 1 }), 'p'),
    ];
    expect(parted.pixels).to.deep.equal(whole.pixels);
  });
});

describe('pictures that would take too long', () => {
  it('are refused for their sides, and for what they would become on the way to their new size', async () => {
    const narrow = (width: number, height: number): Uint8Array => madePng({ width, height, depth: 1 });
    const claimed = (width: number, height: number): Uint8Array => madePng({ width, height, rows: new Uint8Array(1) });
    expect(await answerOf(claimed(1, 3_000_000))).to.equal('imageTooLarge: a side of 3000000 pixels');
    expect(await answerOf(claimed(50_000_000, 1))).to.equal('imageTooLarge: a side of 50000000 pixels');
    expect(await answerOf(narrow(1, 310_000), {})).to.equal(
      'imageTooLarge: 224 × 310000 pixels on the way to its new size',
    );
    expect(await answerOf(narrow(1_000_000, 1), {})).to.equal('none');
    expect(await answerOf(narrow(8000, 1), { size: { shortest_edge: 224 } })).to.equal(
      'imageTooLarge: 1792000 × 224 pixels once it is scaled',
    );
    // Its middle is all that is wanted, and all that is made.
    expect(
      await answerOf(narrow(1, 300_000), { size: { shortest_edge: 224 }, do_center_crop: true, crop_size: 224 }),
    ).to.equal('none');
    expect(await answerOf(narrow(5000, 5000), { do_resize: false })).to.equal(
      'imageTooLarge: 5000 × 5000 pixels once it is scaled',
    );
  });

  it('are refused for their scans, before they are decoded', async () => {
    const jpeg = await readFixture('images/progressive.jpg');
    expect(await answerOf(jpeg)).to.equal('none');
    expect(await answerOf(withScans(jpeg, 3, [61, 43]))).to.not.match(/imageTooLarge/);
    expect(await answerOf(withScans(jpeg, 1000, [1200, 1200]))).to.match(
      /^imageTooLarge: 10\d\d scans of 1200 × 1200 pixels$/,
    );
    expect(await answerOf(withScans(jpeg, 1000, [1, 60_000]))).to.match(/^imageTooLarge: 10\d\d scans/);
  });

  it('say so as what they are, where there is no memory for them', () => {
    for (const make of [() => new Uint8Array(2 ** 53), () => new ArrayBuffer(2 ** 53)]) {
      let thrown: unknown;
      try {
        make();
      } catch (error) {
        thrown = error;
      }
      expect(isAllocationFailure(thrown), String(thrown)).to.equal(true);
    }
    const endless = (): number => 1 + endless();
    let overflow: unknown;
    try {
      endless();
    } catch (error) {
      overflow = error;
    }
    expect(isAllocationFailure(overflow)).to.equal(false);
  });
});

describe('a picture that is scaled and cropped', () => {
  it('is what the middle of the scaled one is, to the bit, for every filter', async () => {
    const raster = await decodeImage(await readFixture('images/rgb.png'), 'p');
    for (const resample of [0, 1, 2, 3, 4, 5]) {
      for (const [height, width] of [
        [20, 90],
        [90, 20],
        [43, 30],
        [30, 61],
        [43, 61],
        [100, 130],
      ] as const) {
        const whole = shapePicture(raster, readPreprocessing({ resample, size: { height, width } }, 'm'), 'p');
        for (const crop of [7, 24, 43, 97]) {
          const cropped = shapePicture(
            raster,
            readPreprocessing({ resample, size: { height, width }, do_center_crop: true, crop_size: crop }, 'm'),
            'p',
          );
          const shift = (have: number): number =>
            have < crop ? Math.ceil((crop - have) / 2) : -Math.floor((have - crop) / 2);
          const expected = new Uint8Array(crop * crop * 4).map((_, i) => {
            const [x, y] = [((i >> 2) % crop) - shift(width), Math.floor((i >> 2) / crop) - shift(height)];
            return i % 4 === 3
              ? 255
              : x < 0 || y < 0 || x >= width || y >= height
                ? 0
                : whole.pixels[(y * width + x) * 4 + (i % 4)];
          });
          expect(cropped.pixels, `${resample}, ${width} × ${height}, ${crop}`).to.deep.equal(expected);
        }
      }
    }
  });
});
