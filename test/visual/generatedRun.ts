// Runs made by rule, the same each time: texts cut into tokens, and patterns of the kinds that heads have.
import type { Component, ComponentInfo, HeadSelection } from '../../src/model/head';
import { plain } from '../../src/base/safeText';
import { provenSinks } from '../../src/model/lighting';
import { aggregatePatterns, encodeThumbnail, maxPool, type Pattern } from '../../src/model/pattern';
import type { Token, TokenStream } from '../../src/model/token';
import type { PanelRun } from '../../src/panelProtocol';
import type { PictureView, Thumbnails } from '../../src/protocol';

/** The kinds of runs that the pages show. */
export type RunKind =
  | 'code'
  | 'context'
  | 'alone'
  | 'large'
  | 'grouped'
  | 'encoderDecoder'
  | 'long'
  | 'huge'
  | 'tokens64'
  | 'tokens128'
  | 'tokens256'
  | 'odd'
  | 'prose'
  | 'pair'
  | 'longSource'
  | 'picture'
  | 'pictureInText'
  | 'pictureInTiles'
  | 'linearPicture'
  | 'stages'
  | 'learnedQueries';

const code = `def fib(n):
    """The n-th Fibonacci number."""
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


class Cache:
\tdef __init__(self, size):
\t\tself.size = size
\t\tself.items = {}

    def get(self, key, default=None):
        if key in self.items:
            return self.items[key]
        return default
`;

/** One long line, as prose is written, and an indented one. */
const prose = `The animal didn't cross the street because it was too tired. The trophy would not fit in the brown suitcase because it was too big, and when Mary and John went to the store, John gave a drink to Mary; nobody in the store had seen such a thing before, although the store had been open for years.
    What is indented goes on below its own beginning, however narrow the panel is, and however long the line has become.
`;

/** Cuts text as byte-level models do: a space goes with the word after it, and a line break with the indentation. */
function cut(text: string): Token[] {
  const tokens: Token[] = [];
  const ids = new Map<string, number>();
  for (const match of text.matchAll(
    /\r?\n[ \t]*(?=[ \t])|\r?\n|[ \t]+(?=[ \t])| ?[A-Za-z_]+| ?\d| ?[^\sA-Za-z_\d]+|\s/gu,
  )) {
    const start = match.index;
    const id = ids.get(match[0]) ?? 100 + ids.size;
    ids.set(match[0], id);
    tokens.push({
      id,
      piece: match[0].replaceAll(' ', 'Ġ').replaceAll('\n', 'Ċ').replaceAll('\t', 'ĉ'),
      start,
      end: start + match[0].length,
      isSpecial: false,
    });
  }
  return tokens;
}

function repeated(numTokens: number): { text: string; tokens: Token[] } {
  let text = code;
  while (cut(text).length < numTokens) text += `\n${code.replaceAll('Cache', `Cache${text.length}`)}`;
  const tokens = cut(text).slice(0, numTokens);
  return { text: text.slice(0, tokens.at(-1)?.end), tokens };
}

function withBeginning(stream: TokenStream): TokenStream {
  return {
    ...stream,
    tokens: [{ id: 0, piece: '<|endoftext|>', start: 0, end: 0, isSpecial: true }, ...stream.tokens],
  };
}

/** Windows line ends, a tab, an emoji of which three tokens have a part, a special token that someone typed, and text in no token. */
export const oddStream: TokenStream = {
  role: 'source',
  text: 'a = "🙂"\r\n\tb <s> é  end',
  tokens: [
    { id: 1, piece: '<s>', start: 0, end: 0, isSpecial: true },
    { id: 2, piece: 'a', start: 0, end: 1, isSpecial: false },
    { id: 3, piece: 'Ġ=', start: 1, end: 3, isSpecial: false },
    { id: 4, piece: 'Ġ"', start: 3, end: 5, isSpecial: false },
    { id: 5, piece: 'ðŁ', start: 5, end: 7, isSpecial: false },
    { id: 6, piece: 'Ļ', start: 5, end: 7, isSpecial: false },
    { id: 7, piece: 'Ĥ', start: 5, end: 7, isSpecial: false },
    { id: 8, piece: '"', start: 7, end: 8, isSpecial: false },
    { id: 9, piece: 'čĊĉ', start: 8, end: 11, isSpecial: false },
    { id: 10, piece: 'b', start: 11, end: 12, isSpecial: false },
    { id: 11, piece: '<s>', start: 13, end: 16, isSpecial: true },
    { id: 12, piece: 'Ã', start: 17, end: 18, isSpecial: false },
    { id: 13, piece: '©', start: 17, end: 18, isSpecial: false },
    { id: 14, piece: 'ĠĠend', start: 18, end: 23, isSpecial: false },
  ],
};

function layers(numLayers: number, numHeads: number, numKeyValueHeads = numHeads): ComponentInfo['layers'] {
  return Array.from({ length: numLayers }, (_, i) => ({
    path: plain(`/layers.${i}/attention`),
    numHeads,
    numKeyValueHeads,
    normalization: 'softmax' as const,
    method: 'exposed' as const,
    held: 'whole' as const,
  }));
}

/** A class token and a grid of patches, read in all directions. */
function pictureOf(method: 'exposed' | 'derived'): Pick<PanelRun['info'], 'streams' | 'components' | 'answers'> {
  const [rows, columns] = [8, 8];
  const token = (id: number, piece: string, isSpecial: boolean): Token => ({ id, piece, start: 0, end: 0, isSpecial });
  const patches = Array.from({ length: rows * columns }, (_, i) =>
    token(i + 1, `${Math.floor(i / columns) + 1},${(i % columns) + 1}`, false),
  );
  const stream: TokenStream = {
    role: 'image',
    text: '',
    tokens: [token(0, '[CLS]', true), ...patches],
    grid: { rows, columns, first: 1, patchWidth: 12, patchHeight: 12 },
  };
  return {
    streams: [stream],
    components: [
      {
        component: 'self',
        layers: layers(4, 4).map((layer) => ({ ...layer, method })),
        queryStream: 0,
        keyStream: 0,
        isCausal: false,
      },
    ],
    answers: [{ label: plain('red circle'), probability: 0.9876 }],
  };
}

/** The patches of a picture between the tokens of a text, each reading what stands before it. */
function pictureInText(): Pick<PanelRun['info'], 'streams' | 'components'> {
  const { streams, components } = pictureOf('exposed');
  const text = 'Look: what is it?';
  const [{ tokens, grid }] = streams;
  const [first, ...others] = cut(text);
  const patches = tokens.slice(1).map((token) => ({ ...token, start: first.end, end: first.end }));
  return {
    streams: [{ role: 'image', text, tokens: [first, ...patches, ...others], ...(grid === undefined ? {} : { grid }) }],
    components: components.map((component) => ({ ...component, isCausal: true })),
  };
}

/** A picture in 2 × 2 tiles of 4 × 4 patches, a token before each, and once more as a whole, before a text. */
function pictureInTiles(): Pick<PanelRun['info'], 'streams' | 'components'> {
  const { components } = pictureOf('exposed');
  const text = 'Look: what is it?';
  const of = (piece: string, isSpecial = false): Token => ({ id: 0, piece, start: 0, end: 0, isSpecial });
  const patches = (top: number, left: number, name = ''): Token[] =>
    Array.from({ length: 16 }, (_, i) => of(`${name}${top + Math.floor(i / 4) + 1},${left + (i % 4) + 1}`));
  const tiles = [0, 1, 2, 3].flatMap((i) => [
    of(`<row_${Math.floor(i / 2) + 1}_col_${(i % 2) + 1}>`, true),
    ...patches(4 * Math.floor(i / 2), 4 * (i % 2)),
  ]);
  const tokens = [...tiles, of('<global-img>', true), ...patches(0, 0, 'thumbnail '), ...cut(text)];
  const grid = {
    ...{ rows: 8, columns: 8, first: 1, patchWidth: 12, patchHeight: 12 },
    tiles: { rows: 4, columns: 4, starts: [1, 18, 35, 52] },
    thumbnail: { rows: 4, columns: 4, first: 69, patchWidth: 24, patchHeight: 24 },
  };
  return {
    streams: [{ role: 'image', text, tokens, grid }],
    components: components.map((component) => ({ ...component, isCausal: true })),
  };
}

/** Two stages: patches that read a coarser grid, then larger ones among themselves. */
function stages(): Pick<PanelRun['info'], 'streams' | 'components'> {
  const streams = [8, 2, 4].map((side): TokenStream => ({
    role: 'image',
    text: '',
    tokens: Array.from({ length: side * side }, (_, id) => ({
      id,
      piece: `${Math.floor(id / side) + 1},${(id % side) + 1}`,
      start: 0,
      end: 0,
      isSpecial: false,
    })),
    grid: { rows: side, columns: side, first: 0, patchWidth: 96 / side, patchHeight: 96 / side },
  }));
  const none = layers(2, 0);
  return {
    streams,
    components: [
      { component: 'stage1', layers: layers(2, 2), queryStream: 0, keyStream: 1, isCausal: false },
      { component: 'stage2', layers: [...none, ...layers(2, 4)], queryStream: 2, keyStream: 2, isCausal: false },
    ],
  };
}

/** Queries that the model has learned, which read patches. */
function learnedQueries(): Pick<PanelRun['info'], 'streams' | 'components'> {
  const [{ streams }, numQueries] = [stages(), 6];
  const queries: TokenStream = {
    role: 'image',
    text: '',
    tokens: Array.from({ length: numQueries }, (_, id) => ({
      id,
      piece: `[Q${id + 1}]`,
      start: 0,
      end: 0,
      isSpecial: true,
    })),
    grid: { rows: 0, columns: 0, first: 0, patchWidth: 96, patchHeight: 96 },
  };
  return {
    streams: [streams[2], queries],
    components: [
      { component: 'cross', layers: layers(2, 4), queryStream: 1, keyStream: 0, isCausal: false },
      { component: 'decoder', layers: layers(2, 4), queryStream: 1, keyStream: 1, isCausal: false },
    ],
  };
}

/** The run of a kind. */
export function generateRun(kind: RunKind, runId = 1): PanelRun {
  const single = (
    stream: TokenStream,
    numLayers: number,
    numHeads: number,
    shared?: number,
  ): Pick<PanelRun['info'], 'streams' | 'components'> => ({
    streams: [stream],
    components: [
      { component: 'self', layers: layers(numLayers, numHeads, shared), queryStream: 0, keyStream: 0, isCausal: true },
    ],
  });
  const parts = {
    code: () => single(withBeginning({ role: 'source', text: code, tokens: cut(code) }), 6, 8),
    large: () => single({ role: 'source', ...repeated(512) }, 12, 12),
    tokens64: () => single({ role: 'source', ...repeated(64) }, 12, 12),
    tokens128: () => single({ role: 'source', ...repeated(128) }, 12, 12),
    tokens256: () => single({ role: 'source', ...repeated(256) }, 12, 12),
    grouped: () => single(withBeginning({ role: 'source', text: code, tokens: cut(code) }), 4, 8, 2),
    long: () => single({ role: 'source', ...repeated(4096) }, 2, 2),
    huge: () => single({ role: 'source', ...repeated(4096) }, 12, 12),
    odd: () => single(oddStream, 2, 4),
    prose: () => single(withBeginning({ role: 'source', text: prose, tokens: cut(prose) }), 4, 8),
    pair: () => {
      const [first, second] = ['Where did the cat sit?', 'The cat sat on the mat\nand looked at the moon.'];
      const own = (text: string, at: number): Token[] =>
        cut(text).map((token) => ({ ...token, start: token.start + at, end: token.end + at }));
      const special = (piece: string, at: number): Token => ({ id: 0, piece, start: at, end: at, isSpecial: true });
      const before = [special('[CLS]', 0), ...own(first, 0), special('[SEP]', first.length)];
      const tokens = [...before, ...own(second, first.length), special('[SEP]', first.length + second.length)];
      return single(
        { role: 'source', text: first + second, tokens, second: { start: first.length, from: before.length } },
        2,
        4,
      );
    },
    picture: () => pictureOf('exposed'),
    pictureInText,
    pictureInTiles,
    stages,
    learnedQueries,
    linearPicture: () => pictureOf('derived'),
    encoderDecoder: () => {
      const source =
        kind === 'longSource'
          ? 'The cat sat on the mat and looked at the moon.\n'.repeat(30)
          : 'The cat sat on the mat and looked at the moon.';
      const target = 'Die Katze saß auf der Matte und schaute den Mond an.';
      const streams: TokenStream[] = [
        { role: 'source', text: source, tokens: cut(source) },
        {
          role: 'target',
          text: target,
          tokens: [{ id: 0, piece: '<s>', start: 0, end: 0, isSpecial: true }, ...cut(target)],
          target: { isWritten: true, ending: '</s>' },
        },
      ];
      return {
        streams,
        components: [
          { component: 'encoder' as const, layers: layers(4, 6), queryStream: 0, keyStream: 0, isCausal: false },
          { component: 'decoder' as const, layers: layers(4, 6), queryStream: 1, keyStream: 1, isCausal: true },
          { component: 'cross' as const, layers: layers(4, 6), queryStream: 1, keyStream: 0, isCausal: false },
        ],
      };
    },
  };
  const made =
    parts[kind === 'longSource' ? 'encoderDecoder' : kind === 'context' || kind === 'alone' ? 'code' : kind]();
  const start = code.indexOf('return self.items');
  const selected = { start, end: start + 'return self.items[key]'.length };
  return {
    info: {
      runId,
      model: {
        name: plain('code-decoder'),
        path: '/models/code-decoder',
        backend: 'wasm',
        backendReason: plain('no WebGPU here'),
        numThreads: 4,
        contextLength: 512,
        vocabularySize: 8192,
        reads: 'text',
      },
      notices: [],
      timings: { tokenize: 3, load: 120, run: 210 },
      ...made,
    },
    documentName: plain('fibonacci.py'),
    startLine: 11,
    startCharacter: 0,
    ...(kind === 'pair' ? { second: { startLine: 40, startCharacter: 4 } } : {}),
    ...(kind === 'context'
      ? { selected: { ...selected, isInContext: true, place: plain('fibonacci.py 26, in lines 12–27') } }
      : kind === 'alone'
        ? { selected: { start: 0, end: code.length, isInContext: false, place: plain('fibonacci.py 12–27, alone') } }
        : {}),
    notices:
      kind === 'context'
        ? [
            {
              sentence: plain(
                'Nothing was selected, so the text around the caret is explained, from line 3 to line 27.',
              ),
              action: { id: 'explainFromStart', title: plain('From the Start') },
            },
          ]
        : kind === 'large'
          ? [
              {
                sentence: plain(
                  'Only the first 512 of 1870 tokens are explained: this is all that code-decoder reads at once.',
                ),
              },
            ]
          : [],
  };
}

/** A picture that is easy to tell from any other: a red disc on a sky that fades, RGBA. */
export function generatePicture(size = 96): PictureView {
  const pixels = new Uint8Array(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const isDisc = Math.hypot(x - size * 0.6, y - size * 0.45) < size * 0.25;
      pixels.set(isDisc ? [214, 40, 40, 255] : [120 + y / 2, 170, 230 - y / 2, 255], (y * size + x) * 4);
    }
  }
  return { width: size, height: size, pixels };
}

/** The pattern of one head, by rule: sink, previous token, same token, local, or diagonal, with a little noise. */
export function generatePattern(run: PanelRun, component: ComponentInfo, layer: number, head: number): Pattern {
  const queries = run.info.streams[component.queryStream];
  const keys = run.info.streams[component.keyStream];
  const [numQueries, numKeys] = [queries.tokens.length, keys.tokens.length];
  const weights = new Float32Array(numQueries * numKeys);
  const kind = (layer * 3 + head) % 5;
  for (let query = 0; query < numQueries; query++) {
    const last = component.isCausal ? query : numKeys - 1;
    const aligned = Math.round((query / Math.max(1, numQueries - 1)) * (numKeys - 1));
    const text = queries.text.slice(queries.tokens[query].start, queries.tokens[query].end).trim();
    let sum = 0;
    for (let key = 0; key <= last; key++) {
      const noise = 0.002 * (((query * 7919 + key * 104729 + layer * 31 + head * 17) % 97) / 97);
      const other = keys.text.slice(keys.tokens[key].start, keys.tokens[key].end).trim();
      const near = component.queryStream === component.keyStream ? query : aligned;
      const score =
        [
          key === 0 ? 3 : Math.exp(-Math.abs(near - key) / 3) * 0.3,
          key === Math.max(0, near - 1) ? 4 : 0.02 / (1 + Math.abs(near - key)),
          text !== '' && text === other ? 2 : key === 0 ? 0.5 : 0,
          Math.exp(-Math.abs(near - key) / (2 + layer)),
          key === near ? 1 : Math.exp(-Math.abs(near - key) / 8) * 0.1,
        ][kind] + noise;
      weights[query * numKeys + key] = score;
      sum += score;
    }
    for (let key = 0; key <= last; key++) weights[query * numKeys + key] /= sum;
  }
  return { numQueries, numKeys, weights };
}

/** The pattern of a selection. */
export function generateSelection(run: PanelRun, selection: HeadSelection): Pattern {
  const component = componentOf(run, selection.component);
  return aggregatePatterns(
    selection.heads.map(({ layer, head }) => generatePattern(run, component, layer, head)),
    selection.aggregation,
  );
}

/** All heads of a component, small. */
export function generateThumbnails(run: PanelRun, name: Component, size: number): Thumbnails {
  const component = componentOf(run, name);
  const patterns = component.layers.flatMap(({ numHeads }, layer) =>
    Array.from({ length: numHeads }, (_, head) => generatePattern(run, component, layer, head)),
  );
  const pictures = patterns.map((pattern) => maxPool(pattern, size));
  const [first] = pictures;
  const pixels = new Uint8Array(pictures.length * first.weights.length);
  pictures.forEach(({ weights }, i) => pixels.set(encodeThumbnail(weights), i * weights.length));
  return {
    numHeads: component.layers.map(({ numHeads }) => numHeads),
    rows: first.numQueries,
    columns: first.numKeys,
    pixels,
    sinks: patterns.map((pattern) => provenSinks(pattern, component.isCausal)),
  };
}

function componentOf(run: PanelRun, name: Component): ComponentInfo {
  const found = run.info.components.find(({ component }) => component === name);
  if (found === undefined) throw new Error(`The run has no ${name}`);
  return found;
}
