import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { Lighting } from '../../src/model/lighting';
import { isSameToken, type TokenRef } from '../../src/model/token';
import { plainForm } from '../../src/model/patternForm';
import { methodTitle } from '../methodWords';
import { comparedName, noDifferenceSentence, removedSentence } from '../formWords';
import { directionWord, formatShown, formatWeight, tokenName, tokensName } from '../words';
import { usePanel } from './context';

/** One line under the source: what the looked-at token reads most, or the weight between the pinned and the hovered one. */
export function Readout(): JSX.Element {
  const { panel } = usePanel();
  const lighting = panel.lighting.value;
  const looking = panel.placesOf(...panel.lookedAt.value);
  if (looking.length === 0 || lighting === undefined) return <Hint looking={looking} />;
  const [hovered] = panel.placesOf(
    panel.looking.hovered.value ?? panel.looking.cursor.value ?? panel.looking.editorHover.value,
  );
  const isBetween =
    panel.view.value.pinned.length > 0 &&
    hovered !== undefined &&
    hovered.stream === lighting.stream &&
    !lighting.tokens.some((token) => isSameToken(token, hovered));
  const isSame = panel.isDifference.value && panel.sources.value?.strongest.length === 0;
  return (
    <p class="readout">
      <Tags /> <strong>{tokensName(panel.streams.value, lighting.tokens, lighting.direction)}</strong>{' '}
      {isSame && !isBetween ? '' : directionWord(lighting.direction)}{' '}
      {isSame && !isBetween ? (
        noDifferenceSentence(lighting.maximum)
      ) : isBetween ? (
        <WeightOf lighting={lighting} token={hovered} />
      ) : (
        <StrongestOf lighting={lighting} />
      )}
      <Removed />
    </p>
  );
}

/** What can be done, or is waited for, where there is nothing to say of a token. */
function Hint({ looking }: { looking: readonly TokenRef[] }): JSX.Element {
  const { panel } = usePanel();
  const streams = panel.streams.value;
  const isPicture = streams.some(({ grid }) => grid !== undefined);
  const sentence = (): string => {
    if (looking.length === 0)
      return isPicture
        ? l10n.t('Hover a patch to see what it reads, click to pin it. Press ? for the keys.')
        : l10n.t('Hover a token to see what it reads, click to pin it. Press ? for the keys.');
    if (panel.look.value !== undefined) return l10n.t('Fetching the weights…');
    return panel.shown.selected.value === undefined
      ? l10n.t('Fetching the pattern…')
      : l10n.t('{0} has no part in this attention: choose another tab.', tokensName(streams, looking));
  };
  return <p class="readout hint">{sentence()}</p>;
}

/** What is said of is pinned, or no plain weight. */
function Tags(): JSX.Element {
  const { panel } = usePanel();
  const { method, compared } = panel.matrix.value?.form ?? plainForm;
  const isPinned = panel.view.value.pinned.length > 0;
  return (
    <>
      {isPinned ? <span class="tag">{l10n.t('pinned')}</span> : null}
      {isPinned && method !== 'attention' ? ' ' : null}
      {method === 'attention' ? null : <span class="tag">{methodTitle(method)}</span>}
      <OwnSurprisal />
      {compared === undefined ? null : <span class="tag">{comparedName(compared)}</span>}
    </>
  );
}

/** The surprisal of the one token that is looked at, where that colours the text; what follows is of weights. */
function OwnSurprisal(): JSX.Element | null {
  const { panel } = usePanel();
  const heat = panel.heat.value;
  const actual = panel.predictions.chosen.value?.actual;
  const isOfToken = panel.predictions.token.value !== undefined && panel.lookedAt.value.length === 1;
  if (heat === undefined) return null;
  return (
    <>
      {actual === undefined || !isOfToken ? null : (
        <span class="tag">{l10n.t('surprisal {0} bits', actual.surprisal.toFixed(2))}</span>
      )}
      <span class="tag">{methodTitle('attention')}</span>
    </>
  );
}

/** A number, and what it would be if attention were spread evenly, where that is known. */
function Weight({ weight, position }: { weight: number; position: number }): JSX.Element {
  const { panel } = usePanel();
  const baseline = panel.baseline.weights.value;
  return (
    <>
      <span class="number">{formatShown(weight, panel.matrix.value?.form ?? plainForm)}</span>
      {baseline === undefined ? null : (
        <span class="hint"> {l10n.t('uniform: {0}', formatWeight(baseline[position]))}</span>
      )}
    </>
  );
}

/** The weight between what is pinned and another token. */
function WeightOf({ lighting, token }: { lighting: Lighting; token: TokenRef }): JSX.Element {
  const { panel } = usePanel();
  return (
    <>
      <strong>{tokenName(panel.streams.value, token)}</strong>:{' '}
      <Weight weight={lighting.weights[token.position] ?? 0} position={token.position} />
    </>
  );
}

/** The strongest source; the list has the others. */
function StrongestOf({ lighting: { stream, direction, maximum } }: { lighting: Lighting }): JSX.Element {
  const { panel } = usePanel();
  const strongest = panel.sources.value?.strongest[0];
  if (strongest === undefined) {
    const { compared } = panel.matrix.value?.form ?? plainForm;
    const isUnread = direction === 'reads' && maximum === 0 && compared === undefined;
    return <>{isUnread ? l10n.t('no key') : l10n.t('nothing above the threshold')}</>;
  }
  const { position, weight } = strongest;
  return (
    <span>
      {tokenName(panel.streams.value, { stream, position })} <Weight weight={weight} position={position} />
    </span>
  );
}

/** What the form has taken from the row. */
function Removed(): JSX.Element | null {
  const { panel } = usePanel();
  const removed = panel.removed.value;
  const shown = panel.matrix.value;
  if (removed === undefined || removed <= 0 || shown === undefined) return null;
  return <span class="hint"> ({removedSentence(removed, shown.form)})</span>;
}
