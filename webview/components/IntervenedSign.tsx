import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { deedName } from '../effectWords';
import type { Panel } from '../state/panel';
import { usePanel } from './context';

/** Of which run the patterns are that are drawn. */
function patternSentence({ effects, form }: Panel): string {
  const failed = effects.patternError.value;
  if (failed !== undefined) return l10n.t('Patterns are of the plain run: {0}', failed.message);
  switch (form.value.compared) {
    case 'intervened':
      return l10n.t(
        'Patterns of the layers behind it, what is lit in the editor, and «after» in Effects, are of this run; metrics and Predictions of the plain one.',
      );
    case undefined:
      return l10n.t('The patterns of this run are being read…');
    default:
      return l10n.t(
        'Patterns are those of the comparison; what is lit in the editor, and «after» in Effects, are of this run.',
      );
  }
}

/** Interventions that are named; of more the number. */
const mostNamed = 3;

/** Says plainly that predictions of an intervened run are on the screen, and of which; and switches all of it off. */
export function IntervenedSign(): JSX.Element | null {
  const { panel } = usePanel();
  const info = panel.run.value?.info;
  const active = panel.effects.active.value;
  if (info === undefined || active.length === 0) return null;
  const names = active
    .slice(0, mostNamed)
    .map((each) => (each.name === '' ? deedName(each, info.components, info.streams) : each.name));
  const more = active.length - names.length;
  return (
    <p
      class="notice intervened"
      role="status"
      title={l10n.t('Metrics, relations and the views Predictions and How are of the plain run.')}
    >
      <vscode-icon name="beaker" />{' '}
      <span class="notice-text">
        <strong>{l10n.t('Intervened run')}</strong>: {names.join('; ')}
        {more > 0 ? `; ${l10n.t('{0} more', more)}` : ''}. {patternSentence(panel)}{' '}
        <button type="button" class="link" onClick={() => panel.effects.restore()}>
          {l10n.t('Switch All Off')}
        </button>
      </span>
    </p>
  );
}
