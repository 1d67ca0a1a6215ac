import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { effectPaths, replacements } from '../../src/model/effects/effects';
import { pathMeaning, pathName, replacementMeaning, replacementName } from '../effectWords';
import { tokenName } from '../words';
import { usePanel } from './context';
import { EffectsAnswer } from './EffectsAnswer';
import { EffectsQuestion } from './EffectsQuestion';
import { EffectsTable } from './EffectsTable';
import { InterventionList } from './InterventionList';
import type { PaneProps } from './paneProps';

/** What interventions do to a prediction: those of the list together, and every head silenced by itself. */
export function EffectsPane({ run, component }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { effects } = panel;
  const pane = useRef<HTMLElement>(null);
  useEffect(() => {
    effects.open();
    if (effects.takesFocus()) pane.current?.focus();
    return () => effects.close();
  }, []);
  const { question } = effects.layout.value;
  const error = effects.error.value ?? (question === undefined ? panel.predictions.error.value : undefined);
  const predicted = panel.predictions.shown.value;
  const hasLoss = predicted !== undefined && predicted.kind !== 'labels';
  const [pinned] = panel.view.value.pinned;
  const canAsk =
    pinned !== undefined &&
    effects.canAsk(pinned) &&
    !(question?.kind === 'token' && question.position === pinned.position);
  return (
    <section ref={pane} class="pane head-table-pane effects-pane" aria-label={l10n.t('Effects')} tabIndex={0}>
      <div class="head-table-bar" role="toolbar" aria-label={l10n.t('Effects')}>
        {canAsk ? (
          <button
            type="button"
            class="random-switch"
            title={l10n.t('Ask about the prediction of {0}', tokenName(run.info.streams, pinned))}
            onClick={() => effects.askAbout(pinned.position)}
          >
            {l10n.t('Ask About the Pinned Token')}
          </button>
        ) : null}
        {!hasLoss ? null : (
          <button
            type="button"
            class="random-switch"
            aria-pressed={question?.kind === 'loss'}
            title={l10n.t('Ask about the mean loss of the text in the place of one prediction')}
            onClick={() => effects.change({ question: question?.kind === 'loss' ? undefined : { kind: 'loss' } })}
          >
            {l10n.t('Mean Loss')}
          </button>
        )}
        <span class="actions">
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close the effects')}
            title={l10n.t('Close the effects (E)')}
            onClick={() => kept.toggleView('effects', false)}
          />
        </span>
      </div>
      <div class="head-table-scroll effects">
        {error === undefined ? null : (
          <p class="hint" role="alert">
            {error.message}
          </p>
        )}
        {question === undefined ? (
          error === undefined ? (
            <p class="hint" role="status">
              {predicted === undefined
                ? l10n.t('The model reads the text again for what it predicts…')
                : l10n.t('A masked language model tells tokens that it does not see: pin one, and ask about it.')}
            </p>
          ) : null
        ) : (
          <>
            <EffectsQuestion asked={question} />
            <Experiment isPicture={run.info.streams.some(({ grid }) => grid !== undefined)} />
            <EffectsAnswer />
            <InterventionList run={run} component={component} />
            <EffectsTable component={component} />
          </>
        )}
      </div>
    </section>
  );
}

/** What an experiment is: by what heads are silenced, or with what text they are swapped, and what of that is measured. */
function Experiment({ isPicture }: { isPicture: boolean }): JSX.Element {
  const { panel, kept } = usePanel();
  const { effects } = panel;
  const other = effects.other.value;
  const { by, path } = effects.layout.value;
  return (
    <>
      <div class="effect-controls">
        <div class="segmented" role="group" aria-label={l10n.t('A head hands on')}>
          {replacements.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={by === each}
              title={replacementMeaning(each)}
              onClick={() => effects.change({ by: each })}
            >
              {replacementName(each)}
            </button>
          ))}
        </div>
        <div class="segmented" role="group" aria-label={l10n.t('Effect')}>
          {effectPaths.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={path === each}
              title={pathMeaning(each)}
              onClick={() => effects.change({ path: each })}
            >
              {pathName(each)}
            </button>
          ))}
        </div>
      </div>
      <p class="hint">
        {pathMeaning(path)} {replacementMeaning(by)}
      </p>
      {by !== 'swap' ? null : (
        <p class="hint" role={other === undefined ? 'status' : undefined}>
          {other !== undefined
            ? l10n.t('B: {0}.', other.name)
            : isPicture
              ? l10n.t('There is no other picture yet: compare this one with another, which the same model reads.')
              : l10n.t(
                  'There is no other text yet: compare this one with a copy in which one span is replaced by as many tokens.',
                )}{' '}
          <button type="button" class="link" onClick={() => kept.toggleView('compare', true)}>
            {isPicture
              ? l10n.t('Another Picture…')
              : other === undefined
                ? l10n.t('Replace a Span…')
                : l10n.t('Another Text…')}
          </button>
        </p>
      )}
    </>
  );
}
