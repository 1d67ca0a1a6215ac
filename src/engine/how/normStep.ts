import type { HowKind, HowStep } from '../../model/how/how';
import type { CellRead } from './cellRead';
import { firstColumn } from './headColumns';
import { howStep, numbers, single } from './stepBuilder';

/** What a norm is to one head: its step, and the head's numbers of what it is given and gives. */
interface HeadNorm {
  readonly step: HowStep;
  readonly before: Float32Array;
  readonly after: Float32Array;
}

const kinds = {
  query: { rms: 'rmsNormQuery', centred: 'layerNormQuery' },
  key: { rms: 'rmsNormKey', centred: 'layerNormKey' },
} as const satisfies Readonly<Record<'query' | 'key', Readonly<Record<'rms' | 'centred', HowKind>>>>;

/**
 * The norm of a query or key between its linear map and its rotation, or behind that, computed anew: of one head, or of all heads together, among which
 * the head's own numbers are found. Undefined where there is none, or where it comes to something else.
 * @param operand what is behind it: what the product is given, without its scales, or what is rotated.
 */
export function headNorm(
  { taps, tensors, facts, check }: CellRead,
  side: 'query' | 'key',
  operand: { readonly given: Float32Array; readonly rotated: Float32Array | undefined },
): HeadNorm | undefined {
  const { normed } = taps.origins[side];
  if (normed === undefined) return undefined;
  const { head } = facts.cell;
  const rowOf = (what: string): Float32Array | undefined => {
    if (normed.isOfAllHeads) return tensors.shared(what);
    const how = { tensor: '', positionAxis: normed.positionAxis, featureAxis: -1 };
    const rows = tensors.rows(what, how, facts.numHeads);
    return rows?.data.slice(head * rows.width, (head + 1) * rows.width);
  };
  const [before, after] = [rowOf(`norm before of ${side}`), rowOf(`norm after of ${side}`)];
  const size = before?.length ?? 0;
  if (before === undefined || after?.length !== size || size === 0) return undefined;
  const factors = (what: 'gain' | 'shift', otherwise: number): Float32Array | undefined => {
    if (normed[what] === undefined) return new Float32Array(size).fill(otherwise);
    const values = tensors.whole(`norm ${what} of ${side}`)?.values;
    if (values === undefined || values.length % size !== 0) return undefined;
    // Each head may have its own; heads of a group share them.
    const own = Math.floor((head * (values.length / size)) / facts.numHeads);
    return values.slice(own * size, (own + 1) * size);
  };
  const [gain, shift] = [factors('gain', 1), factors('shift', 0)];
  const epsilon =
    typeof normed.epsilon === 'number' ? normed.epsilon : tensors.whole(`norm epsilon of ${side}`)?.values[0];
  if (gain === undefined || shift === undefined || epsilon === undefined) return undefined;
  const mean = normed.isCentred ? before.reduce((sum, value) => sum + value, 0) / size : 0;
  const square = before.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
  const root = Math.sqrt(square + epsilon);
  const own = Float64Array.from(before, (value, i) => ((value - mean) / root) * gain[i] + shift[i]);
  const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const compared = check.sums(own, after, largest * Math.sqrt(size));
  const first = firstColumn(after, operand.given, operand.rotated);
  if (first === undefined || compared.difference > compared.tolerance) return undefined;
  const width = operand.given.length;
  const step = howStep(kinds[side][normed.isCentred ? 'centred' : 'rms'], {
    nodes: [normed.node],
    args: [size, width],
    numbers: [
      numbers('before', before),
      numbers('gain', gain),
      ...(normed.isCentred ? [numbers('shift', shift)] : []),
      single('epsilon', epsilon),
      numbers('after', after),
    ],
    check: compared,
  });
  return { step, before: before.slice(first, first + width), after: after.slice(first, first + width) };
}
