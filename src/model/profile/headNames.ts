import { metricOf, type MetricId } from '../metrics/metrics';
import { relationTitles, type RelationId } from '../relations/relation';
import type { ProfileMetric } from './headProfile';
import type { RelationRow } from './profileFold';

/** What a head must reach to be named: at least so much, and at least so many times as much as its baseline. */
interface Threshold {
  readonly least: number;
  readonly ratio: number;
}

/** Metrics that name a head. The baseline is a head that reads all that it can alike. */
const ofMetrics: Readonly<Partial<Record<MetricId, Threshold>>> = {
  previousToken: { least: 0.5, ratio: 5 },
  repeatedInduction: { least: 0.3, ratio: 5 },
  duplicateToken: { least: 0.3, ratio: 5 },
  self: { least: 0.5, ratio: 5 },
  sinkMass: { least: 0.5, ratio: 5 },
  delimiters: { least: 0.6, ratio: 2 },
};

/** Relations that name a head. The baseline is other pairs just as far apart. */
const ofRelations: Readonly<Partial<Record<RelationId, Threshold>>> = {
  matchingBracket: { least: 0.3, ratio: 5 },
  previousOccurrence: { least: 0.3, ratio: 5 },
  definition: { least: 0.3, ratio: 5 },
  blockHeader: { least: 0.3, ratio: 3 },
  indentationAbove: { least: 0.3, ratio: 5 },
};

/** Over fewer chunks, or pairs of a relation, no head is named. */
const leastChunks = 10;
const leastPairs = 100;

/** What a head is found to do, beside the numbers that say so. */
export interface HeadName {
  readonly component: string;
  readonly layer: number;
  readonly head: number;
  /** The title of the metric or relation. */
  readonly name: string;
  /** Of a relation the language in which it was found; empty for a metric. */
  readonly language: string;
  readonly value: number;
  readonly baseline: number;
  readonly ratio: number;
  /** What value and ratio had to reach. */
  readonly leastValue: number;
  readonly leastRatio: number;
}

/** The names of heads by a profile: all whose value and ratio to a baseline pass the thresholds, heads in their order. */
export function headNames(metrics: readonly ProfileMetric[], relations: readonly RelationRow[]): HeadName[] {
  const found = [
    ...metrics.flatMap(({ component, layer, head, metric, count, mean, uniform }) => {
      const threshold = Object.hasOwn(ofMetrics, metric) ? ofMetrics[metric] : undefined;
      if (threshold === undefined || count < leastChunks) return [];
      const numbers = { value: mean, baseline: uniform, ratio: uniform > 0 ? mean / uniform : NaN };
      return passing(threshold, { component, layer, head, name: metricOf(metric).title, language: '', ...numbers });
    }),
    ...relations.flatMap(({ component, layer, head, relation, language, pairs, share, baseline, ratio }) => {
      const threshold = Object.hasOwn(ofRelations, relation) ? ofRelations[relation] : undefined;
      if (threshold === undefined || pairs < leastPairs) return [];
      const numbers = { value: share, baseline, ratio };
      return passing(threshold, { component, layer, head, name: relationTitles[relation], language, ...numbers });
    }),
  ];
  return found
    .map((each, index) => ({ each, index }))
    .sort(
      (a, b) =>
        (a.each.component < b.each.component ? -1 : a.each.component > b.each.component ? 1 : 0) ||
        a.each.layer - b.each.layer ||
        a.each.head - b.each.head ||
        a.index - b.index,
    )
    .map(({ each }) => each);
}

function passing({ least, ratio }: Threshold, name: Omit<HeadName, 'leastValue' | 'leastRatio'>): readonly HeadName[] {
  return name.value >= least && name.ratio >= ratio ? [{ ...name, leastValue: least, leastRatio: ratio }] : [];
}
