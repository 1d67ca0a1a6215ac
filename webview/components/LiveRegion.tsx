import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { directionWord, formatWeight, readerName, tokenName, tokensName } from '../words';
import { usePanel } from './context';

const settleTime = 250;

/** What a screen reader is told: the pinned token with its strongest sources, the token that the keyboard is at, or the cell. */
export function LiveRegion(): JSX.Element {
  const { panel } = usePanel();
  const [said, say] = useState('');
  const streams = panel.run.value?.info.streams ?? [];
  const lighting = panel.lighting.value;
  const cursor = panel.cursor.value;
  const cell = panel.crosshair.value;
  const shown = panel.matrix.value;
  const isPinned = panel.view.value.pinned.length > 0;
  const cellWeight = panel.crosshairWeight.value;
  let text = '';
  if (cell !== undefined && shown !== undefined) {
    const { component } = shown;
    if (cellWeight !== undefined) text = l10n.t('from {0} to {1}: {2}', readerName(streams, { stream: component.queryStream, position: cell.query }), tokenName(streams, { stream: component.keyStream, position: cell.key }), formatWeight(cellWeight));
  } else if (isPinned && cursor !== undefined && lighting !== undefined && !lighting.tokens.some(({ position }) => position === cursor.position)) {
    const weight = formatWeight(cursor.stream === lighting.stream ? (lighting.weights[cursor.position] ?? 0) : 0);
    text = streams[cursor.stream]?.grid === undefined ? `${tokenName(streams, cursor)}: ${weight}` : l10n.t('{0}, weight {1}', tokenName(streams, cursor), weight);
  } else if (lighting !== undefined && (isPinned || cursor !== undefined)) {
    const top = (panel.sources.value?.strongest ?? []).slice(0, 5).map(({ position, weight }) => `${tokenName(streams, { stream: lighting.stream, position })} ${formatWeight(weight)}`);
    text = `${isPinned ? l10n.t('pinned') : ''} ${tokensName(streams, lighting.tokens, lighting.direction)} ${directionWord(lighting.direction)} ${top.join(', ')}`;
  }
  useEffect(() => {
    const timer = setTimeout(() => say(text), settleTime);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}
