import { expect } from 'chai';
import { keyAt, type How } from '../../../src/model/how/how';

const how: How = {
  cell: { component: 'self', layer: 0, head: 0, query: 0, key: 0 },
  weight: 0.5,
  numHeads: 1,
  numKeys: 4,
  firstKey: 0,
  steps: [],
};
const namesOf = (of: Partial<How>, length: number): (number | undefined)[] =>
  Array.from({ length }, (_, index) => keyAt({ ...how, ...of }, index));

describe('a row over the keys of a weight', () => {
  it('is of the tokens in their order, behind padding and before what stands beside them', () => {
    expect(namesOf({}, 5)).to.deep.equal([0, 1, 2, 3, undefined]);
    expect(namesOf({ firstKey: 2 }, 6)).to.deep.equal([undefined, undefined, 0, 1, 2, 3]);
  });

  it('is of a window’s own tokens, wherever these stand, and of none where it was filled up', () => {
    expect(namesOf({ keys: [63, 7, -1, 0] }, 5)).to.deep.equal([63, 7, undefined, 0, undefined]);
  });
});
