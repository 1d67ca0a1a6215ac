import { expect } from 'chai';
import { plain } from '../../../src/base/safeText';
import type { ComponentInfo } from '../../../src/model/head';
import { headsBetween, layoutHeadGrid, moveInGrid, neighbourHead } from '../../../webview/layout/headGrid';
import { layoutTokens } from '../../../src/model/tokenLines';
import {
  findTokens,
  lineOf,
  moveByRow,
  moveToken,
  type TokenMove,
  type TokenPlace,
} from '../../../webview/layout/tokenMoves';

describe('walking the tokens', () => {
  const text = 'ab cd ef\n\nx yz';
  // Tokens: ab, ·cd, ·ef, ↵, ↵, x, ·yz
  const cuts = [0, 2, 5, 8, 9, 10, 11, 14];
  const tokens = cuts.slice(1).map((end, i) => ({ id: i, piece: '', start: cuts[i], end, isSpecial: false }));
  const lines = layoutTokens({ role: 'source', text, tokens }, 4);
  const move = (from: number | undefined, how: TokenMove): number | undefined =>
    moveToken(lines, tokens.length, from, how);

  it('goes along and stops at the ends', () => {
    expect(move(0, 'next')).to.equal(1);
    expect(move(0, 'previous')).to.equal(0);
    expect(move(6, 'next')).to.equal(6);
    expect(move(3, 'first')).to.equal(0);
    expect(move(3, 'last')).to.equal(6);
  });

  it('begins at an end when it is nowhere', () => {
    expect(move(undefined, 'next')).to.equal(0);
    expect(move(undefined, 'previous')).to.equal(6);
    expect(moveToken([], 0, undefined, 'next')).to.equal(undefined);
  });

  it('goes to the token of the row below or above that is nearest, where lines wrap too', () => {
    // The first line stands on two rows: ab ·cd / ·ef ↵, then an empty line, then x ·yz. The break is lower, as a chip would be.
    const places: TokenPlace[] = [
      [0, 0],
      [20, 0],
      [0, 20],
      [30, 22],
      [0, 40],
      [0, 60],
      [10, 60],
    ].map(([left, top]) => ({ left, top, height: 16 }));
    const moveRow = (from: number, step: 1 | -1): number =>
      moveByRow(places.length, from, step, (position) => places[position]);
    expect(moveRow(1, 1)).to.equal(3);
    expect(moveRow(0, 1)).to.equal(2);
    expect(moveRow(3, 1)).to.equal(4);
    expect(moveRow(4, 1)).to.equal(5);
    expect(moveRow(6, -1)).to.equal(4);
    expect(moveRow(3, -1)).to.equal(1);
    expect(moveRow(0, -1)).to.equal(0);
    expect(moveRow(5, 1)).to.equal(5);
    expect(moveByRow(7, 3, 1, () => undefined)).to.equal(3);
  });

  it('goes to the ends of its line', () => {
    expect(move(1, 'lineStart')).to.equal(0);
    expect(move(1, 'lineEnd')).to.equal(3);
    expect(lineOf(lines, 5)).to.equal(2);
    expect(lineOf(lines, 99)).to.equal(-1);
  });

  it('finds by text, case ignored', () => {
    expect(findTokens(['Foo', 'bar', 'food'], 'FOO')).to.deep.equal([0, 2]);
    expect(findTokens(['a'], '')).to.deep.equal([]);
  });
});

describe('walking the heads', () => {
  const layer = (numHeads: number, numKeyValueHeads = numHeads): ComponentInfo['layers'][number] => ({
    path: plain(''),
    numHeads,
    numKeyValueHeads,
    normalization: 'softmax',
    method: 'exposed',
    held: 'whole',
  });
  const uneven: ComponentInfo = {
    component: 'self',
    layers: [layer(4), layer(2)],
    queryStream: 0,
    keyStream: 0,
    isCausal: true,
  };

  it('goes to headers, over to shorter layers, and not beyond', () => {
    expect(moveInGrid(uneven, { layer: 0, head: 0 }, 'ArrowLeft')).to.deep.equal({ layer: 0, head: -1 });
    expect(moveInGrid(uneven, { layer: 0, head: 0 }, 'ArrowUp')).to.deep.equal({ layer: -1, head: 0 });
    expect(moveInGrid(uneven, { layer: 0, head: 3 }, 'ArrowDown')).to.deep.equal({ layer: 1, head: 1 });
    expect(moveInGrid(uneven, { layer: 1, head: 1 }, 'ArrowDown')).to.deep.equal({ layer: 1, head: 1 });
    expect(moveInGrid(uneven, { layer: 0, head: 2 }, 'Home')).to.deep.equal({ layer: 0, head: -1 });
    expect(moveInGrid(uneven, { layer: 0, head: 2 }, 'Home', true)).to.deep.equal({ layer: -1, head: -1 });
    expect(moveInGrid(uneven, { layer: 0, head: 2 }, 'End', true)).to.deep.equal({ layer: 1, head: 1 });
    expect(moveInGrid(uneven, { layer: 0, head: 2 }, 'x')).to.equal(undefined);
  });

  it('goes on in the next layer with Alt and an arrow', () => {
    expect(neighbourHead(uneven, { layer: 0, head: 3 }, 'ArrowRight')).to.deep.equal({ layer: 1, head: 0 });
    expect(neighbourHead(uneven, { layer: 1, head: 0 }, 'ArrowLeft')).to.deep.equal({ layer: 0, head: 3 });
    expect(neighbourHead(uneven, { layer: 0, head: 3 }, 'ArrowDown')).to.deep.equal({ layer: 1, head: 1 });
    expect(neighbourHead(uneven, { layer: 1, head: 1 }, 'ArrowRight')).to.equal(undefined);
    expect(neighbourHead(uneven, { layer: 0, head: 0 }, 'ArrowLeft')).to.equal(undefined);
  });

  it('selects the rectangle between two heads', () => {
    expect(headsBetween(uneven, { layer: 1, head: 0 }, { layer: 0, head: 2 })).to.deep.equal([
      { layer: 0, head: 0 },
      { layer: 0, head: 1 },
      { layer: 0, head: 2 },
      { layer: 1, head: 0 },
      { layer: 1, head: 1 },
    ]);
  });

  it('lays heads out without overlap, and heads that share keys and values inside one outline', () => {
    const grouped: ComponentInfo = { ...uneven, layers: [layer(8, 2), layer(8, 2)] };
    for (const available of [60, 200, 400, 2000]) {
      const grid = layoutHeadGrid(grouped, { width: available, height: Infinity });
      for (let head = 1; head < 8; head++)
        expect(grid.columnX[head] - grid.columnX[head - 1]).to.be.at.least(grid.tile + 2);
      expect(grid.rowY[1] - grid.rowY[0]).to.be.at.least(grid.tile + 2);
      expect(grid.groups).to.have.length(4);
      const [first, second] = grid.groups;
      expect(first.x).to.be.lessThan(grid.columnX[0]);
      expect(first.x + first.width).to.be.greaterThan(grid.columnX[3] + grid.tile);
      expect(first.x + first.width).to.be.lessThan(second.x);
      expect(second.x).to.be.lessThan(grid.columnX[4]);
      if (available >= 200) expect(grid.width).to.be.at.most(available);
    }
    expect(layoutHeadGrid(uneven, { width: 300, height: Infinity }).groups).to.deep.equal([]);
  });
});
