import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { indexOfHead, type ComponentInfo, type HeadRef } from '../../src/model/head';
import { headNameText } from '../headNameText';
import { effectDescription } from '../effectWords';
import { formatMeasure, lackSentence, measureName, metricDefinition, metricTitle } from '../headWords';
import { canOrder, isMetric, type Measure } from '../state/headViews';
import type { KeptLayout } from '../state/layoutState';
import type { Panel } from '../state/panel';
import { usePanel } from './context';
import { Select } from './Select';

/** What is known of one head: what its tile shows, and its metrics on this text, one a line. */
export function headDescription(panel: Panel, component: ComponentInfo, head: HeadRef): string[] {
  const shown = panel.heads.shown.peek();
  const at = indexOfHead(component, head);
  const own =
    shown?.component === component && shown.measure === 'pair'
      ? [l10n.t('this pair: {0}', formatMeasure(shown.measure, shown.values[at]))]
      : [];
  const effect = component.areHeadsJoined === true ? undefined : effectDescription(panel.effects, at);
  return [
    ...own,
    ...(effect === undefined ? [] : [effect]),
    ...panel.profile.namesOf(head).map((name) => l10n.t('profile: {0}', headNameText(name))),
    ...panel.heads
      .describe(component, head)
      .map(([name, value]) => `${metricTitle(name)}: ${formatMeasure(name, value)}`),
  ];
}

/** Orders the heads of each layer by a metric, which it chooses where the tiles show none, or puts them back. */
export function toggleOrder(panel: Panel, kept: KeptLayout): void {
  const { heads } = panel;
  if (!heads.applicable.peek().some(canOrder)) return;
  const isOrdered = kept.layout.peek().isOrdered && canOrder(heads.measure.peek());
  kept.order(!isOrdered);
  if (!isOrdered) heads.needMetric();
}

/** What the tiles show: patterns, a token's row, a pair's weight, an effect or a metric; and the way to the ranking by it. */
export function HeadMeasure(): JSX.Element {
  const { panel, kept } = usePanel();
  const { heads } = panel;
  const measure = heads.measure.value;
  const applicable = heads.applicable.value;
  const choices = useMemo(
    () =>
      applicable.map((value) => ({
        value,
        label: measureName(value),
        description: isMetric(value) ? metricDefinition(value) : '',
      })),
    [applicable],
  );
  const lack = heads.lack.value;
  const isOrdered = kept.layout.value.isOrdered && canOrder(measure);
  return (
    <div class="heads-bar">
      <Select
        label={l10n.t('Tiles show')}
        value={applicable.includes(measure) ? measure : 'pattern'}
        choices={choices}
        width={172}
        onChange={(value) => heads.show(value as Measure /* one of the choices */)}
      />
      <vscode-toolbar-button
        icon="list-ordered"
        label={l10n.t('Rank the heads')}
        title={l10n.t('Rank the heads by what the tiles show (H)')}
        onClick={() => {
          if (heads.toggleList()) kept.showTab('list');
        }}
      />
      <vscode-toolbar-button
        icon="table"
        label={l10n.t('All heads with their metrics')}
        title={l10n.t('All heads with their metrics, as a table or a scatter (B)')}
        toggleable
        checked={kept.layout.value.open.includes('headTable')}
        onClick={() => kept.toggleView('headTable')}
      />
      {applicable.some(canOrder) ? (
        <vscode-toolbar-button
          icon="sort-precedence"
          label={l10n.t('Order the heads of each layer')}
          title={l10n.t('Order the heads of each layer by a metric, the strongest first (O)')}
          toggleable
          checked={isOrdered}
          onClick={() => toggleOrder(panel, kept)}
        />
      ) : null}
      {lack === undefined ? null : (
        <span class="hint" title={lackSentence(lack)}>
          {lackSentence(lack)}
        </span>
      )}
    </div>
  );
}
