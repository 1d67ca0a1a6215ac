import { base64 } from '../../base/base64';
import { gridsOf, patchAt, specialPositions } from '../patchGrid';
import type { Ramp } from '../ramp';
import { cssColour } from '../ramp';
import { visibleText, type PatchGrid, type TokenStream } from '../token';
import { box, digits, escaped, frame, labelSize, roomOf, widthOf, type Drawing, type Paper } from './paper';
import { rgbPng } from './palettePng';

/** A picture as a model sees it: RGBA, row-major, opaque. */
export interface FigurePicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A picture with its patches lit. */
export interface LitPicture {
  /** What stands above it, where there are several. */
  readonly title?: string | undefined;
  readonly stream: TokenStream;
  readonly picture: FigurePicture;
  /** The depth of each token's colour, in [−1, 1]; undefined where nothing of it is lit. */
  readonly depths?: ArrayLike<number> | undefined;
  readonly pinned: readonly number[];
  /** Numbers within patches, by their positions. */
  readonly numbers: ReadonlyMap<number, string>;
}

/** As in the panel: how much of the background lies over what is not lit, and how much of the ramp's colour over what is. */
const [veilOpacity, lightOpacity] = [0.66, 0.55];
const chipHeight = labelSize + 3;
/** The most of a page that a picture takes, in points. */
const mostSide = 260;

/** A picture, with its patches lit and its other tokens below it, from its own upper left corner; below it once more where it is read as a whole, too. */
export function pictureDrawing(lit: LitPicture, ramp: Pick<Ramp, 'colour' | 'text'>, paper: Paper): Drawing {
  const { grid } = lit.stream;
  const grids = grid !== undefined && grid.rows > 0 ? gridsOf(grid) : [];
  let height = 0;
  const parts = [
    ...grids.map((each) => () => patchesDrawing(lit, each, ramp, paper)),
    () => chipsDrawing(lit, ramp, paper),
  ].map((draw) => {
    const drawn = draw();
    const svg = height === 0 ? drawn.svg : `<g transform="translate(0 ${digits(height)})">${drawn.svg}</g>`;
    height += drawn.height;
    return svg;
  });
  return { height, svg: parts.join('\n') };
}

function patchesDrawing(
  { stream, picture, depths, pinned, numbers }: LitPicture,
  grid: PatchGrid,
  ramp: Pick<Ramp, 'colour'>,
  paper: Paper,
): Drawing {
  const scale = Math.min(roomOf(paper), mostSide) / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const [wide, high] = [grid.patchWidth * scale, grid.patchHeight * scale];
  const background = cssColour(paper.background);
  const png = base64(rgbPng(picture.width, picture.height, picture.pixels));
  // Pixels that are blown up stay what the model sees: squares.
  const rendering = scale < 2 ? '' : ' style="image-rendering: pixelated"';
  const parts = [
    `<image width="${digits(width)}" height="${digits(height)}" preserveAspectRatio="none"${rendering} href="data:image/png;base64,${png}"/>`,
  ];
  // The margin that belongs to no patch is never read.
  const [right, bottom] = [Math.min(width, grid.columns * wide), Math.min(height, grid.rows * high)];
  if (depths !== undefined)
    parts.push(
      `<path fill-rule="evenodd" fill="${background}" fill-opacity="${veilOpacity}" d="M0 0H${digits(width)}V${digits(height)}H0ZM0 0H${digits(right)}V${digits(bottom)}H0Z"/>`,
    );
  const above: string[] = [];
  for (const position of stream.tokens.keys()) {
    const patch = patchAt(grid, position);
    if (patch === undefined) continue;
    const area = { x: patch.column * wide, y: patch.row * high, width: wide, height: high };
    if (depths !== undefined) {
      const depth = depths[position] ?? 0;
      const size = Math.abs(depth);
      parts.push(
        over(area, background, veilOpacity * (1 - size)),
        over(area, cssColour(ramp.colour(Math.sign(depth))), lightOpacity * size),
      );
    }
    if (pinned.includes(position)) above.push(frame(area, paper.foreground, 1));
    const number = numbers.get(position);
    if (number !== undefined) above.push(numberIn(area, number, background));
  }
  return { height: height + 4, svg: [...parts, ...above].join('\n') };
}

/** A number in the middle of a patch, as large as there is room. */
function numberIn({ x, y, width, height }: Parameters<typeof box>[0], number: string, around: string): string {
  const size = Math.min(labelSize, height * 0.6, (width / number.length) * 1.5);
  return size < 2
    ? ''
    : `<text x="${digits(x + width / 2)}" y="${digits(y + height / 2 + size * 0.35)}" font-size="${digits(size)}" text-anchor="middle" stroke="${around}" stroke-width="${digits(size / 4)}" paint-order="stroke">${escaped(number)}</text>`;
}

/** The tokens that are no patches. */
function chipsDrawing(
  { stream, depths, pinned, numbers }: LitPicture,
  ramp: Pick<Ramp, 'colour' | 'text'>,
  paper: Paper,
): Drawing {
  const parts: string[] = [];
  let [x, y] = [0, 0];
  for (const position of specialPositions(stream)) {
    const number = numbers.get(position);
    const label = `${visibleText(stream, position)}${number === undefined ? '' : ` ${number}`}`;
    const [wide, depth] = [widthOf(label, labelSize) + 4, depths?.[position] ?? 0];
    if (x > 0 && x + wide > roomOf(paper)) [x, y] = [0, y + chipHeight + 2];
    const area = { x, y, width: wide, height: chipHeight };
    if (depth !== 0) parts.push(box(area, ramp.colour(depth)));
    parts.push(
      frame(area, paper.foreground, pinned.includes(position) ? 1 : 0.25),
      `<text x="${digits(x + 2)}" y="${digits(y + labelSize + 1)}" font-size="${labelSize}" fill="${cssColour(depth === 0 ? paper.foreground : ramp.text(depth))}">${escaped(label)}</text>`,
    );
    x += wide + 2;
  }
  return { height: x === 0 ? 0 : y + chipHeight, svg: parts.join('\n') };
}

function over(area: Parameters<typeof box>[0], fill: string, opacity: number): string {
  return opacity <= 0
    ? ''
    : `<rect x="${digits(area.x)}" y="${digits(area.y)}" width="${digits(area.width)}" height="${digits(area.height)}" fill="${fill}" fill-opacity="${digits(opacity)}"/>`;
}
