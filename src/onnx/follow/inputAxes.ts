import { isFloatType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { someAxis, type Axis } from './axes';
import { overSpace } from './axisOperators';
import { operatorOf } from './products';

/** The axes of a graph's inputs: what is given counts positions, unless it may be features. Those of one name are one. */
export function inputAxes(index: GraphIndex): Map<string, readonly Axis[] | undefined> {
  const symbols = new Map<string, Axis>();
  return new Map(
    index.inputs.map(({ name, dims, dataType }) => {
      // Of features that are given, the last axis may be theirs, or, as in a series of variables, that of the positions.
      const mayHaveFeatures = isFloatType(dataType) && (dims?.length ?? 0) < 4;
      const isPicture = isConvolved(index, name);
      const axes = dims?.map((dim, i): Axis => {
        const kind = typeof dim !== 'string' && mayHaveFeatures && i === dims.length - 1 ? 'unknown' : 'position';
        const isOfItems = (isPicture && i === 0) || (typeof dim === 'string' && /batch/i.test(dim));
        const made = {
          ...someAxis(kind, typeof dim === 'string' ? undefined : dim),
          ...(isOfItems ? { isOfItems } : {}),
        };
        if (typeof dim !== 'string') return made;
        const axis = symbols.get(dim) ?? made;
        symbols.set(dim, axis);
        return axis;
      });
      return [name, axes];
    }),
  );
}

/** Operators that a picture goes through before its first convolution. */
const before = new Set(['Cast', 'Identity', 'Sub', 'Div', 'Mul', 'Add', 'Pad', 'QuantizeLinear', 'DequantizeLinear']);

/** Whether an input goes into a convolution, whose first axis is that of a batch's items. */
function isConvolved(index: GraphIndex, input: string): boolean {
  const pending = [input];
  for (let i = 0; i < pending.length && i < 8; i++)
    for (const node of index.consumers(pending[i])) {
      const operator = operatorOf(index, node);
      if (overSpace.has(operator)) return index.nodes[node].inputs[0] === pending[i];
      if (before.has(operator)) pending.push(...index.nodes[node].outputs.slice(0, 1));
    }
  return false;
}
