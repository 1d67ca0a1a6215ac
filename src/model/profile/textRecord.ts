import { metrics, type MetricId } from '../metrics/metrics';
import type { HeadMetric } from '../metrics/metric';

/** The metrics of a profile: all that the sums over a pattern tell. */
export const profileMetrics: readonly MetricId[] = metrics
  .filter(({ ofTotals }: HeadMetric) => ofTotals !== undefined)
  .map(({ id }) => id);

/** Where a chunk begins and ends in its text, lines and columns from one, and its tokens, special ones included. */
export type ChunkPlace = readonly [line: number, column: number, endLine: number, endColumn: number, tokens: number];

/** What stands for each relation of a head, in this order: see `HeadRelations.totals`. */
export const relationTotals = ['weight', 'baseline', 'matched'] as const;

/** What the heads of a component did over the chunks of one text. Heads in reading order. */
export interface ComponentRecord {
  readonly component: string;
  /** Heads of each layer. */
  readonly numHeads: readonly number[];
  readonly isCausal: boolean;
  /** `values[(chunk * heads + head) * metrics + metric]`, the metrics being {@link profileMetrics}; NaN where one says nothing. */
  readonly values: Float32Array;
  /** The same of a head that reads all that it can alike: `uniform[chunk * metrics + metric]`. */
  readonly uniform: Float32Array;
  /** Queries of each class. */
  readonly classQueries: Float64Array;
  /** Sums over the queries of a class of the share of another class among what they can read: `[class of the query * classes + class of the key]`. */
  readonly classShares: Float64Array;
  /** Sums of weights: `[(head * classes + class of the query) * classes + class of the key]`. */
  readonly classWeights: Float64Array;
  /** Queries and pairs of each relation, and sums `[(head * relations + relation) * 3 + n]` of {@link relationTotals}; empty where the text was not parsed. */
  readonly relationQueries: Float64Array;
  readonly relationPairs: Float64Array;
  readonly relationSums: Float64Array;
}

/** What a model did over one text. Of the same text, model and settings always the same. */
export interface TextRecord {
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
  /** The grammar that it was parsed by, by its ending or as it was told; empty where there is none. */
  readonly language: string;
  readonly chunks: readonly ChunkPlace[];
  readonly components: readonly ComponentRecord[];
  /** The texts of the chunks, where somebody asked for them. */
  readonly texts?: readonly string[];
}

/** Tells a text from others: the same bytes in another language are another text, as they are parsed otherwise. */
export function textKey({ hash, language }: Pick<TextRecord, 'hash' | 'language'>): string {
  return language === '' ? hash : `${hash}:${language}`;
}
