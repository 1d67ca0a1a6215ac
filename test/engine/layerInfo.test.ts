import { expect } from 'chai';
import type { LayerWeights } from '../../src/engine/session/attentionSession';
import { describeComponents, storedLayers } from '../../src/engine/session/layerInfo';

const layer = (number: number, modelLayer: number | undefined): LayerWeights => ({
  component: 'self',
  layer: number,
  modelLayer,
  path: `layers.${modelLayer}`,
  rowSum: 'one',
  isCausal: true,
  numKeyValueHeads: 1,
  method: 'exposed',
  batch: 1,
  numHeads: 1,
  numQueries: 1,
  numKeys: 1,
  weights: Float32Array.of(1),
});

describe('numbers of layers', () => {
  const paths = (layers: LayerWeights[]): string[] =>
    describeComponents(layers).flatMap((component) => component.layers.map((each) => each.path));

  it('are those of the model where layers without attention lie between', () => {
    const hybrid = [layer(0, 1), layer(1, 3)];
    expect(paths(hybrid)).to.deep.equal(['', 'layers.1', '', 'layers.3']);
    expect(storedLayers(hybrid, describeComponents(hybrid)).map((each) => each.numHeads)).to.deep.equal([0, 1, 0, 1]);
  });

  it('count attention where the paths do not number layers in order', () => {
    expect(paths([layer(0, 0), layer(1, 0)])).to.deep.equal(['layers.0', 'layers.0']);
    expect(paths([layer(0, undefined), layer(1, undefined)])).to.have.length(2);
    expect(paths([layer(0, 4000)])).to.have.length(1);
  });
});
