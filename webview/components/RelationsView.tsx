import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { headLabel, headsOf } from '../../src/model/head';
import {
  leastPairs,
  relationIds,
  relationSentences,
  relationTitles,
  relationValues,
  type RelationId,
  type RelationTable,
} from '../../src/model/relations/relation';
import { sortHeads } from '../layout/sortHeads';
import { usePanel } from './context';
import type { PaneProps } from './paneProps';
import { Select } from './Select';

/** Where the ratio stands, and behind it the ends of its interval. */
const ratioAt = relationValues.indexOf('ratio');

type SortedBy = 'share' | 'ratio' | 'normRatio';

/** What every head reads along one relation of the program, beside tokens as far apart; the relation's pairs are drawn in the source and the matrix. */
export function RelationsView({ component }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { relations } = panel;
  const chosen: RelationId = relations.chosen.value ?? relationIds[0];
  const [sort, setSort] = useState<SortedBy>('ratio');
  const [shown, norms] = [relations.shown.value, relations.norms.value];
  const error = relations.error.value;
  useEffect(() => {
    relations.choose(kept.layout.peek().relation);
    relations.open();
    return () => relations.close();
  }, []);
  const choices = useMemo(() => relationIds.map((value) => ({ value, label: l10n.t(relationTitles[value]) })), []);
  const listed = useMemo(() => {
    if (shown === undefined) return [];
    const { table } = shown;
    const at = table.relations.indexOf(chosen);
    const all = headsOf(component).map((head, index) => {
      const start = (index * table.relations.length + at) * relationValues.length;
      const valuesOf = (of: RelationTable | undefined): Float32Array | undefined =>
        of?.values.subarray(start, start + relationValues.length);
      return { ...head, index, values: valuesOf(table) ?? new Float32Array(0), norms: valuesOf(norms?.table) };
    });
    const column = relationValues.indexOf(sort === 'share' ? sort : 'ratio');
    return sortHeads(
      all,
      all.map(({ values, norms: ofNorms }) => (sort === 'normRatio' ? (ofNorms?.[column] ?? NaN) : values[column])),
      false,
    );
  }, [shown, norms, chosen, sort, component]);
  const numPairs = shown?.table.numPairs[shown.table.relations.indexOf(chosen)] ?? 0;
  const selected = new Set(panel.selection.value.heads.map(headLabel));
  const number = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '–');
  const interval = (low: number, high: number): string =>
    Number.isFinite(low) ? `${low.toFixed(2)}–${high.toFixed(2)}` : '–';
  const header = (by: SortedBy, title: string): JSX.Element => (
    <th scope="col" aria-sort={sort === by ? 'descending' : 'none'}>
      <button type="button" onClick={() => setSort(by)}>
        {title}
      </button>
    </th>
  );
  return (
    <section class="pane head-table-pane relations-pane" aria-label={l10n.t('Relations of the program')}>
      <div class="head-table-bar" role="toolbar" aria-label={l10n.t('Relations of the program')}>
        <Select
          label={l10n.t('Relation')}
          value={chosen}
          choices={choices}
          width={220}
          onChange={(value) => {
            const relation = value as RelationId; // one of the choices
            relations.choose(relation);
            kept.chooseRelation(relation);
          }}
        />
        <span class="actions">
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close')}
            title={l10n.t('Close')}
            onClick={() => kept.toggleView('relations', false)}
          />
        </span>
      </div>
      <p class="head-table-caption">
        <span>
          {l10n.t(relationSentences[chosen])}{' '}
          {shown === undefined
            ? ''
            : numPairs < leastPairs
              ? l10n.t('{0} pairs: too few for a verdict.', numPairs)
              : l10n.t('{0} pairs; the baseline is of other tokens as far apart.', numPairs)}
        </span>
      </p>
      {error !== undefined ? (
        <p class="hint" role="alert">
          {error.message}
        </p>
      ) : shown === undefined ? (
        <p class="hint" role="status">
          {l10n.t('Reading the program…')}
        </p>
      ) : (
        <div class="head-table-scroll">
          <table class="head-table" aria-label={l10n.t(relationTitles[chosen])}>
            <thead>
              <tr>
                <th scope="col">{l10n.t('Head')}</th>
                {header('share', l10n.t('share of weight'))}
                <th scope="col">{l10n.t('baseline')}</th>
                {header('ratio', l10n.t('ratio'))}
                <th scope="col">{l10n.t('95 % interval')}</th>
                {norms === undefined ? null : (
                  <>
                    {header('normRatio', l10n.t('ratio by norm'))}
                    <th scope="col">{l10n.t('95 % interval')}</th>
                  </>
                )}
              </tr>
            </thead>
            <tbody>
              {listed.map(({ layer, head, values: [share, baseline, ratio, low, high], norms: ofNorms }) => (
                <tr
                  key={`${layer}.${head}`}
                  aria-selected={selected.has(headLabel({ layer, head }))}
                  onPointerEnter={() => panel.looking.lookAtHead({ layer, head })}
                  onPointerLeave={() => panel.looking.lookAtHead(undefined)}
                  onClick={() => panel.select([{ layer, head }])}
                >
                  <th scope="row">
                    <button
                      type="button"
                      class="link plain"
                      onFocus={() => panel.looking.lookAtHead({ layer, head })}
                      onBlur={() => panel.looking.lookAtHead(undefined)}
                    >
                      {headLabel({ layer, head })}
                    </button>
                  </th>
                  <td>{number(share)}</td>
                  <td>{number(baseline)}</td>
                  <td>{number(ratio)}</td>
                  <td>{interval(low, high)}</td>
                  {ofNorms === undefined ? null : (
                    <>
                      <td>{number(ofNorms[ratioAt])}</td>
                      <td>{interval(ofNorms[ratioAt + 1], ofNorms[ratioAt + 2])}</td>
                    </>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
