import type { PlainText } from '../../base/safeText';
import type { MetricId } from '../metrics/metrics';
import type { HeadName } from './headNames';
import type { ProfileColumn } from './profileColumns';

/** What each head of a component does over many texts. */
export interface PanelProfile {
  /** What it is called, and what it is of. Localised. */
  readonly title: PlainText;
  readonly about: PlainText;
  /** Why its numbers may not hold of the model in use, where they may not. Localised. */
  readonly warning?: PlainText | undefined;
  readonly columns: readonly ProfileColumn[];
  /** What heads are found to do, by stated thresholds. */
  readonly names: readonly HeadName[];
  /** The chunks in which a metric was highest, strongest first. */
  readonly examples: readonly PanelExample[];
  /** A profile that it is compared with. */
  readonly other?: { readonly title: PlainText; readonly columns: readonly ProfileColumn[] } | undefined;
}

/** A chunk of a text in which a head's metric was high. */
export interface PanelExample {
  readonly layer: number;
  readonly head: number;
  readonly metric: MetricId;
  readonly rank: number;
  readonly value: number;
  /** Where it stands: the text's name and lines. */
  readonly file: PlainText;
  readonly line: number;
  readonly endLine: number;
}
