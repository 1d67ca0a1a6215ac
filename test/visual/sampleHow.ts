import type { Cell, How, HowName, HowNumbers } from '../../src/model/how/how';
import { plain } from '../../src/base/safeText';

/** How a weight of a generated run might have come about: numbers that agree with each other. */
export function sampleHow(cell: Cell, numKeys: number): How {
  const numbers = (name: HowName, values: Float32Array, dims: readonly number[] = [values.length]): HowNumbers => ({
    name,
    values,
    dims,
  });
  const query = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i + cell.query));
  const key = Float32Array.from({ length: 16 }, (_, i) => Math.cos(2 * i + cell.key));
  const products = query.map((value, i) => value * key[i]);
  const score = products.reduce((sum, value) => sum + value, 0);
  const exponentials = Float32Array.from({ length: numKeys }, (_, i) =>
    i === cell.key ? 1 : i <= cell.query ? 1 / (3 + i) : 0,
  );
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  const weights = exponentials.map((value) => value / total);
  const check = { difference: 2.5e-8, tolerance: 1e-6 };
  const node = (name: string, operator: string) => [{ name: plain(name), operator: plain(operator) }];
  return {
    cell,
    weight: weights[cell.key],
    numHeads: 8,
    numKeys,
    firstKey: 0,
    steps: [
      {
        kind: 'query',
        nodes: node('/layers.1/q_proj/MatMul', 'MatMul'),
        args: ['a linear map of its input'],
        numbers: [numbers('query', query)],
      },
      {
        kind: 'product',
        nodes: node('/layers.1/MatMul', 'MatMul'),
        args: [],
        numbers: [
          numbers('query', query),
          numbers('key', key),
          numbers('products', products),
          numbers('score', Float32Array.of(score), []),
        ],
        check,
      },
      {
        kind: 'mask',
        nodes: node('/layers.1/Add', 'Add'),
        args: [1, numKeys],
        numbers: [],
        check: { difference: 0.5, tolerance: 1e-6 },
      },
      {
        kind: 'weight',
        nodes: node('/layers.1/Softmax', 'Softmax'),
        args: [weights[cell.key]],
        numbers: [
          numbers('exponentials', exponentials),
          numbers('total', Float32Array.of(total), []),
          numbers('weights', weights),
        ],
        at: cell.key,
        check,
      },
    ],
  };
}
