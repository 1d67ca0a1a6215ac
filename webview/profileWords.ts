import * as l10n from '@vscode/l10n';
import type { ComponentInfo } from '../src/model/head';
import { unitOf } from '../src/model/metrics/headTable';
import {
  columnDifference,
  columnKey,
  columnTitle,
  isRelation,
  type ProfileColumn,
} from '../src/model/profile/profileColumns';
import { decileNames } from '../src/model/profile/profileFold';
import type { PanelProfile } from '../src/model/profile/panelProfile';
import { formatMetric, signedNumber } from './headWords';

/** A column of a profile as it is shown, perhaps beside another one. */
export interface ShownProfileColumn {
  readonly key: string;
  readonly column: ProfileColumn;
  /** What it is compared with. */
  readonly other: ProfileColumn | undefined;
  /** The column's numbers, or what they are more than those of the other. */
  readonly values: Float32Array;
}

/** The columns of a group, beside those that they are compared with: in the other profile, or in another language. Without a counterpart there is nothing to show. */
export function shownColumns(
  { columns, other }: Pick<PanelProfile, 'columns' | 'other'>,
  { group, against }: { readonly group: string; readonly against: string },
): ShownProfileColumn[] {
  return columns
    .filter(({ language }) => language === group)
    .flatMap((column): ShownProfileColumn[] => {
      const key = `profile/${columnKey(column)}`;
      if (against === '') return [{ key, column, other: undefined, values: column.values }];
      const beside =
        against === 'other'
          ? other?.columns.find((each) => columnKey(each) === columnKey(column))
          : columns.find(({ id, language }) => id === column.id && language === against);
      const values = beside?.values.length === column.values.length ? columnDifference(column, beside) : undefined;
      return values === undefined ? [] : [{ key, column, other: beside, values }];
    });
}

/** What a column is called. */
export function profileColumnTitle(column: ProfileColumn): string {
  const title = l10n.t(columnTitle(column));
  return column.language === '' ? title : l10n.t('{0}, in {1}', title, column.language);
}

/** A number of a column. */
export function profileNumber(
  { id }: ProfileColumn,
  component: Pick<ComponentInfo, 'isCausal'>,
  value: number,
): string {
  if (Number.isNaN(value)) return '–';
  return isRelation(id) ? value.toFixed(3) : formatMetric(id, component, value);
}

/** What is to be known of a number: how many chunks or pairs stand behind it, its baseline, and how the chunks are spread. */
export function profileNumberLines(
  { column, other, values }: ShownProfileColumn,
  component: Pick<ComponentInfo, 'isCausal'>,
  index: number,
): string[] {
  const text = (of: ProfileColumn, value: number): string => profileNumber(of, component, value);
  const deciles = column.deciles.subarray(index * decileNames.length, (index + 1) * decileNames.length);
  const counts = isRelation(column.id)
    ? l10n.t('{0} pairs', column.counts[index])
    : l10n.t('{0} chunks', column.counts[index]);
  return [
    l10n.t('mean {0}, over {1}', text(column, column.values[index]), counts),
    ...(Number.isNaN(column.ratios[index])
      ? []
      : [
          l10n.t(
            '{0} times its baseline of {1}',
            column.ratios[index].toFixed(1),
            text(column, column.baselines[index]),
          ),
        ]),
    ...(deciles.length === 0
      ? []
      : [l10n.t('deciles: {0}', [...deciles].map((value) => text(column, value)).join(' · '))]),
    ...(other === undefined
      ? []
      : [l10n.t('compared with {0}: {1}', text(other, other.values[index]), signedNumber(values[index]))]),
  ];
}

/** What full length of a bar stands for. */
export function profileCeiling({ column, other, values }: ShownProfileColumn, component: ComponentInfo): number {
  if (other === undefined && (isRelation(column.id) || unitOf(column.id, component) === 'share')) return 1;
  return values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0);
}
