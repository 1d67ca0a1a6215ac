import { byChange, distanceText, type ComparedHead } from '../compare/comparison';
import { headLabel, headsOf, type ComponentInfo } from '../head';
import { unitOf, type HeadTable } from '../metrics/headTable';
import type { MetricId } from '../metrics/metrics';
import { figureNumber } from './figureNumber';
import type { TableFigure } from './tableSvg';

/** Heads that a table names: a page of a paper has room for them. */
export const mostTableHeads = 32;

/** The metrics of heads in an order, by their places in the component; `titles`: of the first column, then of each metric. */
export function headsFigure(
  component: ComponentInfo,
  { metrics, values }: HeadTable,
  shown: { readonly order: readonly number[]; readonly ids: readonly MetricId[]; readonly titles: readonly string[] },
): TableFigure {
  const all = headsOf(component);
  return {
    columns: shown.titles,
    rows: shown.order.slice(0, mostTableHeads).map((head) => [
      headLabel(all[head]),
      ...shown.ids.map((id) => {
        const value = values[head * metrics.length + metrics.indexOf(id)];
        if (!Number.isFinite(value)) return '–';
        return unitOf(id, component) === 'position' ? String(value) : figureNumber(value);
      }),
    ]),
  };
}

/** How far heads are from those of another run, those that changed most first. */
export function differencesFigure(heads: readonly ComparedHead[], titles: readonly string[]): TableFigure {
  return {
    columns: titles,
    rows: byChange(heads)
      .slice(0, mostTableHeads)
      .map(({ head, other, difference: { jensenShannon, meanAbsolute, largest } }) => [
        headLabel(head),
        headLabel(other),
        distanceText(jensenShannon),
        figureNumber(meanAbsolute),
        figureNumber(largest.difference, true),
      ]),
  };
}
