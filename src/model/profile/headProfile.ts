import type { MetricId } from '../metrics/metrics';
import type { MetricRow, RelationRow } from './profileFold';

/** The files of a profile's folder that say what heads do. */
export const profileFileNames = [
  'profile.json',
  'heads.parquet',
  'relations.parquet',
  'examples.parquet',
  'files.parquet',
] as const;

/** One of those files, with its bytes. */
export interface ProfileFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a profile is of. */
interface ProfileAbout {
  readonly model: string;
  /** What tells its files from others, as the engine's `modelHash` has it; empty where that is not known. */
  readonly modelHash: string;
  /** The most tokens of a chunk, special ones included. */
  readonly length: number;
  readonly numTexts: number;
  readonly numChunks: number;
  readonly numTokens: number;
}

/** A head and a metric, as a profile's table has it: see {@link MetricRow}. */
export type ProfileMetric = Omit<MetricRow, 'bins' | 'examples' | 'unit' | 'variance'>;

/** A chunk of a text in which a head's metric was high: lines and columns from one. */
export interface ProfileExample {
  readonly component: string;
  readonly layer: number;
  readonly head: number;
  readonly metric: MetricId;
  /** From one. */
  readonly rank: number;
  readonly value: number;
  /** SHA-256 of the text's bytes. */
  readonly hash: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A text that was read. */
interface ProfiledText {
  /** As it was called when it was read: mostly a path. */
  readonly file: string;
  readonly hash: string;
  readonly language: string;
}

/** What each head of a model does over many texts. */
export interface HeadProfile {
  readonly about: ProfileAbout;
  readonly metrics: readonly ProfileMetric[];
  readonly relations: readonly RelationRow[];
  readonly examples: readonly ProfileExample[];
  readonly texts: readonly ProfiledText[];
}
