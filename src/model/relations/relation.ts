/** The relations between the tokens of a program, in the order in which they are listed. */
export const relationIds = [
  'matchingBracket',
  'previousOccurrence',
  'definition',
  'blockHeader',
  'sameStatement',
  'sameLine',
  'indentationAbove',
] as const;
/** One of them. */
export type RelationId = (typeof relationIds)[number];

/** What each relation is, in one English sentence; the editor shows its translation. */
export const relationSentences: Readonly<Record<RelationId, string>> = {
  matchingBracket: 'From a bracket to the one that it closes, or that closes it.',
  previousOccurrence: 'From a name to where the same name stands last before it.',
  definition: 'From a name to where it is defined.',
  blockHeader:
    'From what is in a block to the header of the innermost one: the line of its function, class, loop or condition.',
  sameStatement: 'To the other tokens of the innermost statement.',
  sameLine: 'To the other tokens of the line.',
  indentationAbove: 'From the blanks that a line begins with to those of the line above.',
};

/** The titles of relations in English; the editor shows their translation. */
export const relationTitles: Readonly<Record<RelationId, string>> = {
  matchingBracket: 'matching bracket',
  previousOccurrence: 'previous occurrence of the name',
  definition: 'definition of the name',
  blockHeader: 'header of the block',
  sameStatement: 'same statement',
  sameLine: 'same line',
  indentationAbove: 'indentation above',
};

/** The pairs of tokens that are in a relation: query `queries[n]` with the keys from `ends[n − 1]` (0 for the first) to `ends[n]`. Queries and the keys of each are in order and distinct. */
export interface RelationPairs {
  readonly queries: Int32Array;
  readonly ends: Int32Array;
  readonly keys: Int32Array;
}

/** Fewer pairs than this say nothing of a head. */
export const leastPairs = 10;

/** What stands in a table for each head and relation, in this order. */
export const relationValues = ['share', 'baseline', 'ratio', 'low', 'high'] as const;

/**
 * What heads read along relations: `values[(head * relations.length + relation) * 5 + n]`, of which `share` is the mean over queries of the sum of A_ij over
 * the query's keys, `baseline` the same of other pairs just as far apart, `ratio` the one by the other, and `low` and `high` the ends of its 95 % interval. NaN
 * where fewer than {@link leastPairs} pairs stand behind a ratio, or nothing to compare with.
 */
export interface RelationTable {
  readonly relations: readonly RelationId[];
  /** Of each relation, how many pairs there are. */
  readonly numPairs: readonly number[];
  readonly values: Float32Array;
}
