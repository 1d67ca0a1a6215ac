import { expect } from 'chai';
import { patchAt, positionOfPatch, specialPositions } from '../../../src/model/patchGrid';
import type { PatchGrid, TokenStream } from '../../../src/model/token';
import { layoutPicture, movePatch, patchRect, patchUnder } from '../../../webview/layout/pictureLayout';
import { tokenName, tokensName } from '../../../webview/words';

const grid: PatchGrid = { rows: 2, columns: 3, first: 2, patchWidth: 10, patchHeight: 8 };
const pieces = ['[CLS]', '[DIST]', '1,1', '1,2', '1,3', '2,1', '2,2', '2,3'];
const stream: TokenStream = {
  role: 'image',
  text: '',
  grid,
  tokens: pieces.map((piece, id) => ({ id, piece, start: 0, end: 0, isSpecial: id < 2 })),
};

describe('patches of a picture', () => {
  it('have rows and columns, and special tokens do not', () => {
    expect(patchAt(grid, 6)).to.deep.equal({ row: 1, column: 1 });
    expect([patchAt(grid, 1), patchAt(grid, 8)]).to.deep.equal([undefined, undefined]);
    expect(positionOfPatch(grid, { row: 1, column: 2 })).to.equal(7);
    expect([positionOfPatch(grid, { row: 2, column: 0 }), positionOfPatch(grid, { row: 0, column: -1 })]).to.deep.equal(
      [undefined, undefined],
    );
    expect(specialPositions(stream)).to.deep.equal([0, 1]);
  });

  it('are named by them', () => {
    expect(tokenName([stream], { stream: 0, position: 7 })).to.equal('patch row 2, column 3');
    expect(tokenName([stream], { stream: 0, position: 1 })).to.equal('[DIST]');
    expect(
      tokensName(
        [stream],
        [
          { stream: 0, position: 2 },
          { stream: 0, position: 0 },
        ],
      ),
    ).to.equal('mean of 2 patches: patch row 1, column 1, [CLS]');
  });

  it('cover the picture without gaps at every scale, and are found under the pointer', () => {
    for (const width of [33, 64, 100, 317, 900]) {
      const layout = layoutPicture({ width: 31, height: 17 }, grid, { width, height: width });
      const rects = Array.from({ length: 6 }, (_, i) => patchRect(grid, 2 + i, layout));
      for (const [i, rect] of rects.entries()) {
        if (rect === undefined) throw new Error('a patch without a place');
        expect(patchUnder(grid, rect.x + rect.width / 2, rect.y + rect.height / 2, layout)).to.equal(2 + i);
        const right = i % 3 < 2 ? rects[i + 1] : undefined;
        if (right !== undefined) expect(rect.x + rect.width).to.equal(right.x);
        const below = rects[i + 3];
        if (below !== undefined) expect(rect.y + rect.height).to.equal(below.y);
      }
      expect(patchUnder(grid, layout.width - 0.01, 1, layout)).to.equal(undefined); // the last pixel column belongs to no patch
    }
    expect(patchRect(grid, 0, { scale: 1, width: 31, height: 17 })).to.equal(undefined);
    expect(
      layoutPicture(
        { width: 4000, height: 4000 },
        { ...grid, patchWidth: 8, patchHeight: 8 },
        { width: 300, height: 300 },
      ).scale,
    ).to.equal(7 / 8);
    expect(
      layoutPicture({ width: 2, height: 2 }, { ...grid, patchWidth: 1, patchHeight: 1 }, { width: 900, height: 900 })
        .scale,
    ).to.equal(16);
  });

  it('are walked in two dimensions, special tokens in a row above', () => {
    const walk = (from: number | undefined, ...keys: string[]): (number | undefined)[] => {
      let at = from;
      return keys.map((key) => (at = movePatch(stream, at, key) ?? at));
    };
    expect(
      walk(
        undefined,
        'ArrowRight',
        'ArrowRight',
        'ArrowRight',
        'ArrowDown',
        'ArrowDown',
        'ArrowDown',
        'ArrowRight',
        'ArrowRight',
      ),
    ).to.deep.equal([0, 1, 1, 3, 6, 6, 7, 7]);
    expect(walk(7, 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowLeft', 'ArrowLeft')).to.deep.equal([4, 1, 1, 0, 0]);
    expect([
      movePatch(stream, 6, 'Home'),
      movePatch(stream, 6, 'End'),
      movePatch(stream, 6, 'Home', true),
      movePatch(stream, 6, 'End', true),
    ]).to.deep.equal([5, 7, 0, 7]);
    expect([movePatch(stream, 6, 'x'), movePatch({ ...stream, tokens: stream.tokens }, 2, 'Enter')]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});

describe('patches of a picture that is read in tiles', () => {
  // Two by two tiles of one by two patches each, a token before each of them, and the whole once more as one by two.
  const tiled: PatchGrid = {
    ...{ rows: 2, columns: 4, first: 1, patchWidth: 10, patchHeight: 8 },
    tiles: { rows: 1, columns: 2, starts: [1, 4, 7, 10] },
    thumbnail: { rows: 1, columns: 2, first: 13, patchWidth: 20, patchHeight: 16 },
  };
  const names = ['<a>', '1,1', '1,2', '<b>', '1,3', '1,4', '<c>', '2,1', '2,2', '<d>', '2,3', '2,4', '<e>'];
  const of: TokenStream = {
    ...{ role: 'image', text: '', grid: tiled },
    tokens: [...names, 'thumbnail 1,1', 'thumbnail 1,2', 'x'].map((piece, id) => ({
      ...{ id, piece, start: 0, end: 0 },
      isSpecial: piece.startsWith('<'),
    })),
  };

  it('stand where they are in the whole picture, and those of the thumbnail over all of it', () => {
    for (const [position, name] of names.entries()) {
      const patch = patchAt(tiled, position);
      expect(patch === undefined ? name[0] : `${patch.row + 1},${patch.column + 1}`).to.equal(patch ? name : '<');
      if (patch !== undefined) expect(positionOfPatch(tiled, patch)).to.equal(position);
    }
    expect(specialPositions(of)).to.deep.equal([0, 3, 6, 9, 12, 15]);
    const scale = { scale: 1, width: 40, height: 16 };
    expect(patchRect(tiled, 11, scale)).to.deep.equal({ x: 30, y: 8, width: 10, height: 8 });
    expect(patchUnder(tiled, 35, 12, scale)).to.equal(11);
    const whole = tiled.thumbnail ?? tiled;
    expect(patchRect(whole, 14, scale)).to.deep.equal({ x: 20, y: 0, width: 20, height: 16 });
    expect(patchRect(tiled, 14, scale)).to.equal(undefined);
    expect(patchUnder(whole, 35, 12, scale)).to.equal(14);
    expect(tokenName([of], { stream: 0, position: 11 })).to.equal('patch row 2, column 4');
    expect(tokenName([of], { stream: 0, position: 14 })).to.equal('thumbnail row 1, column 2');
  });

  it('are walked by keys from tile to tile, and on into the thumbnail below', () => {
    const walk = (from: number, ...keys: readonly string[]): (number | undefined)[] => {
      let at: number | undefined = from;
      return keys.map((key) => (at = movePatch(of, at, key)));
    };
    expect(walk(2, 'ArrowRight', 'ArrowDown', 'Home', 'End')).to.deep.equal([4, 10, 7, 11]);
    expect(walk(11, 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowUp')).to.deep.equal([14, 14, 13, 8]);
    expect(movePatch(of, 1, 'End', true)).to.equal(14);
  });
});
