import { expect } from 'chai';
import { ExplorerError } from '../../src/base/errors';
import { decodeImage } from '../../src/engine/image/decodeImage';
import { pictureValues } from '../../src/engine/image/pictureValues';
import { referenceVersion } from '../../src/engine/image/processorDefaults';
import { processors } from '../../src/engine/image/processors';
import { readPreprocessing, type Preprocessing } from '../../src/engine/image/readPreprocessing';
import { cutPicture } from '../../src/engine/image/pictureTiles';
import { shapePicture, type ShapedPicture } from '../../src/engine/image/shapePicture';
import type { Raster } from '../../src/engine/image/raster';
import { patchAt, sourceOfPatch } from '../../src/model/patchGrid';
import { readFixture, readFixtureText } from '../harness/fixtures';

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly size: readonly [number, number];
  readonly shape: readonly number[];
  /** Of what is equal to the bit. */
  readonly sha256?: string;
  /** Of what is equal within a step of 8 bits. */
  readonly values?: readonly number[];
}

interface Reference {
  readonly versions: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
  readonly cases: Readonly<Record<string, readonly Case[]>>;
}

/** What the library's processors cut of pictures. */
interface TileCases {
  readonly values: readonly {
    readonly config: Case['config'];
    readonly pictures: readonly {
      readonly picture: string;
      readonly shape: readonly number[];
      readonly sha256: string;
    }[];
  }[];
  readonly grids: readonly { readonly config: Case['config']; readonly grids: readonly (readonly number[])[] }[];
}

const reference = async (): Promise<Reference> =>
  JSON.parse(await readFixtureText('images/processors/cases.json')) as Reference;

async function hashOf(values: Float32Array): Promise<string> {
  const { crypto } = globalThis as unknown as {
    crypto: { subtle: { digest(name: string, bytes: Uint8Array): Promise<ArrayBuffer> } };
  }; // both hosts have it
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(values.buffer.slice(0))));
  return [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function made(
  config: Case['config'],
  raster: Raster,
): { readonly steps: Preprocessing; readonly shaped: ShapedPicture; readonly values: Float32Array } {
  const steps = readPreprocessing(config, 'm');
  const shaped = shapePicture(raster, steps, 'p');
  return { steps, shaped, values: pictureValues(shaped, steps, 3, false) };
}

describe('image processors of transformers', () => {
  const pictures = new Map<string, Raster>();
  before(async () => {
    for (const name of ['61x43', '31x97'])
      pictures.set(name, await decodeImage(await readFixture(`images/processors/${name}.png`), name));
  });

  it('that are known make of pictures what the library makes of them', async () => {
    const { cases, versions } = await reference();
    expect(versions['transformers']).to.equal(referenceVersion);
    expect(Object.keys(processors).filter((name) => cases[name] === undefined)).to.deep.equal([]);
    for (const [name, each] of Object.entries(cases)) {
      for (const { config, size, shape, sha256, values: wanted } of each) {
        const title = `${name} ${JSON.stringify(config)}`;
        const raster = pictures.get(size.join('x'));
        if (raster === undefined) throw new Error(title);
        const { steps, shaped, values } = made(config, raster);
        expect([3, shaped.height, shaped.width], title).to.deep.equal(shape);
        if (wanted === undefined) expect(await hashOf(values), title).to.equal(sha256);
        else {
          const step = (steps.rescale ?? 1) / Math.min(...(steps.normalize?.deviation ?? [1]));
          expect(
            values.every((value, i) => Math.abs(value - wanted[i]) <= step * 1.001 + 1e-4),
            title,
          ).to.equal(true);
        }
      }
    }
  });

  it('that are not known are refused by their names, never taken for others', async () => {
    const { refused } = await reference();
    expect(refused).to.include.members(['NougatImageProcessor', 'Qwen2VLImageProcessor', 'Siglip2ImageProcessor']);
    for (const name of [...refused, 'MyOwnViTImageProcessor'])
      expect(() => readPreprocessing({ image_processor_type: name, size: 32 }, 'm'), name)
        .to.throw(ExplorerError, name)
        .with.property('code', 'modelUnsupported');
  });

  it('that cut a picture into tiles cut the same, to the bit, and as many', async () => {
    const { values, grids } = JSON.parse(await readFixtureText('tiles/cases.json')) as TileCases;
    for (const { config, pictures: given } of values)
      for (const { picture, shape, sha256 } of given) {
        const title = `${picture} ${JSON.stringify(config)}`;
        const raster = pictures.get(picture.replace('.png', ''));
        if (raster === undefined) throw new Error(title);
        const steps = readPreprocessing(config, 'm', { takesTiles: true });
        const { tiles } = cutPicture(raster, steps, 'p');
        expect([tiles.length, 3, tiles[0].height, tiles[0].width], title).to.deep.equal(shape);
        const made = tiles.map((tile) => pictureValues(tile, steps, 3, false));
        const all = new Float32Array(made.length * made[0].length);
        made.forEach((each, i) => all.set(each, i * each.length));
        expect(await hashOf(all), title).to.equal(sha256);
        // Where they are not cut they are refused.
        expect(() => readPreprocessing(config, 'm')).to.throw(ExplorerError, 'cut into several');
      }
    for (const { config, grids: each } of grids) {
      const { tiles } = readPreprocessing(config, 'm', { takesTiles: true });
      for (const [width, height, rows, columns] of each) {
        const found = tiles?.({ width, height });
        const wanted = rows * columns <= 1 ? undefined : [rows, columns];
        expect(found && [found.rows, found.columns], `${width} × ${height} ${JSON.stringify(config)}`).to.deep.equal(
          wanted,
        );
      }
    }
  });

  it('are told by the kind of the model where the settings do not name theirs, else said to be assumed', () => {
    const read = (config: Record<string, unknown>, modelType?: string): Preprocessing =>
      readPreprocessing(config, 'm', { modelType, file: 'processor_config.json' });
    expect(read({ size: 32 }, 'siglip')).to.include({
      processor: 'SiglipImageProcessor',
      by: 'modelType',
      file: 'processor_config.json',
    });
    expect(read({ size: 32 }, 'something')).to.include({ processor: 'ViTImageProcessor', by: 'assumption' });
    expect(read({ image_processor_type: 'BeitImageProcessorFast' })).to.include({
      processor: 'BeitImageProcessor',
      by: 'settings',
    });
    expect(read({ image_processor_type: 'BeitImageProcessor', size: 32 }).assumed)
      .to.include('resample = 3')
      .and.not.include('size = 32');
    // null is no wish for what the class has.
    expect(() => read({ image_processor_type: 'ViTImageProcessor', size: null })).to.throw(ExplorerError, 'no "size"');
  });
});

describe('where patches are of a picture', () => {
  const source = { width: 80, height: 40, pixels: new Uint8Array(80 * 40 * 4).fill(255) };
  const grid = { rows: 4, columns: 4, first: 0, patchWidth: 8, patchHeight: 8 };
  const areaOf = (config: Case['config'], row: number, column: number): readonly number[] | undefined => {
    const area = sourceOfPatch(grid, { row, column }, made(config, source).shaped);
    return area && [area.left, area.top, area.width, area.height].map((value) => Math.round(value * 100) / 100);
  };

  it('holds where it is scaled, cut, filled up, and all of them', () => {
    expect(patchAt(grid, 5)).to.deep.equal({ row: 1, column: 1 });
    expect(areaOf({ image_processor_type: 'ViTImageProcessor', size: { height: 32, width: 32 } }, 1, 3)).to.deep.equal([
      60, 10, 20, 10,
    ]);
    // Scaled to 64 × 32, and 16 columns cut on each side.
    expect(
      areaOf({ image_processor_type: 'CLIPImageProcessor', size: { shortest_edge: 32 }, crop_size: 32 }, 1, 0),
    ).to.deep.equal([20, 10, 10, 10]);
    // Scaled to 32 × 16, and 8 rows put above and below.
    const janus = { image_processor_type: 'JanusImageProcessor', size: { height: 32, width: 32 } };
    expect(areaOf(janus, 0, 0)).to.equal(undefined);
    expect(areaOf(janus, 1, 1)).to.deep.equal([20, 0, 20, 20]);
    expect(areaOf(janus, 3, 1)).to.equal(undefined);
    // 20 × 20 of what is left on 32 × 32: the last patch that shows any of it shows half of one.
    const padded = {
      image_processor_type: 'DetrImageProcessor',
      size: { height: 20, width: 20 },
      pad_size: { height: 32, width: 32 },
    };
    expect(areaOf(padded, 2, 0)).to.deep.equal([0, 32, 32, 8]);
    expect(areaOf(padded, 3, 3)).to.equal(undefined);
    const { shaped, values } = made(padded, source);
    expect(shaped.content).to.deep.equal({ left: 0, top: 0, width: 20, height: 20 });
    expect([values[19], values[20], values[32 * 20]]).to.deep.equal([values[0], 0, 0]);
  });
});
