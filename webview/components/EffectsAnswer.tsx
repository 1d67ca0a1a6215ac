import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import {
  isShared,
  shareOf,
  type AskedChoice,
  type EffectAnswer,
  type EffectPath,
  type EffectSide,
} from '../../src/model/effects/effects';
import {
  backupSentence,
  causalSentence,
  choiceText,
  maskedOutSentence,
  noShareSentence,
  pathName,
  questionMeasure,
  shareSentence,
} from '../effectWords';
import { signedNumber } from '../headWords';
import { isMaskedOut, isSameForwards, standsBehind } from '../../src/model/effects/causalReach';
import type { ComponentInfo } from '../../src/model/head';
import { usePanel } from './context';

/** The prediction without and with the interventions that are on, side by side. */
export function EffectsAnswer(): JSX.Element {
  const { effects, run } = usePanel().panel;
  const question = effects.question.value;
  const answer = effects.answer.value;
  const plain = answer?.plain ?? effects.plain.value;
  const numActive = effects.active.value.length;
  const isIntervened = numActive > 0;
  const facts = useRef<HTMLDListElement>(null);
  const former = useRef(numActive);
  // Whoever switches something on is to see what that does.
  useLayoutEffect(() => {
    if (numActive > former.current) facts.current?.scrollIntoView({ block: 'start' });
    former.current = numActive;
  }, [numActive]);
  if (question === undefined || plain === undefined)
    return (
      <p class="hint" role="status">
        {effects.error.value === undefined ? l10n.t('The model reads the text again…') : ''}
      </p>
    );
  const after = isIntervened ? answer?.intervened : undefined;
  const measure = questionMeasure(question);
  const rows = rowsOf(plain, after);
  return (
    <>
      <dl ref={facts} class="prediction-facts effect-facts" aria-live="polite">
        <div>
          <dt>{isIntervened ? l10n.t('{0}, before', measure) : measure}</dt>
          <dd>{l10n.t('{0} nats', fixed(plain.value))}</dd>
        </div>
        {isIntervened ? (
          <>
            <div>
              <dt>{l10n.t('after')}</dt>
              <dd>{after === undefined ? '…' : l10n.t('{0} nats', fixed(after.value))}</dd>
            </div>
            <div title={backupSentence()}>
              <dt>
                {answer === undefined || answer.path === 'total' ? l10n.t('total effect') : l10n.t('direct effect')}
              </dt>
              <dd class="effect-value">
                {answer === undefined ? '…' : l10n.t('{0} nats', signedNumber(answer.effect))}
              </dd>
            </div>
          </>
        ) : null}
        {isIntervened ? <OtherFacts answer={answer} /> : null}
      </dl>
      {isIntervened ? (
        <p class="hint">{noteOf(answer, effects.layout.value.path, run.value?.info.components ?? [])}</p>
      ) : null}
      {rows.length === 0 ? null : (
        <table class="how-array prediction-shares" aria-label={l10n.t('Probabilities before and after')}>
          <thead>
            <tr>
              <th scope="col">{l10n.t('Most probable')}</th>
              <th scope="col">{l10n.t('before')}</th>
              {isIntervened ? <th scope="col">{l10n.t('after')}</th> : null}
            </tr>
          </thead>
          <tbody>
            {rows.map(([choice, before, now]) => (
              <tr key={choice.id} class={plain.choices.some(({ id }) => id === choice.id) ? 'asked' : ''}>
                <th scope="row">
                  <code>{choiceText(choice)}</code>
                </th>
                <td class="number">{shareText(before)}</td>
                {isIntervened ? <td class="number">{after === undefined ? '…' : shareText(now)}</td> : null}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** Where heads are swapped: what is predicted in the other text, and how much of the difference they make. */
function OtherFacts({ answer }: { answer: EffectAnswer | undefined }): JSX.Element | null {
  if (answer?.other === undefined) return null;
  const share = shareOf(answer.effect, answer.plain, answer.other);
  return (
    <>
      <div title={l10n.t('The same question to B')}>
        <dt>{l10n.t('in B')}</dt>
        <dd>{l10n.t('{0} nats', fixed(answer.other.value))}</dd>
      </div>
      <div title={shareSentence()}>
        <dt>{l10n.t('share')}</dt>
        <dd class="effect-share">{share === undefined ? l10n.t('undefined') : signedNumber(share)}</dd>
      </div>
    </>
  );
}

/** Which experiment the numbers are of, and how they are to be read. */
function noteOf(answer: EffectAnswer | undefined, wanted: EffectPath, components: readonly ComponentInfo[]): string {
  if (answer === undefined) return l10n.t('The model runs again with what is switched on…');
  const { path, plain, other } = answer;
  const isSame = other !== undefined && !isShared(plain, other);
  return [
    l10n.t('Effect of all that is switched on, together ({0}).', pathName(path)),
    ...(path === wanted
      ? []
      : [l10n.t('Weights that are blocked have no direct effect by themselves: this is the total one.')]),
    ...(other === undefined ? [] : [isSame ? noShareSentence() : shareSentence()]),
    ...(answer.interventions.every((each) => isMaskedOut(each, components))
      ? [maskedOutSentence()]
      : standsBehind(answer, components) || isSameForwards(answer, components)
        ? [causalSentence()]
        : []),
    backupSentence(),
  ].join(' ');
}

/** What is asked about first, then the most probable before and after, each once, with what is known of its probability in both. */
function rowsOf(
  plain: EffectSide,
  after: EffectSide | undefined,
): (readonly [choice: AskedChoice, before: AskedChoice | undefined, now: AskedChoice | undefined])[] {
  const known = (side: EffectSide | undefined): Map<number, AskedChoice> =>
    new Map([...(side?.choices ?? []), ...(side?.alternatives ?? [])].map((each) => [each.id, each]));
  const [before, now] = [known(plain), known(after)];
  return [...new Map([...before, ...now]).values()].map((each) => [each, before.get(each.id), now.get(each.id)]);
}

/** A measure in nats, with a minus as long as a plus. */
function fixed(value: number): string {
  const text = value.toFixed(3);
  return Number(text) === 0 ? '0.000' : text.replace('-', '−');
}

/** A probability; of what is not among the most probable there only that. */
function shareText(choice: AskedChoice | undefined): string {
  if (choice === undefined) return l10n.t('less');
  return choice.probability < 0.00005 ? '< 0.0001' : choice.probability.toFixed(4);
}
