import { delimiters } from './delimiters';
import { distance } from './distance';
import { distanceVariance } from './distanceVariance';
import { duplicateToken } from './duplicateToken';
import { entropy } from './entropy';
import { entropyInNats } from './entropyInNats';
import { induction } from './induction';
import type { HeadMetric } from './metric';
import { normShare } from './normShare';
import { previousToken } from './previousToken';
import { reads, readsBaseline, readsRatio } from './reads';
import { repeatedInduction } from './repeatedInduction';
import { self } from './self';
import { sinkKey, sinkMass } from './sink';

/**
 * Every number that is known of a head, those that most look for first. A new one is an object in a file of its own and a line here: the panel, the
 * command line, the list of heads and the documentation (`node scripts/metrics.mjs`) have it then.
 */
export const metrics = [
  repeatedInduction,
  induction,
  previousToken,
  duplicateToken,
  self,
  sinkMass,
  sinkKey,
  delimiters,
  entropy,
  entropyInNats,
  distance,
  distanceVariance,
  normShare,
  reads,
  readsBaseline,
  readsRatio,
] as const satisfies readonly HeadMetric[];

/** The name of a metric. */
export type MetricId = (typeof metrics)[number]['id'];

/** The names of all metrics, in order. */
export const metricIds: readonly MetricId[] = metrics.map(({ id }) => id);

const byId = new Map<MetricId, HeadMetric>(metrics.map((metric) => [metric.id, metric]));

/** A metric by its name. */
export function metricOf(id: MetricId): HeadMetric {
  const found = byId.get(id);
  if (found === undefined) throw new RangeError(`There is no metric ${id}`);
  return found;
}
