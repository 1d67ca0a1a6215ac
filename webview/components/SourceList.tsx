import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { Lighting, Sources } from '../../src/model/lighting';
import type { Direction } from '../../src/model/pattern';
import type { TokenRef, TokenStream } from '../../src/model/token';
import { depthOf, pinnedMeans, signedDepthOf } from '../../src/model/viewState';
import { cssColour } from '../../src/model/ramp';
import type { PanelRun } from '../../src/panelProtocol';
import { besideHeat, formTags, noDifferenceSentence, removedSentence } from '../formWords';
import { tokensIn, type ShownPattern } from '../state/matrixData';
import type { AskedPair } from '../state/howView';
import type { Panel } from '../state/panel';
import {
  directionWord,
  exactWeight,
  formatShown,
  formatWeight,
  readerName,
  selectionName,
  tokenName,
  tokensName,
} from '../words';
import { usePanel } from './context';
import { block } from './openEffects';
import { openHow } from './openHow';

/** The one-based lines of the document on which a stream's tokens begin. */
function linesOf(run: PanelRun, { tokens, text }: TokenStream): Int32Array {
  const lines = new Int32Array(tokens.length);
  let line = run.startLine + 1;
  let at = 0;
  tokens.forEach(({ start, end, isSpecial }, i) => {
    // A token's line is that of its first visible character: one that begins with a break belongs to the line after.
    const lead = isSpecial ? 0 : (/^\s*?(?=\S|$)/.exec(text.slice(start, end))?.[0].length ?? 0);
    const place = lead < end - start ? start + lead : start;
    for (; at < place; at++) if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) line++;
    lines[i] = line;
  });
  return lines;
}

/** @param isShare whether weights add up to what the tokens have: means of different tokens do not. */
function restSentence({ restCount, restWeight, strongest }: Sources, isShare: boolean, isSigned: boolean): string {
  if (isSigned && restCount === 0) return strongest.length === 0 ? '' : l10n.t('No other differs.');
  if (!isShare)
    return restCount === 0 ? l10n.t('No other has any weight.') : l10n.t('{0} others have less.', restCount);
  if (restCount === 0) return l10n.t('No other has any weight.');
  return restCount === 1
    ? l10n.t('1 other holds {0}.', formatWeight(restWeight))
    : l10n.t('{0} others hold {1}.', restCount, formatWeight(restWeight));
}

/** Why nothing is listed. */
function emptySentence({ direction, maximum }: Lighting, threshold: number, isSigned: boolean): string {
  if (isSigned) return `${noDifferenceSentence(maximum)}.`;
  if (direction === 'reads' && maximum === 0) return l10n.t('No key: this query may read nothing.');
  return threshold > 0
    ? l10n.t('Nothing reaches the threshold of {0}.', Number(threshold.toPrecision(3)))
    : l10n.t('No weight at all.');
}

/** What was done to the weights, where that is told here. */
function tagsOf(shown: ShownPattern): readonly string[] {
  const { compared, level, method } = shown.form;
  return compared !== undefined || level !== 'token' || method !== 'attention' ? formTags(shown) : [];
}

/** Several tokens of a causal model have different pasts: says what their mean is over, and changes it. */
function MeanChoice({ count, direction }: { count: number; direction: Direction }): JSX.Element {
  const { panel } = usePanel();
  const { pinnedMean } = panel.view.value;
  const seeing =
    direction === 'reads'
      ? l10n.t('Mean over those of the {0} that can see the other token', count)
      : l10n.t('Mean over those of the {0} that the other token can see', count);
  const names = { all: l10n.t('Mean over all {0}', count), seeing } as const;
  return (
    <span class="mean-choice" role="group" aria-label={l10n.t('Mean of the pinned tokens')}>
      {pinnedMeans.map((mean) =>
        mean === pinnedMean ? (
          <strong key={mean}>{names[mean]}</strong>
        ) : (
          <button
            key={mean}
            type="button"
            class="link"
            title={l10n.t('Change the mean (M)')}
            onClick={() => panel.change({ pinnedMean: mean })}
          >
            {names[mean]}
          </button>
        ),
      )}
    </span>
  );
}

/** Whether it can be asked how a weight came about: of one token, in one head, that is shown and not only looked at. */
function canAskHow(panel: Panel, { selection, component }: ShownPattern, numTokens: number): boolean {
  return (
    numTokens === 1 && selection.heads.length === 1 && component.areHeadsJoined !== true && !panel.isPreviewing.value
  );
}

/** The strongest sources of what is looked at, as text: numbers, bars, and links to their places in the editor. */
export function SourceList({ run }: { run: PanelRun }): JSX.Element {
  const { panel, kept } = usePanel();
  const shown = panel.matrix.value;
  const streams = shown?.streams ?? run.info.streams;
  const lines = useMemo(() => streams.map((stream) => linesOf(run, stream)), [run, streams]);
  const lighting = panel.lighting.value;
  const sources = panel.sources.value;
  // The row that the pointer or the keyboard is at, whichever token it holds.
  const place = useRef<number | undefined>(undefined);
  // A unit is pointed at, and gone to, by its first token.
  const firstToken = (token: TokenRef): TokenRef =>
    shown === undefined ? token : { stream: token.stream, position: tokensIn(shown, token)[0] };
  const pointAt = (row: number | undefined): void => {
    place.current = row;
    const position = row === undefined ? undefined : sources?.strongest[row]?.position;
    panel.looking.point(
      position === undefined || lighting === undefined ? undefined : firstToken({ stream: lighting.stream, position }),
    );
  };
  useLayoutEffect(() => {
    if (place.current !== undefined) pointAt(place.current);
  }, [sources]);
  if (lighting === undefined || sources === undefined || shown === undefined) {
    return (
      <section class="pane list-pane" aria-label={l10n.t('Strongest sources')}>
        <header>
          <h2>{l10n.t('Strongest sources')}</h2>
        </header>
        <p class="hint">
          {panel.look.value !== undefined
            ? l10n.t('Fetching the weights…')
            : streams.some(({ grid }) => grid !== undefined)
              ? l10n.t('Pin a patch to list what it reads.')
              : l10n.t('Pin a token to list what it reads, with links to the editor.')}
        </p>
      </section>
    );
  }
  const title = `${tokensName(streams, lighting.tokens, lighting.direction)} ${directionWord(lighting.direction)}`;
  const isSigned = panel.isDifference.value;
  const ramp = panel.ramps.value[lighting.direction];
  const { scale } = panel.view.value;
  const ceiling = panel.ceiling.value;
  const full = Math.max(ceiling, Number.MIN_VALUE);
  const threshold = panel.view.value.threshold * ceiling;
  const sinks = panel.sinks.value;
  const hasHow = canAskHow(panel, shown, lighting.tokens.length);
  const often = panel.oftenRead.value;
  const baseline = panel.baseline.weights.value;
  const pairWith = (position: number): AskedPair => {
    const own = lighting.tokens[0].position;
    return lighting.direction === 'reads' ? { query: own, key: position } : { query: position, key: own };
  };
  return (
    <section class="pane list-pane" aria-label={l10n.t('Strongest sources')}>
      <header>
        <h2 title={title}>{title}</h2>
        <span class="aside">
          {panel.isPreviewing.value ? <span class="tag">{l10n.t('preview')}</span> : null}{' '}
          {selectionName(shown.selection, shown.component)}
        </span>
      </header>
      <ol class="sources">
        {sources.strongest.map(({ position, weight }, row) => {
          const token = { stream: lighting.stream, position };
          const { start, end } = streams[lighting.stream].tokens[position];
          const isInDocument = streams[lighting.stream].role === 'source' && end > start;
          const name = lighting.direction === 'readBy' ? readerName(streams, token) : tokenName(streams, token);
          const depth = (isSigned ? signedDepthOf : depthOf)(
            (lighting.drawn ?? lighting.weights)[position],
            scale,
            lighting.maximum,
            ceiling,
          );
          return (
            <li key={row} onPointerEnter={() => pointAt(row)} onPointerLeave={() => pointAt(undefined)}>
              <span class="source">
                {isInDocument ? (
                  <button
                    type="button"
                    class="link"
                    title={l10n.t('Show in the editor')}
                    onClick={() => panel.reveal(firstToken(token))}
                    onFocus={() => pointAt(row)}
                    onBlur={() => pointAt(undefined)}
                  >
                    {name}
                  </button>
                ) : (
                  <span class="name">{name}</span>
                )}
                {lighting.direction !== 'reads' ? null : sinks.includes(position) ? (
                  <span class="tag" title={l10n.t('A sink: queries all over the text put much of their weight on it')}>
                    {l10n.t('sink')}
                  </span>
                ) : often.includes(position) ? (
                  <span class="hint">{l10n.t('often read')}</span>
                ) : null}
                {baseline === undefined ? null : (
                  <span
                    class="hint baseline"
                    title={l10n.t(
                      'What rollout comes to where every head reads all tokens that it may alike: no weight has any part in it.',
                    )}
                  >
                    {l10n.t('uniform: {0}', formatWeight(baseline[position]))}
                  </span>
                )}
                {hasHow ? (
                  <span class="row-links">
                    <button
                      type="button"
                      class="link how-link"
                      title={l10n.t('How this weight came about')}
                      aria-label={l10n.t('How the weight of {0} came about', name)}
                      onClick={() => openHow(panel, kept, pairWith(position))}
                    >
                      {l10n.t('how')}
                    </button>
                    <button
                      type="button"
                      class="link how-link"
                      title={l10n.t('Block this weight, and see what that does to a prediction')}
                      aria-label={l10n.t('Block the weight of {0}', name)}
                      onClick={() => block(panel, kept, pairWith(position))}
                    >
                      {l10n.t('block')}
                    </button>
                  </span>
                ) : null}
              </span>
              <span
                class="number"
                title={
                  baseline === undefined
                    ? exactWeight(weight)
                    : `${exactWeight(weight)}, ${l10n.t('uniform: {0}', exactWeight(baseline[position]))}`
                }
              >
                {formatShown(weight, shown.form)}
              </span>
              <span class="bar" aria-hidden="true">
                <span
                  style={{
                    width: `${100 * Math.min(1, Math.abs(weight) / full)}%`,
                    backgroundColor: cssColour(ramp.colour((depth < 0 ? -1 : 1) * Math.max(0.35, Math.abs(depth)))),
                  }}
                />
              </span>
              <span class="line-number">{isInDocument ? l10n.t('Ln {0}', lines[lighting.stream][position]) : ''}</span>
            </li>
          );
        })}
      </ol>
      {sources.strongest.length === 0 ? <p class="hint">{emptySentence(lighting, threshold, isSigned)}</p> : null}
      <p class="rest">
        {[...besideHeat(panel.heat.value), ...tagsOf(shown)].map((tag) => `${tag}. `)}
        {restSentence(
          sources,
          !isSigned &&
            (panel.view.value.pinnedMean === 'all' || lighting.tokens.length < 2 || !shown.component.isCausal),
          isSigned,
        )}
        {panel.removed.value !== undefined && panel.removed.value > 0
          ? ` ${removedSentence(panel.removed.value, shown.form)}.`
          : ''}
        {sources.sinkWeight > 0 ? ` ${l10n.t('{0} is on sink tokens.', formatWeight(sources.sinkWeight))}` : ''}
        {lighting.tokens.length < 2 || !shown.component.isCausal ? null : (
          <MeanChoice count={lighting.tokens.length} direction={lighting.direction} />
        )}
      </p>
    </section>
  );
}
