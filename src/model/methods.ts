import type { ComponentInfo, HeadSelection } from './head';

/** What a number between a query i and a key j is, beside the attention weight A_ij itself. */
interface Method {
  /** Its name on the command line and in JSON. */
  readonly id: string;
  readonly title: string;
  /** … in little room. */
  readonly shortTitle: string;
  /** One sentence. */
  readonly meaning: string;
  readonly formula: string;
  readonly source: string;
  /** `share` of one; `norm`: the length of a vector, in the model's own units, with no upper end. */
  readonly unit: 'share' | 'norm';
  /** Whether all heads of a layer become one matrix. */
  readonly joinsHeads: boolean;
  /** What it needs of each layer beside its weights. */
  readonly needs: 'nothing' | 'values' | 'projection' | 'residual' | 'norm';
}

/** All ways to weigh, the plainest first. */
export const methods = [
  {
    id: 'attention',
    title: 'attention weight',
    shortTitle: 'Attention weight',
    meaning: 'The share of a query’s attention that a key gets.',
    formula: 'A_ij',
    source: 'Vaswani et al. 2017',
    unit: 'share',
    joinsHeads: false,
    needs: 'nothing',
  },
  {
    id: 'norm',
    title: 'norm-weighted attention',
    shortTitle: 'Norm-weighted',
    meaning:
      'How long a vector a head writes at a query for what it reads at a key: a key with a large weight and a small vector adds little.',
    formula: 'A_ij ‖v_j W_O‖',
    source: 'Kobayashi et al. 2020, arXiv 2004.10102',
    unit: 'norm',
    joinsHeads: false,
    needs: 'projection',
  },
  {
    id: 'value',
    title: 'value-weighted attention',
    shortTitle: 'Value-weighted',
    meaning: 'The weight of a key times the length of its value vector, before the output projection.',
    formula: 'A_ij ‖v_j‖',
    source: 'Kobayashi et al. 2020, arXiv 2004.10102',
    unit: 'norm',
    joinsHeads: false,
    needs: 'values',
  },
  {
    id: 'summed',
    title: 'norm-weighted attention, summed over heads',
    shortTitle: 'Norm-weighted, summed',
    meaning:
      'How long a vector all heads of a layer together write at a query for what they read at a key: what they write may add up or cancel.',
    formula: '‖Σ_h A_ij^h v_j^h W_O^h‖',
    source: 'Kobayashi et al. 2020, arXiv 2004.10102',
    unit: 'norm',
    joinsHeads: true,
    needs: 'projection',
  },
  {
    id: 'residual',
    title: 'norm-weighted attention with the residual',
    shortTitle: 'Norm-weighted, residual',
    meaning:
      'As summed over heads, and the token itself, which the block adds, counts for what a token reads at itself: how much of a token is still the token, and how much comes from others. In cross-attention no key is the token itself: it counts in the mixing ratio alone.',
    formula: '‖Σ_h A_ij^h v_j^h W_O^h + [i = j] x_i‖',
    source: 'Kobayashi et al. 2021, arXiv 2109.07152',
    unit: 'norm',
    joinsHeads: true,
    needs: 'residual',
  },
  {
    id: 'residualNorm',
    title: 'norm-weighted attention with residual and norm',
    shortTitle: 'Norm-weighted, residual and norm',
    meaning:
      'The same behind the layer norm that such models have after the sum: each part is taken off its mean, divided by the deviation of the whole sum and scaled; what the norm adds belongs to no part.',
    formula: '‖(y_ij − mean y_ij) ÷ √(var y_i + ε) ∘ γ‖, y_ij = Σ_h A_ij^h v_j^h W_O^h + [i = j] x_i',
    source: 'Kobayashi et al. 2021, arXiv 2109.07152',
    unit: 'norm',
    joinsHeads: true,
    needs: 'norm',
  },
  {
    id: 'rollout',
    title: 'attention rollout',
    shortTitle: 'Rollout',
    meaning:
      'The share of each token of the input in a token behind a layer, as if every layer passed half of each token on and mixed the other half by the mean of its heads; a decoder’s cross-attention takes half of it from the encoder’s rollout.',
    formula: 'R_l = Ã_l R_{l−1}, Ã = ½ mean_h A + ½ I, each row ÷ its sum',
    source: 'Abnar & Zuidema 2020, arXiv 2005.00928',
    unit: 'share',
    joinsHeads: true,
    needs: 'nothing',
  },
  {
    id: 'rolloutUniform',
    title: 'rollout of uniform attention',
    shortTitle: 'Rollout, uniform',
    meaning:
      'What rollout comes to where every head reads all tokens that it may alike: the baseline, which no weight has any part in.',
    formula: 'rollout of A_ij = 1 ÷ the number of keys that i can read',
    source: 'the baseline of Abnar & Zuidema’s rollout',
    unit: 'share',
    joinsHeads: true,
    needs: 'nothing',
  },
  {
    id: 'flow',
    title: 'attention flow',
    shortTitle: 'Flow',
    meaning:
      'How much can flow from a token behind a layer to each token of the input, through all layers at once, where weights are how wide the ways are. It is told of the pinned tokens, or of the last one: all other rows are empty.',
    formula: 'maximum flow from (l, i) to (0, j) with capacities Ã, each row ÷ its sum',
    source: 'Abnar & Zuidema 2020, arXiv 2005.00928',
    unit: 'share',
    joinsHeads: true,
    needs: 'nothing',
  },
] as const satisfies readonly Method[];

/** The name of a method. */
export type MethodId = (typeof methods)[number]['id'];

/** What is chosen beside them, and is of a single token: it colours the texts, while grid, matrix and list keep to the attention weight. */
export const surprisalMethod = {
  id: 'surprisal',
  title: 'surprisal',
  shortTitle: 'Surprisal',
  meaning:
    'How little the model expected a token of the text, by its own softmax at temperature 1: improbable is not wrong.',
  formula: '−log₂ p(x_i)',
  source: 'Shannon 1948; Hale 2001',
} as const;

/** All that can be chosen. */
export type MethodChoiceId = MethodId | typeof surprisalMethod.id;

/** The names of all of them. */
export const methodIds = methods.map(({ id }) => id);

/** The method of a name. */
export const methodOf = (id: MethodId): (typeof methods)[number] =>
  methods.find((method) => method.id === id) ?? methods[0];

/** Whether a method makes one matrix of all heads of a layer. */
export const joinsHeads = (id: MethodId): boolean => methodOf(id).joinsHeads;

/** A component as a method that joins heads shows it: one matrix for each layer. */
export function joinedComponent(component: ComponentInfo): ComponentInfo {
  return {
    ...component,
    areHeadsJoined: true,
    layers: component.layers.map((layer) =>
      layer.numHeads > 0 ? { ...layer, numHeads: 1, numKeyValueHeads: 1 } : layer,
    ),
  };
}

/** A selection as a method that joins heads shows it: the layers of its heads, each once. */
export function joinedSelection({ component, heads, aggregation }: HeadSelection): HeadSelection {
  return {
    component,
    heads: [...new Set(heads.map(({ layer }) => layer))].map((layer) => ({ layer, head: 0 })),
    aggregation,
  };
}
