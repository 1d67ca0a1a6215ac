import { expect } from 'chai';
import { ExplorerError } from '../../../../src/base/errors';
import { patchTable } from '../../../../src/engine/image/patchTable';
import { byPixels } from '../../../../src/engine/image/pictureSizes';
import { readPreprocessing } from '../../../../src/engine/image/readPreprocessing';

describe('a picture as a table of patches', () => {
  it('has the size that the library gives it', () => {
    const sizes = (multiple: number, least: number, most: number): (readonly number[])[] =>
      [
        [40, 30],
        [400, 300],
        [9, 5],
        [4000, 3000],
        [70, 42],
        [98, 14],
      ].map(([width, height]) => {
        const made = byPixels(multiple, least, most)({ width, height });
        return [made.width, made.height];
      });
    // `smart_resize` of transformers 5.18.
    expect(sizes(28, 3136, 1003520)).to.deep.equal([
      [84, 56],
      [392, 308],
      [84, 56],
      [1148, 840],
      [56, 56],
      [168, 28],
    ]);
    expect(sizes(8, 64, 1024)).to.deep.equal([
      [32, 24],
      [32, 24],
      [8, 8],
      [32, 24],
      [40, 24],
      [80, 8],
    ]);
  });

  it('is cut block by block, each patch by colour, time, row and column', () => {
    const [width, height] = [8, 4];
    const pixels = new Uint8Array(4 * width * height);
    for (let i = 0; i < width * height; i++) pixels.set([i, 100 + i, 200 + i, 255], 4 * i);
    const content = { left: 0, top: 0, width, height };
    const processing = { shapings: () => [], rescale: undefined, normalize: undefined };
    const picture = { width, height, pixels, content, source: { width, height }, placed: content };
    const table = patchTable({ name: 'pixel_values', dataType: 1 }, picture, processing, {
      side: 2,
      merge: 2,
      times: 2,
    });
    expect(table.pixels.dims).to.deep.equal([8, 24]);
    expect([...table.places]).to.deep.equal([1, 3, 17, 19, 5, 7, 21, 23]);
    const second = [2, 3, 10, 11];
    expect([...table.pixels.data].slice(24, 48).map(Number)).to.deep.equal(
      [0, 100, 200].flatMap((colour) => [...second, ...second].map((pixel) => colour + pixel)),
    );
    const grid = table.grid({ name: 'image_grid_thw', dataType: 7 });
    expect([grid.dims, [...grid.data].map(Number)]).to.deep.equal([
      [1, 3],
      [1, 2, 4],
    ]);
  });

  it('is made for models that take one alone, within the bounds that the settings state', () => {
    const read = (settings: Record<string, unknown>) =>
      readPreprocessing({ image_processor_type: 'Qwen2VLImageProcessorFast', ...settings }, 'm', {
        takesPatches: true,
      });
    const { shapings, patches } = read({ min_pixels: 64, max_pixels: 1024, size: { max_pixels: 1 }, patch_size: 4 });
    expect(patches).to.deep.equal({ side: 4, merge: 2, times: 2 });
    expect(shapings({ width: 40, height: 30 })).to.deep.equal([
      { kind: 'resize', size: { width: 32, height: 24 }, resampling: 3 },
    ]);
    expect(() => read({}).shapings({ width: 1000, height: 3 })).to.throw(ExplorerError, 'sides differ less');
    expect(() => read({ size: { max_pixels: 1 } })).to.throw(ExplorerError, 'bounds of its pixels');
    expect(() => readPreprocessing({ image_processor_type: 'Qwen2VLImageProcessor' }, 'm')).to.throw(
      ExplorerError,
      'Qwen2VLImageProcessor',
    );
  });
});
