import { expect } from 'chai';
import { ProfilePace } from '../../../src/host/profiles/profilePace';

describe('the pace of a profile', () => {
  it('says what is left only when it has seen enough, by what texts of so many bytes took', () => {
    const pace = new ProfilePace(10_000, {});
    pace.add(1000, 200, 3);
    pace.add(1000, 200, 3);
    expect(pace.secondsLeft).to.equal(undefined);
    pace.add(500, 100, 1.5);
    expect(pace.tokensPerSecond).to.be.closeTo(500 / 7.5, 1e-9);
    expect(pace.secondsLeft).to.be.closeTo((7500 * 7.5) / 2500, 1e-9);
  });

  it('keeps to its budget, in tokens and in minutes', () => {
    const tokens = new ProfilePace(10_000, { tokens: 1000 });
    for (let text = 0; text < 3; text++) tokens.add(100, 300, 3);
    expect(tokens.isSpent).to.equal(false);
    expect(tokens.secondsLeft).to.be.closeTo(1, 1e-9);
    tokens.add(100, 300, 3);
    expect(tokens.isSpent).to.equal(true);
    const minutes = new ProfilePace(1e6, { minutes: 1 });
    for (let text = 0; text < 3; text++) minutes.add(100, 300, 19);
    expect(minutes.secondsLeft).to.be.closeTo(3, 1e-9);
    expect(minutes.isSpent).to.equal(false);
    minutes.add(100, 300, 3);
    expect(minutes.isSpent).to.equal(true);
  });
});
