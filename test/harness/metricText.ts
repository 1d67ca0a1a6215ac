import type { MetricTextData } from '../../src/model/metrics/metricText';

/** A text of tokens with these ids, none of them a delimiter. */
export function textOf(ids: ArrayLike<number>, isCausal = true): MetricTextData {
  return { isCausal, ids: Int32Array.from(ids), delimiters: new Uint8Array(ids.length), isPicture: false };
}
