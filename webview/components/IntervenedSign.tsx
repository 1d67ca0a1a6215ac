import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { deedName } from '../effectWords';
import { usePanel } from './context';

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
      title={l10n.t('Patterns, metrics and the view Predictions are of the plain run.')}
    >
      <vscode-icon name="beaker" />{' '}
      <span class="notice-text">
        <strong>{l10n.t('Intervened run')}</strong>: {names.join('; ')}
        {more > 0 ? `; ${l10n.t('{0} more', more)}` : ''}. {l10n.t('Only «after» in Effects is of this run.')}{' '}
        <button type="button" class="link" onClick={() => panel.effects.restore()}>
          {l10n.t('Switch All Off')}
        </button>
      </span>
    </p>
  );
}
