import { expect } from 'chai';
import { plain } from '../../../src/base/safeText';
import type { ComponentInfo, LayerInfo } from '../../../src/model/head';
import type { Thumbnails } from '../../../src/protocol';
import { joinThumbnails, layersThere } from '../../../webview/state/growingThumbnails';

const layer = (numHeads: number, isComing = false): LayerInfo => ({
  path: plain(''),
  numHeads,
  numKeyValueHeads: numHeads,
  normalization: 'softmax',
  method: 'exposed',
  held: 'whole',
  ...(isComing ? { isComing } : {}),
});

/** One pixel a head, which is its layer's number times ten and its own, and a sink of that number. */
const thumbnailsOf = (numHeads: readonly number[]): Thumbnails => {
  const numbers = numHeads.flatMap((count, number) => Array.from({ length: count }, (_, head) => number * 10 + head));
  return { numHeads, rows: 1, columns: 1, pixels: Uint8Array.from(numbers), sinks: numbers.map((number) => [number]) };
};

describe('Thumbnails of a run that grows', () => {
  it('are asked for of layers that are there, and have heads', () => {
    const component: ComponentInfo = {
      component: 'self',
      layers: [layer(2), layer(0), layer(2, true), layer(3)],
      queryStream: 0,
      keyStream: 0,
      isCausal: false,
    };
    expect(layersThere(component)).to.deep.equal([0, 3]);
  });

  it('join those of layers before, behind and between them', () => {
    expect(joinThumbnails(thumbnailsOf([2, 0, 0, 3]), thumbnailsOf([0, 0, 2, 0]))).to.deep.equal(
      thumbnailsOf([2, 0, 2, 3]),
    );
    expect(joinThumbnails(thumbnailsOf([0, 1]), thumbnailsOf([2, 0]))).to.deep.equal(thumbnailsOf([2, 1]));
  });

  it('replace those of a layer that came anew, and are not joined to others of another size', () => {
    const anew = { ...thumbnailsOf([0, 2]), pixels: Uint8Array.of(7, 8) };
    expect([...(joinThumbnails(thumbnailsOf([1, 2]), anew)?.pixels ?? [])]).to.deep.equal([0, 7, 8]);
    expect(joinThumbnails(thumbnailsOf([1, 0]), { ...thumbnailsOf([0, 1]), rows: 2 })).to.equal(undefined);
  });
});
