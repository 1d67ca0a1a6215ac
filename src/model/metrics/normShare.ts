import type { HeadMetric } from './metric';

/** How much of what its layer writes a head writes. */
export const normShare = {
  id: 'normShare',
  title: 'share of norm',
  definition:
    'Share of the lengths of what all heads of its layer write that are this head’s, over all pairs of tokens: a head with sharp weights may add little.',
  formula: 'Σ_ij A_ij ‖v_j W_O‖ ÷ the same sum over all heads of the layer',
  source: 'Kobayashi et al. 2020, arXiv 2004.10102, as a share of the layer',
  unit: 'share',
  needs: ['norms'],
  isShareOfLayer: true,
  applies: () => true,
  rows: ({ numQueries }) => numQueries,
  leastRows: 1,
  compute: () => {
    let sum = 0;
    return {
      add: ({ weights, start, numKeys }) => {
        for (let at = start; at < start + numKeys; at++) sum += weights[at];
      },
      value: () => sum,
    };
  },
} as const satisfies HeadMetric;
