import { agrees, type How, type HowStep } from '../../model/how/how';
import type { CellFacts, CellMaps, CellRead } from './cellRead';
import type { CellFrame } from './cellTaps';
import type { CellTensors } from './cellTensors';
import { operandOf, operandSteps } from './operandSteps';
import { outputSteps } from './outputSteps';
import { RowSteps, softmaxSteps } from './rowSteps';
import { Checker, howStep, numbers, single } from './stepBuilder';

/** The steps from tokens to what a head gives, of one cell; a reason, in a clause, where not even its weights could be read. */
export function howCell(
  taps: CellFrame,
  tensors: CellTensors,
  facts: CellFacts,
  { projection, maps }: CellMaps,
): How | string {
  const { cell, weight, numHeads, first } = facts;
  const key = first.key + cell.key;
  const check = new Checker(tensors.isHalf);
  const read: CellRead = { taps, tensors, facts, check, key, numKeys: facts.numKeys };
  const row = rowOf(read, 'weights');
  if (row === undefined || row.length <= key) return 'its weights are not laid out in a way that is known';
  const total = taps.isUndivided ? row.reduce((sum, value) => sum + value, 0) : 1;
  const weights = taps.isUndivided ? row.map((value) => value / total) : row;
  const own = columnsOf(facts, key, taps.inParts !== undefined);
  const summed = own.reduce((sum, column) => sum + weights[column], 0);
  const drawn = check.weights([summed], [weight]);
  if (!(drawn.difference <= drawn.tolerance))
    return tensors.numMatrices > numHeads && taps.parts !== undefined
      ? 'it is computed within windows, or for several items of a batch'
      : `computed again, this weight differs by ${drawn.difference.toPrecision(2)} from the one that is drawn`;
  const whole = { ...read, numKeys: weights.length };
  const scored = scoreSteps(whole, weights, row);
  if (typeof scored === 'string') return scored;
  const { inParts } = taps;
  const operands = inParts?.lack === undefined ? operandSteps(whole, maps) : [];
  // Whether x is that of the cell's window is told by what is made of it.
  const isXKnown =
    facts.keys === undefined ||
    operands.some((step) => step.kind === 'query' && step.numbers.some(({ name }) => name === 'projection'));
  const origins = originSteps(whole).filter(({ kind }) => isXKnown || kind !== 'input');
  return {
    cell,
    weight,
    numHeads,
    numKeys: weights.length,
    firstKey: facts.keys === undefined ? first.key : 0,
    ...(facts.keys === undefined ? {} : { keys: facts.keys }),
    steps: [
      ...origins,
      ...operands,
      ...(inParts?.step === undefined ? [] : [inParts.step]),
      ...scored,
      ...repeatedStep(own, weights),
      ...outputSteps(whole, weights, projection),
    ],
  };
}

/** Columns of a row that the cell's key has: in several parts it may stand more than once. */
function columnsOf({ cell, keys = [] }: CellFacts, key: number, isInParts: boolean): readonly number[] {
  return isInParts ? keys.flatMap((token, column) => (token === cell.key ? [column] : [])) : [key];
}

function repeatedStep(columns: readonly number[], weights: Float32Array): HowStep[] {
  if (columns.length < 2) return [];
  const own = Float32Array.from(columns, (column) => weights[column]);
  const weight = own.reduce((sum, each) => sum + each, 0);
  return [
    howStep('repeated', {
      args: [columns.length, weight],
      numbers: [numbers('weights', own), single('weight', weight)],
    }),
  ];
}

/** A row over the keys, of the head; undefined where the tensor is of another shape. */
function rowOf({ taps, tensors, facts, numKeys }: CellRead, what: string): Float32Array | undefined {
  const { form } = taps.plan;
  const areRows = taps.loop?.iteration === 'rows';
  if (!areRows && (form !== 'additive' || what === 'weights')) return tensors.ofHead(what);
  const whole = tensors.whole(what);
  if (whole === undefined || whole.values.length % numKeys !== 0) return whole?.values;
  // Additive scores have an axis more, of length one, until it is taken away.
  return tensors.part(what, areRows ? facts.cell.head : facts.first.query + facts.cell.query, numKeys);
}

function originSteps({ taps, tensors, facts }: CellRead): HowStep[] {
  const { embedding } = taps;
  const steps: HowStep[] = [];
  if (embedding === undefined) {
    if (taps.loop !== undefined)
      steps.push(
        howStep('unknownOrigin', { args: ['the attention is in the body of a loop, which has a state of its own'] }),
      );
    else if (!tensors.has('x of query'))
      steps.push(howStep('unknownOrigin', { args: ['its queries are made by no linear map of the graph'] }));
    else steps.push(howStep('unknownOrigin', { args: ['what it reads does not come from a table of embeddings'] }));
  } else {
    const embedded = tensors.shared('embedding');
    steps.push(
      howStep(embedding.kind, {
        nodes: [embedding.node],
        args: [facts.token],
        numbers: embedded === undefined ? [] : [numbers('embedding', embedded)],
      }),
    );
    steps.push(positionStep(taps, tensors, facts, embedded));
  }
  const [own, other] = [tensors.shared('x of query'), tensors.shared('x of key')];
  if (own !== undefined)
    steps.push(
      howStep('input', {
        numbers: [numbers('x_query', own), ...(other === undefined ? [] : [numbers('x_key', other)])],
      }),
    );
  return steps;
}

function positionStep(
  taps: CellFrame,
  tensors: CellTensors,
  facts: CellFacts,
  embedded: Float32Array | undefined,
): HowStep {
  const position = taps.embedding?.position;
  const { rotation } = taps.origins.query;
  if (position === undefined)
    return rotation === undefined ? howStep('noPosition', {}) : howStep('rotaryPosition', { nodes: [rotation] });
  const [row, summed] = [tensors.shared('position'), tensors.shared('summed')];
  const isSinusoidal = position.isComputed || (row !== undefined && hasUnitPairs(row));
  return howStep(isSinusoidal ? 'sinusoidalPosition' : 'learnedPosition', {
    nodes: [position.node],
    args: [facts.cell.query],
    ...(row === undefined || summed === undefined || embedded === undefined
      ? {}
      : {
          numbers: [numbers('embedding', embedded), numbers('position', row), numbers('summed', summed)],
          check: new Checker(tensors.isHalf).sums(
            embedded.map((value, i) => value + row[i]),
            summed,
            1,
          ),
        }),
  });
}

/** Whether a row is sines and cosines: squares of pairs, neighbours or halves, sum to one. */
function hasUnitPairs(row: Float32Array): boolean {
  const half = Math.floor(row.length / 2);
  const isUnit = (a: number, b: number): boolean => Math.abs(a * a + b * b - 1) < 1e-3;
  const pairs = Array.from({ length: half }, (_, i) => i);
  return (
    half > 0 &&
    (pairs.every((i) => isUnit(row[i], row[i + half])) || pairs.every((i) => isUnit(row[2 * i], row[2 * i + 1])))
  );
}

function scoreSteps(read: CellRead, weights: Float32Array, given: Float32Array): HowStep[] | string {
  const { taps, check, key } = read;
  const { plan } = taps;
  if (plan.form === 'fused') return hiddenSteps(read, weights);
  if (plan.form === 'linear') return linearSteps(read, weights, given);
  const scores = rowOf(read, 'scores');
  const { starts = [], lack } = taps.inParts ?? {};
  if (scores === undefined || scores.length <= key + (starts[0] ?? 0)) return 'its scores are no rows over the keys';
  const rows = new RowSteps(
    {
      after: (i) => rowOf(read, `after ${i}`),
      other: (i, at) => rowOf(read, `other ${i} ${at}`),
      numKeys: weights.length,
      key,
      check,
      starts,
    },
    plan.steps,
    scores,
  );
  const followed = rows.follow();
  if (typeof followed === 'string') return followed;
  const product = lack === undefined ? productStep(read, scores) : howStep('noScore', { args: [lack] });
  return [product, ...rows.steps, ...(taps.isUndivided ? dividedSteps(read, weights, given) : [])];
}

/** Where the model divides only what comes out: the division as it is of the weights. */
function dividedSteps({ check, key }: CellRead, weights: Float32Array, exponentials: Float32Array): HowStep[] {
  const total = single(
    'total',
    exponentials.reduce((sum, value) => sum + value, 0),
  );
  return [
    howStep('sum', { numbers: [numbers('exponentials', exponentials), total], at: key }),
    howStep('weight', {
      args: [weights[key]],
      numbers: [numbers('exponentials', exponentials), total, numbers('weights', weights)],
      at: key,
      check: check.weights(weights, weights),
    }),
  ];
}

function productStep(read: CellRead, scores: Float32Array): HowStep {
  const { taps, tensors } = read;
  const { plan } = taps;
  const [query, key] = [operandOf(read, 'query'), operandOf(read, 'key')];
  const vector = plan.additive === undefined ? undefined : tensors.whole('vector')?.values;
  const factor = plan.form === 'product' ? (plan.scale ?? 1) : 1;
  const kind = factor !== 1 ? 'scaledProduct' : kindOfProduct[plan.form];
  const nodes =
    plan.additive === undefined ? [plan.product] : [plan.additive.sum, plan.additive.activation, plan.product];
  const given = scores[read.key + (taps.inParts?.starts[0] ?? 0)];
  if (query === undefined || query.length !== key?.length || (kind === 'additive' && vector?.length !== query.length))
    return howStep(kind, { nodes, check: { difference: Infinity, tolerance: 0 } });
  const products = Float64Array.from(query, (value, d) =>
    vector === undefined ? value * key[d] : vector[d] * Math.tanh(value + key[d]),
  );
  const size = products.reduce((sum, value) => sum + Math.abs(value), 0);
  return howStep(kind, {
    nodes,
    args: factor === 1 ? [] : [factor],
    numbers: [
      numbers('query', query),
      numbers('key', key),
      ...(vector === undefined ? [] : [numbers('vector', vector)]),
      ...(factor === 1 ? [] : [single('other', factor)]),
      numbers('products', Float32Array.from(products)),
      single('score', given),
    ],
    check: read.check.sums(
      [factor * products.reduce((sum, value) => sum + value, 0)],
      [given],
      Math.abs(factor) * size,
    ),
  });
}

const kindOfProduct = { product: 'product', fused: 'product', additive: 'additive', linear: 'features' } as const;

/** Linear attention: a row of products, each divided by their sum, where the model divides. */
function linearSteps(read: CellRead, weights: Float32Array, row: Float32Array): HowStep[] {
  const { taps, key } = read;
  const product = productStep(read, row);
  if (!taps.isUndivided) return [product];
  return [
    product,
    howStep('linearWeight', {
      nodes: [taps.plan.product],
      args: [weights[key]],
      numbers: [numbers('row', row), numbers('weights', weights)],
      at: key,
    }),
  ];
}

/** One operator does it all: what it is given and what it gives, and what can be computed between. */
function hiddenSteps(read: CellRead, weights: Float32Array): HowStep[] {
  const { taps, tensors, key, check } = read;
  const { plan, parts } = taps;
  const nodes = [plan.product];
  const [query, own] = [operandOf(read, 'query'), operandOf(read, 'key')];
  const hasScores = parts !== undefined && typeof parts.scores !== 'string' && tensors.has('scores');
  const given = hasScores
    ? tensors.scoresOf(weights, typeof parts.scores !== 'string' && parts.scores.isZeroWhereMasked)
    : undefined;
  const steps: HowStep[] = [];
  let told = 'What it does between is not to be seen.';
  if (query !== undefined && query.length === own?.length && given !== undefined) {
    const products = Float64Array.from(query, (value, d) => value * own[d]);
    const scale = plan.scale === undefined || plan.scale === 0 ? 1 / Math.sqrt(query.length) : plan.scale;
    const size = scale * products.reduce((sum, value) => sum + Math.abs(value), 0);
    const score = scale * products.reduce((sum, value) => sum + value, 0);
    const compared = check.sums([score], [given[key]], size);
    if (compared.difference <= compared.tolerance) {
      told = 'The scores that it gives are told, too.';
      steps.push(
        howStep('hiddenScore', {
          nodes,
          args: [scale],
          numbers: [numbers('query', query), numbers('key', own), single('other', scale), single('score', given[key])],
          check: compared,
        }),
      );
    } else
      told =
        'Its score is not query times key times a scale alone: it rotates, caps, masks or adds something inside itself.';
  }
  const hidden = howStep('hidden', {
    nodes,
    args: [plan.product.operator, told],
    numbers: [...(given === undefined ? [] : [numbers('row', given)]), numbers('weights', weights)],
    at: key,
  });
  const softmaxed = given === undefined ? [] : softmaxSteps(given, weights, { node: plan.product, at: key, check });
  // A sink takes a part that these steps do not know of.
  return [hidden, ...steps, ...(softmaxed.every(agrees) ? softmaxed : [])];
}
