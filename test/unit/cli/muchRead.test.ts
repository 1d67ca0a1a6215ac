import { expect } from 'chai';
import { muchRead } from '../../../src/cli/muchRead';
import type { ComponentInfo } from '../../../src/model/head';

const component: ComponentInfo = { component: 'self', layers: [], queryStream: 0, keyStream: 0, isCausal: true };

/** A causal head over n tokens that puts a share of every row at one key, the rest at the row's own token. */
function drawnTo(n: number, key: number, share: number) {
  const weights = new Float32Array(n * n);
  for (let query = 0; query < n; query++) {
    weights[query * n + query] = 1;
    if (query > key) [weights[query * n + query], weights[query * n + key]] = [1 - share, share];
  }
  return { numQueries: n, numKeys: n, weights };
}

describe('What a head reads from everywhere', () => {
  it('is a sink where enough tokens read it, is often read where few do, and nothing where it is little', () => {
    expect(muchRead(drawnTo(128, 0, 0.5), component)).to.deep.include({ position: 0, isSink: true });
    expect(muchRead(drawnTo(32, 0, 0.5), component)).to.deep.include({ position: 0, isSink: false });
    expect(muchRead(drawnTo(128, 0, 0.2), component)).to.equal(undefined);
    expect(muchRead(drawnTo(3, 0, 0.5), { ...component, isCausal: false })).to.equal(undefined);
  });

  it('is no sink of what one text reads of another', () => {
    expect(muchRead(drawnTo(128, 0, 0.5), { ...component, keyStream: 1 })).to.deep.include({ isSink: false });
  });
});
