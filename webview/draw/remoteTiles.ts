import { blocksAlong, tileSize } from '../../src/model/patternLevels';
import { levelFor, type PlacedMatrix } from '../layout/matrixView';
import type { RemoteMatrix, TilePlace } from '../state/matrixData';
import type { Palette } from '../theme/palette';
import { blockDepths, depthOfCell, DepthPyramid, type DepthImage, type DepthLooks } from './depthPyramid';
import { MatrixTiles, paintTile, tilesInView, type MatrixPictures } from './matrixTiles';
import { RecentlyUsed } from '../state/recentlyUsed';

/** About 32 MB of pixels and bytes; the tiles longest unused go first. */
const maxTiles = 112;

interface PaintedTile {
  readonly image: DepthImage;
  readonly canvas: HTMLCanvasElement;
}

/** The pictures of a large matrix: of the level that the view needs as far as its tiles are here, of coarser ones meanwhile. */
export class RemoteTiles implements MatrixPictures {
  readonly #matrix: RemoteMatrix;
  readonly #looks: DepthLooks;
  readonly #palette: Palette;
  readonly #overview: MatrixTiles;
  readonly #tiles = new RecentlyUsed<PaintedTile>(maxTiles);

  constructor(matrix: RemoteMatrix, looks: DepthLooks, palette: Palette) {
    const { overview } = matrix;
    this.#matrix = matrix;
    this.#looks = looks;
    this.#palette = palette;
    this.#overview = new MatrixTiles(
      new DepthPyramid(blockDepths({ ...overview, top: 0 }, looks)),
      palette,
      overview.level,
    );
  }

  draw(context: CanvasRenderingContext2D, placed: PlacedMatrix, pixelRatio: number): number {
    const { view, frame } = placed;
    const level = levelFor(view.cell, pixelRatio);
    const { overview } = this.#matrix;
    if (level >= overview.level) {
      this.#matrix.want([]);
      return this.#overview.draw(context, placed, pixelRatio);
    }
    const block = view.cell * 2 ** level;
    const blocks = { rows: blocksAlong(overview.numQueries, level), columns: blocksAlong(overview.numKeys, level) };
    const { rows, columns } = tilesInView(placed, block, blocks);
    const missing: TilePlace[] = [];
    context.imageSmoothingEnabled = false;
    let drawn = 0;
    for (let row = rows.from; row < rows.to; row++) {
      for (let column = columns.from; column < columns.to; column++) {
        const place = { level, row, column };
        const width = Math.min(tileSize, blocks.columns - column * tileSize);
        const height = Math.min(tileSize, blocks.rows - row * tileSize);
        const found = this.#painted(place)?.canvas;
        if (found === undefined) missing.push(place);
        const source = found === undefined ? this.#coarser(place) : { canvas: found, x: 0, y: 0, shrunk: 1 };
        context.drawImage(
          source.canvas,
          source.x,
          source.y,
          width / source.shrunk,
          height / source.shrunk,
          view.x + column * tileSize * block,
          view.y + row * tileSize * block,
          width * block,
          height * block,
        );
        drawn++;
      }
    }
    const middleRow = (frame.height / 2 - view.y) / (block * tileSize) - 0.5;
    const middleColumn = (frame.width / 2 - view.x) / (block * tileSize) - 0.5;
    const distance = ({ row, column }: TilePlace): number => Math.hypot(row - middleRow, column - middleColumn);
    this.#matrix.want(missing.sort((a, b) => distance(a) - distance(b)));
    return drawn;
  }

  depthAt(query: number, key: number): number {
    const [row, column] = [Math.floor(query / tileSize), Math.floor(key / tileSize)];
    const image = this.#painted({ level: 0, row, column })?.image;
    return image === undefined ? 0 : depthOfCell(image, query - row * tileSize, key - column * tileSize);
  }

  /** The finest picture of a tile's place that is here, as a part of a coarser tile: two tiles of a level lie along each side of one of the next. */
  #coarser({ level, row, column }: TilePlace): {
    readonly canvas: HTMLCanvasElement;
    readonly x: number;
    readonly y: number;
    readonly shrunk: number;
  } {
    for (let steps = 1; ; steps++) {
      const shrunk = 2 ** steps;
      const place = { level: level + steps, row: Math.floor(row / shrunk), column: Math.floor(column / shrunk) };
      const canvas =
        place.level >= this.#matrix.overview.level
          ? this.#overview.firstTile(place.row, place.column)
          : this.#painted(place)?.canvas;
      if (canvas !== undefined)
        return { canvas, x: ((column % shrunk) * tileSize) / shrunk, y: ((row % shrunk) * tileSize) / shrunk, shrunk };
    }
  }

  #painted(place: TilePlace): PaintedTile | undefined {
    const name = `${place.level}/${place.row}/${place.column}`;
    const painted = this.#tiles.get(name);
    if (painted !== undefined) return painted;
    const tile = this.#matrix.tile(place);
    if (tile === undefined) return undefined;
    const { rowMaxima } = this.#matrix.overview;
    const image = blockDepths({ ...tile, level: place.level, top: place.row * tileSize, rowMaxima }, this.#looks);
    const made = { image, canvas: paintTile(image, 0, 0, this.#palette) };
    this.#tiles.set(name, made);
    return made;
  }
}
