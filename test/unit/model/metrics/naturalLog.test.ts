import { expect } from 'chai';
import fc from 'fast-check';
import { naturalLog } from '../../../../src/model/metrics/naturalLog';

describe('The natural logarithm by bits', () => {
  const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0];

  it('is that of Math.log to 1e-14', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(2 ** -126), max: Math.fround(3e38), noNaN: true }), (value) => {
        const wanted = Math.log(value);
        expect(Math.abs(naturalLog(bitsOf(value)) - wanted)).to.be.at.most(1e-14 * Math.max(1, Math.abs(wanted)));
      }),
      { numRuns: 2000 },
    );
  });

  it('of one is nothing, so that a head that reads one token has no entropy', () => {
    expect(naturalLog(bitsOf(1))).to.equal(0);
  });
});
