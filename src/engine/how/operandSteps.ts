import type { HowStep } from '../../model/how/how';
import type { NamedNode } from '../../onnx/steps/cellPlan';
import type { OperandOrigin } from '../../onnx/steps/operandOrigin';
import type { ProjectionNumbers } from '../session/projectionRun';
import type { CellMaps, CellRead } from './cellRead';
import { turned } from './cellTaps';
import { firstColumn } from './headColumns';
import { headNorm } from './normStep';
import { howStep, numbers, single } from './stepBuilder';

type Side = 'query' | 'key';

/** Query and key: the linear maps that make them, their norm, their rotation and what scales them. */
export function operandSteps(read: CellRead, maps: CellMaps['maps']): HowStep[] {
  return (['query', 'key'] as const).flatMap((side) => stepsOf(read, side, maps[side]));
}

function stepsOf(read: CellRead, side: Side, map: ProjectionNumbers | undefined): HowStep[] {
  const values = operandOf(read, side);
  const origin = read.taps.origins[side];
  const scales = scalesOf(read, side);
  const scale = scales.reduce((product, { factor, isDivided }) => (isDivided ? product / factor : product * factor), 1);
  const unscaled = values?.map((each) => each / scale);
  const rotation = rotationOf(read, side);
  // A norm stands between the map and the rotation, or behind both.
  const isRotatedFirst = origin.normed?.isBehindRotation === true && rotation !== undefined;
  const last = isRotatedFirst ? undefined : rotation;
  const norm = unscaled && headNorm(read, side, { given: unscaled, rotated: last?.before });
  const made = mappedStep(
    read,
    norm === undefined || isRotatedFirst
      ? { side, map, operand: unscaled, rotated: rotation?.before }
      : { side, map, operand: norm.before, rotated: undefined },
  );
  const norms = norm === undefined ? [] : [norm.step];
  const rotations = rotationSteps(read, side, rotation);
  return [
    made ??
      howStep(side, {
        nodes: [origin.projection, origin.norm, origin.rotation].filter((node) => node !== undefined),
        args: [wayOf(origin)],
        numbers: values === undefined ? [] : [numbers(side, values)],
      }),
    ...(isRotatedFirst ? [...rotations, ...norms] : [...norms, ...rotations]),
    ...scaleSteps(read, {
      side,
      scales: scales.reverse(),
      operand: values,
      given: last?.after ?? norm?.after ?? rotation?.after ?? resultOf(made, side),
    }),
  ];
}

/** What scales an operand before the product, nearest to the product first. */
function scalesOf({ tensors, taps }: CellRead, side: Side): ScaleRead[] {
  return taps.origins[side].scales.flatMap(({ node, isDivided }, i) => {
    const factor = tensors.shared(`scale of ${side} ${i}`)?.[0];
    return factor === undefined || factor === 1 ? [] : [{ node, isDivided, factor }];
  });
}

interface ScaleRead {
  readonly node: NamedNode;
  readonly isDivided: boolean;
  readonly factor: number;
}

/** The rotation of an operand by its position, where it is told apart. */
function rotationSteps({ taps, facts }: CellRead, side: Side, rotation: Rotation | undefined): HowStep[] {
  const node = taps.origins[side].rotation;
  if (rotation === undefined || node === undefined) return [];
  return [
    howStep(side === 'query' ? 'rotatedQuery' : 'rotatedKey', {
      nodes: [node],
      args: [facts.cell[side]],
      numbers: turned.map((name) => numbers(name, rotation[name])),
      check: rotation.check,
    }),
  ];
}

/** What a step came to. */
const resultOf = (step: HowStep | undefined, side: Side): Float32Array | undefined =>
  step?.numbers.find(({ name }) => name === side)?.values;

/** Scales of an operand, nearest to the projection first; computed anew where what they are given is known. */
function scaleSteps(
  { check }: CellRead,
  {
    side,
    scales,
    operand,
    given,
  }: {
    readonly side: Side;
    readonly scales: readonly ScaleRead[];
    readonly operand: Float32Array | undefined;
    readonly given: Float32Array | undefined;
  },
): HowStep[] {
  if (operand === undefined) return [];
  let before = given?.length === operand.length ? given : undefined;
  return scales.map(({ node, isDivided, factor }, i) => {
    const other = isDivided ? 1 / factor : factor;
    const own = before?.map((each) => each * other);
    const after = i === scales.length - 1 ? operand : own;
    const size = after?.reduce((most, each) => Math.max(most, Math.abs(each)), 0) ?? 0;
    const compared = own === undefined || after === undefined ? undefined : check.sums(own, after, size);
    const isKnown = compared !== undefined && compared.difference <= compared.tolerance;
    const step = howStep(side === 'query' ? 'scaledQuery' : 'scaledKey', {
      nodes: [node],
      args: [isDivided ? `1 ÷ ${rounded(factor)}` : rounded(factor)],
      numbers:
        isKnown && before !== undefined && after !== undefined
          ? [numbers('before', before), single('other', other), numbers('after', after)]
          : [numbers(side, operand)],
      check: isKnown ? compared : undefined,
    });
    before = own;
    return step;
  });
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

type Rotation = Readonly<Record<(typeof turned)[number], Float32Array>> & {
  readonly check: ReturnType<CellRead['check']['sums']>;
};

/** The head's numbers of its rotation; undefined where they are not told apart. */
function rotationOf({ taps, tensors, facts, check }: CellRead, side: Side): Rotation | undefined {
  const { turn } = taps.origins[side];
  if (turn === undefined) return undefined;
  const [before, cos, other, sin, after] = turned.map((what) => {
    const rows = tensors.rows(
      `${what} of ${side}`,
      { tensor: '', positionAxis: turn.positionAxis, featureAxis: -1 },
      facts.numHeads,
    );
    return rows?.data.slice(facts.cell.head * rows.width, (facts.cell.head + 1) * rows.width);
  });
  if (before === undefined || cos === undefined || other === undefined || sin === undefined || after === undefined)
    return undefined;
  if ([cos, other, sin, after].some(({ length }) => length !== before.length)) return undefined;
  const own = Float64Array.from(before, (value, i) => value * cos[i] + other[i] * sin[i]);
  const size = before.reduce((most, value, i) => Math.max(most, Math.abs(value) + Math.abs(other[i])), 0);
  return { before, cos, turned: other, sin, after, check: check.sums(own, after, size) };
}

/**
 * q_i = x_i W_Q + b with the head's part of the map: those columns whose numbers the head was given. Undefined where these are not found in what the map
 * made (behind a norm), or where the map comes to something else (in few bits).
 */
function mappedStep(
  { taps, tensors, check }: CellRead,
  {
    side,
    map,
    operand,
    rotated,
  }: {
    readonly side: Side;
    readonly map: ProjectionNumbers | undefined;
    /** What the product is given, without its scales, or what is normalised. */
    readonly operand: Float32Array | undefined;
    /** What is rotated of it, before. */
    readonly rotated: Float32Array | undefined;
  },
): HowStep | undefined {
  if (map === undefined || operand === undefined) return undefined;
  const x = tensors.shared(`x of ${side}`);
  const made = tensors.shared(`made of ${side}`);
  if (x?.length !== map.numIn || made?.length !== map.numOut) return undefined;
  const first = firstColumn(made, operand, rotated);
  if (first === undefined) return undefined;
  const size = operand.length;
  const added = tensors.whole(`bias of ${side}`)?.values ?? map.bias;
  const bias =
    added === undefined
      ? new Float32Array(size)
      : added.length === map.numOut
        ? added.slice(first, first + size)
        : new Float32Array(size).fill(added[0]);
  const part = new Float32Array(map.numIn * size);
  const sums = Float64Array.from(bias);
  let largest = 0;
  for (let row = 0; row < map.numIn; row++)
    for (let i = 0; i < size; i++) {
      const weight = map.weight[row * map.numOut + first + i];
      part[row * size + i] = weight;
      sums[i] += x[row] * weight;
      largest = Math.max(largest, Math.abs(x[row] * weight));
    }
  const result = made.slice(first, first + size);
  const compared = check.sums(sums, result, largest * Math.sqrt(map.numIn));
  const { projection } = taps.origins[side];
  return compared.difference <= compared.tolerance
    ? howStep(side, {
        nodes: projection === undefined ? [] : [projection],
        args: ['a linear map of its input'],
        numbers: [
          numbers(side === 'query' ? 'x_query' : 'x_key', x),
          numbers('projection', part, [map.numIn, size]),
          numbers('bias', bias),
          numbers(side, result),
        ],
        check: compared,
      })
    : undefined;
}

/** … where each iteration of a loop is a row: which operand asks shows in that it has one position. */
function operandOfRow(
  { taps, tensors, key }: Pick<CellRead, 'taps' | 'tensors' | 'key'>,
  side: Side,
): Float32Array | undefined {
  const { queries, keys } = taps.plan;
  const numPositions = tensors.whole('query')?.dims.at(queries.positionAxis) ?? 1;
  const isQueryFirst = numPositions === 1;
  return isQueryFirst === (side === 'query')
    ? tensors.operand('query', queries.positionAxis, side === 'query' ? 0 : key)
    : tensors.operand('key', keys.positionAxis, side === 'query' ? 0 : key);
}

/** The query's or the key's numbers, as the product is given them. */
export function operandOf({ taps, tensors, facts, key }: CellRead, side: 'query' | 'key'): Float32Array | undefined {
  const { additive, form } = taps.plan;
  const areRows = taps.loop?.iteration === 'rows';
  if (form === 'fused' || form === 'linear') {
    const found = side === 'query' ? taps.parts?.queries : taps.parts?.keys;
    const rows =
      found === undefined || typeof found === 'string' ? undefined : tensors.rows(side, found, facts.numHeads);
    if (rows === undefined) return undefined;
    const place = side === 'query' ? facts.first.query + facts.cell.query : key;
    const at = (facts.cell.head * rows.numPositions + place) * rows.width;
    return rows.data.slice(at, at + rows.width);
  }
  if (additive === undefined) return areRows ? operandOfRow({ taps, tensors, key }, side) : tensors.ofHead(side);
  const length = tensors.whole('vector')?.values.length;
  const query = areRows ? 0 : facts.first.query + facts.cell.query;
  return length === undefined ? undefined : tensors.part(side, side === 'query' ? query : key, length);
}
