import { mergedKind, someAxis, type Axis } from './axes';
import type { GraphIndex } from '../graph/graphIndex';

/** An axis by its number, which counts from the end where it is negative. */
export function axisAt(axis: number, of: readonly Axis[] | undefined): number {
  return axis < 0 ? axis + (of?.length ?? 0) : axis;
}

/** What is left of axes that are reduced, or chosen from. */
export function reducedAxes(
  index: GraphIndex,
  node: number,
  from: readonly Axis[] | undefined,
): readonly Axis[] | undefined {
  if (from === undefined) return undefined;
  const { inputs } = index.nodes[node];
  const attributes = index.attributes(node);
  const isArg = index.nodes[node].opType.startsWith('Arg');
  const axes = isArg
    ? [index.integerAttribute(node, 'axis') ?? 0]
    : (attributes.get('axes')?.integers ??
      index.constantIntegers(inputs[1] ?? '') ??
      (inputs[1] ? undefined : from.map((_, i) => i)));
  if (axes === undefined) return undefined;
  const gone = new Set(axes.map((axis) => axisAt(axis, from)));
  const isKept = (index.integerAttribute(node, 'keepdims') ?? 1) === 1;
  return from.flatMap((axis, i) => (gone.has(i) ? (isKept ? [someAxis('unknown', 1)] : []) : [axis]));
}

/** What a window that steps over a picture makes of its axes. */
export function convolvedAxes(
  index: GraphIndex,
  node: number,
  operator: string,
  from: readonly Axis[] | undefined,
): readonly Axis[] | undefined {
  if (from === undefined || from.length < 3) return undefined;
  const { inputs } = index.nodes[node];
  const weight = operator.includes('Conv') ? index.weight(inputs[operator === 'QLinearConv' ? 3 : 1]) : undefined;
  const channels = operator.includes('Conv')
    ? someAxis('feature', operator === 'ConvTranspose' ? undefined : weight?.dims[0])
    : from[1];
  const attributes = index.attributes(node);
  const [kernel, strides, pads, dilations] = ['kernel_shape', 'strides', 'pads', 'dilations'].map(
    (name) => attributes.get(name)?.integers ?? [],
  );
  const isPlain =
    (attributes.get('auto_pad')?.text ?? 'NOTSET') === 'NOTSET' &&
    index.integerAttribute(node, 'ceil_mode') !== 1 &&
    operator !== 'ConvTranspose';
  const space = from.slice(2).map((axis, i, { length }): Axis => {
    if (operator.startsWith('Global')) return someAxis('unknown', 1);
    const width = kernel[i] ?? weight?.dims[i + 2];
    if (!isPlain || axis.size === undefined || width === undefined) return someAxis(axis.kind);
    return someAxis(
      axis.kind,
      Math.floor(
        (axis.size + (pads[i] ?? 0) + (pads[i + length] ?? 0) - (dilations[i] ?? 1) * (width - 1) - 1) /
          (strides[i] ?? 1),
      ) + 1,
    );
  });
  return [from[0], channels, ...space];
}

/** Axes of length one that go or come. */
export function squeezedAxes(
  index: GraphIndex,
  node: number,
  operator: string,
  from: readonly Axis[] | undefined,
): readonly Axis[] | undefined {
  if (from === undefined) return undefined;
  const axes =
    index.attributes(node).get('axes')?.integers ?? index.constantIntegers(index.nodes[node].inputs[1] ?? '');
  if (operator === 'Squeeze') {
    if (axes === undefined) return undefined;
    const gone = new Set(axes.map((axis) => axisAt(axis, from)));
    return from.filter((_, i) => !gone.has(i));
  }
  if (axes === undefined) return undefined;
  const rank = from.length + axes.length;
  const made = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...from];
  return Array.from({ length: rank }, (_, i) => (made.has(i) ? someAxis('unknown', 1) : (rest.shift() ?? someAxis())));
}

/** The axes of tensors that are put together along one. */
export function joinedAxes(parts: readonly (readonly Axis[] | undefined)[], axis: number): readonly Axis[] | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (known.length === 0) return undefined;
  const at = axisAt(axis, known[0]);
  return known[0].map((own, i) => {
    const all = known.flatMap((part) => part[i] ?? []);
    if (i !== at) return all.find((each) => each.kind !== 'unknown') ?? own;
    const sizes = parts.map((part) => part?.[i]?.size);
    return someAxis(
      mergedKind(all),
      sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined,
    );
  });
}
