import * as vscode from 'vscode';
import { headLabel, headsOf, type ComponentInfo, type HeadSelection } from '../model/head';

/** What a selection of heads is called, e.g. «head 3.5» or «layer 3, mean of 12 heads»; the component is named where there are several. */
export function selectionLabel({ component: name, heads, aggregation }: HeadSelection, components: readonly ComponentInfo[]): string {
  const component = components.find((candidate) => candidate.component === name);
  const label = labelOf(heads, aggregation, component);
  return components.length < 2 ? label : `${componentLabel(name)}, ${label}`;
}

/** What a component is called. */
export function componentLabel(component: ComponentInfo['component']): string {
  switch (component) {
    case 'encoder':
      return vscode.l10n.t('encoder');
    case 'decoder':
      return vscode.l10n.t('decoder');
    case 'cross':
      return vscode.l10n.t('cross-attention');
    case 'self':
      return vscode.l10n.t('self-attention');
  }
}

function labelOf(heads: HeadSelection['heads'], aggregation: HeadSelection['aggregation'], component: ComponentInfo | undefined): string {
  const [first] = heads;
  if (heads.length === 1) return vscode.l10n.t('head {0}', headLabel(first));
  const isLayer = component !== undefined && heads.every(({ layer }) => layer === first.layer) && heads.length === component.layers[first.layer]?.numHeads;
  if (isLayer) return aggregation === 'mean' ? vscode.l10n.t('layer {0}, mean of {1} heads', first.layer, heads.length) : vscode.l10n.t('layer {0}, maximum of {1} heads', first.layer, heads.length);
  const isAll = component !== undefined && heads.length === headsOf(component).length;
  if (isAll) return aggregation === 'mean' ? vscode.l10n.t('mean of all {0} heads', heads.length) : vscode.l10n.t('maximum of all {0} heads', heads.length);
  return aggregation === 'mean' ? vscode.l10n.t('mean of {0} heads', heads.length) : vscode.l10n.t('maximum of {0} heads', heads.length);
}
