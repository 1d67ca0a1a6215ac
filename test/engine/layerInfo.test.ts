import { expect } from 'chai';
import type { LayerWeights } from '../../src/engine/session/attentionSession';
import type { PlacedSite } from '../../src/onnx/name/describeSites';
import { describeComponents, storedLayers, withComing } from '../../src/engine/session/layerInfo';

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

  it('are those of the whole model while layers are still to come, and these hold nothing', () => {
    const sites = [layer(0, 1), layer(1, 3), layer(2, 5)].map((each, i) => ({
      ...each,
      numHeads: i === 2 ? 4 : undefined,
    })) as unknown as PlacedSite[]; // what is read of sites
    const there = withComing(sites, [{ ...layer(1, 3), numHeads: 2 }]);
    const [component] = describeComponents(there);
    expect(component.layers.map(({ path, numHeads, isComing }) => [path, numHeads, isComing])).to.deep.equal([
      ['', 0, undefined],
      ['layers.1', 2, true],
      ['', 0, undefined],
      ['layers.3', 2, undefined],
      ['', 0, undefined],
      ['layers.5', 4, true],
    ]);
    // Nothing is said against the order by a layer that nobody has seen.
    expect(component.isCausal).to.equal(true);
    expect(storedLayers(there, [component]).map(({ numHeads }) => numHeads)).to.deep.equal([0, 0, 0, 2, 0, 0]);
  });

  it('count attention where the paths do not number layers in order', () => {
    expect(paths([layer(0, 0), layer(1, 0)])).to.deep.equal(['layers.0', 'layers.0']);
    expect(paths([layer(0, undefined), layer(1, undefined)])).to.have.length(2);
    expect(paths([layer(0, 4000)])).to.have.length(1);
  });
});
