import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { PaneName, PlacedSplit } from '../layout/paneLayout';
import type { Panel } from '../state/panel';
import { usePanel } from './context';
import { HeadList } from './HeadList';
import { HeadsView } from './HeadsView';
import { ImageView } from './ImageView';
import { IntervenedSign } from './IntervenedSign';
import { MatrixPane } from './MatrixPane';
import { FindBar } from './FindBar';
import { later } from './later';
import type { PaneProps } from './paneProps';
import { Readout } from './Readout';
import { SelectionBar } from './SelectionBar';
import { SourceList } from './SourceList';
import { SourceView } from './SourceView';

/** A part of the panel: what it is called on its tab, what a line beside it changes, and what is in it. */
export interface Pane {
  title(panel: Panel): string;
  width(): string;
  height(): string;
  readonly Content: (props: PaneProps) => JSX.Element | null;
}

/** Every part of the panel. A new one is a row here, its name and its least size in `paneLayout.ts`, and its place in the layouts there. */
export const panes: Readonly<Record<PaneName, Pane>> = {
  source: {
    title: () => l10n.t('Source'),
    width: () => l10n.t('Width of the source'),
    height: () => l10n.t('Height of the source'),
    Content: Source,
  },
  heads: {
    title: () => l10n.t('Heads'),
    width: () => l10n.t('Width of the heads'),
    height: () => l10n.t('Height of the heads'),
    Content: Heads,
  },
  list: {
    title: (panel) => (panel.heads.isListed.value ? l10n.t('Heads, ranked') : l10n.t('Strongest sources')),
    width: () => l10n.t('Width of the list'),
    height: () => l10n.t('Height of the list'),
    Content: List,
  },
  matrix: {
    title: () => l10n.t('Matrix'),
    width: () => l10n.t('Width of the matrix'),
    height: () => l10n.t('Height of the matrix'),
    Content: MatrixPane,
  },
  headTable: {
    title: () => l10n.t('Metrics of heads'),
    width: () => l10n.t('Width of the metrics of heads'),
    height: () => l10n.t('Height of the metrics of heads'),
    Content: later('HeadTableView'),
  },
  how: {
    title: () => l10n.t('How'),
    width: () => l10n.t('Width of how a weight came about'),
    height: () => l10n.t('Height of how a weight came about'),
    Content: later('HowPane'),
  },
  relations: {
    title: () => l10n.t('Relations of the program'),
    width: () => l10n.t('Width of the relations'),
    height: () => l10n.t('Height of the relations'),
    Content: later('RelationsView'),
  },
  predictions: {
    title: () => l10n.t('Predictions'),
    width: () => l10n.t('Width of the predictions'),
    height: () => l10n.t('Height of the predictions'),
    Content: later('PredictionsPane'),
  },
  effects: {
    title: () => l10n.t('Effects'),
    width: () => l10n.t('Width of the effects'),
    height: () => l10n.t('Height of the effects'),
    Content: later('EffectsPane'),
  },
  compare: {
    title: () => l10n.t('Comparison'),
    width: () => l10n.t('Width of the comparison'),
    height: () => l10n.t('Height of the comparison'),
    Content: later('ComparePane'),
  },
};

/** What a line between two parts of the panel changes. */
export function splitLabel({ axis, pane }: PlacedSplit): string {
  return axis === 'x' ? panes[pane].width() : panes[pane].height();
}

function Source({ run }: PaneProps): JSX.Element {
  const { panel } = usePanel();
  const isPicture = run.info.streams.some(({ grid }) => grid !== undefined);
  const goBack = (): void => document.querySelector<HTMLElement>('#panel-body .source-scroll')?.focus();
  return (
    <section
      class={`pane source-pane${isPicture ? ' picture-pane' : ''}`}
      aria-label={isPicture ? l10n.t('Picture') : l10n.t('Source')}
    >
      <IntervenedSign />
      {run.selected === undefined ? null : <SelectionBar run={run} selected={run.selected} />}
      {panel.looking.isFinding.value ? <FindBar run={run} onDone={goBack} /> : null}
      {isPicture ? (
        <ImageView key={run.info.runId} run={run} />
      ) : (
        <SourceView key={panel.shown.generation.value} run={run} />
      )}
      <Readout />
    </section>
  );
}

function Heads({ component }: PaneProps): JSX.Element {
  const { panel } = usePanel();
  return (
    <section class="pane heads-pane" aria-label={l10n.t('Heads')}>
      <HeadsView key={`${panel.shown.generation.value}/${component.component}`} component={component} />
    </section>
  );
}

function List({ run, component }: PaneProps): JSX.Element {
  const { panel } = usePanel();
  return panel.heads.isListed.value ? <HeadList component={component} /> : <SourceList run={run} />;
}
