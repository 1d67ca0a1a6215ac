import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { isSameSelection } from '../../src/model/head';
import { isPlainForm } from '../../src/model/patternForm';
import { besideHeat, formTags, removedSentence } from '../formWords';
import { deedsIn } from '../state/keptEffects';
import { removedOf } from '../state/matrixData';
import { awaitedName, formatShown, formatWeight, readerName, selectionName, tokenName } from '../words';
import { usePanel } from './context';
import { MatrixCanvas, type MatrixCommands } from './MatrixCanvas';

/** One pattern as a matrix, with what the crosshair is on. */
export function MatrixPane(): JSX.Element {
  const { panel } = usePanel();
  const commands = useRef<MatrixCommands | undefined>(undefined);
  const shown = panel.matrix.value;
  const error = panel.shown.dataError.value;
  const isPreview = panel.isPreviewing.value;
  const selected = panel.shown.selected.value;
  const isLoading =
    error === undefined && selected !== undefined && !isSameSelection(selected.selection, panel.selection.value);
  const isSilent =
    shown !== undefined && deedsIn(panel.effects.active.value, shown.selection).some(({ kind }) => kind !== 'block');
  const awaited = awaitedName(panel.awaited.value);
  return (
    <section class="pane matrix-pane" aria-label={l10n.t('Matrix')}>
      <header>
        <h2>
          {shown === undefined ? l10n.t('Matrix') : capitalised(selectionName(shown.selection, shown.component))}
          {isLoading ? (
            <span class="tag" role="status">
              {awaited === '' ? l10n.t('loading…') : awaited}
            </span>
          ) : null}
          {isPreview ? <span class="tag">{l10n.t('preview')}</span> : null}
          {isSilent ? <span class="tag">{l10n.t('silent or swapped in the intervened run')}</span> : null}
          {(shown === undefined ? [] : [...besideHeat(panel.heat.value), ...formTags(shown)]).map((tag) => (
            <span key={tag} class="tag" title={tag}>
              {tag}
            </span>
          ))}
        </h2>
        <span class="actions">
          <vscode-toolbar-button
            icon="zoom-out"
            label={l10n.t('Zoom out')}
            title={l10n.t('Zoom out (-)')}
            onClick={() => commands.current?.zoom(1 / 1.5)}
          />
          <vscode-toolbar-button
            icon="screen-full"
            label={l10n.t('Fit')}
            title={l10n.t('Fit (0)')}
            onClick={() => commands.current?.fit()}
          />
          <vscode-toolbar-button
            icon="zoom-in"
            label={l10n.t('Zoom in')}
            title={l10n.t('Zoom in (+)')}
            onClick={() => commands.current?.zoom(1.5)}
          />
        </span>
      </header>
      {shown !== undefined && error !== undefined ? (
        <p class="hint" role="alert">
          {error.message}
        </p>
      ) : null}
      {shown !== undefined ? (
        <MatrixCanvas shown={shown} commands={commands} />
      ) : (
        <p class="hint" role="status">
          {error !== undefined ? error.message : awaited === '' ? l10n.t('Fetching the pattern…') : awaited}
        </p>
      )}
      <CrosshairReadout />
    </section>
  );
}

function CrosshairReadout(): JSX.Element {
  const { panel } = usePanel();
  const shown = panel.matrix.value;
  const cell = panel.looking.crosshair.value;
  const weight = panel.crosshairWeight.value;
  const streams = panel.streams.value;
  if (
    shown === undefined ||
    cell === undefined ||
    cell.query >= shown.matrix.numQueries ||
    cell.key >= shown.matrix.numKeys
  ) {
    const isTarget = shown !== undefined && streams[shown.component.queryStream]?.target !== undefined;
    const size = panel.looking.blockSize.value;
    const axes = isTarget
      ? l10n.t('Rows: what the decoder writes next. Columns: keys.')
      : l10n.t('Rows: queries. Columns: keys.');
    return (
      <p class={`readout crosshair hint${shown === undefined || isPlainForm(shown.form) ? '' : ' of-form'}`}>
        {size > 1 ? `${axes} ${l10n.t('Each pixel: the strongest of {0} × {0}.', size)}` : axes}
      </p>
    );
  }
  const { component, matrix } = shown;
  const { rowSums, columnMeans } = matrix.marginals;
  const from = readerName(streams, { stream: component.queryStream, position: cell.query });
  const to = tokenName(streams, { stream: component.keyStream, position: cell.key });
  const isMasked = component.isCausal && cell.key > cell.query + matrix.numKeys - matrix.numQueries;
  return (
    <p class={`readout crosshair${isPlainForm(shown.form) ? '' : ' of-form'}`}>
      {l10n.t('from {0} to {1}', from, to)}:{' '}
      <span class="number weight">{weight === undefined ? '…' : formatShown(weight, shown.form)}</span>
      {isMasked || shown.form.compared !== undefined ? null : (
        <span class="hint">
          {' '}
          {l10n.t('row sum {0}, mean read {1}', formatWeight(rowSums[cell.query]), formatWeight(columnMeans[cell.key]))}
          <CellFacts query={cell.query} />
        </span>
      )}
      {isMasked ? ` ${l10n.t('(a causal model cannot read ahead)')}` : ''}
    </p>
  );
}

/** What was taken out of a row, and the strongest single weight within the cell under the crosshair. */
function CellFacts({ query }: { query: number }): JSX.Element | null {
  const { panel } = usePanel();
  const shown = panel.matrix.value;
  if (shown === undefined) return null;
  const { component, form } = shown;
  const removed = removedOf(shown)?.[query] ?? 0;
  const strongest = panel.strongestCell.value;
  const streams = panel.run.value?.info.streams ?? [];
  return (
    <>
      {removed > 0 ? `; ${removedSentence(removed, form)}` : ''}
      {strongest === undefined
        ? ''
        : `; ${l10n.t(
            'strongest single weight {0}, from {1} to {2}',
            formatWeight(strongest.weight),
            tokenName(streams, { stream: component.queryStream, position: strongest.query }),
            tokenName(streams, { stream: component.keyStream, position: strongest.key }),
          )}`}
    </>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
