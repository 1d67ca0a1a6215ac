import { expect } from 'chai';
import { MatrixSurface } from '../../../webview/draw/matrixSurface';
import { fitView, type MatrixFrame } from '../../../webview/layout/matrixView';

describe('a matrix in its plot', () => {
  const frame: MatrixFrame = { numQueries: 100, numKeys: 200, width: 400, height: 300 };
  const margins = { left: 76, top: 60, right: 6, bottom: 26 };
  const placed = (): MatrixSurface => {
    const surface = new MatrixSurface();
    surface.setFrame(frame, margins, false);
    return surface;
  };

  it('shows all at first, and finds the cell under a place of the canvas', () => {
    const surface = placed();
    expect(surface.view).to.deep.equal(fitView(frame));
    expect(surface.cellAt(76, 60)).to.deep.equal({ query: 0, key: 0 });
    expect(surface.cellAt(76 + 399, 60 + 199)).to.deep.equal({ query: 99, key: 199 });
    expect(surface.cellAt(75, 60)).to.equal(undefined);
    expect(surface.cellAt(76, 60 + 200)).to.equal(undefined);
  });

  it('zooms about a place that stays under the pointer, and says where it cannot go further', () => {
    const surface = placed();
    const [x, y] = [76 + 100, 60 + 80];
    const before = surface.cellAt(x, y);
    expect(surface.zoom(4, { x, y })).to.equal(true);
    expect(surface.cellAt(x, y)).to.deep.equal(before);
    expect(surface.zoom(0.001, { x, y })).to.equal(true);
    expect(surface.zoom(0.5, { x, y })).to.equal(false);
    expect(surface.view).to.deep.equal(fitView(frame));
  });

  it('stays where it is zoomed to while matrices of one shape follow each other, and shows all of another', () => {
    const surface = placed();
    surface.zoom(4);
    surface.pan(-40, -30);
    const zoomed = surface.view;
    surface.setFrame({ ...frame }, margins, false);
    expect(surface.view).to.deep.equal(zoomed);
    surface.setFrame({ ...frame, width: 380 }, margins, false);
    expect(surface.view.cell).to.equal(zoomed.cell);
    const grown = { ...frame, numQueries: 101, numKeys: 201 };
    surface.setFrame(grown, margins, true);
    expect(surface.view.cell).to.equal(zoomed.cell);
    surface.setFrame(frame, margins, false);
    expect(surface.view).to.deep.equal(fitView(frame));
    // What shows all goes on showing all in another room.
    surface.setFrame({ ...frame, width: 200 }, margins, true);
    expect(surface.view).to.deep.equal(fitView({ ...frame, width: 200 }));
  });

  it('steps from cell to cell within the matrix, and brings one into sight', () => {
    const surface = placed();
    expect(surface.cellBeside(undefined, [1, 0])).to.deep.equal({ query: 0, key: 0 });
    expect(surface.cellBeside({ query: 3, key: 4 }, [1, 0])).to.deep.equal({ query: 3, key: 5 });
    expect(surface.cellBeside({ query: 99, key: 0 }, [0, 1])).to.deep.equal({ query: 99, key: 0 });
    expect(surface.cellBeside({ query: 0, key: 0 }, [-1, 0])).to.deep.equal({ query: 0, key: 0 });
    surface.zoom(10);
    const cell = { query: 99, key: 199 };
    surface.reveal(cell);
    const { x, y, cell: size } = surface.view;
    expect(surface.cellAt(76 + x + (cell.key + 0.5) * size, 60 + y + (cell.query + 0.5) * size)).to.deep.equal(cell);
    surface.fit();
    expect(surface.view).to.deep.equal(fitView(frame));
  });
});
