import { headsOf, type ComponentInfo, type HeadRef } from './head';

/** A head with a number. */
export interface RankedHead extends HeadRef {
  readonly value: number;
}

/** All heads of a component by one number each, the largest first, in reading order where they are alike; those without a number come last. */
export function rankHeads(component: ComponentInfo, values: ArrayLike<number>): RankedHead[] {
  const sortable = ({ value }: RankedHead): number => (Number.isNaN(value) ? -Infinity : value);
  return headsOf(component)
    .map((head, i): RankedHead => ({ ...head, value: values[i] ?? 0 }))
    .sort((a, b) => sortable(b) - sortable(a) || a.layer - b.layer || a.head - b.head);
}
