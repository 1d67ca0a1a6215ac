import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { EffectSide } from '../../src/model/effects/effects';
import { withPlainBlanks } from '../../src/model/token';
import { questionName } from '../effectWords';
import { longestToken, type AskedQuestion } from '../state/keptEffects';
import { usePanel } from './context';
import { Select } from './Select';

/** Chosen where nothing is compared with. */
const none = '';

/** What is asked, and of which token or label. */
export function EffectsQuestion({ asked }: { asked: AskedQuestion }): JSX.Element {
  const { panel } = usePanel();
  const { effects } = panel;
  const question = effects.question.value;
  const plain = effects.plain.value;
  const predicted = panel.predictions.shown.value;
  const stream = predicted === undefined || predicted.kind === 'labels' ? 0 : predicted.stream;
  const name = question === undefined ? '…' : questionName(question, plain, panel.run.value?.info.streams[stream]);
  return (
    <>
      <h2 title={name}>{name}</h2>
      {asked.kind === 'loss' ? null : (
        <div class="effect-controls">
          {asked.kind === 'token' ? (
            <TokenChoice asked={asked} plain={plain} />
          ) : (
            <LabelChoice asked={asked} plain={plain} />
          )}
        </div>
      )}
    </>
  );
}

/** Tokens of the vocabulary: the probable ones are offered, any other can be written. */
function TokenChoice({
  asked,
  plain,
}: {
  asked: Extract<AskedQuestion, { kind: 'token' }>;
  plain: EffectSide | undefined;
}): JSX.Element {
  const { effects } = usePanel().panel;
  const offered = plain?.alternatives ?? [];
  const [first, second] = plain?.choices ?? [];
  const read = (text: string): number | string | undefined => {
    const known = [...offered, ...(plain?.choices ?? [])].find((each) => each.text === text);
    return known?.id ?? (text === '' ? undefined : withPlainBlanks(text).slice(0, longestToken));
  };
  const shown = (token: number | string | undefined, choice: typeof first): string =>
    typeof token === 'string' ? token : (choice?.text ?? '');
  return (
    <>
      <datalist id="probable-tokens">
        {offered.map(({ id, text }) => (
          <option key={id} value={text} />
        ))}
      </datalist>
      <label>
        {l10n.t('Token')}{' '}
        <input
          type="text"
          class="head-filter"
          list="probable-tokens"
          spellcheck={false}
          value={shown(asked.token, first)}
          onChange={(event) => effects.change({ question: { ...asked, token: read(event.currentTarget.value) } })}
        />
      </label>
      <label>
        {l10n.t('against')}{' '}
        <input
          type="text"
          class="head-filter"
          list="probable-tokens"
          spellcheck={false}
          placeholder={l10n.t('no other')}
          value={asked.against === undefined ? '' : shown(asked.against, second)}
          onChange={(event) => effects.change({ question: { ...asked, against: read(event.currentTarget.value) } })}
        />
      </label>
    </>
  );
}

/** The labels of a classifier. */
function LabelChoice({
  asked,
  plain,
}: {
  asked: Extract<AskedQuestion, { kind: 'label' }>;
  plain: EffectSide | undefined;
}): JSX.Element | null {
  const { effects } = usePanel().panel;
  if (plain === undefined) return null;
  const choices = plain.alternatives.map(({ id, text }) => ({ value: String(id), label: text }));
  const label = asked.label ?? plain.choices[0]?.id;
  return (
    <>
      <Select
        label={l10n.t('Label')}
        value={String(label ?? none)}
        choices={choices}
        width={140}
        onChange={(value) => effects.change({ question: { ...asked, label: Number(value) } })}
      />
      <Select
        label={l10n.t('Against')}
        value={asked.against === undefined ? none : String(asked.against)}
        choices={[{ value: none, label: l10n.t('no other') }, ...choices]}
        width={140}
        onChange={(value) =>
          effects.change({ question: { ...asked, label, against: value === none ? undefined : Number(value) } })
        }
      />
    </>
  );
}
