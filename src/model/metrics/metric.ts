import type { ComponentInfo } from '../head';
import type { HeadRows } from './headRows';
import type { MetricText } from './metricText';
import type { PatternTotals } from './patternTotals';

/** What a metric's numbers are in: `position` is a token's place in its text, `ratio` how many times as much. */
export type Unit = 'share' | 'nats' | 'tokens' | 'squaredTokens' | 'position' | 'ratio';

/** What a metric reads beside the weights: ids of tokens, which of them are delimiters, the tokens that someone asked about, or, in the place of the weights, norm-weighted attention. */
type Need = 'ids' | 'delimiters' | 'asked' | 'norms';

/** One row of a head's pattern after another becomes one number. */
export interface HeadSum {
  /** Takes the next row; rows come in order, each once. */
  add(rows: HeadRows): void;
  /** The number, once all rows were taken; NaN where it says nothing of this head. */
  value(): number;
}

/** A number for each head of a component, over one text. */
export interface HeadMetric {
  /** Its name in protocol, state and JSON. */
  readonly id: string;
  /** What it measures, in few English words: not what a head would be, which would be a claim. The editor shows its translation. */
  readonly title: string;
  /** One English sentence. The editor shows its translation. */
  readonly definition: string;
  /** A is the pattern, i a query, j and k keys, n the number of queries, x the ids of tokens. */
  readonly formula: string;
  /** Who defined it, and where. */
  readonly source: string;
  readonly unit: Unit;
  /** The unit of causal heads, where it is another. */
  readonly causalUnit?: Unit;
  readonly needs: readonly Need[];
  /** Whether its strongest head is worth to be shown before others: what is spread or far is no finding. */
  readonly isFinding?: boolean;
  /** Whether it is a detail of the metric before it, by which nobody would look for heads. */
  readonly isDetail?: boolean;
  /** Whether its numbers are divided by their sum over the heads of the layer. */
  readonly isShareOfLayer?: boolean;
  /** Whether it can be had of a component at all. */
  applies(component: ComponentInfo): boolean;
  /** How many rows of a text's pattern stand behind it, and with how few it says nothing. */
  rows(text: MetricText): number;
  readonly leastRows: number;
  /** Begins with a head, whose pattern has this shape. */
  compute(text: MetricText, shape: HeadShape): HeadSum;
  /** The same number from what was added up over the whole pattern, which is quicker over many texts: profiles have the metrics that have this. */
  ofTotals?(totals: PatternTotals, text: MetricText): number;
}

/** The shape of a head's pattern. */
export interface HeadShape {
  readonly numQueries: number;
  readonly numKeys: number;
}

/** Positions of queries and keys can be compared where they are those of one text. */
export function isWithinOneText({ queryStream, keyStream }: ComponentInfo): boolean {
  return queryStream === keyStream;
}

/** The mean of a number of each row, over all rows or over those that count. */
export function meanOver(value: (rows: HeadRows) => number, counts?: (rows: HeadRows) => boolean): HeadSum {
  let sum = 0;
  let count = 0;
  return {
    add: (rows) => {
      if (counts !== undefined && !counts(rows)) return;
      sum += value(rows);
      count++;
    },
    value: () => (count > 0 ? sum / count : 0),
  };
}
