import { meanOver, type HeadMetric } from './metric';

/** How spread a head reads, beside how spread it could. */
export const entropy = {
  id: 'entropy',
  title: 'entropy',
  definition: 'Mean entropy of the rows: 0 reads one token; of a causal head 1 reads all evenly, else in nats.',
  formula: 'mean_i −Σ_j A_ij log A_ij; of a causal head each row ÷ log(i + 1), without the first',
  source: 'HeadVis, Neuronpedia; ÷ log(i + 1) since a causal row grows',
  unit: 'nats',
  causalUnit: 'share',
  needs: [],
  applies: () => true,
  rows: ({ numQueries, isCausal }) => numQueries - (isCausal ? 1 : 0),
  leastRows: 1,
  compute: ({ isCausal }) =>
    isCausal
      ? meanOver(
          (rows) => rows.entropy / Math.log(rows.query + 1),
          ({ query }) => query > 0,
        )
      : meanOver((rows) => rows.entropy),
  ofTotals: ({ entropies }, { isCausal }) => {
    let sum = 0;
    const first = isCausal ? 1 : 0;
    const logs = isCausal ? logsOf(entropies.length) : undefined;
    for (let query = first; query < entropies.length; query++)
      sum += logs === undefined ? entropies[query] : entropies[query] / logs[query];
    return sum / (entropies.length - first);
  },
} as const satisfies HeadMetric;

/** log(i + 1) of each query: many patterns have as many. */
let knownLogs = new Float64Array(0);

function logsOf(numQueries: number): Float64Array {
  if (knownLogs.length < numQueries)
    knownLogs = Float64Array.from({ length: numQueries }, (_, query) => Math.log(query + 1));
  return knownLogs;
}
