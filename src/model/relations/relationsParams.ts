import type { RelationPairs, RelationTable } from './relation';
import type { KnownDefinition } from './relationPairs';

/** A program that a run is of, as the engine is told of it. */
export interface Program {
  /** VS Code's name of its language. */
  readonly language: string;
  readonly text: string;
  /** Where the tokens stand in it; those that stand for no text begin where they end. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** What language servers know. */
  readonly definitions: readonly KnownDefinition[];
}

/** What a head is measured by along relations: its weights, or norm-weighted attention. */
export const relationMethods = ['attention', 'norm'] as const;
/** One of them. */
export type RelationMethod = (typeof relationMethods)[number];

/** What heads read along the relations of a program, and the pairs of each relation. */
export interface RelationsResult {
  readonly table: RelationTable;
  readonly pairs: readonly RelationPairs[];
}
