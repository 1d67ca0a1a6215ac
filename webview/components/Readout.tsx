import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { isSameToken } from '../../src/model/token';
import { plainForm } from '../../src/model/patternForm';
import { methodTitle } from '../methodWords';
import { comparedName, removedSentence } from '../formWords';
import { directionWord, formatShown, formatWeight, tokenName, tokensName } from '../words';
import { usePanel } from './context';

/** One line under the source: what the looked-at token reads most, or the weight between the pinned and the hovered one. */
export function Readout(): JSX.Element {
  const { panel } = usePanel();
  const shown = panel.matrix.value;
  const streams = panel.streams.value;
  const lighting = panel.lighting.value;
  const looking = panel.placesOf(...panel.lookedAt.value);
  const isPinned = panel.view.value.pinned.length > 0;
  const [hovered] = panel.placesOf(
    panel.looking.hovered.value ?? panel.looking.cursor.value ?? panel.looking.editorHover.value,
  );
  const removed = panel.removed.value;
  const baseline = panel.baseline.weights.value;
  const isPicture = streams.some(({ grid }) => grid !== undefined);
  if (looking.length === 0 && isPicture)
    return (
      <p class="readout hint">{l10n.t('Hover a patch to see what it reads, click to pin it. Press ? for the keys.')}</p>
    );
  if (looking.length === 0)
    return (
      <p class="readout hint">{l10n.t('Hover a token to see what it reads, click to pin it. Press ? for the keys.')}</p>
    );
  if (lighting === undefined) {
    if (panel.look.value !== undefined) return <p class="readout hint">{l10n.t('Fetching the weights…')}</p>;
    const isWaiting = panel.shown.selected.value === undefined;
    return (
      <p class="readout hint">
        {isWaiting
          ? l10n.t('Fetching the pattern…')
          : l10n.t('{0} has no part in this attention: choose another tab.', tokensName(streams, looking))}
      </p>
    );
  }
  const form = shown?.form ?? plainForm;
  const { method } = form;
  const prefix = (
    <>
      {isPinned ? <span class="tag">{l10n.t('pinned')}</span> : null}
      {isPinned && method !== 'attention' ? ' ' : null}
      {method === 'attention' ? null : <span class="tag">{methodTitle(method)}</span>}
      {form.compared === undefined ? null : <span class="tag">{comparedName(form.compared)}</span>}
    </>
  );
  const uniformAt = (position: number): JSX.Element | null =>
    baseline === undefined ? null : (
      <span class="hint"> {l10n.t('uniform: {0}', formatWeight(baseline[position]))}</span>
    );
  const word = directionWord(lighting.direction);
  const name = <strong>{tokensName(streams, lighting.tokens, lighting.direction)}</strong>;
  if (
    isPinned &&
    hovered !== undefined &&
    hovered.stream === lighting.stream &&
    !lighting.tokens.some((token) => isSameToken(token, hovered))
  ) {
    return (
      <p class="readout">
        {prefix} {name} {word} <strong>{tokenName(streams, hovered)}</strong>:{' '}
        <span class="number">{formatShown(lighting.weights[hovered.position] ?? 0, form)}</span>
        {uniformAt(hovered.position)}
        {removed !== undefined && removed > 0 && shown !== undefined ? (
          <span class="hint"> ({removedSentence(removed, shown.form)})</span>
        ) : null}
      </p>
    );
  }
  // The list has the others.
  const strongest = panel.sources.value?.strongest[0];
  return (
    <p class="readout">
      {prefix} {name} {word}{' '}
      {strongest === undefined ? (
        lighting.direction === 'reads' && lighting.maximum === 0 && form.compared === undefined ? (
          l10n.t('no key')
        ) : (
          l10n.t('nothing above the threshold')
        )
      ) : (
        <span>
          {tokenName(streams, { stream: lighting.stream, position: strongest.position })}{' '}
          <span class="number">{formatShown(strongest.weight, form)}</span>
          {uniformAt(strongest.position)}
        </span>
      )}
      {removed !== undefined && removed > 0 && shown !== undefined ? (
        <span class="hint"> ({removedSentence(removed, shown.form)})</span>
      ) : null}
    </p>
  );
}
