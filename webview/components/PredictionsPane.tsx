import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { plain } from '../../src/base/safeText';
import type { ModelAnswer } from '../../src/model/modelInfo';
import { meanSurprisal, wordParts, type TokenPrediction, type TokenPredictions } from '../../src/model/predictions';
import type { PanelRun } from '../../src/panelProtocol';
import { visibleText, type TokenStream } from '../../src/model/token';
import { tokenName } from '../words';
import { usePanel } from './context';
import type { PaneProps } from './paneProps';
import { ContinuationSection } from './ContinuationSection';
import { WritesSection } from './WritesSection';

/** Tokens whose labels are listed. */
const maxLabelled = 256;

/** What the model predicts at the token that is looked at, or next: surprisal, rank, entropy and the most probable tokens; of a classifier its labels. */
export function PredictionsPane({ run }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { predictions } = panel;
  const pane = useRef<HTMLElement>(null);
  useEffect(() => {
    predictions.open();
    if (predictions.takesFocus()) pane.current?.focus();
    return () => predictions.close();
  }, []);
  const shown = predictions.shown.value;
  const isPicture = run.info.streams.some(({ grid }) => grid !== undefined);
  return (
    <section ref={pane} class="pane head-table-pane predictions-pane" aria-label={l10n.t('Predictions')} tabIndex={0}>
      <div class="head-table-bar" role="toolbar" aria-label={l10n.t('Predictions')}>
        <span class="actions">
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close the predictions')}
            title={l10n.t('Close the predictions (P)')}
            onClick={() => kept.toggleView('predictions', false)}
          />
        </span>
      </div>
      {isPicture ? (
        <Labels questions={(run.info.answers ?? []).map((answer) => [answer])} />
      ) : shown === undefined ? (
        <Waiting />
      ) : shown.kind === 'labels' ? (
        <Labels questions={shown.questions} />
      ) : (
        <Tokens run={run} shown={shown} />
      )}
    </section>
  );
}

function Waiting(): JSX.Element {
  const error = usePanel().panel.predictions.error.value;
  return error === undefined ? (
    <p class="hint" role="status">
      {l10n.t('The model reads the text again for what it predicts…')}
    </p>
  ) : (
    <p class="hint" role="alert">
      {error.message}
    </p>
  );
}

/** The mean of all tokens beside a guess. */
function Mean({ shown, stream }: { shown: TokenPredictions; stream: TokenStream }): JSX.Element | null {
  const mean = useMemo(() => meanSurprisal(shown, stream), [shown, stream]);
  const most = Math.log2(shown.vocabularySize);
  return mean === undefined ? null : (
    <p class="hint">
      {l10n.t('Mean over {0} tokens: {1} bits', mean.numTokens, mean.surprisal.toFixed(2))}
      {'; '}
      {l10n.t('a guess among all {0} tokens alike: {1} bits', shown.vocabularySize, most.toFixed(2))}
    </p>
  );
}

function titleOf({ info: { streams } }: PanelRun, { kind, stream }: TokenPredictions, position: number): string {
  if (position < streams[stream].tokens.length) return tokenName(streams, { stream, position });
  return kind === 'tokenLabels' ? l10n.t('The label of each token') : l10n.t('What comes next');
}

function Tokens({ run, shown }: { run: PanelRun; shown: TokenPredictions }): JSX.Element {
  const { panel } = usePanel();
  const { predictions } = panel;
  const stream = run.info.streams[shown.stream];
  const partOf = useMemo(() => wordParts(stream), [stream]);
  const token = predictions.token.value;
  const chosen = predictions.chosen.value;
  const error = predictions.error.value;
  const masking = predictions.masking.value;
  const part = token === undefined ? undefined : partOf(token.position);
  const canContinue = shown.kind === 'next' && panel.continuation.canContinue(run);
  const title = titleOf(run, shown, token?.position ?? chosen?.position ?? stream.tokens.length);
  return (
    <div class="head-table-scroll predictions">
      <h2>
        {title}
        {part === undefined ? null : (
          <span class="hint"> {l10n.t('part {0} of {1} of “{2}”', part.part, part.of, part.word)}</span>
        )}
      </h2>
      {token !== undefined && predictions.canMask(token) ? (
        <p>
          <button
            type="button"
            class="random-switch"
            disabled={masking !== undefined}
            onClick={() => predictions.mask(token.position)}
          >
            {l10n.t('Mask This Token')}
          </button>
        </p>
      ) : null}
      {error === undefined ? null : (
        <p class="hint" role="alert">
          {error.message}
        </p>
      )}
      {chosen === undefined ? (
        <NoPrediction shown={shown} stream={stream} />
      ) : (
        <PredictionOf
          prediction={chosen}
          kind={shown.kind}
          numTokens={shown.vocabularySize}
          onWrite={
            canContinue && chosen.position >= (stream.written?.from ?? stream.tokens.length)
              ? (id) => panel.continuation.writeInstead(chosen.position, id)
              : undefined
          }
        />
      )}
      {chosen === undefined || shown.kind !== 'next' ? null : (
        <WritesSection run={run} stream={shown.stream} prediction={chosen} />
      )}
      {canContinue ? <ContinuationSection run={run} /> : null}
      <Mean shown={shown} stream={stream} />
    </div>
  );
}

/** What is said of a token that has no prediction; of a classifier of tokens, where none is looked at, all labels. */
function NoPrediction({ shown, stream }: { shown: TokenPredictions; stream: TokenStream }): JSX.Element {
  const { token, masking } = usePanel().panel.predictions;
  const isLooked = token.value !== undefined;
  if (shown.kind === 'tokenLabels' && !isLooked) return <TokenLabels shown={shown} stream={stream} />;
  const text =
    shown.kind === 'tokenLabels'
      ? l10n.t('A special token has no label.')
      : masking.value !== undefined
        ? l10n.t('The model reads the text with that token masked…')
        : shown.kind === 'next'
          ? l10n.t('Nothing stands before the first token, so the model does not predict it.')
          : isLooked
            ? l10n.t(
                'The model sees this token: what it makes of it is no surprise. Mask it to see what it would fill in.',
              )
            : l10n.t('A masked language model tells tokens that it does not see: pin one, and mask it.');
  return (
    <p class="hint" role="status">
      {text}
    </p>
  );
}

/** The most probable label of each token, as far as they are few enough to be read. */
function TokenLabels({ shown, stream }: { shown: TokenPredictions; stream: TokenStream }): JSX.Element {
  const { positions, texts, probabilities, count } = shown;
  return (
    <>
      <Shares
        label={l10n.t('Labels of tokens')}
        caption={l10n.t('The most probable label of each token, with its probability')}
        rows={[...positions.subarray(0, maxLabelled)].map((position, at) => ({
          key: String(position),
          name: visibleText(stream, position),
          said: texts[at * count],
          probability: probabilities[at * count],
        }))}
      />
      {positions.length > maxLabelled ? (
        <p class="hint">{l10n.t('and {0} more: look at a token for its labels', positions.length - maxLabelled)}</p>
      ) : null}
    </>
  );
}

function PredictionOf({
  prediction: { actual, entropy, alternatives },
  kind,
  numTokens,
  onWrite,
}: {
  prediction: TokenPrediction;
  kind: TokenPredictions['kind'];
  numTokens: number;
  /** Writes an alternative here; undefined where the text is the person's own. */
  onWrite: ((id: number) => void) | undefined;
}): JSX.Element {
  const facts: readonly (readonly [name: string, value: string, meaning: string])[] = [
    ...(actual === undefined
      ? []
      : ([
          [
            l10n.t('Surprisal'),
            l10n.t('{0} bits', actual.surprisal.toFixed(3)),
            l10n.t('−log₂ p of the token that stands here'),
          ],
          [
            l10n.t('Rank'),
            l10n.t('{0} of {1}', actual.rank, numTokens),
            l10n.t('Its place among all tokens by probability'),
          ],
        ] as const)),
    [
      l10n.t('Entropy'),
      Number.isFinite(entropy) ? l10n.t('{0} bits', entropy.toFixed(3)) : '–',
      kind === 'tokenLabels'
        ? l10n.t('−Σ p log₂ p over all labels: how open the choice is')
        : l10n.t('−Σ p log₂ p over all tokens: how open the choice is'),
    ],
  ];
  return (
    <>
      <dl class="prediction-facts" aria-live="polite">
        {facts.map(([name, value, meaning]) => (
          <div key={name} title={meaning}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Shares
        label={kind === 'tokenLabels' ? l10n.t('Labels') : l10n.t('Most probable tokens')}
        caption={
          kind === 'tokenLabels'
            ? l10n.t('Probability of each label')
            : kind === 'next'
              ? l10n.t('Most probable here, after all tokens before (temperature 1)')
              : l10n.t('Most probable in the place of the mask (temperature 1)')
        }
        rows={alternatives.map(({ id, text, probability }) => ({
          key: String(id),
          name: text,
          probability,
          ...(onWrite === undefined ? {} : { onWrite: () => onWrite(id) }),
        }))}
      />
    </>
  );
}

/** What a classifier says: its labels with their probabilities. */
function Labels({ questions }: { questions: readonly (readonly ModelAnswer[])[] }): JSX.Element {
  return (
    <div class="head-table-scroll predictions">
      {questions.length === 0 ? (
        <p class="hint">{l10n.t('The model’s file gives no labels of what it reads.')}</p>
      ) : (
        questions.map((labels, i) => (
          <Shares
            key={i}
            label={l10n.t('Labels')}
            caption={l10n.t('Probability of each label')}
            rows={labels.map(({ label, probability }) => ({ key: label, name: label, probability }))}
          />
        ))
      )}
    </div>
  );
}

function Shares({
  label,
  caption,
  rows,
}: {
  label: string;
  caption: string;
  rows: readonly {
    readonly key: string;
    readonly name: string;
    /** What is said of it, where its name does not say all. */
    readonly said?: string;
    readonly probability: number;
    /** Writes it here. */
    readonly onWrite?: () => void;
  }[];
}): JSX.Element {
  return (
    <table class="how-array prediction-shares" aria-label={label}>
      <caption>{caption}</caption>
      <tbody>
        {rows.map(({ key, name, said, probability, onWrite }) => (
          <tr key={key}>
            <th scope="row">
              {onWrite === undefined ? (
                <code>{plain(name)}</code>
              ) : (
                <button
                  type="button"
                  class="link"
                  title={l10n.t('Write this here, and go on from it: a branch')}
                  onClick={onWrite}
                >
                  <code>{plain(name)}</code>
                </button>
              )}
            </th>
            {said === undefined ? null : <td>{plain(said)}</td>}
            <td class="number">{shareText(probability)}</td>
            <td class="bar" aria-hidden="true">
              <span style={{ width: `${100 * probability}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A probability with as many digits as tell it from nothing. */
function shareText(probability: number): string {
  return probability < 0.00005 ? '< 0.0001' : probability.toFixed(4);
}
