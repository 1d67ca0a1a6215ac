import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { errorSentences } from '../../src/base/errors';
import { methods, surprisalMethod, type MethodChoiceId } from '../../src/model/methods';
import { methodChoice, methodDescription, methodTitle } from '../methodWords';
import { usePanel } from './context';
import { Select } from './Select';

/** What a number between two tokens is, for every view, or what colours the text: those that cannot be had say why. */
export function MethodChoice(): JSX.Element {
  const { panel } = usePanel();
  const reasons = panel.methods.reasons.value;
  const choices = useMemo(
    () =>
      [...methods, surprisalMethod].map(({ id }) => {
        const reason = reasons[id];
        return {
          value: id,
          label: methodChoice(id),
          description:
            reason === undefined
              ? methodDescription(id)
              : l10n.t(errorSentences.methodNotOffered, methodChoice(id), reason),
          isDisabled: reason !== undefined,
        };
      }),
    [reasons],
  );
  return (
    <Select
      label={l10n.t('Method: what a number between two tokens is (N)')}
      value={panel.methods.chosen.value}
      choices={choices}
      width={144}
      isDisabled={panel.form.value.compared !== undefined}
      onNear={() => void panel.methods.want()}
      onChange={(value) => panel.methods.choose(value as MethodChoiceId /* one of the choices */)}
    />
  );
}

/** Why the method that was chosen last is not shown, until another is chosen or this is closed. */
export function MethodRefusal(): JSX.Element | null {
  const { panel } = usePanel();
  const error = panel.methods.refusal.value;
  if (error === undefined) return null;
  const [title, reason] = error.args.map(String);
  return (
    <p class="notice" role="alert">
      <vscode-icon name="info" />{' '}
      <span class="notice-text">
        {l10n.t(errorSentences.methodNotOffered, l10n.t(title ?? ''), reason ?? '')}{' '}
        {l10n.t('Shown instead: {0}.', methodTitle('attention'))}
      </span>
      <vscode-toolbar-button
        icon="close"
        label={l10n.t('Close the notice')}
        title={l10n.t('Close the notice')}
        onClick={() => panel.methods.forgetRefusal()}
      />
    </p>
  );
}
