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

  it('is over within a text, too, of which what was read is spent', () => {
    const tokens = new ProfilePace(10_000, { tokens: 1000 });
    tokens.add(100, 300, 3);
    tokens.within(200, 699, 5);
    expect(tokens.isSpent).to.equal(false);
    tokens.within(300, 700, 5);
    expect(tokens.isSpent).to.equal(true);
    expect(tokens.numTokens).to.equal(300);
    const minutes = new ProfilePace(10_000, { minutes: 1 });
    minutes.within(200, 10, 60);
    expect(minutes.isSpent).to.equal(true);
    // Begun anew, as when it was paused.
    minutes.within(0, 0, 0);
    expect(minutes.isSpent).to.equal(false);
  });

  it('goes on within a text, and takes that back where it is begun anew', () => {
    const pace = new ProfilePace(10_000, {});
    for (let text = 0; text < 3; text++) pace.add(1000, 200, 2);
    const before = pace.secondsLeft;
    pace.within(3500, 700, 7);
    expect(pace.tokensPerSecond).to.be.closeTo(1300 / 13, 1e-9);
    expect(pace.secondsLeft).to.be.closeTo((3500 * 13) / 6500, 1e-9);
    expect(pace.numTexts).to.equal(3);
    pace.within(0, 0, 0);
    expect(pace.secondsLeft).to.equal(before);
    pace.within(3500, 700, 7);
    pace.add(4000, 800, 8);
    expect(pace.numTokens).to.equal(1400);
    expect(pace.tokensPerSecond).to.be.closeTo(100, 1e-9);
  });
});
