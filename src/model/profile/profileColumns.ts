import { headsOf, indexOfHead, type ComponentInfo } from '../head';
import { metricIds, metricOf, type MetricId } from '../metrics/metrics';
import { relationIds, relationTitles, type RelationId } from '../relations/relation';
import type { HeadProfile } from './headProfile';
import { decileNames } from './profileFold';

/** A number of each head of a component over the texts of a profile, heads in reading order; NaN where there is none. */
export interface ProfileColumn {
  /** A metric over all texts, or a relation over those in a language. */
  readonly id: MetricId | RelationId;
  /** Empty of a metric. */
  readonly language: string;
  /** Means: of a metric over chunks, of a relation over queries. */
  readonly values: Float32Array;
  /** Chunks, or pairs. */
  readonly counts: Float32Array;
  /** Of a metric what a head has that reads all alike, of a relation what others just as far apart have. */
  readonly baselines: Float32Array;
  readonly ratios: Float32Array;
  /** `deciles[head * 9 + n]`; empty of a relation. */
  readonly deciles: Float32Array;
}

/** Tells a column from others. */
export function columnKey({ id, language }: Pick<ProfileColumn, 'id' | 'language'>): string {
  return language === '' ? id : `${id}/${language}`;
}

/** What a metric or relation is called, in English. */
export function columnTitle({ id }: Pick<ProfileColumn, 'id'>): string {
  return isRelation(id) ? relationTitles[id] : metricOf(id).title;
}

/** Whether a column is of a relation. */
export function isRelation(id: MetricId | RelationId): id is RelationId {
  return Object.hasOwn(relationTitles, id);
}

/** The columns that a profile has of a component: metrics that heads are told apart by, then the relations of each language. */
export function profileColumns({ metrics, relations }: HeadProfile, component: ComponentInfo): ProfileColumn[] {
  const numHeads = headsOf(component).length;
  const columns = new Map<string, ProfileColumn>();
  const of = (id: MetricId | RelationId, language: string, perHead: number): ProfileColumn => {
    const key = columnKey({ id, language });
    const known = columns.get(key);
    if (known !== undefined) return known;
    const empty = (): Float32Array => new Float32Array(numHeads).fill(NaN);
    const made: ProfileColumn = {
      ...{ id, language, values: empty(), counts: new Float32Array(numHeads), baselines: empty(), ratios: empty() },
      deciles: new Float32Array(numHeads * perHead).fill(NaN),
    };
    columns.set(key, made);
    return made;
  };
  for (const { component: own, layer, head, metric, count, mean, uniform, deciles } of metrics) {
    const at = indexOfHead(component, { layer, head });
    // A place in one text says nothing of others.
    if (own !== component.component || at < 0 || metricOf(metric).unit === 'position') continue;
    const column = of(metric, '', decileNames.length);
    column.values[at] = mean;
    column.counts[at] = count;
    column.baselines[at] = uniform;
    column.ratios[at] = uniform > 0 ? mean / uniform : NaN;
    column.deciles.set(deciles, at * decileNames.length);
  }
  for (const { component: own, layer, head, language, relation, pairs, share, baseline, ratio } of relations) {
    const at = indexOfHead(component, { layer, head });
    if (own !== component.component || at < 0 || pairs === 0) continue;
    const column = of(relation, language, 0);
    column.values[at] = share;
    column.counts[at] = pairs;
    column.baselines[at] = baseline;
    column.ratios[at] = ratio;
  }
  const rank = ({ id }: ProfileColumn): number => (isRelation(id) ? relationIds.indexOf(id) : metricIds.indexOf(id));
  return [...columns.values()].sort(
    (a, b) => (a.language < b.language ? -1 : a.language > b.language ? 1 : 0) || rank(a) - rank(b),
  );
}

/** The languages of a profile's relations, in order. */
export function profileLanguages(columns: readonly ProfileColumn[]): string[] {
  return [...new Set(columns.map(({ language }) => language))].filter((language) => language !== '');
}

/** Of each head the one column less the other; undefined where the other profile has none. */
export function columnDifference(column: ProfileColumn, other: ProfileColumn | undefined): Float32Array | undefined {
  return other && column.values.map((value, at) => value - other.values[at]);
}

/** Whether a profile is of a model with these heads. */
export function fitsHeads({ metrics }: Pick<HeadProfile, 'metrics'>, components: readonly ComponentInfo[]): boolean {
  const most = new Map<string, Map<number, number>>();
  for (const { component, layer, head } of metrics) {
    const layers = most.get(component) ?? new Map<number, number>();
    layers.set(layer, Math.max(layers.get(layer) ?? 0, head + 1));
    most.set(component, layers);
  }
  return [...most].every(([name, layers]) => {
    const own = components.find(({ component }) => component === name)?.layers;
    return own?.length === layers.size && own.every(({ numHeads }, layer) => (layers.get(layer) ?? 0) === numHeads);
  });
}
