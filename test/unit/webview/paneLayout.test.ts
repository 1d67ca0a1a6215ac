import { expect } from 'chai';
import fc from 'fast-check';
import { plain } from '../../../src/base/safeText';
import type { ComponentInfo } from '../../../src/model/head';
import { layoutHeadGrid, type Rect } from '../../../webview/layout/headGrid';
import {
  layoutKindFor,
  paneNames,
  placePanes,
  splitNames,
  viewNames,
  type LayoutKind,
  type PaneRoom,
  type PlacedPanes,
} from '../../../webview/layout/paneLayout';
import { validLayout } from '../../../webview/state/layoutState';

function component(numLayers: number, numHeads: number): ComponentInfo {
  const layers = Array.from({ length: numLayers }, () => ({
    path: plain(''),
    numHeads,
    numKeyValueHeads: numHeads,
    normalization: 'softmax' as const,
    method: 'exposed' as const,
    held: 'whole' as const,
  }));
  return { component: 'self', layers, queryStream: 0, keyStream: 0, isCausal: true };
}

const small = component(4, 8);
const large = component(12, 12);

function room(width: number, height: number, of: ComponentInfo = small, isPicture = false): PaneRoom {
  return {
    width,
    height,
    isPicture,
    heightOfHeads: (within) => layoutHeadGrid(of, { width: within - 16, height: Infinity }).height + 34,
  };
}

const place = (within: PaneRoom, shares: Readonly<Record<string, number>> = {}): PlacedPanes =>
  placePanes(layoutKindFor(within), within, shares);

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe('the layout of the panel', () => {
  it('is one for each size', () => {
    const kinds: readonly (readonly [PaneRoom, LayoutKind])[] = [
      [room(1600, 930), 'wide'],
      [room(1280, 640, large), 'wide'],
      [room(760, 650), 'compact'],
      [room(760, 650, large), 'quarters'],
      [room(460, 440), 'compact'],
      [room(480, 480, large), 'compact'],
      [room(480, 700, small, true), 'picture'],
      [room(300, 700), 'narrow'],
      [room(1400, 260), 'low'],
      [room(200, 300), 'narrow'],
    ];
    for (const [within, kind] of kinds)
      expect(layoutKindFor(within), `${within.width} × ${within.height}`).to.equal(kind);
  });

  for (const [width, height] of [
    [480, 480],
    [760, 650],
    [1280, 640],
    [1600, 930],
  ] as const) {
    it(`shows text, grid, matrix and list together in ${width} × ${height}, each with room for what it shows`, () => {
      for (const of of [small, large]) {
        const { panes, tabs } = place(room(width, height, of));
        expect(tabs).to.equal(undefined);
        expect(Math.min(panes.matrix.width, panes.matrix.height)).to.be.at.least(260);
        expect(panes.source.width).to.be.at.least(380);
        expect(panes.source.height).to.be.at.least(170);
        expect(panes.list.height).to.be.at.least(90);
        // Every tile can be seen and hit.
        expect(
          layoutHeadGrid(of, { width: panes.heads.width - 16, height: panes.heads.height - 34 }).tile,
        ).to.be.at.least(width === 480 ? 12 : 17);
      }
    });
  }

  it('gives tiles and matrix more as the panel has more', () => {
    const sizes = [
      [480, 480],
      [760, 650],
      [1280, 640],
      [1600, 930],
    ] as const;
    const matrices = sizes.map(([width, height]) => {
      const { matrix } = place(room(width, height)).panes;
      return Math.min(matrix.width, matrix.height);
    });
    expect(matrices).to.deep.equal([...matrices].sort((a, b) => a - b));
    const tile = (width: number, height: number): number => layoutHeadGrid(small, { width, height }).tile;
    expect(tile(200, 150)).to.be.lessThan(tile(300, 300));
    expect(tile(300, 300)).to.be.lessThan(tile(600, 400));
    // As high as there is room, too.
    expect(layoutHeadGrid(large, { width: 600, height: 300 }).height).to.be.at.most(300);
  });

  it('covers the body without overlap, whatever its size and wherever the lines were moved', () => {
    const shares = fc.dictionary(fc.constantFrom(...splitNames), fc.double({ min: 0.01, max: 0.99, noNaN: true }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2400 }),
        fc.integer({ min: 1, max: 1600 }),
        fc.boolean(),
        fc.boolean(),
        shares,
        (width, height, isPicture, isOpen, moved) => {
          const { panes, splits, tabs } = place(
            { ...room(width, height, large, isPicture), open: isOpen ? viewNames : [] },
            moved,
          );
          expect(panes.headTable !== undefined).to.equal(isOpen);
          const seen = paneNames
            .filter((name) => tabs === undefined || !tabs.panes.slice(1).includes(name))
            .flatMap((name) => panes[name] ?? []);
          const rects = [...seen, ...splits.map(({ rect }) => rect), ...(tabs === undefined ? [] : [tabs.rect])];
          rects.forEach((one, i) =>
            rects
              .slice(i + 1)
              .forEach((other) => expect(overlap(one, other), JSON.stringify([one, other])).to.equal(false)),
          );
          if (width < 200 || height < 300) return;
          expect(rects.reduce((sum, rect) => sum + rect.width * rect.height, 0)).to.equal(width * height);
          for (const rect of rects)
            expect(
              rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width && rect.y + rect.height <= height,
              JSON.stringify(rect),
            ).to.equal(true);
        },
      ),
      // A picture in a width between those of two layouts, with a view open.
      { examples: [[400, 380, true, true, {}]] },
    );
  });

  it('gives an open view a place above grid and matrix, and leaves all as it was where none is open', () => {
    const wide = room(1400, 900);
    const [without, withView] = [place(wide), place({ ...wide, open: ['headTable'] })];
    expect(without.panes.headTable).to.equal(undefined);
    const { headTable, heads, matrix, source } = withView.panes;
    expect(headTable?.width).to.be.greaterThan(900);
    expect(headTable?.height).to.be.greaterThan(350);
    expect([source, heads.width, matrix.width]).to.deep.equal([
      without.panes.source,
      without.panes.heads.width,
      without.panes.matrix.width,
    ]);
    const beside = { ...room(640, 800), open: ['headTable'] } as const;
    expect(layoutKindFor(beside)).to.equal('stacked');
    expect(place(beside).tabs?.panes).to.deep.equal(['headTable', 'list']);
    expect(place({ ...room(300, 700), open: ['headTable'] }).tabs?.panes).to.include('headTable');
  });

  it('moves a line as far as both sides keep their least', () => {
    const within = room(1280, 640);
    const at = (share: number): PlacedPanes => place(within, { wideSource: share });
    expect(at(0.4).panes.source.width).to.equal(510);
    expect(at(0.01).panes.source.width).to.equal(140);
    expect(at(0.99).panes.matrix.width).to.be.at.least(150);
    expect(at(0.99).panes.heads.width).to.be.at.least(90);
  });

  it('is kept, and what is no layout is left out', () => {
    const { open, headTable, how, relation, effects } = validLayout(undefined);
    expect(relation).to.equal('matchingBracket');
    expect(validLayout({ relation: 'sameLine' }).relation).to.equal('sameLine');
    expect(validLayout({ relation: 'other' }).relation).to.equal(relation);
    // Of a former build, which kept it here.
    expect(validLayout({ marksSurprisal: true })).to.deep.equal(validLayout(undefined));
    expect(open).to.deep.equal([]);
    expect(validLayout(undefined)).to.deep.equal({
      shares: {},
      tab: 'matrix',
      ordering: 'model',
      open,
      headTable,
      how,
      relation,
      effects,
    });
    expect(
      validLayout({
        shares: { wideSource: 0.4, lowSource: 7, other: 0.5, compactHeads: 'x' },
        tab: 'list',
        ordering: 'all',
      }),
    ).to.deep.equal({
      shares: { wideSource: 0.4 },
      tab: 'list',
      ordering: 'all',
      open,
      headTable,
      how,
      relation,
      effects,
    });
    expect(validLayout({ shares: 3, tab: 'none', heads: 0.2, ordering: 'other' })).to.deep.equal({
      shares: {},
      tab: 'matrix',
      ordering: 'model',
      relation,
      effects,
      open,
      headTable,
      how,
    });
    const arranged = { kind: 'scatter', sort: 'self', isAscending: false, filter: '3', x: 'self', y: 'entropy' };
    expect(validLayout({ open: ['headTable', 'beauty'], headTable: arranged })).to.deep.include({
      open: ['headTable'],
      headTable: arranged,
    });
    expect(
      validLayout({ open: 'headTable', headTable: { kind: 7, sort: 'beauty', filter: {}, x: 'pair' } }),
    ).to.deep.include({
      open,
      headTable,
      how,
    });
  });
});
