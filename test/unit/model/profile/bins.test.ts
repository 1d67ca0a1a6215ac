import { expect } from 'chai';
import fc from 'fast-check';
import { Histogram } from '../../../../src/model/profile/bins';

const floats = fc.array(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e6), max: Math.fround(1e6) }),
  {
    minLength: 1,
    maxLength: 200,
  },
);

describe('A histogram of fixed bins', () => {
  it('is the same in whatever order its numbers come', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const [one, other] = [new Histogram(), new Histogram()];
        values.forEach((value) => one.add(value));
        [...values].reverse().forEach((value) => other.add(value));
        expect(one.edges).to.deep.equal(other.edges);
        expect(one.edges.reduce((sum, [, count]) => sum + count, 0)).to.equal(values.length);
      }),
    );
  });

  it('has quantiles in the bins of the true ones: at most 1/128 off', () => {
    fc.assert(
      fc.property(floats, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const histogram = new Histogram();
        values.forEach((value) => histogram.add(value));
        const sorted = [...values].sort((a, b) => a - b);
        const wanted = sorted[Math.max(0, Math.ceil(share * values.length) - 1)];
        const found = histogram.quantile(share, sorted[0], sorted[sorted.length - 1]);
        expect(Math.abs(found - wanted)).to.be.at.most(Math.abs(wanted) / 64 + 1e-38);
      }),
    );
  });

  it('of zeros is zero', () => {
    const histogram = new Histogram();
    for (const value of [0, -0, 0, 1]) histogram.add(value);
    expect(histogram.quantile(0.5, 0, 1)).to.equal(0);
  });

  it('of nothing has none', () => {
    expect(new Histogram().quantile(0.5, 0, 1)).to.be.NaN;
  });
});
