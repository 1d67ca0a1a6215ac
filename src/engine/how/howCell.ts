import type { Cell, How, HowStep } from '../../model/how/how';
import type { OperandOrigin } from '../../onnx/steps/operandOrigin';
import { matrixOfHead, numMatrices } from '../weights/headMatrix';
import type { CellTaps } from './cellTaps';
import type { CellTensors } from './cellTensors';
import { RowSteps } from './rowSteps';
import { Checker, howStep, numbers, single } from './stepBuilder';

/** What a cell is, beside its place. */
export interface CellFacts {
  readonly cell: Cell;
  /** As it is drawn. */
  readonly weight: number;
  readonly numHeads: number;
  /** Keys that are drawn. */
  readonly numKeys: number;
  /** Where the text begins, behind the padding before it. */
  readonly first: { readonly query: number; readonly key: number };
  /** The text of the query's token. */
  readonly token: string;
}

/** What was read, and how. */
interface Read {
  readonly taps: CellTaps;
  readonly tensors: CellTensors;
  readonly facts: CellFacts;
  readonly check: Checker;
  /** The key's place in the tensors, and how many there are, padding among them. */
  readonly key: number;
  readonly numKeys: number;
}

/** The steps from tokens to what a head gives, of one cell; a reason, in a clause, where not even its weights could be read. */
export function howCell(taps: CellTaps, tensors: CellTensors, facts: CellFacts): How | string {
  const { cell, weight, numHeads, first } = facts;
  const key = first.key + cell.key;
  const check = new Checker(tensors.isHalf);
  const read: Read = { taps, tensors, facts, check, key, numKeys: facts.numKeys };
  const row = rowOf(read, 'weights');
  if (row === undefined || row.length <= key) return 'its weights are not laid out in a way that is known';
  const total = taps.isUndivided ? row.reduce((sum, value) => sum + value, 0) : 1;
  const weights = taps.isUndivided ? row.map((value) => value / total) : row;
  const drawn = check.weights([weights[key]], [weight]);
  if (!(drawn.difference <= drawn.tolerance))
    return `computed again, this weight differs by ${drawn.difference.toPrecision(2)} from the one that is drawn`;
  const whole = { ...read, numKeys: weights.length };
  const scored = scoreSteps(whole, weights, row);
  if (typeof scored === 'string') return scored;
  return {
    cell,
    weight,
    numHeads,
    numKeys: weights.length,
    firstKey: first.key,
    steps: [...originSteps(whole), ...operandSteps(whole), ...scored, ...valueSteps(whole, weights)],
  };
}

/** A row over the keys, of the head; undefined where the tensor is of another shape. */
function rowOf({ taps, tensors, facts, numKeys }: Read, what: string): Float32Array | undefined {
  const { index, form } = taps.plan;
  if (index.outer === undefined && (form !== 'additive' || what === 'weights')) return tensors.ofHead(what);
  const whole = tensors.whole(what);
  if (whole === undefined || whole.values.length % numKeys !== 0) return whole?.values;
  // Additive scores have an axis more, of length one, until it is taken away.
  return tensors.part(
    what,
    index.outer === undefined ? facts.first.query + facts.cell.query : facts.cell.head,
    numKeys,
  );
}

function originSteps({ taps, tensors, facts }: Read): HowStep[] {
  const { embedding } = taps;
  const steps: HowStep[] = [];
  if (embedding === undefined) {
    if (taps.plan.index.outer !== undefined)
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
  taps: CellTaps,
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

function operandSteps(read: Read): HowStep[] {
  const { tensors, taps } = read;
  const [query, key] = [operandOf(read, 'query'), operandOf(read, 'key')];
  const steps: HowStep[] = [];
  for (const side of ['query', 'key'] as const) {
    const values = side === 'query' ? query : key;
    const origin = taps.origins[side];
    steps.push(
      howStep(side, {
        nodes: [origin.projection, origin.norm, origin.rotation].filter((node) => node !== undefined),
        args: [wayOf(origin)],
        numbers: values === undefined ? [] : [numbers(side, values)],
      }),
    );
    for (const [i, { node, isDivided }] of [...origin.scales.entries()].reverse()) {
      const factor = tensors.shared(`scale of ${side} ${i}`)?.[0];
      if (factor === undefined || factor === 1 || values === undefined) continue;
      steps.push(
        howStep(side === 'query' ? 'scaledQuery' : 'scaledKey', {
          nodes: [node],
          args: [isDivided ? `1 ÷ ${rounded(factor)}` : rounded(factor)],
          numbers: [numbers(side, values)],
        }),
      );
    }
  }
  return steps;
}

const rounded = (value: number): string => String(Number(value.toPrecision(6)));

/** What makes queries or keys of x, in words of the graph. */
function wayOf({ projection, norm, rotation }: OperandOrigin): string {
  const parts = [
    projection === undefined ? 'as the graph gives it' : 'a linear map of its input',
    ...(norm === undefined ? [] : ['normalised']),
    ...(rotation === undefined ? [] : ['rotated by its position']),
  ];
  return parts.join(', ');
}

/** The query's or the key's numbers, as the product is given them. */
function operandOf({ taps, tensors, facts, key }: Read, side: 'query' | 'key'): Float32Array | undefined {
  const { index, additive } = taps.plan;
  if (additive === undefined) return index.outer === undefined ? tensors.ofHead(side) : undefined;
  const length = tensors.whole('vector')?.values.length;
  const query = index.outer === undefined ? facts.first.query + facts.cell.query : 0;
  return length === undefined ? undefined : tensors.part(side, side === 'query' ? query : key, length);
}

function scoreSteps(read: Read, weights: Float32Array, given: Float32Array): HowStep[] | string {
  const { taps, check, key } = read;
  const { plan } = taps;
  if (plan.form === 'fused') return hiddenSteps(read, weights);
  if (plan.form === 'linear') return linearSteps(read, weights, given);
  const scores = rowOf(read, 'scores');
  if (scores === undefined || scores.length <= key) return 'its scores are no rows over the keys';
  const rows = new RowSteps(
    {
      after: (i) => rowOf(read, `after ${i}`),
      other: (i, at) => rowOf(read, `other ${i} ${at}`),
      numKeys: weights.length,
      key,
      check,
    },
    plan.steps,
    scores,
  );
  const followed = rows.follow();
  if (typeof followed === 'string') return followed;
  return [productStep(read, scores), ...rows.steps, ...(taps.isUndivided ? dividedSteps(read, weights, given) : [])];
}

/** Where the model divides only what comes out: the division as it is of the weights. */
function dividedSteps({ check, key }: Read, weights: Float32Array, exponentials: Float32Array): HowStep[] {
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

function productStep(read: Read, scores: Float32Array): HowStep {
  const { taps, tensors } = read;
  const { plan } = taps;
  const [query, key] = [operandOf(read, 'query'), operandOf(read, 'key')];
  const vector = plan.additive === undefined ? undefined : tensors.whole('vector')?.values;
  const kind = plan.form === 'additive' ? 'additive' : plan.form === 'linear' ? 'features' : 'product';
  const nodes =
    plan.additive === undefined ? [plan.product] : [plan.additive.sum, plan.additive.activation, plan.product];
  const given = scores[read.key];
  if (query === undefined || query.length !== key?.length || (kind === 'additive' && vector?.length !== query.length))
    return howStep(kind, { nodes, check: { difference: Infinity, tolerance: 0 } });
  const products = Float64Array.from(query, (value, d) =>
    vector === undefined ? value * key[d] : vector[d] * Math.tanh(value + key[d]),
  );
  const size = products.reduce((sum, value) => sum + Math.abs(value), 0);
  return howStep(kind, {
    nodes,
    numbers: [
      numbers('query', query),
      numbers('key', key),
      ...(vector === undefined ? [] : [numbers('vector', vector)]),
      numbers('products', Float32Array.from(products)),
      single('score', given),
    ],
    check: read.check.sums([products.reduce((sum, value) => sum + value, 0)], [given], size),
  });
}

/** Linear attention: a row of products, each divided by their sum, where the model divides. */
function linearSteps(read: Read, weights: Float32Array, row: Float32Array): HowStep[] {
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

function hiddenSteps({ taps, key }: Read, weights: Float32Array): HowStep[] {
  return [
    howStep('hidden', {
      nodes: [taps.plan.product],
      args: [taps.plan.product.operator, ''],
      numbers: [numbers('weights', weights)],
      at: key,
    }),
  ];
}

/** Values of the head at all keys: `values[key * size + feature]`. */
function valuesOf({
  taps,
  tensors,
  facts,
  numKeys,
}: Read): { readonly values: Float32Array; readonly size: number } | string {
  const how = taps.values;
  if (typeof how === 'string') return how;
  const whole = tensors.whole('values');
  if (whole === undefined) return 'its values are no numbers';
  const { dims, values: all } = whole;
  const { head } = facts.cell;
  if (how.layout === 'merged') {
    const width = dims.at(-1) ?? 0;
    const numOwn = how.numValueHeads ?? facts.numHeads;
    const size = (width - how.from) / numOwn;
    if (!Number.isInteger(size)) return 'its values are not laid out in a way that is known';
    const start = how.from + Math.floor((head * numOwn) / facts.numHeads) * size;
    const values = new Float32Array(numKeys * size);
    for (let key = 0; key < numKeys; key++)
      values.set(all.subarray(key * width + start, key * width + start + size), key * size);
    return { values, size };
  }
  const [rows, columns] = dims.slice(-2);
  const leading = dims.slice(0, -2);
  const count = numMatrices(leading);
  const matrix =
    count === facts.numHeads
      ? head
      : matrixOfHead([count], [facts.numHeads], Math.floor((head * count) / facts.numHeads));
  const own = all.subarray(matrix * rows * columns, (matrix + 1) * rows * columns);
  if (how.layout === 'plain') return { values: own.slice(0, numKeys * columns), size: columns };
  const values = new Float32Array(numKeys * rows);
  for (let key = 0; key < numKeys; key++)
    for (let i = 0; i < rows; i++) values[key * rows + i] = own[i * columns + key];
  return { values, size: rows };
}

/** What each head gives for the query: `heads[head * size + feature]`. */
function resultsOf({ taps, tensors, facts }: Read, size: number): Float32Array | undefined {
  const whole = tensors.whole('result');
  if (typeof taps.values === 'string' || whole === undefined) return undefined;
  const length = facts.numHeads * size;
  return whole.values.length >= length ? whole.values.slice(0, length) : undefined;
}

function valueSteps(read: Read, weights: Float32Array): HowStep[] {
  const { facts, taps, key: at, numKeys } = read;
  const found = valuesOf(read);
  if (typeof found === 'string') return [howStep('noValues', { args: [found] })];
  const { values, size } = found;
  const node = taps.plan.form === 'fused' ? [taps.plan.product] : [];
  const value = values.slice(at * size, (at + 1) * size);
  const weight = weights[at];
  const z = new Float64Array(size);
  let scale = 0;
  weights.forEach((each, key) => {
    for (let i = 0; i < size; i++) z[i] += each * values[key * size + i];
    scale = Math.max(scale, Math.abs(each * values[key * size]));
  });
  for (const each of values) scale = Math.max(scale, Math.abs(each));
  const results = resultsOf(read, size);
  const own = results?.subarray(facts.cell.head * size, (facts.cell.head + 1) * size);
  const steps: HowStep[] = [
    howStep('values', {
      nodes: node,
      numbers: [
        single('weight', weight),
        numbers('value', value),
        numbers(
          'weighted',
          value.map((each) => each * weight),
        ),
      ],
    }),
    howStep('head', {
      nodes: node,
      at,
      numbers: [
        numbers('weights', weights.slice()),
        numbers('values', values, [numKeys, size]),
        numbers('z', own ?? Float32Array.from(z)),
      ],
      ...(own === undefined ? {} : { check: read.check.sums(z, own, scale) }),
    }),
  ];
  if (results !== undefined)
    steps.push(
      howStep('heads', {
        args: [facts.numHeads, size],
        numbers: [
          numbers('heads', results, [facts.numHeads, size]),
          numbers(
            'norms',
            Float32Array.from({ length: facts.numHeads }, (_, head) =>
              Math.hypot(...results.subarray(head * size, (head + 1) * size)),
            ),
          ),
        ],
      }),
    );
  return steps;
}
