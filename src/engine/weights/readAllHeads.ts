import { Turns } from '../../base/turns';
import { countsInMean } from '../../model/lighting';
import { MetricSums, normMetrics, type HeadTable } from '../../model/metrics/headTable';
import { metricOf, type MetricId } from '../../model/metrics/metrics';
import { MetricText, type MetricTextData } from '../../model/metrics/metricText';
import { meanOf, poolRows, poolSigned } from '../../model/pattern';
import type { CausalParams, HeadRows, HeadRowsParams, PairParams } from '../../protocol';
import type { HeldLayer } from './heldLayer';
import { bandRows } from './readBlock';

/** The mean weight between queries and keys in every head of layers, in reading order. Throws the signal's reason. */
export async function readPairs(
  layers: readonly HeldLayer[],
  { queries, keys }: Pick<PairParams, 'queries' | 'keys'>,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const turns = new Turns(signal);
  const weights: number[] = [];
  for (const layer of layers) {
    for (let head = 0; head < layer.numHeads; head++) {
      let sum = 0;
      for (const query of queries) {
        // A row, also where many queries read one key: a column of what is recomputed is all of it.
        const row = await layer.rows(head, query, query + 1, signal);
        for (const key of keys) sum += row[key];
      }
      weights.push(sum / (queries.length * keys.length));
      if (turns.isDue) await turns.give();
    }
  }
  return Float32Array.from(weights);
}

/** What tokens read, or what reads them, in every head of layers: their mean, reduced by maximum to at most `size` numbers. Throws the signal's reason. */
export async function readHeadRows(
  layers: readonly HeldLayer[],
  { positions, direction, mean, size, isCausal }: Omit<HeadRowsParams & CausalParams, 'runId' | 'component'>,
  signal?: AbortSignal,
): Promise<HeadRows> {
  const turns = new Turns(signal);
  const lengthOf = (layer: HeldLayer): number => (direction === 'reads' ? layer.numKeys : layer.numQueries);
  const columns = Math.max(0, ...layers.map((layer) => Math.min(size, lengthOf(layer))));
  const maxima = new Float32Array(columns * layers.reduce((sum, { numHeads }) => sum + numHeads, 0));
  const counts = countsInMean(
    { isCausal },
    { tokens: positions.map((position) => ({ stream: 0, position })), direction },
    mean,
  );
  let at = 0;
  for (const layer of layers) {
    const length = lengthOf(layer);
    for (let head = 0; head < layer.numHeads; head++, at += columns) {
      const vectors: Float32Array[] = [];
      for (const position of positions) {
        vectors.push(
          direction === 'reads'
            ? await layer.rows(head, position, position + 1, signal)
            : await layer.column(head, position, signal),
        );
        if (turns.isDue) await turns.give();
      }
      const pooled = {
        numQueries: 1,
        numKeys: Math.min(columns, length),
        weights: maxima.subarray(at, at + Math.min(columns, length)),
      };
      const mean = meanOf(vectors, counts);
      (layer.isSigned === true ? poolSigned : poolRows)(pooled, { numQueries: 1, numKeys: length }, 0, mean);
    }
  }
  return { columns, maxima };
}

/**
 * Metrics of every head of layers over a text, in reading order. Throws the signal's reason.
 * @param norms the layers as norm-weighted attention, for metrics that need it.
 */
export async function readHeadTable(
  layers: readonly HeldLayer[],
  metrics: readonly MetricId[],
  data: MetricTextData,
  { signal, norms }: { readonly signal?: AbortSignal | undefined; readonly norms?: readonly HeldLayer[] } = {},
): Promise<HeadTable> {
  const turns = new Turns(signal);
  const text = new MetricText(data);
  const ofNorms = new Set(metrics.filter((id) => normMetrics.includes(id)));
  const ofWeights = metrics.filter((id) => !ofNorms.has(id));
  const measure = async (ids: readonly MetricId[], layer: HeldLayer, head: number): Promise<number[]> => {
    if (ids.length === 0) return [];
    const sums = new MetricSums(ids, text, layer);
    for (let from = 0; from < layer.numQueries; from += bandRows) {
      sums.add(from, await layer.rows(head, from, Math.min(layer.numQueries, from + bandRows), signal));
      if (turns.isDue) await turns.give();
    }
    return sums.values();
  };
  const values = new Float32Array(layers.reduce((sum, { numHeads }) => sum + numHeads, 0) * metrics.length);
  let first = 0;
  for (const [number, layer] of layers.entries()) {
    const weighed = norms?.[number];
    for (let head = 0; head < layer.numHeads; head++) {
      const own = await measure(ofWeights, layer, head);
      const written = weighed === undefined ? [] : await measure([...ofNorms], weighed, head);
      const start = (first + head) * metrics.length;
      metrics.forEach((id, at) => (values[start + at] = (ofNorms.has(id) ? written : own).shift() ?? NaN));
    }
    metrics.forEach((id, at) => {
      if (metricOf(id).isShareOfLayer !== true) return;
      const places = Array.from({ length: layer.numHeads }, (_, head) => (first + head) * metrics.length + at);
      const sum = places.reduce((total, place) => total + values[place], 0);
      for (const place of places) values[place] = sum > 0 ? values[place] / sum : NaN;
    });
    first += layer.numHeads;
  }
  return { metrics, values };
}
