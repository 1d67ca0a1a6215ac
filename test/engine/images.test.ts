import { expect } from 'chai';
import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../src/base/errors';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { decodeImage } from '../../src/engine/image/decodeImage';
import type { WholeLayer } from '../../src/engine/weights/heldLayer';
import type { Progress } from '../../src/protocol';
import type { GrowingReading } from '../../src/engine/text/textModel';
import { ImageModel } from '../../src/engine/image/imageModel';
import { pictureValues } from '../../src/engine/image/pictureValues';
import { assumedPreprocessing, readPreprocessing } from '../../src/engine/image/readPreprocessing';
import { shapePicture } from '../../src/engine/image/shapePicture';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { fileLimits } from '../../src/model/fileLimits';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { listFixtures, readFixture, readFixtureText } from '../harness/fixtures';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const read = (name: string): Promise<Uint8Array> => readFixture(`images/${name}`);
const stored = async (name: string): Promise<ReadonlyMap<string, StoredTensor>> =>
  readSafetensors(await read(name), name);
const floatsOf = (tensor: StoredTensor | undefined): Float32Array =>
  new Float32Array((tensor?.data ?? new Uint8Array()).slice().buffer);

async function errorOf(promise: Promise<unknown>): Promise<ExplorerError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ExplorerError) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length && i < b.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

/** The same file with other bytes at places. */
function withBytes(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

describe('pictures', () => {
  it('are decoded to the bit as Pillow does, turned as they say, without alpha', async () => {
    const decoded = await stored('decoded.safetensors');
    const names = (await listFixtures('images')).filter((name) => /\.(png|jpg|webp|gif)$/.test(name));
    expect(names)
      .to.deep.equal([...decoded.keys()].sort())
      .and.have.lengthOf.at.least(40);
    for (const name of names) {
      const { width, height, pixels } = await decodeImage(await read(name), name);
      const wanted = decoded.get(name);
      expect([height, width, 3], name).to.deep.equal(wanted?.shape);
      const rgb = pixels.filter((_, i) => i % 4 !== 3);
      expect(largestDifference(rgb, wanted?.data ?? []), name).to.equal(0);
      expect(
        pixels.every((value, i) => i % 4 !== 3 || value === 255),
        name,
      ).to.equal(true);
    }
  });

  it('say where Pillow reads them otherwise than one would expect', async () => {
    const noticesOf = async (name: string): Promise<readonly string[]> =>
      (await decodeImage(await read(name), name)).notices.map(({ code }) => code);
    expect(await noticesOf('grey16.png')).to.deep.equal(['pictureGreyCut']);
    expect(await noticesOf('cmyk0.jpg')).to.deep.equal(['pictureCmyk']);
    for (const name of ['rgb16.png', 'grey.png', 'plain.jpg']) expect(await noticesOf(name), name).to.deep.equal([]);
  });

  it('are made ready as the slow image processors of transformers do', async () => {
    const processed = await stored('processed.safetensors');
    const configs = JSON.parse(await readFixtureText('images/processors.json')) as Record<
      string,
      Record<string, unknown>
    >;
    const picture = await decodeImage(await read('rgb.png'), 'rgb.png');
    for (const [name, config] of Object.entries(configs)) {
      const steps = readPreprocessing(config, 'm');
      const shaped = shapePicture(picture, steps, 'rgb.png');
      const wanted = processed.get(name);
      expect([3, shaped.height, shaped.width], name).to.deep.equal(wanted?.shape);
      const values = pictureValues(shaped, steps, 3, false);
      expect(largestDifference(values, floatsOf(wanted)), name).to.be.at.most(1e-6);
      const last = pictureValues(shaped, steps, 3, true);
      expect(last[5 * 3 + 1], name).to.equal(values[shaped.width * shaped.height + 5]);
    }
  });

  it('take what older settings leave out to be as those models had it', async () => {
    const picture = { width: 80, height: 40, pixels: new Uint8Array(80 * 40 * 4).fill(255) };
    const sizeOf = (config: Record<string, unknown>): readonly number[] => {
      const { width, height } = shapePicture(picture, readPreprocessing(config, 'm'), 'p');
      return [width, height];
    };
    expect(sizeOf({ feature_extractor_type: 'ViTFeatureExtractor', size: 32 })).to.deep.equal([32, 32]);
    expect(sizeOf({ feature_extractor_type: 'CLIPFeatureExtractor', size: 20, crop_size: 16 })).to.deep.equal([16, 16]);
    expect(sizeOf({ image_processor_type: 'CLIPImageProcessor', size: 20, do_center_crop: false })).to.deep.equal([
      40, 20,
    ]);
    expect(sizeOf({ size: { shortest_edge: 20, longest_edge: 30 } })).to.deep.equal([30, 15]);
    expect(sizeOf({})).to.deep.equal([224, 224]);
    expect([
      ...pictureValues(
        { width: 1, height: 1, pixels: Uint8Array.of(255, 0, 51, 255) },
        assumedPreprocessing({ width: 1, height: 1 }),
        3,
        false,
      ),
    ]).to.deep.equal([1, -1, Math.fround(Math.fround(0.2) - 0.5) * 2]);
    expect([
      ...pictureValues(
        { width: 1, height: 1, pixels: Uint8Array.of(255, 0, 51, 255) },
        readPreprocessing({ do_rescale: false, do_normalize: false, do_flip_channel_order: true }, 'm'),
        3,
        false,
      ),
    ]).to.deep.equal([51, 0, 255]);
    for (const config of [
      { image_processor_type: 'NougatImageProcessor' },
      { image_processor_type: 'MyViTImageProcessor' },
      { feature_extractor_type: 'SomethingFeatureExtractor', size: 32 },
      { image_processor_type: 'constructor' },
      { crop_pct: 0.9 },
      { size: 'large' },
      { size: -1 },
      { resample: 9 },
      { image_mean: ['a'] },
      { image_std: [0, 1, 1] },
      { size: { height: 1e9, width: 2 } },
    ])
      expect(() => readPreprocessing(config, 'm'), JSON.stringify(config))
        .to.throw(ExplorerError)
        .with.property('code', 'modelUnsupported');
  });

  it('that no decoder takes are refused in words, before they are decoded where they are too large', async () => {
    const png = await read('rgb.png');
    const cases: readonly (readonly [string, Uint8Array, string])[] = [
      ['no picture', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'imageUnreadable'],
      ['empty', new Uint8Array(), 'imageUnreadable'],
      ['a header of 4 294 967 295 pixels', withBytes(png, 16, 255, 255, 255, 255), 'imageTooLarge'],
      ['a header without pixels', withBytes(png, 16, 0, 0, 0, 0), 'imageUnreadable'],
      ['a larger header', withBytes(png, 18, 4), 'imageUnreadable'],
      ['a smaller header: more data than it says', withBytes(png, 20, 0, 0, 0, 4), 'imageUnreadable'],
      ['half a JPEG of four colours', (await read('cmyk2.jpg')).subarray(0, 1500), 'imageUnreadable'],
      [
        'a JPEG of four colours that is too large',
        withBytes(await read('cmyk2.jpg'), (await read('cmyk2.jpg')).indexOf(0xc0) + 4, 0x40, 0, 0x40, 0),
        'imageTooLarge',
      ],
      ['half a JPEG', (await read('plain.jpg')).subarray(0, 900), 'imageUnreadable'],
      ['half a PNG', png.subarray(0, 2000), 'imageUnreadable'],
      ['half a WebP', (await read('plain.webp')).subarray(0, 400), 'imageUnreadable'],
      ['half a GIF', (await read('plain.gif')).subarray(0, 900), 'imageUnreadable'],
    ];
    for (const [what, bytes, code] of cases)
      expect((await errorOf(decodeImage(bytes, 'picture'))).code, what).to.equal(code);
  });

  it('that are damaged anywhere give an error of ours or a picture, and spoil none that comes after', async () => {
    let seed = 12345;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (const name of [
      'rgb.png',
      'palette4.png',
      'interlaced.png',
      'interlaced2Palette.png',
      'cmyk2.jpg',
      'ycckProgressive2.jpg',
      'plain.jpg',
      'turned6.jpg',
      'plain.webp',
      'plain.gif',
    ]) {
      const bytes = await read(name);
      for (let i = 0; i < 40; i++) {
        const damaged = withBytes(bytes, random(bytes.length), random(256)).subarray(
          0,
          random(4) === 0 ? random(bytes.length) : bytes.length,
        );
        await decodeImage(
          damaged.length === 0 ? damaged : withBytes(damaged, random(damaged.length), random(256)),
          name,
        ).catch((error: unknown) => {
          if (!(error instanceof ExplorerError) || !error.code.startsWith('image')) throw error;
        });
      }
      expect((await decodeImage(bytes, name)).pixels.length, name).to.equal(61 * 43 * 4);
    }
  }).timeout(60_000);
});

describe('a model of pictures', () => {
  let ort: typeof Ort;
  let runtime: Runtime;
  before(async () => {
    ort = await importRuntime();
    runtime = new Runtime(ort, 1);
    await runtime.initialize(1);
  });

  const vit = async (files: Readonly<Record<string, string>> = {}): Promise<ReturnType<typeof memoryAccess>> =>
    memoryAccess({
      'm/vit/model.onnx': await readFixture('zoo/vit.sdpa.legacy/model.onnx'),
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`m/vit/${name}`, text])),
    });
  const spec = { path: 'm/vit', backend: 'auto', threads: 1 } as const;

  it('shows over its patches the attention that the reference computes', async () => {
    const processed = await stored('processed.safetensors');
    const { square } = JSON.parse(await readFixtureText('images/processors.json')) as Record<string, unknown>;
    const config = { model_type: 'vit', patch_size: 8, image_size: 32 };
    const model = await ImageModel.load(
      { runtime, reason: '' },
      await vit({ 'preprocessor_config.json': JSON.stringify(square), 'config.json': JSON.stringify(config) }),
      spec,
    );
    const { picture, notices } = await model.prepare(await read('rgb.png'), 'rgb.png');
    const result = await model.run(picture);
    await model.release();
    expect(model.info).to.deep.include({ name: 'vit', reads: 'image' });
    expect([...notices, ...result.notices]).to.deep.equal([]);
    expect([picture.width, picture.height, picture.pixels.length]).to.deep.equal([32, 32, 32 * 32 * 4]);
    expect(result.streams[0].grid).to.deep.equal({ rows: 4, columns: 4, first: 1, patchWidth: 8, patchHeight: 8 });
    expect(result.streams[0].tokens.map(({ piece }) => piece)).to.deep.equal([
      '[CLS]',
      '1,1',
      '1,2',
      '1,3',
      '1,4',
      '2,1',
      '2,2',
      '2,3',
      '2,4',
      '3,1',
      '3,2',
      '3,3',
      '3,4',
      '4,1',
      '4,2',
      '4,3',
      '4,4',
    ]);
    expect(result.streams[0].tokens.map(({ isSpecial }) => isSpecial).indexOf(false)).to.equal(1);
    expect(
      result.components.map(({ layers }) => layers.map(({ numHeads, method }) => [numHeads, method])),
    ).to.deep.equal([
      [
        [4, 'exposed'],
        [4, 'exposed'],
      ],
    ]);
    (result.layers as readonly WholeLayer[]).forEach(({ weights }, layer) =>
      expect(largestDifference(weights, floatsOf(processed.get(`attention.${layer}`))), `layer ${layer}`).to.be.at.most(
        2e-5,
      ),
    );
  });

  it('is run layer by layer with the same numbers, tells how far it is, and ends between two', async () => {
    const weightsOf = async (staging: 'all' | 'none') => {
      const model = await ImageModel.load({ runtime, reason: '' }, await vit(), spec, {
        staging,
      });
      const { picture } = await model.prepare(await read('rgb.png'), 'rgb.png');
      const told: unknown[] = [];
      const onProgress = ({ layers }: Progress): number => told.push(layers?.done);
      const { layers } = await model.run(picture, { onProgress, turn: () => Promise.resolve() });
      expect(told).to.deep.equal(staging === 'all' ? [0, 1, 2] : []); // what follows the last is a stage, too
      const ended = await model
        .run(picture, {
          onProgress,
          turn: () => (told.length === 5 ? Promise.reject(new Error('enough')) : Promise.resolve()),
        })
        .catch((error: unknown) => error);
      if (staging === 'all') expect(ended).to.have.property('message', 'enough');
      await model.release();
      return (layers as readonly WholeLayer[]).map(({ weights }) => [...weights]);
    };
    expect(await weightsOf('all')).to.deep.equal(await weightsOf('none'));
  });

  it('hands out layers that are long in coming, over the tokens that the whole run has', async () => {
    const model = await ImageModel.load({ runtime, reason: '' }, await vit(), spec, {
      staging: 'all',
    });
    const { picture } = await model.prepare(await read('rgb.png'), 'rgb.png');
    const grown: GrowingReading[] = [];
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));
    const { streams, layers, components } = await model.run(picture, {
      onProgress: () => {},
      turn: wait,
      onGrowth: (reading) => grown.push(reading),
    });
    await model.release();
    const coming = (reading: Pick<GrowingReading, 'components'>): (boolean | undefined)[] =>
      reading.components[0].layers.map(({ isComing }) => isComing);
    expect(grown.map(coming)).to.deep.equal([
      [undefined, true],
      [undefined, undefined],
    ]);
    expect(coming({ components })).to.deep.equal([undefined, undefined]);
    for (const reading of grown) expect(reading.streams[0]).to.equal(streams[0]);
    const [first, second] = grown[0].layers;
    expect(second.numQueries).to.equal(0);
    expect(await first.rows(0, 0, first.numQueries)).to.deep.equal(await layers[0].rows(0, 0, first.numQueries));
  });

  it('takes its size from the file where no settings say how pictures are made, and says so', async () => {
    const model = await ImageModel.load({ runtime, reason: '' }, await vit(), spec);
    const { picture, notices } = await model.prepare(await read('plain.jpg'), 'plain.jpg');
    const {
      streams: [stream],
    } = await model.run(picture);
    await model.release();
    expect(notices).to.deep.equal([{ code: 'pictureAssumed', args: [32, 32] }]);
    expect(stream.grid).to.deep.equal({ rows: 4, columns: 4, first: 1, patchWidth: 8, patchHeight: 8 });
  });

  it('says which of its settings were not read, and how it does without them', async () => {
    const model = await ImageModel.load(
      { runtime, reason: '' },
      await vit({ 'preprocessor_config.json': '{"size"', 'config.json': ' '.repeat(fileLimits.settings.maxBytes + 1) }),
      spec,
    );
    const { notices } = await model.prepare(await read('plain.jpg'), 'plain.jpg');
    await model.release();
    expect(notices).to.have.deep.members([
      { code: 'settingsNotRead', args: ['preprocessor_config.json', 'it is not valid JSON'] },
      { code: 'settingsNotRead', args: ['config.json', 'it is 16.1 MB large, more than the 16 MB that are read'] },
      { code: 'pictureAssumed', args: [32, 32] },
    ]);
  });

  it('says in its run and its report how the picture was made ready, from which file, and what was assumed', async () => {
    const nested = {
      image_processor: { image_processor_type: 'SiglipImageProcessor', size: { height: 32, width: 32 } },
      processor_class: 'SiglipProcessor',
    };
    const files = await vit({
      'processor_config.json': JSON.stringify(nested),
      'preprocessor_config.json': '{"image_processor_type": "ViTImageProcessor", "size": 48}',
    });
    const model = await ImageModel.load({ runtime, reason: '' }, files, spec);
    const before = model.report().markdown;
    const { picture, facts, notices } = await model.prepare(await read('rgb.png'), 'rgb.png');
    await model.release();
    expect(notices).to.deep.equal([]);
    expect([picture.width, picture.height, picture.source]).to.deep.equal([32, 32, { width: 61, height: 43 }]);
    expect(facts.map(({ code }) => code)).to.deep.equal([
      'pictureSettings',
      'pictureDefaults',
      'pictureStepScaled',
      'pictureStepValues',
    ]);
    expect(facts[0].args.slice(0, 2)).to.deep.equal(['SiglipImageProcessor', 'processor_config.json']);
    expect(facts[1].args[1])
      .to.include('resample = 3')
      .and.include('image_mean = [0.5,0.5,0.5]')
      .and.not.match(/(?:^|, )size = /);
    expect(facts[2].args).to.deep.equal([61, 43, 32, 32]);
    expect(facts[3].args).to.deep.equal(['× 0.00392157, − [0.5, 0.5, 0.5], ÷ [0.5, 0.5, 0.5]']);
    expect(before).to.include('SiglipImageProcessor in processor').and.not.include('scaled from 61');
    expect(model.report().markdown).to.include('scaled from 61 × 43 to 32 × 32 pixels').and.include('resample');
  });

  it('that reads lines keeps the aspect, and is laid over its columns', async () => {
    const files = memoryAccess({ 'm/vit/model.onnx': await readFixture('zoo/real.text_line/model.onnx') });
    const model = await ImageModel.load({ runtime, reason: '' }, files, spec);
    const { picture } = await model.prepare(await read('rgb.png'), 'rgb.png');
    const {
      streams: [stream],
      notices,
      components,
    } = await model.run(picture);
    await model.release();
    expect([picture.width, picture.height]).to.deep.equal([68, 48]);
    expect(stream.grid).to.deep.equal({ rows: 1, columns: 9, first: 0, patchWidth: 8, patchHeight: 48 });
    expect(notices).to.deep.equal([{ code: 'patchesByStride', args: [4, 8, 48] }]);
    expect(components[0]?.layers.map(({ numHeads }) => numHeads)).to.deep.equal([4, 4]);
  });

  it('is refused where settings and file do not fit each other', async () => {
    const model = await ImageModel.load(
      { runtime, reason: '' },
      await vit({ 'preprocessor_config.json': '{"size": {"height": 48, "width": 48}}' }),
      spec,
    );
    const error = await errorOf(model.prepare(await read('rgb.png'), 'rgb.png'));
    await model.release();
    expect([error.code, error.args[1]]).to.deep.equal([
      'modelUnsupported',
      'it takes pictures of 32 × 32 pixels, and its preprocessor_config.json makes them 48 × 48',
    ]);
  });

  it('and one of text too say so in every run', async () => {
    const access = memoryAccess({
      'm/vit/model.onnx': await readFixture('zoo/bert.sdpa.legacy/model.onnx'),
      'm/vit/tokenizer.json': tinyTokenizer(),
      'm/vit/generation_config.json': '[]',
    });
    const model = await LoadedModel.load({ runtime, reason: '' }, access, spec);
    for (let i = 0; i < 2; i++)
      expect((await model.explain({ text: 'abc', tokenLimit: 0 })).notices[0]).to.deep.equal({
        code: 'settingsNotRead',
        args: ['generation_config.json', 'it holds no settings'],
      });
    await model.release();
  });

  it('is told from one of text by its inputs, before anything is loaded', async () => {
    const pictures = await vit();
    expect((await errorOf(LoadedModel.load({ runtime, reason: '' }, pictures, spec))).code).to.equal(
      'modelReadsImages',
    );
    const texts = memoryAccess({ 'm/vit/model.onnx': await readFixture('zoo/bert.sdpa.legacy/model.onnx') });
    expect((await errorOf(ImageModel.load({ runtime, reason: '' }, texts, spec))).code).to.equal('modelReadsText');
    expect(pictures.wasRead.filter((path) => !path.endsWith('.onnx'))).to.deep.equal([]);
  });
});
