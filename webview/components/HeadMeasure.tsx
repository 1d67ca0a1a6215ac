import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { indexOfHead, type ComponentInfo, type HeadRef } from '../../src/model/head';
import { headNameText } from '../headNameText';
import { effectDescription } from '../effectWords';
import { formatMeasure, lackSentence, measureName, metricDefinition, metricTitle } from '../headWords';
import { orderings, type Ordering } from '../layout/headOrder';
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

/** Orders the heads of each layer by a metric, which it chooses where the tiles show none; again, all heads; and again, puts them back. */
export function nextOrder(panel: Panel, kept: KeptLayout): void {
  const { heads } = panel;
  if (!heads.applicable.peek().some(canOrder)) return;
  const ordering = canOrder(heads.measure.peek()) ? kept.layout.peek().ordering : 'model';
  const next = orderings[(orderings.indexOf(ordering) + 1) % orderings.length];
  kept.order(next);
  if (next !== 'model') heads.needMetric();
}

/** What the button that orders heads does next, by how they stand. */
function orderTexts(ordering: Ordering): { readonly icon: string; readonly label: string; readonly title: string } {
  switch (ordering) {
    case 'model':
      return {
        icon: 'sort-precedence',
        label: l10n.t('Order the heads of each layer'),
        title: l10n.t('Order the heads of each layer by a metric, the strongest first (O)'),
      };
    case 'layer':
      return {
        icon: 'layers-active',
        label: l10n.t('Order all heads'),
        title: l10n.t('Order all heads by it, whatever their layer (O)'),
      };
    case 'all':
      return {
        icon: 'discard',
        label: l10n.t('Put the heads back'),
        title: l10n.t('Put the heads back where the model has them (O)'),
      };
  }
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
  const order = orderTexts(canOrder(measure) ? kept.layout.value.ordering : 'model');
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
          icon={order.icon}
          label={order.label}
          title={order.title}
          onClick={() => nextOrder(panel, kept)}
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
