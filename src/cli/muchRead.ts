import type { ComponentInfo } from '../model/head';
import { hasSinks, oftenRead, provenSinksAmong } from '../model/lighting';
import { marginals, type Pattern, type WeightedPosition } from '../model/pattern';

/** The key that a head reads most from everywhere, where it draws as much as a sink does. */
export interface MuchRead extends WeightedPosition {
  /** Whether enough tokens from all over one text read it; else it is only often read. */
  readonly isSink: boolean;
}

/** What a head reads from everywhere, by the rules of the panel; undefined where there is no such key. */
export function muchRead(pattern: Pattern, component: ComponentInfo): MuchRead | undefined {
  const { columnMeans } = marginals(pattern, component.isCausal);
  const sinks = hasSinks(component, pattern.numQueries)
    ? provenSinksAmong(columnMeans, pattern.numQueries, component.isCausal)
    : [];
  const keys =
    sinks.length > 0
      ? sinks
      : oftenRead(columnMeans, { numQueries: pattern.numQueries, isCausal: component.isCausal }, sinks);
  const [first, ...others] = keys;
  if (first === undefined) return undefined;
  const position = others.reduce((most, key) => (columnMeans[key] > columnMeans[most] ? key : most), first);
  return { position, weight: columnMeans[position], isSink: sinks.length > 0 };
}
