// The script of a stand-alone page: it shows the numbers that stand in the page, asks for nothing, and stays small.
import type { PageData } from '../../src/model/figures/pageData';
import { figureNumber } from '../../src/model/figures/figureNumber';
import { fromHalf } from '../../src/model/numbers/half';
import { strongest, weightsOf, type Direction, type Pattern } from '../../src/model/pattern';
import { depthOf } from '../../src/model/viewState';
import './page.css';

/** A token of a stream. */
interface Place {
  readonly stream: number;
  readonly position: number;
}

/** A head of a component, by the number of the element that holds it. */
interface PageHead {
  readonly number: number;
  readonly component: PageData['components'][number];
  readonly label: string;
}

const numListed = 12;
/** Heads whose numbers stay unpacked. */
const mostKept = 16;

const data = JSON.parse(textOf('data')) as PageData; // written with the page
const heads: readonly PageHead[] = data.components
  .flatMap((component) => component.heads.map((label) => ({ component, label })))
  .map((head, number) => ({ ...head, number }));
const kept = new Map<number, Promise<Pattern>>();
const spans: HTMLElement[][][] = data.streams.map(({ labels }) => labels.map(() => []));

let head = heads[data.first.head];
let pattern: Pattern | undefined;
let direction: Direction = 'reads';
let pinned: Place | undefined = data.first.pinned;
let cursor: Place | undefined;
let hovered: Place | undefined;

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? '';
}

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  parent: Element,
  text = '',
  className = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  element.textContent = text;
  if (className !== '') element.className = className;
  parent.append(element);
  return element;
}

function filled(template: string, ...args: readonly string[]): string {
  return template.replaceAll(/\{(\d)\}/g, (_, at: string) => args[Number(at)] ?? '');
}

function nameOf({ stream, position }: Place): string {
  return `"${data.streams[stream].labels[position]}" (${position})`;
}

/** One head's numbers, unpacked when it is first looked at. */
function patternOf({ number, component }: PageHead): Promise<Pattern> {
  const known = kept.get(number);
  if (known !== undefined) return known;
  const unpacked = unpack(textOf(`n${number}`)).then((weights): Pattern => ({
    numQueries: data.streams[component.queryStream].labels.length,
    numKeys: data.streams[component.keyStream].labels.length,
    weights,
  }));
  kept.set(number, unpacked);
  const [oldest] = kept.keys();
  if (kept.size > mostKept) kept.delete(oldest);
  return unpacked;
}

async function unpack(base64: string): Promise<Float32Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return fromHalf(new Uint16Array(await new Response(stream).arrayBuffer()));
}

// ---- what stands on the page ----

const page = document.getElementById('page') ?? document.body;
const { words } = data;
document.documentElement.style.setProperty('--background', data.background);
document.documentElement.style.setProperty('--foreground', data.foreground);
data.caption.forEach((line, i) => make(i === 0 ? 'h1' : 'p', page, line));
const controls = make('div', page, '', 'controls');
const headChoice = make('select', make('label', controls, `${words.head} `));
data.components.forEach((component) => {
  const group = data.components.length > 1 ? make('optgroup', headChoice) : headChoice;
  if (group instanceof HTMLOptGroupElement) group.label = component.name;
  for (const each of heads.filter((one) => one.component === component))
    make('option', group, each.label).value = String(each.number);
});
headChoice.value = String(head.number);
const directionChoice = make('select', make('label', controls, `${words.direction} `));
for (const way of ['reads', 'readBy'] as const) make('option', directionChoice, words[way]).value = way;
make('p', page, `${words.hint} ${words.keys}`, 'hint');
const columns = make('div', page, '', 'columns');
const left = make('div', columns);
const right = make('div', columns);
const order = data.streams
  .map((_, i) => i)
  .sort((a, b) => Number(data.streams[b].isTarget) - Number(data.streams[a].isTarget));
for (const stream of order) {
  const { isTarget, lines } = data.streams[stream];
  const name = isTarget ? words.target : words.text;
  if (data.streams.length > 1) make('h2', left, name);
  const box = make('div', left, '', 'text');
  box.tabIndex = 0;
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', `${name}. ${words.keys}`);
  for (const line of lines) {
    const row = make('div', box);
    for (const [position, text, isChip] of line) {
      const span = make('span', row, text, isChip === 1 ? 'chip' : '');
      if (position < 0) continue;
      spans[stream][position].push(span);
      span.addEventListener('pointerenter', () => look({ stream, position }));
      span.addEventListener('click', () => pin({ stream, position }));
    }
  }
  box.addEventListener('pointerleave', () => look(undefined));
  box.addEventListener('keydown', (event) => walk(event, stream));
  box.addEventListener('blur', () => {
    cursor = undefined;
    show();
  });
}
// Above what grows and shrinks: else it would go from under the pointer.
const canvas = make('canvas', right);
canvas.setAttribute('role', 'img');
const status = make('p', right);
status.setAttribute('role', 'status');
make('h2', right, words.sources);
const list = make('ol', right, '', 'sources');

// ---- what the person does ----

headChoice.addEventListener('change', () => void choose(heads[Number(headChoice.value)]));
directionChoice.addEventListener('change', () => {
  direction = directionChoice.value === 'readBy' ? 'readBy' : 'reads';
  drawMatrix();
  show();
});

async function choose(next: PageHead): Promise<void> {
  head = next;
  const unpacked = await patternOf(next);
  // Another may have been chosen meanwhile.
  if (head !== next) return;
  pattern = unpacked;
  drawMatrix();
  show();
}

function look(place: Place | undefined): void {
  hovered = place;
  show();
}

function pin(place: Place): void {
  pinned = pinned?.stream === place.stream && pinned.position === place.position ? undefined : place;
  show();
}

function walk(event: KeyboardEvent, stream: number): void {
  const last = data.streams[stream].labels.length - 1;
  const at = cursor?.stream === stream ? cursor.position : pinned?.stream === stream ? pinned.position : -1;
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[
    event.key
  ];
  if (to !== undefined) {
    cursor = { stream, position: Math.max(0, Math.min(last, to)) };
    spans[stream][cursor.position][0]?.scrollIntoView({ block: 'nearest' });
    show();
  } else if (event.key === 'Enter' && cursor !== undefined) pin(cursor);
  else if (event.key === 'Escape') {
    pinned = undefined;
    show();
  } else return;
  event.preventDefault();
}

/** The cell under the pointer. */
function cellAt({ offsetX, offsetY }: PointerEvent | MouseEvent): { query: number; key: number } | undefined {
  if (pattern === undefined) return undefined;
  const query = Math.floor((offsetY / canvas.clientHeight) * pattern.numQueries);
  const key = Math.floor((offsetX / canvas.clientWidth) * pattern.numKeys);
  return query >= 0 && query < pattern.numQueries && key >= 0 && key < pattern.numKeys ? { query, key } : undefined;
}

function placeAt(event: PointerEvent | MouseEvent): Place | undefined {
  const cell = cellAt(event);
  if (cell === undefined) return undefined;
  return direction === 'reads'
    ? { stream: head.component.queryStream, position: cell.query }
    : { stream: head.component.keyStream, position: cell.key };
}
canvas.addEventListener('pointermove', (event) => look(placeAt(event)));
canvas.addEventListener('pointerleave', () => look(undefined));
canvas.addEventListener('click', (event) => {
  const place = placeAt(event);
  if (place !== undefined) pin(place);
});

// ---- what is drawn ----

/** What is looked at, in the way that the head can say something of it. */
function lookedAt(): { place: Place; way: Direction; over: number } | undefined {
  const { queryStream, keyStream } = head.component;
  const place = pinned ?? hovered ?? cursor;
  const wanted = [place, hovered, cursor].find((each) => each?.stream === queryStream || each?.stream === keyStream);
  if (wanted === undefined) return undefined;
  const way =
    queryStream === keyStream ? direction : wanted.stream === queryStream ? ('reads' as const) : ('readBy' as const);
  return { place: wanted, way, over: way === 'reads' ? keyStream : queryStream };
}

function depthByte(weight: number, maximum: number): number {
  return Math.round(255 * depthOf(weight, data.scale, maximum, data.ceiling));
}

function show(): void {
  const looked = lookedAt();
  const weights =
    pattern === undefined || looked === undefined ? undefined : weightsOf(pattern, looked.place.position, looked.way);
  const maximum = weights?.reduce((most, weight) => Math.max(most, weight), 0) ?? 0;
  const ramp = data.ramps[looked?.way ?? 'reads'];
  spans.forEach((tokens, stream) =>
    tokens.forEach((parts, position) => {
      const depth = weights !== undefined && looked?.over === stream ? depthByte(weights[position], maximum) : 0;
      for (const part of parts) {
        part.style.backgroundColor = depth > 0 ? ramp.fill[depth] : '';
        part.style.color = depth > 0 ? ramp.text[depth] : '';
        part.classList.toggle('pinned', pinned?.stream === stream && pinned.position === position);
        part.classList.toggle('cursor', cursor?.stream === stream && cursor.position === position);
      }
    }),
  );
  list.replaceChildren();
  if (weights === undefined || looked === undefined) {
    status.textContent = '';
    return;
  }
  const sources = strongest(weights, numListed).map((source) => ({
    ...source,
    name: nameOf({ stream: looked.over, position: source.position }),
  }));
  for (const { name, weight } of sources) {
    const row = make('li', list);
    make('span', row, name, 'name');
    make('span', row, figureNumber(weight), 'number');
    const bar = make('span', row, '', 'bar');
    bar.style.width = `${100 * Math.min(1, weight / data.ceiling)}%`;
    bar.style.backgroundColor = ramp.fill[Math.max(90, depthByte(weight, maximum))];
  }
  const said = filled(looked.way === 'reads' ? words.tokenReads : words.tokenReadBy, nameOf(looked.place));
  const named = sources.slice(0, 3).map(({ name, weight }) => `${name}: ${figureNumber(weight)}`);
  status.textContent = `${said} ${named.length === 0 ? words.nothing : named.join(', ')}`;
}

function drawMatrix(): void {
  if (pattern === undefined) return;
  const { numQueries, numKeys, weights } = pattern;
  [canvas.width, canvas.height] = [numKeys, numQueries];
  canvas.style.aspectRatio = `${numKeys} / ${numQueries}`;
  canvas.setAttribute('aria-label', filled(words.matrix, head.label));
  const image = new ImageData(numKeys, numQueries);
  const fill = data.ramps[direction].fill.map((colour) => parseInt(colour.slice(1), 16));
  for (let query = 0, at = 0; query < numQueries; query++) {
    let maximum = 0;
    for (let key = 0; key < numKeys; key++) maximum = Math.max(maximum, weights[at + key]);
    for (let key = 0; key < numKeys; key++, at++) {
      const colour = fill[depthByte(weights[at], maximum)];
      image.data.set([colour >> 16, (colour >> 8) & 255, colour & 255, 255], 4 * at);
    }
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

choose(head).catch(() => {
  status.textContent = words.needsStreams;
});
