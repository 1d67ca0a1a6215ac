import { base64, base64Bytes } from '../../base/base64';
import { deflated } from '../../base/deflated';
import { plain } from '../../base/safeText';
import { headLabel } from '../head';
import { methodOf } from '../methods';
import { toHalf } from '../numbers/half';
import { headNumbers, writtenLayers, type Numbers } from '../numbers/numbers';
import { cssColour, type Ramp, type Rgb } from '../ramp';
import { anyPatchAt } from '../patchGrid';
import { visibleText, type PatchGrid, type TokenRef, type TokenStream } from '../token';
import { layoutTokens } from '../tokenLines';
import type { Direction } from '../pattern';
import type { Scale } from '../viewState';
import type { PageData, PagePiece, PageWords } from './pageData';
import { escaped } from './paper';

/** How a page looks, and what it shows first. */
export interface PageLook {
  /** Of the page, as HTML names it. */
  readonly language: string;
  readonly words: PageWords;
  readonly caption: readonly string[];
  /** What a component is called where there are several. */
  readonly componentName: (component: string) => string;
  readonly first: { readonly head: string; readonly component: string; readonly pinned?: TokenRef | undefined };
  readonly scale: Scale;
  readonly ceiling: number;
  readonly ramps: Readonly<Record<Direction, Ramp>>;
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly tabSize: number;
}

/** The script and the style sheet of a page, as they are built. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** The most bytes of numbers, in half precision, that a page holds: all heads of GPT-2-small over 600 tokens. A browser holds all of the file. */
export const mostPageBytes = 2 ** 27;

/** UTF-16 units of a token that are shown. */
const maxPiece = 300;

/**
 * A page that answers to hover, pins and the choice of a head by itself: one HTML file that loads nothing. Its policy runs that one script alone,
 * by its hash. The numbers are in half precision, deflated head by head, in base64; they are read and written as the file is.
 */
export async function* pageFile(numbers: Numbers, look: PageLook, assets: PageAssets): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const data = JSON.stringify(pageData(numbers, look)).replaceAll('<', '\\u003c');
  const policy = [
    "default-src 'none'",
    `script-src '${await hashOf(assets.script)}'`,
    `style-src '${await hashOf(assets.style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  yield encoder.encode(`<!DOCTYPE html>
<html lang="${escaped(look.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(look.caption[0] ?? '')}</title>
<style>${assets.style}</style>
</head>
<body>
<main id="page"><noscript>${escaped(look.words.needsScript)}</noscript></main>
<script type="application/json" id="data">${data}</script>
`);
  let number = 0;
  for await (const { values } of headNumbers(numbers, writtenLayers(numbers))) {
    const { buffer, byteOffset, byteLength } = toHalf(values);
    yield encoder.encode(`<script type="application/octet-stream" id="n${number++}">`);
    yield base64Bytes(await deflated(new Uint8Array(buffer, byteOffset, byteLength)));
    yield encoder.encode('</script>\n');
  }
  yield encoder.encode(`<script>${assets.script}</script>\n</body>\n</html>\n`);
}

/** A text as a content policy names it. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return `sha256-${base64(new Uint8Array(digest))}`;
}

function pageData(numbers: Numbers, look: PageLook): PageData {
  const layers = writtenLayers(numbers);
  const components = numbers.components
    .map((component) => ({
      component: component.component,
      name: look.componentName(component.component),
      queryStream: component.queryStream,
      keyStream: component.keyStream,
      heads: layers.filter((layer) => layer.component === component).flatMap(({ heads }) => heads),
    }))
    .filter(({ heads }) => heads.length > 0);
  const all = components.flatMap(({ component, heads }) => heads.map((head) => `${component} ${headLabel(head)}`));
  const isJoined = methodOf(numbers.method).joinsHeads;
  const { words, caption, first, scale, ceiling, ramps, background, foreground, tabSize } = look;
  return {
    words: isJoined ? { ...words, head: words.layer, matrix: words.matrixOfLayer } : words,
    caption: caption.map((line) => plain(line, 1000)),
    streams: numbers.streams.map((stream) => streamData(stream, tabSize)),
    components: components.map(({ component: _, heads, ...rest }) => ({
      ...rest,
      heads: heads.map((head) => (isJoined ? String(head.layer) : headLabel(head))),
    })),
    first: {
      head: Math.max(0, all.indexOf(`${first.component} ${first.head}`)),
      ...(first.pinned === undefined ? {} : { pinned: first.pinned }),
    },
    scale,
    ceiling,
    ramps: { reads: colours(ramps.reads), readBy: colours(ramps.readBy) },
    background: cssColour(background),
    foreground: cssColour(foreground),
  };
}

function colours(ramp: Ramp): PageData['ramps']['reads'] {
  const of = (pick: (depth: number) => Rgb): readonly string[] =>
    Array.from({ length: 256 }, (_, depth) => hex(pick(depth / 255)));
  return { fill: of((depth) => ramp.colour(depth)), text: of((depth) => ramp.text(depth)) };
}

function hex({ r, g, b }: Rgb): string {
  return `#${((r << 16) | (g << 8) | b).toString(16).padStart(6, '0')}`;
}

/** A text as its lines of tokens; a picture's patches, which have no text, are on one line for each of their rows. */
function streamData(stream: TokenStream, tabSize: number): PageData['streams'][number] {
  const labels = stream.tokens.map((_, position) => visibleText(stream, position));
  const chip = (position: number): PagePiece => [position, labels[position], 1];
  const { grid } = stream;
  const lines =
    stream.role === 'image' && grid !== undefined
      ? [...rowsOf(labels.length, grid)].map((row) => row.map(chip))
      : layoutTokens(stream, tabSize).map(({ pieces }) =>
          pieces.map(({ token, runs, label, isChip }): PagePiece => {
            if (isChip) return [token, plain(label ?? '', maxPiece), 1];
            const text = runs
              .map((run) => (run.kind === 'break' ? '↵' : run.kind === 'tab' ? ' '.repeat(tabSize) : run.text))
              .join('');
            return [token, plain(text, maxPiece)];
          }),
        );
  return { isTarget: stream.role === 'target', labels, lines };
}

/** Positions in their order: of patches a row of the grid, or of a tile, at a time, and what stands between them. */
function* rowsOf(count: number, grid: PatchGrid): Generator<readonly number[]> {
  let row: number[] = [];
  let wasPatch = false;
  for (let position = 0; position < count; position++) {
    const patch = anyPatchAt(grid, position);
    const begins = patch !== undefined && patch.column % (patch.grid.tiles ?? patch.grid).columns === 0;
    if (row.length > 0 && (begins || wasPatch !== (patch !== undefined))) {
      yield row;
      row = [];
    }
    wasPatch = patch !== undefined;
    row.push(position);
  }
  if (row.length > 0) yield row;
}
