import { headLabel } from '../../model/head';
import type { HowCheck, HowStep } from '../../model/how/how';
import type { ProjectionNumbers } from '../session/projectionRun';
import type { CellRead } from './cellRead';
import type { CellFrame } from './cellTaps';
import { howStep, numbers, single } from './stepBuilder';

/** A projection of more numbers than this is not multiplied with each key's value. */
const mostProducts = 2 ** 27;

/** Values, what the head gives, the heads side by side, and what the output projection makes of them. */
export function outputSteps(read: CellRead, weights: Float32Array, projection: ProjectionNumbers | string): HowStep[] {
  const { taps, tensors, facts, check, key } = read;
  const found = valuesOf(read);
  if (typeof found === 'string') return [howStep('noValues', { args: [found] })];
  const { values, size } = found;
  const node = taps.plan.form === 'fused' ? [taps.plan.product] : [];
  const value = values.slice(key * size, (key + 1) * size);
  const weight = weights[key];
  const z = new Float64Array(size);
  let scale = 0;
  weights.forEach((each, at) => {
    if (each === 0) return;
    for (let i = 0; i < size; i++) {
      const product = each * values[at * size + i];
      z[i] += product;
      scale = Math.max(scale, Math.abs(product));
    }
  });
  const context = tensors.ofItem('context');
  const heads =
    context !== undefined && context.length % (facts.numHeads * size) === 0
      ? context.slice(0, facts.numHeads * size)
      : undefined;
  const own = heads?.slice(facts.cell.head * size, (facts.cell.head + 1) * size);
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
      at: key,
      numbers: [
        numbers('weights', weights.slice()),
        numbers('values', values, [weights.length, size]),
        numbers('z', own ?? Float32Array.from(z)),
      ],
      ...(own === undefined
        ? {}
        : { check: rounded(check.sums(z, own, scale * Math.sqrt(weights.length)), taps.isRounded, own) }),
    }),
  ];
  if (heads === undefined || own === undefined) {
    const why = typeof projection === 'string' ? projection : 'its heads do not stand side by side before it';
    return [...steps, howStep('noProjection', { args: [why] })];
  }
  steps.push(
    howStep('heads', {
      args: [facts.numHeads, size],
      numbers: [
        numbers('heads', heads, [facts.numHeads, size]),
        numbers(
          'norms',
          Float32Array.from({ length: facts.numHeads }, (_, head) => normOf(heads, head * size, size)),
        ),
      ],
    }),
  );
  return [...steps, ...projectionSteps(read, { weights, values, size, heads }, projection)];
}

/** Where numbers are rounded to few bits on the way, sums are equal only to that, by the largest of what comes out. */
const coarseness = 3e-2;

function rounded(check: HowCheck, isCoarse: boolean, given: Float32Array): HowCheck {
  if (!isCoarse) return check;
  const largest = given.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { ...check, tolerance: Math.max(check.tolerance, coarseness * largest) };
}

const isRounded = ({ parts }: CellFrame): boolean =>
  parts !== undefined && typeof parts.projection !== 'string' && parts.projection.isRounded;

interface Heads {
  readonly weights: Float32Array;
  /** Of the head, at all keys. */
  readonly values: Float32Array;
  readonly size: number;
  /** What each head gives. */
  readonly heads: Float32Array;
}

function projectionSteps(
  { taps, tensors, facts, check, key }: CellRead,
  { weights, values, size, heads }: Heads,
  projection: ProjectionNumbers | string,
): HowStep[] {
  if (typeof projection === 'string') return [howStep('noProjection', { args: [projection] })];
  if (!tensors.has('written')) return [howStep('noProjection', { args: ['it computes with numbers of 8 bits'] })];
  const { numOut, weight, bias } = projection;
  const { head, layer } = facts.cell;
  const written = new Float64Array(facts.numHeads * numOut);
  let scale = 0;
  for (let each = 0; each < facts.numHeads; each++)
    for (let i = 0; i < size; i++) {
      const feature = heads[each * size + i];
      for (let at = 0; at < numOut; at++) {
        const product = feature * weight[(each * size + i) * numOut + at];
        written[each * numOut + at] += product;
        scale = Math.max(scale, Math.abs(product));
      }
    }
  const output = new Float64Array(numOut);
  for (let at = 0; at < numOut; at++) {
    output[at] = bias?.[at] ?? 0;
    for (let each = 0; each < facts.numHeads; each++) output[at] += written[each * numOut + at];
  }
  const given = tensors.shared('written');
  const contributions = Float32Array.from(written);
  const norms = Array.from({ length: facts.numHeads }, (_, each) => normOf(contributions, each * numOut, numOut));
  const own = contributions.slice(head * numOut, (head + 1) * numOut);
  const part = weight.slice(head * size * numOut, (head + 1) * size * numOut);
  const compared =
    given?.length === numOut
      ? rounded(check.sums(output, given, scale * Math.sqrt(heads.length)), isRounded(taps), given)
      : undefined;
  const nodes = taps.projectionNode === undefined ? [] : [taps.projectionNode];
  return [
    howStep('written', {
      nodes,
      args: [norms[head]],
      numbers: [
        numbers('z', heads.slice(head * size, (head + 1) * size)),
        numbers('projection', part, [size, numOut]),
        numbers('written', own),
      ],
      check: compared,
    }),
    ...(weights.length * size * numOut > mostProducts
      ? []
      : [contributorStep({ weights, values, size, part, numOut }, key, nodes)]),
    howStep('output', {
      nodes,
      args: [
        normOf(Float32Array.from(output), 0, numOut),
        headLabel({ layer, head: norms.indexOf(Math.max(...norms)) }),
      ],
      numbers: [
        numbers('contributions', contributions, [facts.numHeads, numOut]),
        numbers('norms', Float32Array.from(norms)),
        numbers('bias', bias ?? new Float32Array(numOut)),
        numbers('output', given?.length === numOut ? given : Float32Array.from(output)),
      ],
      check: compared,
    }),
  ];
}

function contributorStep(
  {
    weights,
    values,
    size,
    part,
    numOut,
  }: Omit<Heads, 'heads'> & { readonly part: Float32Array; readonly numOut: number },
  key: number,
  nodes: Parameters<typeof howStep>[1]['nodes'],
): HowStep {
  const row = new Float64Array(numOut);
  const norms = Float32Array.from(weights, (weight, at) => {
    if (weight === 0) return 0;
    row.fill(0);
    for (let i = 0; i < size; i++) {
      const feature = values[at * size + i];
      for (let to = 0; to < numOut; to++) row[to] += feature * part[i * numOut + to];
    }
    return weight * normOf(row, 0, numOut);
  });
  return howStep('contributors', {
    nodes: nodes ?? [],
    args: [norms[key]],
    numbers: [numbers('norms', norms)],
    at: key,
  });
}

function normOf(values: ArrayLike<number>, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** Values of the head at all keys: `values[key * size + feature]`. */
function valuesOf({
  taps,
  tensors,
  facts,
  numKeys,
}: CellRead): { readonly values: Float32Array; readonly size: number } | string {
  const how = taps.parts?.values ?? 'it is inside a loop';
  if (typeof how === 'string') return how;
  const rows = tensors.rows('values', how, facts.numHeads);
  if (rows === undefined || rows.numPositions < numKeys) return 'its values are not laid out in a way that is known';
  const { width, numPositions, data } = rows;
  const at = facts.cell.head * numPositions * width;
  return { values: data.slice(at, at + numKeys * width), size: width };
}
