import { expect } from 'chai';
import { plain } from '../../../src/base/safeText';
import {
  headLabel,
  headsOf,
  isSameSelection,
  normalizeSelection,
  type ComponentInfo,
  type HeadSelection,
} from '../../../src/model/head';

const layer = (numHeads: number): ComponentInfo['layers'][number] => ({
  path: plain(`layer of ${numHeads}`),
  numHeads,
  numKeyValueHeads: numHeads,
  normalization: 'softmax',
  method: 'exposed',
  held: 'whole',
});
const decoder: ComponentInfo = {
  component: 'decoder',
  layers: [layer(2), layer(4)],
  queryStream: 0,
  keyStream: 0,
  isCausal: true,
};
const select = (heads: [number, number][], aggregation: HeadSelection['aggregation'] = 'mean'): HeadSelection => ({
  component: 'decoder',
  heads: heads.map(([l, head]) => ({ layer: l, head })),
  aggregation,
});

describe('heads', () => {
  it('are named layer.head, from zero', () => {
    expect(headLabel({ layer: 3, head: 11 })).to.equal('3.11');
  });

  it('are listed for a component, a layer, or one index across layers that have it', () => {
    expect(headsOf(decoder).map(headLabel)).to.deep.equal(['0.0', '0.1', '1.0', '1.1', '1.2', '1.3']);
    expect(headsOf(decoder, { layer: 0 }).map(headLabel)).to.deep.equal(['0.0', '0.1']);
    expect(headsOf(decoder, { head: 3 }).map(headLabel)).to.deep.equal(['1.3']);
  });

  it('of another model are dropped, the rest put in order and once', () => {
    expect(
      normalizeSelection(
        select([
          [1, 3],
          [0, 5],
          [0, 1],
          [1, 3],
          [9, 0],
        ]),
        [decoder],
      ),
    ).to.deep.equal(
      select([
        [0, 1],
        [1, 3],
      ]),
    );
    expect(normalizeSelection({ ...select([[7, 7]]), component: 'cross' }, [decoder])).to.deep.equal(select([[0, 0]]));
    // How two texts meet is shown first.
    expect(
      normalizeSelection({ ...select([[1, 1]]), component: 'self' }, [decoder, { ...decoder, component: 'cross' }]),
    ).to.deep.equal({ ...select([[1, 1]]), component: 'cross' });
  });

  it('shown alone look the same under either aggregation', () => {
    expect(isSameSelection(select([[0, 1]], 'mean'), select([[0, 1]], 'max'))).to.equal(true);
    expect(
      isSameSelection(
        select(
          [
            [0, 0],
            [0, 1],
          ],
          'mean',
        ),
        select(
          [
            [0, 0],
            [0, 1],
          ],
          'max',
        ),
      ),
    ).to.equal(false);
    expect(isSameSelection(select([[0, 0]]), select([[0, 1]]))).to.equal(false);
  });
});
