import * as l10n from '@vscode/l10n';
import { plain } from '../src/base/safeText';
import {
  headLabel,
  headsOf,
  isDerived,
  isRecomputed,
  type ComponentInfo,
  type HeadRef,
  type HeadSelection,
} from '../src/model/head';
import { methodOf, type MethodId } from '../src/model/methods';
import { anyPatchAt } from '../src/model/patchGrid';
import type { Direction } from '../src/model/pattern';
import { visibleNext, visibleText, type TokenRef, type TokenStream, type Units } from '../src/model/token';
import { isNamedByLines, tokensOfUnit } from '../src/model/units';
import type { Scale } from '../src/model/viewState';
import { stageSentences } from '../src/model/stage';
import type { PatternForm } from '../src/model/patternForm';
import type { Progress } from '../src/protocol';

/** A weight to three significant digits, of what is too little to matter only that. */
export function formatWeight(weight: number): string {
  if (!(weight > 0)) return '0';
  if (weight >= 1000) return weight.toFixed(0);
  return weight < 0.001 ? '<0.001' : weight.toPrecision(3);
}

/** A difference of weights to three significant digits, with its sign; precisions of a model differ by little, which is told. */
export function formatChange(difference: number): string {
  const size = Math.abs(difference);
  if (size === 0) return '0';
  const digits = size >= 1e-4 ? size.toPrecision(3) : size.toExponential(1).replace('-', '−');
  return `${difference < 0 ? '−' : '+'}${digits}`;
}

/** A number as a form shows it: a weight, or a difference of weights. */
export function formatShown(number: number, { compared }: Pick<PatternForm, 'compared'>): string {
  return compared === 'difference' ? formatChange(number) : formatWeight(number);
}

/** The same with all that is known of it, for who asks. */
export function exactWeight(weight: number): string {
  return weight > 0 && weight < 1e-4 ? weight.toExponential(2) : weight.toPrecision(4);
}

const fromTheRight = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A text of its own direction, told apart from what stands around it: else the number after it would change sides. */
function isolated(text: string): string {
  return fromTheRight.test(text) ? `\u2068${text}\u2069` : text;
}

/** A token by its text and position: `"fib" (57)`; of a picture, a patch by its row and column from one. */
export function tokenName(streams: readonly TokenStream[], { stream, position }: TokenRef): string {
  const found = streams[stream];
  if (found?.grid !== undefined) {
    const patch = anyPatchAt(found.grid, position);
    if (patch?.isOfThumbnail === true) return l10n.t('thumbnail row {0}, column {1}', patch.row + 1, patch.column + 1);
    if (patch !== undefined) return l10n.t('patch row {0}, column {1}', patch.row + 1, patch.column + 1);
    // What of a text is read with the picture is named as in a text.
    const token = found.tokens[position];
    if (token === undefined || token.isSpecial) return plain(token?.piece ?? `(${position})`);
  }
  if (found?.units !== undefined) return unitName(found, found.units, position);
  return found === undefined ? `(${position})` : `"${isolated(visibleText(found, position))}" (${position})`;
}

/** A word by its text and tokens: `"fibonacci" (12–14)`; a line or a symbol by its text and lines: `"return x" (line 7)`. */
function unitName(stream: TokenStream, units: Units, unit: number): string {
  const characters = [...visibleText(stream, unit)];
  const text =
    characters.length > mostOfUnit ? `${characters.slice(0, mostOfUnit - 1).join('')}…` : characters.join('');
  const name = `"${isolated(text)}"`;
  const [from, to] = tokensOfUnit(units, unit);
  if (!isNamedByLines(stream, unit)) return to - from > 1 ? `${name} (${from}–${to - 1})` : `${name} (${from})`;
  const [first, last] = units.lines[unit];
  return first === last
    ? l10n.t('{0} (line {1})', name, first + 1)
    : l10n.t('{0} (lines {1}–{2})', name, first + 1, last + 1);
}

/** A token that reads: one of a target with what comes after it, which the model is about to write when it reads there. */
export function readerName(streams: readonly TokenStream[], token: TokenRef): string {
  const stream = streams[token.stream];
  const following = stream === undefined ? undefined : visibleNext(stream, token.position);
  const next = following === undefined ? undefined : isolated(following);
  const name = tokenName(streams, token);
  if (next === undefined) return name;
  return stream?.target?.isWritten === true
    ? l10n.t('{0} predicting "{1}"', name, next)
    : l10n.t('{0} before "{1}"', name, next);
}

/** Of more tokens than this only the first ones and the last are named. */
const mostNamed = 4;
/** Characters of a word, line or symbol that are shown. */
const mostOfUnit = 40;
/** Characters of a stretch of text that are shown. */
const mostOfStretch = 24;

/** Neighbours of a text by what they are together: `"cache[n]" (61–64)`; undefined for others. */
function stretchName(streams: readonly TokenStream[], tokens: readonly TokenRef[]): string | undefined {
  const [{ stream: index }] = tokens;
  const stream = streams[index];
  const positions = tokens.map(({ position }) => position).sort((a, b) => a - b);
  const [first] = positions;
  if (
    stream === undefined ||
    stream.grid !== undefined ||
    stream.units !== undefined ||
    tokens.some((token) => token.stream !== index) ||
    positions.some((position, i) => position !== first + i)
  )
    return undefined;
  const characters = [...positions.map((position) => visibleText(stream, position)).join('')];
  const half = mostOfStretch / 2;
  const text =
    characters.length > mostOfStretch
      ? `${characters.slice(0, half).join('')}…${characters.slice(-half + 1).join('')}`
      : characters.join('');
  return `"${isolated(text)}" (${first}–${positions.at(-1)})`;
}

/** Several tokens as one: the mean of their rows; a single one that reads is named with what comes after it. */
export function tokensName(
  streams: readonly TokenStream[],
  tokens: readonly TokenRef[],
  direction: Direction = 'readBy',
): string {
  const [first] = tokens;
  if (first === undefined) return '';
  if (tokens.length === 1) return direction === 'reads' ? readerName(streams, first) : tokenName(streams, first);
  const stretch = stretchName(streams, tokens);
  if (stretch !== undefined) return l10n.t('mean of {0} tokens: {1}', tokens.length, stretch);
  const all = tokens.map((token) => tokenName(streams, token));
  const names = all.length > mostNamed ? `${all.slice(0, mostNamed - 1).join(', ')} … ${all.at(-1)}` : all.join(', ');
  const level = streams[first.stream]?.units?.level;
  if (level === 'word') return l10n.t('mean of {0} words: {1}', tokens.length, names);
  if (level === 'line') return l10n.t('mean of {0} lines: {1}', tokens.length, names);
  if (level === 'symbol') return l10n.t('mean of {0} symbols: {1}', tokens.length, names);
  return streams[first.stream]?.grid === undefined
    ? l10n.t('mean of {0} tokens: {1}', tokens.length, names)
    : l10n.t('mean of {0} patches: {1}', tokens.length, names);
}

/** «reads» or «is read by». */
export function directionWord(direction: Direction): string {
  return direction === 'reads' ? l10n.t('reads') : l10n.t('is read by');
}

/** What is shown, by name: `head 3.5`, `mean of layer 3 (12 heads)`, `maximum of 4 heads`. */
export function selectionName({ heads, aggregation }: HeadSelection, component: ComponentInfo): string {
  const [first] = heads;
  if (first === undefined) return '';
  if (component.areHeadsJoined === true) return joinedName(heads, aggregation);
  if (heads.length === 1) return l10n.t('head {0}', headLabel(first));
  const isMean = aggregation === 'mean';
  if (heads.length === headsOf(component).length)
    return isMean ? l10n.t('mean of all {0} heads', heads.length) : l10n.t('maximum of all {0} heads', heads.length);
  if (heads.every(({ layer }) => layer === first.layer) && heads.length === component.layers[first.layer]?.numHeads)
    return isMean
      ? l10n.t('mean of layer {0} ({1} heads)', first.layer, heads.length)
      : l10n.t('maximum of layer {0} ({1} heads)', first.layer, heads.length);
  return isMean ? l10n.t('mean of {0} heads', heads.length) : l10n.t('maximum of {0} heads', heads.length);
}

/** Layers whose heads are one matrix. */
function joinedName(heads: readonly HeadRef[], aggregation: HeadSelection['aggregation']): string {
  if (heads.length === 1) return l10n.t('layer {0}, all heads together', heads[0].layer);
  return aggregation === 'mean'
    ? l10n.t('mean of {0} layers, all heads together', heads.length)
    : l10n.t('maximum of {0} layers, all heads together', heads.length);
}

/** What the numbers shown are: attention weights, for linear attention what stands for them, or what a method makes of them. */
export function methodName(selection: HeadSelection, component: ComponentInfo, method: MethodId): string {
  if (method !== 'attention') return l10n.t(methodOf(method).title);
  const name = isDerived(selection, [component])
    ? l10n.t('derived: φ(q)φ(k)ᵀ, normalised')
    : l10n.t('attention weight');
  return isRecomputed(selection, [component]) ? l10n.t('{0}, recomputed when it is looked at', name) : name;
}

/** A component's name on its tab: a stage's is its grids of patches. */
export function componentName(
  { component, queryStream, keyStream }: ComponentInfo,
  streams: readonly TokenStream[],
): string {
  switch (component) {
    case 'encoder':
      return l10n.t('Encoder');
    case 'decoder':
      return l10n.t('Decoder');
    case 'cross':
      return l10n.t('Cross-attention');
    case 'self':
      return l10n.t('Self-attention');
    default: {
      const name = gridName(streams[queryStream]);
      return queryStream === keyStream ? name : l10n.t('{0} read {1}', name, gridName(streams[keyStream]));
    }
  }
}

/** A stream of a picture by the rows and columns of its patches, or by how many queries of the model's own it is. */
export function gridName(stream: TokenStream | undefined): string {
  const grid = stream?.grid;
  if (grid?.rows === 0)
    return stream?.tokens.length === 1
      ? l10n.t('one learned query')
      : l10n.t('{0} learned queries', stream?.tokens.length ?? 0);
  return l10n.t('{0} × {1} patches', grid?.rows ?? 0, grid?.columns ?? 0);
}

/** What the engine is doing, with the layer that it is at. */
export function progressName({ stage, layers }: Progress): string {
  if (layers === undefined || layers.of === 0) return l10n.t(stageSentences[stage]);
  return l10n.t('Running the model: layer {0} (0–{1})', Math.min(layers.done, layers.of - 1), layers.of - 1);
}

/** What is waited for before heads can be drawn: layers of a run that is under way; empty where none is. */
export function awaitedName(layers: readonly number[]): string {
  if (layers.length === 0) return '';
  return layers.length === 1
    ? l10n.t('Layer {0} is still to come…', layers[0])
    : l10n.t('Layers {0} are still to come…', layers.join(', '));
}

/** A scale by name. */
export function scaleName(scale: Scale): string {
  switch (scale) {
    case 'absolute':
      return l10n.t('Absolute');
    case 'row':
      return l10n.t('By row');
    case 'log':
      return l10n.t('Logarithmic');
  }
}
