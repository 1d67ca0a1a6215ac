import * as l10n from '@vscode/l10n';
import type { ComponentInfo } from '../src/model/head';
import type { Unit } from '../src/model/metrics/metric';
import { unitOf } from '../src/model/metrics/headTable';
import { metricOf, type MetricId } from '../src/model/metrics/metrics';
import type { TokenStream } from '../src/model/token';
import type { Scale } from '../src/model/viewState';
import { isMetric, type Lack, type Measure, type ShownMeasure } from './state/headViews';
import { shortWeight } from '../src/model/shortWeight';
import { directionWord, formatWeight, readerName, scaleName, tokenName, tokensName } from './words';

/** A metric by what it measures: a name would be a claim about the head. */
export function metricTitle(id: MetricId): string {
  return l10n.t(metricOf(id).title);
}

/** How a metric is defined, for who asks. */
export function metricDefinition(id: MetricId): string {
  return l10n.t(metricOf(id).definition);
}

/** What the tiles can show, in the list of choices. */
export function measureName(measure: Measure): string {
  switch (measure) {
    case 'pattern':
      return l10n.t('patterns');
    case 'row':
      return l10n.t('pinned token’s row');
    case 'pair':
      return l10n.t('one pair’s weight');
    case 'effect':
      return l10n.t('effect of the head');
    default:
      return metricTitle(measure);
  }
}

/** A number of a measure; distances are in tokens. */
export function formatMeasure(measure: Measure, value: number): string {
  if (measure === 'effect') return signedNumber(value);
  return isMetric(measure) && metricOf(measure).unit === 'tokens'
    ? l10n.t('{0} tokens', value.toPrecision(3))
    : formatWeight(value);
}

/** The same in little room. */
export function shortMeasure(measure: Measure, value: number): string {
  if (measure === 'effect') return shortSigned(value);
  if (!isMetric(measure) || metricOf(measure).unit === 'share') return shortWeight(value);
  if (metricOf(measure).unit === 'nats') return value >= 0.995 ? value.toFixed(1) : shortWeight(value);
  return value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

/** A number with its sign, to three significant digits; «–» where there is none yet. */
export function signedNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  return withSign(value, formatWeight(Math.abs(value)));
}

function shortSigned(value: number): string {
  return Number.isNaN(value) ? '' : withSign(value, shortWeight(Math.abs(value)));
}

/** A number with the sign of its size; a bound holds of the number itself: `<.01`, or `>−.01` below zero. */
function withSign(value: number, size: string): string {
  if (size.startsWith('<')) return value < 0 ? `>−${size.slice(1)}` : size;
  return `${value < 0 ? '−' : value > 0 ? '+' : ''}${size}`;
}

/** Numbers with a sign as shares of the largest of them on either side of zero, in [−1, 1]; NaN stays. */
export function sharesOf({ values, ceiling }: Pick<ShownMeasure, 'values' | 'ceiling'>): Float32Array {
  return values.map((value) => (ceiling > 0 ? value / ceiling : value));
}

/** A metric's number in a column under its unit, as many digits for each head. */
export function formatMetric(id: MetricId, component: Pick<ComponentInfo, 'isCausal'>, value: number): string {
  const unit: Unit = unitOf(id, component);
  switch (unit) {
    case 'share':
    case 'nats':
      return value.toFixed(3);
    case 'tokens':
      return value.toFixed(1);
    case 'ratio':
      return value.toFixed(2);
    case 'squaredTokens':
    case 'position':
      return value.toFixed(0);
  }
}

/** What a metric's numbers are in. */
export function unitName(id: MetricId, component: Pick<ComponentInfo, 'isCausal'>): string {
  const unit: Unit = unitOf(id, component);
  switch (unit) {
    case 'share':
      return metricOf(id).causalUnit === 'share' ? l10n.t('share of the largest') : l10n.t('share');
    case 'nats':
      return l10n.t('nats');
    case 'tokens':
      return l10n.t('tokens');
    case 'squaredTokens':
      return l10n.t('tokens²');
    case 'position':
      return l10n.t('token');
    case 'ratio':
      return l10n.t('times');
  }
}

/** What heads are ranked by. */
export function measureTitle(
  { measure, tokens, direction, other }: ShownMeasure,
  streams: readonly TokenStream[],
): string {
  if (measure === 'effect') return l10n.t('Heads by their effect');
  if (isMetric(measure)) return l10n.t('Heads by {0}', metricTitle(measure));
  const name = tokensName(streams, tokens, direction);
  if (other === undefined) return l10n.t('Heads by the strongest that {0} {1}', name, directionWord(direction));
  return `${name} ${directionWord(direction)} ${direction === 'reads' ? tokenName(streams, other) : readerName(streams, other)}`;
}

/** What the tiles show, with unit, scale and ends: they need not be those of the other colours. */
export function measureLegend(
  { measure, component, columns, ceiling, direction }: ShownMeasure,
  numKeys: number,
  numQueries: number,
  scale: Scale,
): string {
  const shared = scaleName(scale === 'row' ? 'absolute' : scale).toLocaleLowerCase();
  if (measure === 'pair') return l10n.t('tiles: this pair in each head, {0}, up to {1}', shared, formatWeight(ceiling));
  if (measure === 'row') {
    const block = Math.ceil((direction === 'reads' ? numKeys : numQueries) / Math.max(1, columns));
    const what =
      direction === 'reads'
        ? l10n.t('tiles: what the pinned token reads in each head, {0}, up to {1}', shared, formatWeight(ceiling))
        : l10n.t('tiles: what reads the pinned token in each head, {0}, up to {1}', shared, formatWeight(ceiling));
    return block > 1 ? `${what}, ${l10n.t('strongest of {0}', block)}` : what;
  }
  const unit = isMetric(measure) ? unitName(measure, component) : l10n.t('share');
  return l10n.t('tiles: {0} ({1}), {2}, up to {3}', measureName(measure), unit, shared, formatWeight(ceiling));
}

/** What is missing for what was chosen. */
export function lackSentence(lack: Lack): string {
  switch (lack) {
    case 'pinned':
      return l10n.t('Pin a token first: click it, or press Enter on it.');
    case 'other':
      return l10n.t('Hover a second token, or hold one with Ctrl + click or H.');
    case 'effect':
      return l10n.t('Open Effects (E) and silence or swap each head in turn first.');
    case 'readers':
      return l10n.t(
        'Not for a text so long: what reads a token would have to be recomputed for all tokens of every head. Choose "Reads", or a pair.',
      );
    case 'metric':
      return l10n.t(
        'This says nothing here: the attention is between two texts, or fewer than eight tokens occur twice.',
      );
  }
}
