import type { Component } from '../../model/head';
import { joinsHeads, methods, type MethodId } from '../../model/methods';
import { WholeLayer, type HeldLayer } from '../weights/heldLayer';
import { MixedLayer, type LayerWeighing } from '../weights/weighedLayers';
import type { FileArrays } from './fileStreams';
import { floatsOf } from './readArrays';

/** Why a method cannot be had of a layer whose array is not there, in a clause. */
export function lackOfArray(what: MethodId | 'value' | 'norm', component: Component, layer: number): string {
  return `the file has no array "${what}.${component}.${layer}"`;
}

/** What a layer's keys weigh beside its weights, as far as the file has it; otherwise, in a clause, why not. */
export function readWeighing(
  { arrays }: FileArrays,
  { component, numHeads, numQueries, numKeys }: HeldLayer,
  layer: number,
  difference: number,
): LayerWeighing {
  /** An array's numbers; of its sides, those that are undefined may be of any length. */
  const read = (
    what: string,
    sides: readonly (number | undefined)[],
    of: string,
  ): readonly [numbers: Float32Array, last: number] | string | undefined => {
    const name = `${what}.${component}.${layer}`;
    const array = arrays.get(name);
    if (array === undefined) return undefined;
    const { shape } = array;
    const own = shape.length === sides.length + 1 && shape[0] === 1 ? shape.slice(1) : shape;
    const fits = own.length === sides.length && sides.every((side, i) => side === undefined || side === own[i]);
    const numbers = fits ? floatsOf(array) : undefined;
    return numbers?.every(Number.isFinite)
      ? [numbers, own[own.length - 1]]
      : `the array "${name}" is not of ${of}, or holds what is no number`;
  };
  const ofHeads = (what: 'value' | 'norm', more: readonly undefined[]): readonly [Float32Array, number] | string =>
    numHeads === 0
      ? [new Float32Array(0), 0]
      : (read(what, [numHeads, numKeys, ...more], `${numHeads} heads and ${numKeys} keys`) ??
        lackOfArray(what, component, layer));
  const joined = methods
    .filter(({ id, needs }) => joinsHeads(id) && needs !== 'nothing')
    .flatMap(({ id }): [MethodId, WholeLayer | string][] => {
      const of = `${numQueries} queries and ${numKeys} keys`;
      const numbers = read(id, [numQueries, numKeys], of);
      if (numbers === undefined) return [];
      if (typeof numbers === 'string') return [[id, numbers]];
      const mixing = read(`${id}.mixing`, [numQueries], `${numQueries} queries`);
      return [
        [
          id,
          mixing === undefined || typeof mixing === 'string'
            ? new WholeLayer(component, { numHeads: 1, numQueries, numKeys, weights: numbers[0] })
            : new MixedLayer({ component, numQueries, numKeys }, numbers[0], mixing[0]),
        ],
      ];
    });
  const [values, norms] = [ofHeads('value', [undefined]), ofHeads('norm', [])];
  return {
    values:
      typeof values === 'string'
        ? values
        : { batch: 1, numHeads, numPositions: numKeys, width: values[1], data: values[0] },
    norms: typeof norms === 'string' ? norms : norms[0],
    difference,
    grams: undefined,
    residual: 'the file does not hold what its layers read',
    joined: Object.fromEntries(joined),
  };
}
