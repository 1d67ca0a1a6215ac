import { expect } from 'chai';
import { readSafetensors, type StoredTensor } from '../../src/cli/safetensors';
import { LoadedModel } from '../../src/engine/serve/loadedModel';
import type { Explanation } from '../../src/engine/text/textModel';
import { Runtime } from '../../src/engine/runtime/runtime';
import { anyPatchAt, positionOfPatch } from '../../src/model/patchGrid';
import type { PatchGrid } from '../../src/model/token';
import { errorOf } from '../harness/codeOf';
import { readFixture, readFixtureText } from '../harness/fixtures';
import { picturedTokenizer } from '../harness/tinyTokenizer';
import { memoryAccess } from './fixtureAccess';
import { importRuntime } from './ortRuntime';

const none: StoredTensor = { dtype: '', shape: [], data: new Uint8Array() };

/** A grid of 2 × 3 tiles, between which so many tokens stand, and of the thumbnail. */
const tiled = (side: number, first: number, between: readonly number[]): Pick<PatchGrid, 'tiles' | 'thumbnail'> => {
  const each = side ** 2;
  const starts = between.map((_, i) => first + i * each + between.slice(0, i).reduce((sum, count) => sum + count, 0));
  const [patchWidth, patchHeight] = [8 * 3, 8 * 2];
  return {
    tiles: { rows: side, columns: side, starts: starts.slice(0, 6) },
    thumbnail: { rows: side, columns: side, first: starts[6], patchWidth, patchHeight },
  };
};

/** Models, each with the grid of its picture, where that begins, and what is told. */
const cases: Readonly<
  Record<
    string,
    {
      readonly rows: number;
      readonly columns: number;
      readonly first: number;
      readonly side: number;
      readonly told: readonly string[];
      readonly height?: number;
      readonly tiling?: Pick<PatchGrid, 'tiles' | 'thumbnail'>;
    }
  >
> = {
  llava: { rows: 3, columns: 3, first: 0, side: 8, told: ['pictureCut', 'pictureBefore'] },
  // Four patches become one token.
  idefics3: { rows: 4, columns: 4, first: 2, side: 8, told: ['pictureBefore'] },
  // Tiles with their rows and columns between them, a line's end behind each row of them, and another before the thumbnail.
  smolvlm: {
    ...{ rows: 4, columns: 6, first: 2, side: 8, height: 20, told: ['pictureInTiles', 'pictureBefore'] },
    tiling: tiled(2, 2, [2, 2, 3, 2, 2, 4, 0]),
  },
  // As do these, by pooling; what its tokens read depends on their types.
  gemma3: { rows: 3, columns: 3, first: 4, side: 8, told: ['pictureBefore'] },
  // Its special token stands behind the picture, and none before it.
  paligemma: { rows: 3, columns: 3, first: 0, side: 8, told: ['pictureBefore'] },
  // Tiles one after the other, with nothing between them.
  internvl: {
    ...{ rows: 6, columns: 9, first: 1, side: 8, told: ['pictureInTiles', 'pictureBefore'] },
    tiling: tiled(3, 1, [0, 0, 0, 0, 0, 0, 0]),
  },
  // Both take a table of patches, and count positions along three axes; the second puts its patches into windows.
  qwen2_vl: { rows: 3, columns: 4, first: 1, side: 8, told: ['pictureBefore'] },
  qwen2_5_vl: { rows: 3, columns: 4, first: 1, side: 8, told: ['pictureBefore'] },
};

describe('a picture within a text', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = new Runtime(await importRuntime(), 1);
    await runtime.initialize(1);
  });

  const filesOf = async (
    name: string,
    left: readonly string[] = [],
  ): Promise<Readonly<Record<string, string | Uint8Array>>> => {
    const names = ['embed_tokens.onnx', 'decoder_model_merged.onnx', 'vision_encoder.onnx'];
    const settings = ['config.json', 'preprocessor_config.json'];
    const all = [...names.map((each) => [`onnx/${each}`, each]), ...settings.map((each) => [each, each])];
    return {
      ...Object.fromEntries(
        await Promise.all(
          all
            .filter(([, each]) => !left.includes(each))
            .map(async ([place, each]) => [`m/${place}`, await readFixture(`pictured/${name}/${each}`)] as const),
        ),
      ),
      'm/tokenizer.json': picturedTokenizer(name.includes('gemma')),
      // Else its kind says how it is read.
      'm/tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizerFast"}',
    };
  };
  const load = (files: Readonly<Record<string, string | Uint8Array>>): Promise<LoadedModel> =>
    LoadedModel.load({ runtime, reason: '' }, memoryAccess(files), { path: 'm', backend: 'wasm', threads: 1 });
  const picture = async (name: string) => ({ bytes: await readFixture(`pictured/${name}/picture.png`), name: 'p.png' });
  const text = '(J${';

  /** From the attention that the library tells, over all layers, heads, queries and keys. */
  const largestDifference = async (name: string, { layers, streams }: Explanation): Promise<number> => {
    const expected = readSafetensors(await readFixture(`pictured/${name}/expected.safetensors`), name);
    const count = streams[0].tokens.length;
    let largest = 0;
    for (const [layer, held] of layers.entries()) {
      const { data } = expected.get(`attention.${layer}`) ?? none;
      const values = new Float32Array(data.slice().buffer);
      expect(values).to.have.length(4 * count ** 2);
      const drawn = await Promise.all([0, 1, 2, 3].map((head) => held.rows(head, 0, count)));
      for (const [i, weight] of drawn.flatMap((own) => [...own]).entries())
        largest = Math.max(largest, Math.abs(weight - values[i]));
    }
    expect(layers).to.have.length([...expected.keys()].filter((key) => key.startsWith('attention.')).length);
    return largest;
  };

  for (const [name, { rows, columns, first, side, told, height = 30, tiling }] of Object.entries(cases))
    it(`is read with it as the library reads it, its tokens being patches: ${name}`, async () => {
      const ids = JSON.parse(await readFixtureText(`pictured/${name}/ids.json`)) as readonly number[]; // written by our own script
      const model = await load(await filesOf(name));
      const read = await model.explain({ text, tokenLimit: 0, picture: await picture(name) });
      const [stream] = read.streams;
      expect(stream.tokens.map(({ id }) => id)).to.deep.equal(ids);
      expect(stream.grid).to.deep.equal({ rows, columns, first, patchWidth: side, patchHeight: side, ...tiling });
      expect(stream.tokens[first + (tiling?.tiles?.columns ?? columns)].piece).to.equal('2,1');
      expect(read.picture?.source).to.deep.equal({ width: 40, height });
      expect(read.notices.map(({ code }) => code)).to.deep.equal(told);
      expect(await largestDifference(name, read)).to.be.at.most(1e-5);
      const positions = model.fed.at(-1)?.inputs.find((input) => input.name === 'position_ids');
      expect(Number(positions?.data[0])).to.equal(name === 'paligemma' ? 1 : 0);
      // The same model then reads a text alone.
      const alone = await model.explain({ text, tokenLimit: 0 });
      expect(alone.streams[0].tokens.map(({ id }) => id)).to.deep.equal([
        ...(name.includes('gemma') ? [102] : []),
        7,
        41,
        3,
        90,
      ]);
      expect(alone.streams[0].grid).to.equal(undefined);
      await model.release();
    });

  for (const [name, { rows, columns, first }] of Object.entries(cases).filter(([, { tiling }]) => tiling !== undefined))
    it(`is read tile by tile, each with the pixels that the library gives it, its tokens in their places: ${name}`, async () => {
      const expected = readSafetensors(await readFixture(`pictured/${name}/expected.safetensors`), name);
      const { data, shape } = expected.get('pixels') ?? none;
      const model = await load(await filesOf(name));
      const { streams } = await model.explain({ text, tokenLimit: 0, picture: await picture(name) });
      const fed = model.fed.filter(({ file }) => file === 'vision_encoder.onnx');
      expect(fed).to.have.length(7).and.to.have.length(shape[0]);
      const made = fed.map(({ inputs }) => inputs.find((input) => input.name === 'pixel_values')?.data ?? []);
      expect(made.flatMap((values) => [...values])).to.deep.equal([...new Float32Array(data.slice().buffer)]);
      const [{ tokens, grid }] = streams;
      if (grid === undefined) throw new Error(name);
      // Each patch of the picture is one token, and each token of its id one patch.
      const patches = new Set<string>();
      for (const [position, { id, piece }] of tokens.entries()) {
        const patch = anyPatchAt(grid, position);
        expect(patch !== undefined, piece).to.equal(id === 97);
        if (patch === undefined) continue;
        expect(positionOfPatch(patch.grid, patch)).to.equal(position);
        patches.add(piece);
      }
      expect(patches).to.have.length(rows * columns + (rows / 2) ** 2);
      // The second tile's first patch lies right of the first tile; the fourth tile is the first of the second row.
      const side = columns / 3;
      const starts = grid.tiles?.starts ?? [];
      expect([tokens[starts[1]].piece, tokens[starts[3]].piece]).to.deep.equal([`1,${side + 1}`, `${side + 1},1`]);
      expect(starts[0]).to.equal(first);
      expect(tokens[grid.thumbnail?.first ?? 0].piece).to.equal('thumbnail 1,1');
      await model.release();
    });

  it('is read by a file of embeddings that takes its features, as genai_config.json names them', async () => {
    const files = { ...(await filesOf('llava', ['embed_tokens.onnx'])) };
    const parts = { decoder: 'decoder_model_merged.onnx', embedding: 'embedding.onnx', vision: 'vision_encoder.onnx' };
    const model = await load({
      'm/decoder_model_merged.onnx': files['m/onnx/decoder_model_merged.onnx'],
      'm/vision_encoder.onnx': files['m/onnx/vision_encoder.onnx'],
      'm/embedding.onnx': await readFixture('pictured/llava/embedding.onnx'),
      'm/config.json': files['m/config.json'],
      'm/preprocessor_config.json': files['m/preprocessor_config.json'],
      'm/tokenizer.json': picturedTokenizer(),
      'm/genai_config.json': JSON.stringify({
        model: Object.fromEntries(Object.entries(parts).map(([part, filename]) => [part, { filename }])),
      }),
    });
    const read = await model.explain({ text, tokenLimit: 0, picture: await picture('llava') });
    expect(await largestDifference('llava', read)).to.be.at.most(1e-5);
    expect((await model.explain({ text, tokenLimit: 0 })).streams[0].tokens).to.have.length(4);
    await model.release();
  });

  it('stands where the text says so', async () => {
    const model = await load(await filesOf('llava'));
    const read = await model.explain({ text: '(J<image>${', tokenLimit: 0, picture: await picture('llava') });
    const [{ tokens, grid }] = read.streams;
    expect(grid?.first).to.equal(2);
    expect(tokens.map(({ id }) => id)).to.deep.equal([7, 41, ...Array.from({ length: 9 }, () => 97), 3, 90]);
    expect(read.notices.map(({ code }) => code)).to.deep.equal(['pictureCut']);
    await model.release();
  });

  it('is refused with both files where its part, or how it is written, is not known', async () => {
    const files = await filesOf('llava');
    for (const [each, reason] of [
      [await filesOf('llava', ['vision_encoder.onnx']), /not beside the other/],
      [{ ...files, 'm/config.json': '{"model_type": "unheard_of", "image_token_id": 97}' }, /of its kind/],
      // Rows of tiles end with an embedding that is no feature of the picture.
      [{ ...files, 'm/config.json': '{"model_type": "llava_next", "image_token_index": 97}' }, /image_newline/],
      [
        {
          ...(await filesOf('gemma3')),
          'm/preprocessor_config.json': '{"image_processor_type": "Gemma3ImageProcessor", "do_pan_and_scan": true}',
        },
        /do_pan_and_scan/,
      ],
      [await filesOf('llava', ['preprocessor_config.json']), /preprocessor_config/],
    ] as const) {
      const model = await load(each);
      const error = await errorOf(model.explain({ text, tokenLimit: 0, picture: await picture('llava') }));
      expect(error.code).to.equal('pictureNotWritten');
      expect(error.args.slice(0, 3)).to.deep.equal(['m', 'vision_encoder.onnx', 'decoder_model_merged.onnx']);
      expect(error.args[3]).to.match(reason);
      await model.release();
    }
  });
});
