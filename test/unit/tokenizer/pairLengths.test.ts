import { expect } from 'chai';
import { programPairLengths } from '../../../src/tokenizer/pairLengths';

describe('lengths of two texts that are cut', () => {
  it('are those of cutting token by token where the tokenizer is a program', () => {
    for (let first = 0; first < 9; first++)
      for (let second = 0; second < 9; second++)
        for (let most = 0; most < 18; most++) {
          const kept: [number, number] = [first, second];
          while (kept[0] + kept[1] > most) kept[kept[0] > kept[1] ? 0 : 1]--;
          expect(programPairLengths([first, second], most), `${first}, ${second}, ${most}`).to.deep.equal(kept);
        }
  });
});
