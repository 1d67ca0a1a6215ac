import type { PlainText } from '../../base/safeText';
import type { Component } from '../head';

/** One cell of one head: which query reads which key. Positions are those of the tokens. */
export interface Cell {
  readonly component: Component;
  readonly layer: number;
  readonly head: number;
  readonly query: number;
  readonly key: number;
}

/** Numbers of a step: an array with its shape. The name is that of the step's own formula and of its snippet. */
export interface HowNumbers {
  readonly name: HowName;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** The node of the graph that does a step. */
interface HowNode {
  readonly name: PlainText;
  readonly operator: PlainText;
}

/** What is known of how well a step is understood: its numbers computed anew from what it was given, beside those that the model computed. */
export interface HowCheck {
  readonly difference: number;
  readonly tolerance: number;
}

/** One step from tokens to what the attention writes. */
export interface HowStep {
  readonly kind: HowKind;
  readonly nodes: readonly HowNode[];
  /** What its sentence says, in order. */
  readonly args: readonly (string | number)[];
  readonly numbers: readonly HowNumbers[];
  /** Where in arrays over keys the key in question is; undefined where a step has none. */
  readonly at?: number;
  /** Undefined where there is nothing to compute. A step whose difference is beyond the tolerance has no numbers. */
  readonly check?: HowCheck;
}

/** How one weight came about, and what it is used for. */
export interface How {
  readonly cell: Cell;
  /** The weight as it is drawn. */
  readonly weight: number;
  readonly numHeads: number;
  /** Numbers of a row over the keys, padding among them, and how many of that stand before the first key's token. */
  readonly numKeys: number;
  readonly firstKey: number;
  /** Of attention within windows, the token of each key of the row, −1 for padding. */
  readonly keys?: readonly number[];
  readonly steps: readonly HowStep[];
}

/** Whether a step's numbers are those that the model computed. */
export function agrees({ check }: HowStep): boolean {
  return check === undefined || check.difference <= check.tolerance;
}

/** The token that a place of a row over the keys is of; undefined for padding, and for what else stands beside the keys. */
export function keyAt({ keys, firstKey, numKeys }: How, index: number): number | undefined {
  const key = keys === undefined ? index - firstKey : (keys[index] ?? -1);
  return key >= 0 && (keys !== undefined || key < numKeys) ? key : undefined;
}

/** What a kind of step is called, says of itself and computes. */
export interface HowText {
  readonly title: string;
  /** One sentence; `{0}` and so on are the step's arguments. */
  readonly sentence: string;
  /** As in `formula`: names with `_` for what stands below, ÷ for a fraction of two groups in braces. Empty where nothing is computed. */
  readonly formula: string;
  /** What recomputes it, of the names of its numbers, in NumPy; the last line makes the number named last. Empty where nothing is computed. */
  readonly numpy: string;
}

/** Every kind of step. */
export const howTexts = {
  token: {
    title: 'Token embedding',
    sentence: 'The token “{0}” is the row of its id in the table of embeddings.',
    formula: 'e_i = E_id',
    numpy: '',
  },
  patch: {
    title: 'Patch embedding',
    sentence:
      '{0}: a convolution makes a vector of each patch of the picture; tokens that stand for no patch are the model’s own.',
    formula: 'e_i = W patch_i',
    numpy: '',
  },
  learnedPosition: {
    title: 'Position',
    sentence: 'A row of a table is added for position {0}.',
    formula: 'x_i = e_i + p_i',
    numpy: 'summed = embedding + position',
  },
  sinusoidalPosition: {
    title: 'Position',
    sentence: 'Sines and cosines of position {0} are added.',
    formula: 'x_i = e_i + p_i',
    numpy: 'summed = embedding + position',
  },
  noPosition: {
    title: 'Position',
    sentence: 'Nothing is added to the embedding for the position, as far as the graph shows.',
    formula: '',
    numpy: '',
  },
  rotaryPosition: {
    title: 'Position',
    sentence: 'Nothing is added to the embedding for the position: queries and keys are rotated by it.',
    formula: '',
    numpy: '',
  },
  unknownOrigin: {
    title: 'Where x comes from',
    sentence: 'Where x comes from could not be followed back to tokens: {0}.',
    formula: '',
    numpy: '',
  },
  input: {
    title: 'Input of the layer',
    sentence: 'What the query’s token has become before this layer projects it, and beside it that of the key’s.',
    formula: 'x_i , x_j',
    numpy: '',
  },
  query: {
    title: 'Query',
    sentence: 'What the query’s token asks for: {0}.',
    formula: 'q_i = x_i W_Q + b',
    numpy: 'query = x_query @ projection + bias',
  },
  key: {
    title: 'Key',
    sentence: 'What the key’s token offers: {0}.',
    formula: 'k_j = x_j W_K + b',
    numpy: 'key = x_key @ projection + bias',
  },
  rmsNormQuery: {
    title: 'Norm of the query',
    sentence:
      'An RMS norm over {0} numbers, of which this head has {1}: they are divided by the root of the mean of their squares, and each has a factor of its own (Zhang & Sennrich 2019).',
    formula: 'q_i ← γ { q_i } ÷ { √ ( mean q_i² + ε ) }',
    numpy: 'after = before / np.sqrt((before ** 2).mean() + epsilon) * gain',
  },
  rmsNormKey: {
    title: 'Norm of the key',
    sentence:
      'An RMS norm over {0} numbers, of which this head has {1}: they are divided by the root of the mean of their squares, and each has a factor of its own (Zhang & Sennrich 2019).',
    formula: 'k_j ← γ { k_j } ÷ { √ ( mean k_j² + ε ) }',
    numpy: 'after = before / np.sqrt((before ** 2).mean() + epsilon) * gain',
  },
  layerNormQuery: {
    title: 'Norm of the query',
    sentence:
      'A layer norm over {0} numbers, of which this head has {1}: their mean is taken off, they are divided by their deviation, and each has a factor and a shift of its own (Ba et al. 2016).',
    formula: 'q_i ← γ { q_i − mean q_i } ÷ { √ ( var q_i + ε ) } + β',
    numpy: 'after = (before - before.mean()) / np.sqrt(before.var() + epsilon) * gain + shift',
  },
  layerNormKey: {
    title: 'Norm of the key',
    sentence:
      'A layer norm over {0} numbers, of which this head has {1}: their mean is taken off, they are divided by their deviation, and each has a factor and a shift of its own (Ba et al. 2016).',
    formula: 'k_j ← γ { k_j − mean k_j } ÷ { √ ( var k_j + ε ) } + β',
    numpy: 'after = (before - before.mean()) / np.sqrt(before.var() + epsilon) * gain + shift',
  },
  rotatedQuery: {
    title: 'Rotation of the query',
    sentence:
      'The query is rotated by its position, {0}: each pair of features turns by an angle of its own times the position (Su et al. 2021).',
    formula: 'q_i ← q_i cos θ_i + q′_i sin θ_i',
    numpy: 'after = before * cos + turned * sin',
  },
  rotatedKey: {
    title: 'Rotation of the key',
    sentence: 'The key is rotated by its position, {0}: the product of both then depends on how far apart they are.',
    formula: 'k_j ← k_j cos θ_j + k′_j sin θ_j',
    numpy: 'after = before * cos + turned * sin',
  },
  scaledQuery: {
    title: 'Scale of the query',
    sentence: 'The graph scales the query before the product, by {0}.',
    formula: 'q_i ← c q_i',
    numpy: 'after = before * other',
  },
  scaledKey: {
    title: 'Scale of the key',
    sentence: 'The graph scales the key before the product, by {0}.',
    formula: 'k_j ← c k_j',
    numpy: 'after = before * other',
  },
  part: {
    title: 'Part',
    sentence:
      'The graph computes this attention in parts. This score is number [{0}] of a product of shape [{1}], whose matrix has the queries from {2} to {3} and the keys from {4} to {5}.',
    formula: '',
    numpy: '',
  },
  noScore: {
    title: 'Raw score',
    sentence: 'How the scores come about could not be followed: {0}. The row is as the softmax is given it.',
    formula: '',
    numpy: '',
  },
  joinedParts: {
    title: 'The whole row',
    sentence:
      'What other parts give for this query, or what stands for keys that it does not read, is put beside the {0} numbers of this part: {1} in all.',
    formula: '',
    numpy: '',
  },
  product: {
    title: 'Raw score',
    sentence: 'Query and key are multiplied element by element, and the products are summed.',
    formula: 's_ij = Σ_d q_id k_jd',
    numpy: 'products = query * key\nscore = products.sum()',
  },
  scaledProduct: {
    title: 'Raw score',
    sentence:
      'Query and key are multiplied element by element, the products are summed, and the same operator multiplies the sum by {0}.',
    formula: 's_ij = c Σ_d q_id k_jd',
    numpy: 'products = query * key\nscore = other * products.sum()',
  },
  additive: {
    title: 'Additive score',
    sentence:
      'Query and key are added, the tanh of the sum is weighed with a vector that the model has learned (Bahdanau et al. 2015).',
    formula: 's_ij = Σ_d v_d tanh ( q_id + k_jd )',
    numpy: 'products = vector * np.tanh(query + key)\nscore = products.sum()',
  },
  scale: {
    title: 'Scale',
    sentence: 'The scores are multiplied by {0}.',
    formula: 's_ij ← c s_ij',
    numpy: 'after = before * other',
  },
  division: {
    title: 'Scale',
    sentence: 'The scores are divided by {0}.',
    formula: 's_ij ← { s_ij } ÷ { c }',
    numpy: 'after = before / other',
  },
  softCap: {
    title: 'Soft cap',
    sentence: 'The tanh keeps the scores within bounds.',
    formula: 's_ij ← tanh s_ij',
    numpy: 'after = np.tanh(before)',
  },
  bias: {
    title: 'Bias',
    sentence:
      'A number is added that depends on where the two tokens stand, or on what else the graph gives: {0} for this key.',
    formula: 's_ij ← s_ij + b_ij',
    numpy: 'after = before + other',
  },
  mask: {
    title: 'Mask',
    sentence: '{0} of {1} keys must not be read: a number is added to their scores that leaves nothing of them.',
    formula: 's_ij ← s_ij + m_ij',
    numpy: 'after = before + other',
  },
  choice: {
    title: 'Mask',
    sentence: '{0} of {1} keys must not be read: their scores are replaced.',
    formula: 's_ij ← m_ij',
    numpy: 'after = np.where(condition, chosen, otherwise)',
  },
  sink: {
    title: 'Sink',
    sentence:
      'A score of no token, {0}, stands beside those of the row: it takes a part of the weight, so that the row sums to less than one.',
    formula: '',
    numpy: 'after = np.concatenate([before, other])',
  },
  guard: {
    title: 'Rows without keys',
    sentence:
      'A row that may read no key would come to no numbers; the graph puts others there: {0} of {1} in this row.',
    formula: '',
    numpy: 'after = np.where(condition, chosen, otherwise)',
  },
  rounding: {
    title: 'Rounding',
    sentence: 'The graph rounds the numbers to a few bits here.',
    formula: '',
    numpy: '',
  },
  operator: {
    title: 'Another step',
    sentence: 'The graph has another operator here, {0}: this is what it makes of the row.',
    formula: '',
    numpy: '',
  },
  maximum: {
    title: 'Maximum of the row',
    sentence:
      'The largest score of the row is taken off each: that changes no weight, and keeps the exponentials within what numbers can hold.',
    formula: 'm_i = max_j s_ij',
    numpy: 'maximum = row.max()',
  },
  exponentials: {
    title: 'Exponentials',
    sentence: 'Each score becomes a positive number; the largest becomes 1.',
    formula: 'e_ij = exp ( s_ij − m_i )',
    numpy: 'exponentials = np.exp(row - maximum)',
  },
  sum: {
    title: 'Sum of the row',
    sentence: 'What the exponentials of all keys come to.',
    formula: 'Z_i = Σ_j e_ij',
    numpy: 'total = exponentials.sum()',
  },
  weight: {
    title: 'Weight',
    sentence: 'Each exponential is divided by their sum: {0} of the row is this key’s.',
    formula: 'α_ij = { e_ij } ÷ { Z_i }',
    numpy: 'weights = exponentials / total',
  },
  repeated: {
    title: 'Weight of the token',
    sentence: 'This key stands in the row {0} times, as several parts read it: its weights are added up to {1}.',
    formula: 'Σ α_ij',
    numpy: '',
  },
  sigmoid: {
    title: 'Weight',
    sentence: 'Each score becomes a weight by itself, {0} for this key: the row need not sum to one.',
    formula: 'α_ij = { 1 } ÷ { 1 + exp ( − s_ij ) }',
    numpy: 'weights = 1 / (1 + np.exp(-before))',
  },
  cut: {
    title: 'Weights of the tokens',
    sentence: 'What the sink took is left out: the weights of the tokens sum to {0}.',
    formula: '',
    numpy: '',
  },
  features: {
    title: 'Products of features',
    sentence:
      'Linear attention: the model sums over keys first and never makes this number; the product of the features of query and key is what it comes to.',
    formula: 's_ij = φ_qi φ_kj',
    numpy: 'products = query * key\nscore = products.sum()',
  },
  linearWeight: {
    title: 'Weight',
    sentence:
      'Linear attention: each product is divided by the sum of all products of the row, without exponentials: {0} is this key’s.',
    formula: 'α_ij = { s_ij } ÷ { Σ_j s_ij }',
    numpy: 'weights = row / row.sum()',
  },
  hidden: {
    title: 'Inside one operator',
    sentence:
      'One operator, {0}, does all of this inside itself: its queries and keys are those before it, and the weights those that it was asked for. {1}',
    formula: '',
    numpy: '',
  },
  values: {
    title: 'Weight times value',
    sentence: 'What this key’s token gives is weighed with the weight.',
    formula: 'α_ij v_j',
    numpy: 'weighted = weight * value',
  },
  head: {
    title: 'Output of the head',
    sentence: 'The weighed values of all keys are added up.',
    formula: 'z_i = Σ_j α_ij v_j',
    numpy: 'z = weights @ values',
  },
  noValues: {
    title: 'Output of the head',
    sentence: 'What the head gives could not be read: {0}.',
    formula: '',
    numpy: '',
  },
  hiddenScore: {
    title: 'Score inside the operator',
    sentence: 'The product of query and key, times {0}: what the operator itself gives as the score.',
    formula: 's_ij = c Σ_d q_id k_jd',
    numpy: 'score = other * (query * key).sum()',
  },
  written: {
    title: 'What the head writes',
    sentence: 'The output projection turns the head’s output into a vector of the width of the model, of norm {0}.',
    formula: 'z_i W_O',
    numpy: 'written = z @ projection',
  },
  output: {
    title: 'Output projection',
    sentence:
      'What all heads write is added up, with the bias where there is one: norm {0}; the largest part is head {1}’s.',
    formula: 'o_i = Σ_h z_h W_O + b',
    numpy: 'output = contributions.sum(0) + bias',
  },
  contributors: {
    title: 'Strongest contributors',
    sentence:
      'How much of what this head writes comes from each key: the norm of its weighted value behind the projection (Kobayashi et al. 2020). This key’s: {0}.',
    formula: 'α_ij ‖ v_j W_O ‖',
    numpy: '',
  },
  noProjection: {
    title: 'Output projection',
    sentence: 'What becomes of the heads’ outputs could not be followed: {0}.',
    formula: '',
    numpy: '',
  },
  heads: {
    title: 'Heads side by side',
    sentence: 'The outputs of all {0} heads stand side by side; this head’s has length {1}.',
    formula: '[ z_1 , … , z_H ]',
    numpy: 'norms = np.sqrt((heads ** 2).sum(-1))',
  },
} as const satisfies Readonly<Record<string, HowText>>;

/** The name of a kind of step. */
export type HowKind = keyof typeof howTexts;

/** Names of numbers. */
const howNames = [
  'embedding',
  'position',
  'summed',
  'x_query',
  'x_key',
  'query',
  'key',
  'vector',
  'products',
  'score',
  'before',
  'other',
  'condition',
  'chosen',
  'otherwise',
  'cos',
  'turned',
  'sin',
  'gain',
  'shift',
  'epsilon',
  'after',
  'row',
  'maximum',
  'exponentials',
  'total',
  'weights',
  'weight',
  'value',
  'values',
  'weighted',
  'z',
  'heads',
  'norms',
  'projection',
  'written',
  'contributions',
  'bias',
  'output',
] as const;

/** The name of an array of a step. */
export type HowName = (typeof howNames)[number];
