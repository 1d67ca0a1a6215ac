import { effect, untracked } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isSameToken } from '../../src/model/token';
import { plainForm } from '../../src/model/patternForm';
import { comparedName, removedSentence } from '../formWords';
import { methodTitle } from '../methodWords';
import type { Panel } from '../state/panel';
import { directionWord, formatShown, readerName, tokenName, tokensName } from '../words';
import { usePanel } from './context';

const settleTime = 250;

/** What was taken out of the row that is told of. */
function removedFrom(panel: Panel): string {
  const removed = panel.removed.value;
  const form = panel.matrix.value?.form;
  return removed === undefined || removed === 0 || form === undefined ? '' : `. ${removedSentence(removed, form)}`;
}

/** The method before what it gives, where that is not what everyone expects. */
function methodIn(panel: Panel): string {
  const { method, compared } = panel.matrix.value?.form ?? plainForm;
  if (compared !== undefined) return `${comparedName(compared)}: `;
  return method === 'attention' ? '' : `${methodTitle(method)}: `;
}

/** The sentence for what is looked at now. */
function sentenceOf(panel: Panel): string {
  const shown = panel.matrix.value;
  const streams = panel.streams.value;
  const lighting = panel.lighting.value;
  const [cursor] = panel.placesOf(panel.looking.cursor.value);
  const cell = panel.looking.crosshair.value;
  const isPinned = panel.view.value.pinned.length > 0;
  if (cell !== undefined && shown !== undefined) {
    const { component } = shown;
    const weight = panel.crosshairWeight.value;
    if (weight === undefined) return '';
    return `${methodIn(panel)}${l10n.t(
      'from {0} to {1}: {2}',
      readerName(streams, { stream: component.queryStream, position: cell.query }),
      tokenName(streams, { stream: component.keyStream, position: cell.key }),
      formatShown(weight, shown.form),
    )}`;
  }
  if (
    isPinned &&
    cursor !== undefined &&
    lighting !== undefined &&
    !lighting.tokens.some((token) => isSameToken(token, cursor))
  ) {
    const weight = formatShown(
      cursor.stream === lighting.stream ? (lighting.weights[cursor.position] ?? 0) : 0,
      shown?.form ?? plainForm,
    );
    return streams[cursor.stream]?.grid === undefined
      ? `${tokenName(streams, cursor)}: ${weight}`
      : l10n.t('{0}, weight {1}', tokenName(streams, cursor), weight);
  }
  if (lighting === undefined || (!isPinned && cursor === undefined)) return '';
  const top = (panel.sources.value?.strongest ?? [])
    .slice(0, 5)
    .map(
      ({ position, weight }) =>
        `${tokenName(streams, { stream: lighting.stream, position })} ${formatShown(weight, shown?.form ?? plainForm)}`,
    );
  return `${methodIn(panel)}${isPinned ? l10n.t('pinned') : ''} ${tokensName(streams, lighting.tokens, lighting.direction)} ${directionWord(lighting.direction)} ${top.join(', ')}${removedFrom(panel)}`;
}

/** What a screen reader is told: the pinned token with its strongest sources, the token that the keyboard is at, or the cell. */
export function LiveRegion(): JSX.Element {
  const { panel } = usePanel();
  const [said, say] = useState('');
  useEffect(() => {
    let timer = 0;
    const stop = effect(() => {
      // What it is made of; the sentence itself only once the pointer rests.
      void [
        panel.lighting.value,
        panel.looking.cursor.value,
        panel.looking.crosshair.value,
        panel.crosshairWeight.value,
        panel.matrix.value,
        panel.view.value,
      ];
      clearTimeout(timer);
      timer = window.setTimeout(() => say(untracked(() => sentenceOf(panel))), settleTime);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [panel]);
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}
