import type { Component } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import { methodOf } from '../../model/methods';
import { isPlainForm, type PatternForm } from '../../model/patternForm';
import { unitsOf, type TextSymbol } from '../../model/units';
import type { WeightForm } from '../../model/weightForm';

/** What the engine is told of a form that a component's weights are wanted in; undefined where they are wanted as they are. */
export function weightFormOf(
  { components, streams }: Pick<RunInfo, 'components' | 'streams'>,
  name: Component,
  form: PatternForm,
  symbols: readonly TextSymbol[] = [],
): WeightForm | undefined {
  const component = components.find((candidate) => candidate.component === name);
  if (component === undefined || isPlainForm(form)) return undefined;
  const startsOf = (stream: number): Int32Array | undefined =>
    streams[stream] && unitsOf(streams[stream], form.level, symbols)?.starts;
  const { unit, joinsHeads } = methodOf(form.method);
  return {
    method: form.method,
    ...(form.tokens === undefined ? {} : { tokens: form.tokens }),
    // Sinks are those of one head.
    sinks: joinsHeads ? 'show' : form.sinks,
    // Rows that are no shares have nothing to be renormalised to.
    isRenormalized:
      form.isRenormalized &&
      unit === 'share' &&
      component.layers.every(({ normalization }) => normalization !== 'unnormalized'),
    canHaveSinks: component.queryStream === component.keyStream && !joinsHeads,
    isCausal: component.isCausal,
    queries: startsOf(component.queryStream),
    keys: startsOf(component.keyStream),
  };
}

/** The size of a component's patterns in a form. */
export function sizeOf(
  { components, streams }: Pick<RunInfo, 'components' | 'streams'>,
  name: Component,
  form: WeightForm | undefined,
): { readonly numQueries: number; readonly numKeys: number } {
  const component = components.find((candidate) => candidate.component === name);
  const lengthOf = (stream = -1): number => streams[stream]?.tokens.length ?? 0;
  return {
    numQueries: form?.queries?.length ?? lengthOf(component?.queryStream),
    numKeys: form?.keys?.length ?? lengthOf(component?.keyStream),
  };
}
