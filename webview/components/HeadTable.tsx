import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { headLabel, type HeadRef } from '../../src/model/head';
import { metricCeiling, unitOf } from '../../src/model/metrics/headTable';
import { metricOf } from '../../src/model/metrics/metrics';
import { cssColour } from '../../src/model/ramp';
import { headNameText } from '../headNameText';
import { formatMetric, metricDefinition, metricTitle, signedNumber, unitName } from '../headWords';
import type { ListedHead } from '../layout/sortHeads';
import {
  profileCeiling,
  profileColumnTitle,
  profileNumber,
  profileNumberLines,
  type ShownProfileColumn,
} from '../profileWords';
import type { ShownColumn, ShownTable } from '../state/headTables';
import { tokenName } from '../words';
import { usePanel } from './context';
import { MovedPointer } from './movedPointer';

/** More heads than anyone reads: the others are said to be there. */
const maxListed = 300;

/** All heads as rows, their metrics as columns; a header sorts, hovering a row shows its pattern, a click selects it. */
export function HeadTable({
  shown,
  profiled,
  listed,
  look,
  choose,
}: {
  shown: ShownTable;
  /** The columns of a profile, which stand behind those of the text. */
  profiled: readonly ShownProfileColumn[];
  listed: readonly ListedHead[];
  look: (head: HeadRef | undefined) => void;
  choose: (head: HeadRef) => void;
}): JSX.Element {
  const { panel, kept } = usePanel();
  const table = useRef<HTMLTableElement>(null);
  const pointer = useRef(new MovedPointer());
  const [active, setActive] = useState(0);
  const { sort, isAscending } = kept.layout.value.headTable;
  const { component, ground } = shown;
  // A token of random tokens is none that anyone could look at.
  const columns =
    ground === 'random' ? shown.columns.filter(({ id }) => metricOf(id).unit !== 'position') : shown.columns;
  const streams = panel.run.value?.info.streams ?? [];
  const selected = new Set(panel.selection.value.heads.map(headLabel));
  const rows = listed.slice(0, maxListed);
  const at = Math.min(active, Math.max(0, rows.length - 1));
  const ceilings = useMemo(
    () => new Map(columns.map(({ id, values }) => [id, metricCeiling(id, component, values)])),
    [shown],
  );
  const profileCeilings = useMemo(
    () => new Map(profiled.map((each) => [each.key, profileCeiling(each, component)])),
    [profiled, component],
  );
  const bar = cssColour(panel.ramps.value.reads.colour(0.6));

  useLayoutEffect(() => table.current?.tBodies[0]?.rows[at]?.scrollIntoView({ block: 'nearest' }), [at]);

  const { profile } = panel;
  const profileSort = profile.sort.value;
  const sortBy = (id: typeof sort): void => {
    profile.sortBy();
    kept.arrangeHeadTable(id === sort ? { isAscending: !isAscending } : { sort: id, isAscending: id === 'head' });
  };
  const sortByProfile = (key: string): void => profile.sortBy(key);
  const goTo = (index: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setActive(next);
    look(rows[next]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== table.current) return;
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    }[event.key];
    const head = rows[at];
    if (next !== undefined) goTo(next);
    else if ((event.key === 'Enter' || event.key === ' ') && head !== undefined) choose(head);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const indexOf = (target: EventTarget | null): number =>
    Number((target instanceof Element ? target.closest<HTMLElement>('tbody tr') : null)?.dataset['index'] ?? -1);
  const sorted = (id: typeof sort): 'ascending' | 'descending' | 'none' =>
    id !== sort || profileSort !== undefined ? 'none' : isAscending ? 'ascending' : 'descending';
  const cell = ({ id, values }: ShownColumn, index: number): JSX.Element => {
    const value = values[index];
    if (Number.isNaN(value))
      return (
        <td key={id} role="gridcell" class="none" title={l10n.t('Too little of the text stands behind a number here.')}>
          –
        </td>
      );
    if (unitOf(id, component) === 'position') {
      const name = tokenName(streams, { stream: component.keyStream, position: value });
      return (
        <td key={id} role="gridcell" class="token-cell" title={name}>
          {name}
        </td>
      );
    }
    const ceiling = ceilings.get(id) ?? 0;
    const share = ceiling > 0 ? Math.max(0, Math.min(1, value / ceiling)) : 0;
    return (
      <td key={id} role="gridcell" style={{ backgroundSize: `${Math.round(100 * share)}% 2px` }}>
        {formatMetric(id, component, value)}
      </td>
    );
  };
  const profileCell = (shownColumn: ShownProfileColumn, index: number): JSX.Element => {
    const { key, column, other, values } = shownColumn;
    const value = values[index];
    if (Number.isNaN(value))
      return (
        <td key={key} role="gridcell" class="none" title={l10n.t('The profile has no number here.')}>
          –
        </td>
      );
    const ceiling = profileCeilings.get(key) ?? 0;
    const share = ceiling > 0 ? Math.min(1, Math.abs(value) / ceiling) : 0;
    return (
      <td
        key={key}
        role="gridcell"
        class="of-profile"
        title={profileNumberLines(shownColumn, component, index).join('\n')}
        style={{ backgroundSize: `${Math.round(100 * share)}% 2px` }}
      >
        {other === undefined ? profileNumber(column, component, value) : signedNumber(value)}
      </td>
    );
  };
  return (
    <div class="head-table-scroll">
      <table
        ref={table}
        class="head-table"
        role="grid"
        tabIndex={0}
        aria-label={l10n.t('Metrics of heads')}
        aria-rowcount={listed.length + 1}
        aria-activedescendant={rows.length > 0 ? `head-row-${at}` : undefined}
        style={{ '--bar': bar }}
        onKeyDown={onKeyDown}
        onBlur={() => look(undefined)}
        onPointerMove={(event) => pointer.current.note(event)}
        onPointerOver={(event) => {
          const head = rows[indexOf(event.target)];
          if (head !== undefined && pointer.current.hasMoved(event)) look(head);
        }}
        onPointerLeave={() => look(undefined)}
        onClick={(event) => {
          const index = indexOf(event.target);
          if (rows[index] === undefined) return;
          setActive(index);
          choose(rows[index]);
          look(undefined);
        }}
      >
        <thead>
          <tr role="row">
            <th role="columnheader" scope="col" aria-sort={sorted('head')}>
              <button type="button" title={l10n.t('In the order of the model')} onClick={() => sortBy('head')}>
                {l10n.t('Head')}
              </button>
            </th>
            {columns.map(({ id, rows: count }) => (
              <th key={id} role="columnheader" scope="col" aria-sort={sorted(id)}>
                <button
                  type="button"
                  title={[
                    `${metricTitle(id)} (${unitName(id, component)})`,
                    metricDefinition(id),
                    metricOf(id).formula,
                    l10n.t('As in: {0}', metricOf(id).source),
                    ...(Number.isNaN(count) ? [] : [l10n.t('Rows behind it: {0}', count)]),
                  ].join('\n')}
                  onClick={() => sortBy(id)}
                >
                  {metricTitle(id)}
                </button>
              </th>
            ))}
            {profiled.map(({ key, column, other }) => (
              <th
                key={key}
                role="columnheader"
                scope="col"
                class="of-profile"
                aria-sort={key !== profileSort?.key ? 'none' : profileSort.isAscending ? 'ascending' : 'descending'}
              >
                <button
                  type="button"
                  title={l10n.t('The mean over the texts of the profile; hover a number for its deciles and counts')}
                  onClick={() => sortByProfile(key)}
                >
                  {other === undefined
                    ? l10n.t('profile: {0}', profileColumnTitle(column))
                    : l10n.t('difference: {0}', profileColumnTitle(column))}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((head, index) => (
            <tr
              key={head.index}
              id={`head-row-${index}`}
              role="row"
              data-index={index}
              class={index === at ? 'active' : ''}
              aria-selected={selected.has(headLabel(head))}
            >
              <th role="rowheader" scope="row" title={profile.namesOf(head).map(headNameText).join('\n')}>
                {headLabel(head)}
              </th>
              {columns.map((column) => cell(column, head.index))}
              {profiled.map((column) => profileCell(column, head.index))}
            </tr>
          ))}
        </tbody>
      </table>
      {listed.length > rows.length ? (
        <p class="rest">{l10n.t('{0} more heads: filter, or sort the other way.', listed.length - rows.length)}</p>
      ) : null}
    </div>
  );
}
