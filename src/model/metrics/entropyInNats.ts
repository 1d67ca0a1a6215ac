import { meanOver, type HeadMetric } from './metric';

/** How spread a head reads, not compared with how spread it could: the same as `entropy` where that is in nats. */
export const entropyInNats = {
  id: 'entropyInNats',
  title: 'entropy (nats)',
  definition:
    'Mean entropy of all rows, in nats: 0 reads one token, log n reads n evenly; of a causal head it grows with the text.',
  formula: 'mean_i −Σ_j A_ij log A_ij',
  source: 'HeadVis, Neuronpedia',
  unit: 'nats',
  needs: [],
  applies: ({ isCausal }) => isCausal,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: () => meanOver((rows) => rows.entropy),
  ofTotals: ({ entropies, numQueries }) => {
    let sum = 0;
    for (let query = 0; query < entropies.length; query++) sum += entropies[query];
    return sum / numQueries;
  },
} as const satisfies HeadMetric;
