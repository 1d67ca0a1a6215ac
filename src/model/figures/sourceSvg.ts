import { cssColour, type Ramp } from '../ramp';
import type { TokenStream } from '../token';
import { layoutTokens, leadOf, type Piece, type TokenLine } from '../tokenLines';
import { pictureDrawing, type LitPicture } from './pictureSvg';
import { box, digits, escaped, figureSvg, frame, labelSize, roomOf, textSize, widthOf, type Paper } from './paper';

/** One text with its highlights. */
export interface LitText {
  /** What stands above it, where there are several. */
  readonly title?: string | undefined;
  readonly stream: TokenStream;
  /** The depth of each token's colour, in [−1, 1]; undefined where nothing of it is lit. */
  readonly depths?: ArrayLike<number> | undefined;
  readonly pinned: readonly number[];
  /** Numbers above tokens, by their positions. */
  readonly numbers: ReadonlyMap<number, string>;
}

/** Texts as a figure shows them. */
export interface SourceFigure {
  readonly texts: readonly LitText[];
  readonly pictures?: readonly LitPicture[];
  readonly ramp: Pick<Ramp, 'colour' | 'text'>;
  readonly tabSize: number;
}

const numberSize = 5;
const rowHeight = textSize + numberSize + 3;
/** The end of a line is a sign where it is lit by this depth of colour. */
const leastMarked = 0.1;

/** Pictures and texts with their highlights as an SVG file, texts on lines of their own as far as these fit. */
export function sourceSvg({ texts, pictures = [], ramp, tabSize }: SourceFigure, paper: Paper): string {
  const room = roomOf(paper);
  const parts: string[] = [];
  let y = 0;
  const head = ({ title }: { readonly title?: string | undefined }): void => {
    if (title === undefined) return;
    parts.push(`<text x="0" y="${digits(y + textSize)}" font-weight="bold">${escaped(title)}</text>`);
    y += rowHeight;
  };
  for (const picture of pictures) {
    head(picture);
    const { height, svg } = pictureDrawing(picture, ramp, paper);
    parts.push(`<g transform="translate(0 ${digits(y)})">${svg}</g>`);
    y += height + 4;
  }
  for (const text of texts) {
    head(text);
    const drawer = new LineDrawer(text, { ramp, tabSize, room, paper });
    for (const line of layoutTokens(text.stream, tabSize)) y = drawer.draw(line, y);
    parts.push(drawer.svg);
    y += 4;
  }
  return figureSvg({ height: y, svg: `<g font-size="${textSize}">${parts.join('\n')}</g>` }, paper);
}

interface DrawerContext extends Pick<SourceFigure, 'ramp' | 'tabSize'> {
  readonly room: number;
  readonly paper: Paper;
}

/** Draws lines of tokens one below the other. */
class LineDrawer {
  readonly #text: LitText;
  readonly #context: DrawerContext;
  readonly #column = widthOf(' ', textSize);
  readonly #below: string[] = [];
  readonly #above: string[] = [];
  /** The tokens whose number stands already, and where the last one ends on its row. */
  readonly #numbered = new Set<number>();
  #numberEnd = { x: 0, y: -1 };

  constructor(text: LitText, context: DrawerContext) {
    this.#text = text;
    this.#context = context;
  }

  get svg(): string {
    return [...this.#below, ...this.#above].join('\n');
  }

  /** Draws a line, on several rows where it is long; returns where the next one begins. */
  draw(line: TokenLine, top: number): number {
    const { room, tabSize } = this.#context;
    const lead = Math.min(leadOf(line, tabSize) * this.#column, room / 3);
    let [x, y] = [0, top];
    for (const piece of line.pieces) {
      const size = piece.isChip ? labelSize : textSize;
      const characters = charactersOf(piece, tabSize, this.#isMarked(piece.token));
      const width = widthOf(characters.join(''), size);
      if (x > lead && x + width > room && lead + width <= room) [x, y] = [lead, y + rowHeight];
      let [run, from] = ['', x];
      for (const character of characters) {
        const own = widthOf(character, size);
        // What fits on no row is cut where the row ends.
        if (x > lead && x + own > room) {
          this.#piece(piece, run, { x: from, y });
          [run, x, y] = ['', lead, y + rowHeight];
          from = x;
        }
        run += character;
        x += own;
      }
      this.#piece(piece, run, { x: from, y });
      if (piece.isChip) x += 2;
    }
    return y + rowHeight;
  }

  #isMarked(token: number): boolean {
    const { depths, pinned } = this.#text;
    return token >= 0 && (Math.abs(depths?.[token] ?? 0) > leastMarked || pinned.includes(token));
  }

  /** A part of a token that stands on one row. */
  #piece({ token, isChip }: Piece, text: string, { x, y }: { readonly x: number; readonly y: number }): void {
    if (text === '') return;
    const { ramp, paper } = this.#context;
    const { depths, pinned, numbers } = this.#text;
    const size = isChip ? labelSize : textSize;
    const depth = token < 0 ? 0 : (depths?.[token] ?? 0);
    const width = widthOf(text, size);
    const area = { x, y: y + numberSize, width, height: textSize + 2 };
    if (depth !== 0) this.#below.push(box(area, ramp.colour(depth)));
    if (pinned.includes(token)) this.#above.push(frame(area, paper.foreground, 0.8));
    else if (isChip) this.#above.push(frame(area, paper.foreground, 0.25));
    const colour = cssColour(depth === 0 ? paper.foreground : ramp.text(depth));
    const base = digits(y + numberSize + textSize * 0.82 + 1);
    // Blanks are room, and no part of the text: else each program would show them in its own way.
    for (const { 0: word, index } of text.matchAll(/\S+/g)) {
      const from = x + widthOf(text.slice(0, index), size);
      this.#above.push(
        `<text x="${digits(from)}" y="${base}" textLength="${digits(widthOf(word, size))}" lengthAdjust="spacingAndGlyphs" fill="${colour}"${isChip ? ` font-size="${size}"` : ''}>${escaped(word)}</text>`,
      );
    }
    const number = numbers.get(token);
    // A number that would cover another one is left out; the list has them all.
    if (number === undefined || this.#numbered.has(token) || (this.#numberEnd.y === y && x < this.#numberEnd.x)) return;
    this.#numbered.add(token);
    this.#numberEnd = { x: x + widthOf(number, numberSize) + 1, y };
    this.#above.push(
      `<text x="${digits(x)}" y="${digits(y + numberSize - 0.5)}" font-size="${numberSize}">${escaped(number)}</text>`,
    );
  }
}

/** What of a piece stands on its line, a tab as the blanks that it is; a line's end is a sign where it is marked. */
function charactersOf({ runs, label, isChip, column }: Piece, tabSize: number, isMarked: boolean): readonly string[] {
  if (isChip) return Array.from(label ?? '');
  let at = column;
  return runs.flatMap(({ kind, text }) => {
    if (kind === 'break') return isMarked ? ['↵'] : [];
    const characters = kind === 'tab' ? Array<string>(tabSize - (at % tabSize)).fill(' ') : Array.from(text);
    at += characters.length;
    return characters;
  });
}
