import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import type { Maxima } from '../../../src/model/patternLevels';
import type { PatternOverview } from '../../../src/protocol';
import { blockDepths, depthOfCell } from '../../../webview/draw/depthPyramid';
import { KeptParts, RemoteMatrix, type TilePlace } from '../../../webview/state/matrixData';

const overview: PatternOverview = {
  numQueries: 4096,
  numKeys: 4096,
  level: 3,
  rows: 1,
  columns: 1,
  maxima: Float32Array.of(1),
  rowMaxima: new Float32Array(4096),
  rowSums: new Float32Array(4096),
  columnMeans: new Float32Array(4096),
  sinks: [],
};
const place = (column: number, row = 0, level = 0): TilePlace => ({ level, row, column });
const nameOf = ({ level, row, column }: TilePlace): string => `${level}/${row}/${column}`;

/** A matrix whose parts come when the test says so. */
function slowMatrix(
  kept = new KeptParts(),
  name = 'a',
): {
  matrix: RemoteMatrix;
  asked: string[];
  ended: string[];
  answer(name: string): Promise<void>;
  fail(name: string): Promise<void>;
} {
  const asked: string[] = [];
  const ended: string[] = [];
  const open = new Map<string, { resolve(tile: Maxima): void; reject(error: unknown): void }>();
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  const matrix = new RemoteMatrix(overview, {
    name,
    kept,
    tile: (at, signal) =>
      new Promise((resolve, reject) => {
        asked.push(nameOf(at));
        open.set(nameOf(at), { resolve, reject });
        signal.addEventListener('abort', () => {
          ended.push(nameOf(at));
          reject(new ExplorerError('cancelled'));
        });
      }),
    row: async (position) => {
      asked.push(`row ${position}`);
      return Float32Array.from({ length: 4096 }, (_, key) => position + key / 4096);
    },
  });
  return {
    matrix,
    asked,
    ended,
    answer: async (at) => {
      open.get(at)?.resolve({ rows: 256, columns: 256, maxima: Float32Array.from({ length: 256 * 256 }, (_, i) => i) });
      await settled();
    },
    fail: async (at) => {
      open.get(at)?.reject(new ExplorerError('invalidMessage', ['tile']));
      await settled();
    },
  };
}

describe('a large matrix in the panel', () => {
  it('asks for few tiles at a time, the most wanted first, and for the next as they come', async () => {
    const { matrix, asked, answer } = slowMatrix();
    matrix.want(Array.from({ length: 9 }, (_, i) => place(i)));
    expect(asked).to.deep.equal(['0/0/0', '0/0/1', '0/0/2', '0/0/3', '0/0/4', '0/0/5']);
    await answer('0/0/2');
    expect(asked.slice(6)).to.deep.equal(['0/0/6']);
    expect(matrix.tilesArrived.value).to.equal(1);
    expect(matrix.weightAt(3, 512 + 5)).to.equal(3 * 256 + 5);
    expect(matrix.weightAt(3, 5)).to.equal(undefined);
  });

  it('calls back what is under way to a place out of sight, and asks for no tile twice', async () => {
    const { matrix, asked, ended, answer } = slowMatrix();
    matrix.want([place(0), place(1)]);
    matrix.want([place(1), place(2)]);
    expect(ended).to.deep.equal(['0/0/0']);
    await answer('0/0/1');
    await answer('0/0/2');
    matrix.want([place(1), place(2)]);
    expect(asked).to.deep.equal(['0/0/0', '0/0/1', '0/0/2']);
    matrix.want([place(0)]);
    expect(asked.slice(3)).to.deep.equal(['0/0/0']);
    matrix.want([]);
    expect(ended).to.deep.equal(['0/0/0', '0/0/0']);
  });

  it('asks no more for what failed', async () => {
    const { matrix, asked, fail } = slowMatrix();
    matrix.want([place(7)]);
    await fail('0/0/7');
    matrix.want([place(7)]);
    expect(asked).to.deep.equal(['0/0/7']);
  });

  it('keeps rows, by which a weight is known too, apart from those of other matrices', async () => {
    const kept = new KeptParts();
    const { matrix, asked } = slowMatrix(kept);
    const { signal } = new AbortController();
    await matrix.fetchRow(5, 'reads', signal);
    await matrix.fetchRow(5, 'reads', signal);
    await matrix.fetchRow(9, 'readBy', signal);
    expect(asked).to.deep.equal(['row 5', 'row 9']);
    expect(matrix.weightAt(5, 1024)).to.equal(5.25);
    expect(matrix.weightAt(1024, 9)).to.equal(9.25);
    const other = slowMatrix(kept, 'b').matrix;
    expect(other.heldRow(5, 'reads')).to.equal(undefined);
  });
});

describe('the depths of blocks', () => {
  const maxima = Float32Array.of(0.5, 0.1, 0, 0.2);
  const rowMaxima = Float32Array.of(0.5, 0.1, 0.9, 0.2);

  it('are those of their maxima, and of none below the threshold', () => {
    expect([
      ...blockDepths(
        { rows: 2, columns: 2, maxima, level: 1, top: 0, rowMaxima },
        {
          scale: 'absolute',
          threshold: 0.15,
          ceiling: 1,
        },
      ).bytes,
    ]).to.deep.equal([128, 0, 0, 51]);
  });

  it('are, by row, shares of the smallest maximum of the rows that a block can have its own from', () => {
    expect([
      ...blockDepths(
        { rows: 2, columns: 2, maxima, level: 1, top: 0, rowMaxima },
        { scale: 'row', threshold: 0, ceiling: 1 },
      ).bytes,
    ]).to.deep.equal([255, 255, 0, 255]);
    expect([
      ...blockDepths(
        { rows: 1, columns: 2, maxima: Float32Array.of(0.3, 0.09), level: 1, top: 1, rowMaxima },
        {
          scale: 'row',
          threshold: 0,
          ceiling: 1,
        },
      ).bytes,
    ]).to.deep.equal([85, 115]);
    expect([
      ...blockDepths(
        { rows: 2, columns: 2, maxima, level: 0, top: 2, rowMaxima },
        { scale: 'row', threshold: 0, ceiling: 1 },
      ).bytes,
    ]).to.deep.equal([142, 28, 0, 255]);
  });

  it('of differences lie on both sides of nothing', () => {
    const blocks = {
      rows: 1,
      columns: 3,
      maxima: Float32Array.of(-0.5, 0.1, 0.25),
      level: 1,
      top: 0,
      rowMaxima: Float32Array.of(0.5, 0.25),
    };
    const looks = { threshold: 0, ceiling: 0.5, isSigned: true };
    const absolute = blockDepths(blocks, { ...looks, scale: 'absolute' });
    expect([absolute.isSigned, ...absolute.bytes]).to.deep.equal([true, 1, 153, 192]);
    expect([0, 1, 2].map((column) => depthOfCell(absolute, 0, column))).to.deep.equal([254, 50, 128]);
    expect([...blockDepths(blocks, { ...looks, scale: 'row' }).bytes]).to.deep.equal([1, 179, 255]);
    const cut = blockDepths(blocks, { ...looks, scale: 'row', threshold: 0.3 });
    expect([...cut.bytes]).to.deep.equal([1, 128, 255]);
  });
});
