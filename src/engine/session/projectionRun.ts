import { dataType } from '../../onnx/file/dataType';
import { encodeNode, encodeTypedValue } from '../../onnx/file/nodeBytes';
import type { OutputProjection } from '../../onnx/follow/outputProjection';
import { operatorOf } from '../../onnx/follow/products';
import { floatTypeOf } from '../../onnx/graph/tensorFacts';
import type { SiteTaps } from '../../onnx/name/taps';
import { rewriteModel } from '../../onnx/rewrite/rewriteModel';
import { exclusively } from '../limits/runLock';
import { fromTensor, toFloats } from '../runtime/feeds';
import { silently } from '../runtime/runtime';
import { reasonOf, runtimeError } from '../runtime/runtimeError';
import { openPart, type PartRuntime } from './openPart';

/** What an output projection does with features of all heads: `weight[feature * numOut + at]`, and what it adds by itself. */
export interface ProjectionNumbers {
  readonly numIn: number;
  readonly numOut: number;
  readonly weight: Float32Array;
  /** Undefined where it adds nothing. */
  readonly bias: Float32Array | undefined;
}

/** More numbers than these are not held of one projection. */
const mostNumbers = 2 ** 28;
/** Rows that the projection's own nodes are given at a time. */
const rowsAtOnce = 256;

const names = {
  weight: 'attention-explorer-projection-weight',
  bias: 'attention-explorer-projection-bias',
  given: 'attention-explorer-projection-given',
  made: 'attention-explorer-projection-made',
} as const;

/**
 * The numbers of a site's output projection: its weight as the graph has it, converted and dequantised; where only its own nodes know it,
 * what these make of unit rows, less what they make of zeros. Otherwise, in a clause, why they cannot be had.
 * @param numIn features of all heads together.
 */
export async function readProjection(
  runtime: PartRuntime,
  { projection, weightSuffix }: Pick<SiteTaps, 'projection' | 'weightSuffix'>,
  numIn: number,
): Promise<ProjectionNumbers | string> {
  if (typeof projection === 'string') return projection;
  try {
    const numbers =
      projection.weight === undefined
        ? await runUnitRows(runtime, projection, numIn)
        : await readWeight(runtime, projection, weightSuffix);
    if (typeof numbers !== 'string' && numbers.numIn !== numIn)
      return `its projection takes ${numbers.numIn} features, and its heads have ${numIn}${numIn % numbers.numIn === 0 ? ': as where heads stand in several windows each, which a run that draws them tells apart' : ''}`;
    return numbers;
  } catch (error) {
    return `its projection’s weight could not be read (${reasonOf(runtimeError(error, 'the projection'))})`;
  }
}

async function readWeight(
  runtime: PartRuntime,
  { weight, bias }: OutputProjection,
  suffix: SiteTaps['weightSuffix'],
): Promise<ProjectionNumbers | string> {
  if (weight === undefined) return 'its projection’s weight is not told';
  const toFloat = { to: { integer: dataType.float32 } };
  const [turned, flat] = ['turned', 'flat'].map((part) => `${names.weight}-${part}`);
  const nodes = [
    encodeNode('Transpose', [weight.tensor], [turned], { perm: { integers: weight.order } }),
    encodeNode('Flatten', [turned], [flat], { axis: { integer: weight.numSummed } }),
    encodeNode('Cast', [flat], [names.weight], toFloat),
    ...(bias === undefined ? [] : [encodeNode('Cast', [bias], [names.bias], toFloat)]),
  ];
  const wanted = [names.weight, ...(bias === undefined ? [] : [names.bias])];
  const rewritten = rewriteModel(runtime.files.analysis, {
    sites: [],
    isWhole: false,
    also: wanted,
    suffixes: [{ ...suffix, nodes: [...suffix.nodes, ...nodes] }],
  });
  if (rewritten.inputs.length > 0) return 'its projection’s weight depends on what is read';
  const session = await openPart(runtime, rewritten);
  try {
    const results = await exclusively(runtime.ort, () => session.run({}, wanted, silently));
    const [numIn, numOut] = results[names.weight].dims;
    if (numIn * numOut > mostNumbers) return 'its projection is too large';
    const data = toFloats(fromTensor(results[names.weight]));
    const added = bias === undefined ? undefined : (results[names.bias].data as Float32Array); // the same
    if (data === undefined) return 'its projection’s weight did not come out as numbers';
    return { numIn, numOut, weight: data, bias: added?.length === numOut ? added : spread(added, numOut) };
  } finally {
    await exclusively(runtime.ort, () => session.release());
  }
}

const spread = (bias: Float32Array | undefined, length: number): Float32Array | undefined =>
  bias?.length === 1 ? new Float32Array(length).fill(bias[0]) : undefined;

async function runUnitRows(
  runtime: PartRuntime,
  { node, context, result }: OutputProjection,
  numIn: number,
): Promise<ProjectionNumbers | string> {
  const { index } = runtime.files.analysis;
  const maker = index.producer(context);
  if (maker === undefined) return 'its projection reads an input of the model';
  const rewritten = rewriteModel(runtime.files.analysis, {
    sites: [],
    isWhole: false,
    also: [names.made],
    added: [encodeNode('Cast', [result], [names.made], { to: { integer: dataType.float32 } })],
    replacements: {
      nodes: new Map([
        [maker, [encodeNode('Cast', [names.given], [context], { to: { integer: floatTypeOf(index, context) } })]],
      ]),
      initializers: [],
    },
    tapInputs: [encodeTypedValue(names.given, dataType.float32)],
  });
  if (rewritten.inputs.length > 0) return 'its projection needs more than what its heads read';
  const isFlat = operatorOf(index, node).endsWith('Gemm');
  const session = await openPart(runtime, rewritten);
  try {
    let weight = new Float32Array(0);
    let bias = new Float32Array(0);
    for (let from = 0; from < numIn; from += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, numIn - from);
      // The last row is of zeros: what comes of it is no part of the weight.
      const rows = new Float32Array((count + 1) * numIn);
      for (let i = 0; i < count; i++) rows[i * numIn + from + i] = 1;
      const given = new runtime.ort.Tensor('float32', rows, isFlat ? [count + 1, numIn] : [1, count + 1, numIn]);
      const results = await exclusively(runtime.ort, () =>
        session.run({ [names.given]: given }, [names.made], silently),
      );
      const made = results[names.made].data as Float32Array; // cast to floats
      const numOut = made.length / (count + 1);
      if (!Number.isInteger(numOut) || numIn * numOut > mostNumbers) return 'its projection is too large';
      if (from === 0) [weight, bias] = [new Float32Array(numIn * numOut), made.slice(count * numOut)];
      for (let i = 0; i < count * numOut; i++) weight[from * numOut + i] = made[i] - bias[i % numOut];
    }
    return { numIn, numOut: bias.length, weight, bias };
  } finally {
    await exclusively(runtime.ort, () => session.release());
  }
}
