import type { GraphIndex } from '../graph/graphIndex';
import { beforeQuantizing } from '../follow/innerProduct';
import { outputProjection, type OutputProjection } from '../follow/outputProjection';
import { operatorOf, productOf, type Product } from '../follow/products';
import { residualSum, type BranchStep, type ResidualSum } from '../follow/residual';
import { carriedInputs } from '../follow/trace';
import type { FoundSite } from '../name/site';
import type { HeadTensor, ResidualTaps, ScoreTensor, SiteTaps } from '../name/taps';
import { dataType } from '../file/dataType';
import { fusedTaps, type FusedTaps } from './fusedTaps';
import { SuffixBuilder } from './suffixNodes';
import { isSummed, summedOperand, summedReason } from './summedValues';

/**
 * Where the parts of an attention are in its graph: queries, keys and the scores that its normaliser is given, values, and the
 * projection of what its heads read. From the graph's structure alone; what the numbers are is for a run to prove.
 */
export function siteTaps(index: GraphIndex, site: FoundSite): SiteTaps {
  const made = new SuffixBuilder(index, site.node, 'taps/');
  const ofWeight = new SuffixBuilder(index, site.node, 'projection/');
  const parts = partsOf(index, site, made);
  const projection =
    site.loop !== undefined
      ? 'it is inside a loop'
      : isSummed(index, site) && summedOperand(index, site) === undefined
        ? summedReason
        : outputProjection(index, index.nodes[site.node].outputs[0], site.isUndivided || site.normalizer === 'linear');
  const residual = typeof projection === 'string' ? projection : residualSum(index, projection, site);
  return {
    ...parts,
    projection: typeof projection === 'string' ? projection : withNumbers(made, ofWeight, projection),
    residual:
      typeof residual === 'string'
        ? residual
        : residualTaps(residual, new SuffixBuilder(index, site.node, 'residual/')),
    suffix: made.build(),
    weightSuffix: ofWeight.build(),
  };
}

/** A residual sum, what stands before it and the norm behind it, as numbers. */
function residualTaps(
  { stream, isOfKeys, branch, addends, norm, isMoved }: ResidualSum,
  made: SuffixBuilder,
): ResidualTaps {
  const origins = new Map<string, string>();
  const numbers = (tensor: string, part: string, origin = tensor): string => {
    const name = made.tensor('Cast', [tensor], part, { to: { integer: dataType.float32 } });
    origins.set(name, origin);
    return name;
  };
  const given = (tensor: string | undefined, part: string): string | undefined =>
    tensor === undefined ? undefined : numbers(tensor, part);
  return {
    stream: numbers(stream, 'stream'),
    isOfKeys,
    isMoved,
    origins,
    branch:
      branch.steps.length === 0 && !isMoved
        ? undefined
        : {
            given: numbers(branch.given, 'branch-given'),
            output: numbers(branch.output, 'branch-output'),
            steps: branch.steps.map((step, i): BranchStep =>
              step.kind === 'norm'
                ? {
                    ...step,
                    given: numbers(step.given, `branch-${i}`),
                    normalized: given(step.normalized, `branch-${i}-normalized`),
                  }
                : { ...step, tensor: numbers(step.tensor, `branch-${i}`) },
            ),
          },
    norm:
      typeof norm === 'string'
        ? norm
        : {
            sum: numbers(
              addends.reduce((sum, addend, i) => made.tensor('Add', [sum, addend], `sum-${i}`)),
              'sum',
              stream,
            ),
            output: numbers(norm.output, 'normalized'),
            scale: given(norm.scale, 'scale'),
            shift: given(norm.shift, 'shift'),
            epsilon: typeof norm.epsilon === 'string' ? numbers(norm.epsilon, 'epsilon') : norm.epsilon,
          },
    suffix: made.build(),
  };
}

function partsOf(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps {
  const all = (reason: string): FusedTaps => ({ queries: reason, keys: reason, scores: reason, values: reason });
  if (site.loop !== undefined) return all('it is inside a loop');
  if (site.heads !== undefined) return joinedTaps(index, site.heads, made);
  const fused = fusedTaps(index, site, made);
  if (fused !== undefined) return fused;
  return site.normalizer === 'linear' ? linearTaps(index, site) : patternTaps(index, site, made);
}

/** An operand's axes: the one that is summed over, and the one that only this operand brings to the result. */
interface OperandAxes {
  readonly summed: number;
  readonly kept: number;
}

function operandAxes(product: Product, position: number): OperandAxes | undefined {
  const { equation, isTransposed, isFirstMoved } = product;
  if (equation === undefined) {
    if (isFirstMoved[position]) return isTransposed[position] ? undefined : { kept: 0, summed: -1 };
    const isLeft = position === 0;
    return isLeft !== isTransposed[position] ? { kept: -2, summed: -1 } : { kept: -1, summed: -2 };
  }
  const own = equation.operands[position];
  const others = equation.operands.filter((_, i) => i !== position);
  const letters = [...own.replace('...', '')];
  const summed = letters.filter((letter) => !equation.result.includes(letter) && others.join('').includes(letter));
  // A third operand is a factor, for each position or for all.
  const [other = ''] = others.filter((each) => each.includes(summed[0] ?? '.'));
  const kept = letters.filter((letter) => equation.result.includes(letter) && !other.includes(letter));
  if (summed.length !== 1 || kept.length !== 1 || !/^(?:\.\.\.)?[A-Za-z]*$/.test(own)) return undefined;
  return { summed: letters.indexOf(summed[0]) - letters.length, kept: letters.indexOf(kept[0]) - letters.length };
}

const notTold = 'its operator does not tell its axes';

/** An operand of a product; `sums` says whether the product sums over its positions, else over its features. */
function operandOf(
  index: GraphIndex,
  product: Product | undefined,
  tensor: string,
  sums: 'positions' | 'features',
): HeadTensor | string {
  const position = product?.operands.findIndex((operand) => isSame(index, operand, tensor)) ?? -1;
  const axes = product === undefined || position < 0 ? undefined : operandAxes(product, position);
  if (axes === undefined) return notTold;
  const [positionAxis, featureAxis] = sums === 'positions' ? [axes.summed, axes.kept] : [axes.kept, axes.summed];
  return { tensor: beforeQuantizing(index, tensor), positionAxis, featureAxis };
}

const isSame = (index: GraphIndex, operand: string, tensor: string): boolean =>
  operand === tensor || beforeQuantizing(index, operand) === tensor;

/** The product of two tensors. */
function productOfBoth(index: GraphIndex, one: string, other: string): Product | undefined {
  const names = [one, ...index.consumers(one).flatMap((node) => index.nodes[node].outputs.slice(0, 1))];
  for (const name of names)
    for (const node of index.consumers(name)) {
      const product = productOf(index, node);
      if (
        product?.operands.some((operand) => isSame(index, operand, one)) === true &&
        product.operands.some((operand) => isSame(index, operand, other))
      )
        return product;
    }
  return undefined;
}

function patternTaps(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps {
  const product = productOf(index, site.node);
  const isSum = isSummed(index, site);
  const values = isSum
    ? (summedOperand(index, site) ?? notTold)
    : numbersOf(index, made, product, operandOf(index, product, site.values, 'positions'));
  const scores = scoresOf(index, site, made);
  if (site.notes.includes('additive scores'))
    return { queries: additiveTerm(index, site.queries), keys: additiveTerm(index, site.keys), scores, values };
  // Where the weights have a row for each key, so have the scores; in a sum, and of a weight, it is known what asks.
  const isKnown = isSum || site.hasLearnedQueries === true;
  const isTurned = !isKnown && product?.equation === undefined && site.queryAxis === -1 && site.keyAxis === -2;
  const [queries, keys] = isTurned ? [site.keys, site.queries] : [site.queries, site.keys];
  const asked = productOfBoth(index, queries, keys);
  return {
    queries: numbersOf(index, made, asked, operandOf(index, asked, queries, 'features')),
    keys:
      queries === keys
        ? 'its queries are its keys'
        : numbersOf(index, made, asked, operandOf(index, asked, keys, 'features')),
    scores,
    values,
  };
}

/** An operand as numbers, where its product is one of bytes with their scales among its inputs. */
function numbersOf(
  index: GraphIndex,
  made: SuffixBuilder,
  product: Product | undefined,
  operand: HeadTensor | string,
): HeadTensor | string {
  if (typeof operand === 'string' || product === undefined) return operand;
  const operator = operatorOf(index, product.node);
  if (operator !== 'QLinearMatMul') return operand;
  const { inputs } = index.nodes[product.node];
  const at = inputs[0] === operand.tensor ? 0 : 3;
  const tensor = made.tensor('DequantizeLinear', inputs.slice(at, at + 3), `numbers-${product.node}-${at}`);
  return { ...operand, tensor };
}

const spreading = new Set(['Unsqueeze', 'Expand', 'Tile', 'Cast', 'Identity']);

/** A term of additive scores before it is spread over the other's positions. */
function additiveTerm(index: GraphIndex, term: string): HeadTensor {
  let tensor = term;
  for (let i = 0; i < 6; i++) {
    const node = index.producer(tensor);
    if (node === undefined || !spreading.has(operatorOf(index, node))) break;
    [tensor] = index.nodes[node].inputs;
  }
  return { tensor, positionAxis: -2, featureAxis: -1 };
}

/** What the normaliser is given, before a maximum is taken off it and before a sink is put beside it. */
function scoresOf(index: GraphIndex, site: FoundSite, made: SuffixBuilder): ScoreTensor | string {
  const { namedBy, chain, queryAxis, keyAxis } = site;
  const operator = operatorOf(index, namedBy);
  const name = index.nodes[namedBy].opType;
  if (operator === 'com.microsoft.BiasSoftmax') return 'its operator adds a bias inside itself';
  const behind = chain.slice(chain.indexOf(name) + 1);
  if (behind.includes('Transpose')) return 'its rows are turned behind the normaliser';
  let [tensor = ''] = carriedInputs(index, namedBy);
  for (let i = 0; i < 6; i++) tensor = beforeAdjusting(index, tensor) ?? tensor;
  if (operator === 'com.microsoft.QLinearSoftmax' || operator === 'com.microsoft.QLinearSigmoid')
    tensor = made.tensor('DequantizeLinear', index.nodes[namedBy].inputs.slice(0, 3), 'scores');
  return { tensor, queryAxis, keyAxis, isZeroWhereMasked: false };
}

/** What a maximum was taken off, what a sink was put beside, or what was converted; undefined for other tensors. */
function beforeAdjusting(index: GraphIndex, tensor: string): string | undefined {
  const node = index.producer(tensor);
  if (node === undefined) return undefined;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'Cast' || opType === 'Identity') return inputs[0];
  if (opType === 'Sub') {
    const maximum = index.producer(inputs[1]);
    return maximum !== undefined && index.nodes[maximum].opType === 'ReduceMax' ? inputs[0] : undefined;
  }
  if (opType === 'Concat' && inputs.length === 2 && isOfWeight(index, inputs[1])) return inputs[0];
  return undefined;
}

/** Whether a tensor is a weight that is at most spread. */
function isOfWeight(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < 6; i++) {
    if (index.weight(name) !== undefined) return true;
    const node = index.producer(name);
    if (node === undefined || !['Expand', 'Tile', 'Reshape', 'Unsqueeze', 'Cast'].includes(index.nodes[node].opType))
      return false;
    [name] = index.nodes[node].inputs;
  }
  return false;
}

/** φ(q) and φ(k), their product, and the values that the keys were summed with. */
function linearTaps(index: GraphIndex, site: FoundSite): FusedTaps {
  const inner = productOfBoth(index, site.keys, site.values);
  const outer = productOf(index, site.node);
  return {
    queries: operandOf(index, outer, site.queries, 'features'),
    keys: operandOf(index, inner, site.keys, 'positions'),
    values: operandOf(index, inner, site.values, 'positions'),
    scores: { tensor: site.tensor, queryAxis: site.queryAxis, keyAxis: site.keyAxis, isZeroWhereMasked: false },
  };
}

/** Heads that are modules of their own, joined along an axis of heads. */
function joinedTaps(index: GraphIndex, heads: readonly FoundSite[], made: SuffixBuilder): FusedTaps {
  const each = heads.map((head) => patternTaps(index, head, made));
  return {
    queries: joined(
      made,
      'queries',
      each.map(({ queries }) => queries),
    ),
    keys: joined(
      made,
      'keys',
      each.map(({ keys }) => keys),
    ),
    values: joined(
      made,
      'values',
      each.map(({ values }) => values),
    ),
    scores: joined(
      made,
      'scores',
      each.map(({ scores }) => scores),
    ),
  };
}

function joined<T extends HeadTensor | ScoreTensor>(
  made: SuffixBuilder,
  part: string,
  found: readonly (T | string)[],
): T | string {
  const parts = found.filter((each) => typeof each !== 'string');
  const [first] = parts;
  if (parts.length < found.length) return found.find((each) => typeof each === 'string') ?? notTold;
  const axesOf = (one: T): string => JSON.stringify({ ...one, tensor: '' });
  if (parts.some((other) => axesOf(other) !== axesOf(first))) return 'its heads are laid out in different ways';
  const list = (name: string, value: number): string => made.integers(`${part}-${name}`, [value]);
  const [from, to] = [list('from', -2), list('to', 2 ** 31 - 1)];
  const [start, end, rest] = [list('start', 0), list('end', 1), list('rest', -1)];
  // Whatever stands between items and the last two axes is one head.
  const sides = parts.map(({ tensor }, i) => {
    const add = (operator: string, inputs: readonly string[], name: string, axis?: number): string =>
      made.tensor(operator, inputs, `${part}-${name}-${i}`, axis === undefined ? {} : { axis: { integer: axis } });
    const shape = add('Shape', [tensor], 'shape');
    const items = add('Slice', [shape, start, end], 'items');
    const dims = add('Concat', [items, rest, add('Slice', [shape, from, to], 'sides')], 'dims', 0);
    return add('Reshape', [tensor, dims], 'head');
  });
  return { ...first, tensor: made.tensor('Concat', sides, part, { axis: { integer: 1 } }) };
}

/** A projection whose weight and result are numbers. */
function withNumbers(made: SuffixBuilder, ofWeight: SuffixBuilder, projection: OutputProjection): OutputProjection {
  const { weight, resultScale, result } = projection;
  const dequantize = (to: SuffixBuilder, tensor: string, [scale, zeroPoint]: readonly [string, string]): string =>
    to.tensor('DequantizeLinear', [tensor, scale, ...(zeroPoint === '' ? [] : [zeroPoint])], 'numbers', {
      axis: { integer: 1 },
    });
  const numbers = resultScale === undefined ? undefined : dequantize(made, result, resultScale);
  return {
    ...projection,
    ...(weight?.scale === undefined
      ? {}
      : { weight: { ...weight, tensor: dequantize(ofWeight, weight.tensor, weight.scale) } }),
    ...(numbers === undefined ? {} : { result: numbers, output: numbers }),
  };
}
