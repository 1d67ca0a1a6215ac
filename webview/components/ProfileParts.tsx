import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { headLabel, headsOf, indexOfHead, type ComponentInfo } from '../../src/model/head';
import { formatMetric, metricTitle } from '../headWords';
import { profileLanguages } from '../../src/model/profile/profileColumns';
import type { MetricId } from '../../src/model/metrics/metrics';
import type { PanelProfile } from '../../src/model/profile/panelProfile';
import { headNameText } from '../headNameText';
import { usePanel } from './context';
import { Select } from './Select';

/** What of the profile stands beside the text's metrics: none of it, metrics, or relations in a language, perhaps compared. */
export function ProfileChoices(): JSX.Element {
  const { panel } = usePanel();
  const { profile } = panel;
  const shown = profile.shown.value;
  const languages = useMemo(() => profileLanguages(shown?.columns ?? []), [shown]);
  const group = profile.group.value;
  const groups = useMemo(
    () => [
      { value: '', label: l10n.t('metrics') },
      ...languages.map((value) => ({ value, label: l10n.t('relations, in {0}', value) })),
    ],
    [languages],
  );
  const others = useMemo(
    () => [
      { value: '', label: l10n.t('as they are') },
      ...(shown?.other === undefined
        ? []
        : [{ value: 'other', label: l10n.t('less {0}', shown.other.title), description: shown.other.title }]),
      ...(group === ''
        ? []
        : languages
            .filter((language) => language !== group)
            .map((value) => ({ value, label: l10n.t('less those in {0}', value) }))),
    ],
    [shown, languages, group],
  );
  const isOn = profile.isOn.value;
  return (
    <>
      <button
        type="button"
        class="random-switch"
        aria-pressed={isOn}
        title={l10n.t('Show what each head does over the texts of a profile beside what it does on this text')}
        onClick={() => profile.toggle()}
      >
        {l10n.t('Profile')}
      </button>
      {isOn && shown !== undefined && shown !== null ? (
        <>
          {groups.length > 1 ? (
            <Select
              label={l10n.t('Columns of the profile')}
              value={group}
              choices={groups}
              width={150}
              onChange={(value) => profile.showGroup(value)}
            />
          ) : null}
          {others.length > 1 ? (
            <Select
              label={l10n.t('Compared with')}
              value={profile.against.value}
              choices={others}
              width={150}
              onChange={(value) => profile.compareWith(value)}
            />
          ) : null}
        </>
      ) : null}
    </>
  );
}

/** Which profile it is, why there is none, and the ways to another. */
export function ProfileCaption(): JSX.Element {
  const { panel } = usePanel();
  const { profile } = panel;
  const shown = profile.shown.value;
  const error = profile.error.value;
  const action = (id: 'chooseProfile' | 'profileWorkspace' | 'compareProfiles' | 'findInProfile', title: string) => (
    <button type="button" class="link" onClick={() => panel.act(id)}>
      {title}
    </button>
  );
  return (
    <p class="caption head-table-caption profile-caption" role="status">
      <span class={error === undefined ? '' : 'warning'}>
        {error !== undefined
          ? error.message
          : shown === undefined
            ? l10n.t('Reading the profile…')
            : shown === null
              ? l10n.t('There is no profile of this model yet.')
              : l10n.t('Profile “{0}”, of {1}', shown.title, shown.about)}
      </span>
      {error === undefined && shown?.warning !== undefined ? <span class="warning">{shown.warning}</span> : null}
      <span class="profile-actions">
        {action('chooseProfile', l10n.t('Choose Profile…'))}
        {action('profileWorkspace', l10n.t('Profile Heads on Workspace…'))}
        {shown === undefined || shown === null ? null : action('compareProfiles', l10n.t('Compare with…'))}
        {shown === undefined || shown === null ? null : action('findInProfile', l10n.t('Find Heads…'))}
      </span>
    </p>
  );
}

/** The card of the selected head: what it is found to do, and the chunks in which a metric was highest, which open in the editor. */
export function ProfileCard({
  profile,
  component,
}: {
  profile: PanelProfile;
  component: ComponentInfo;
}): JSX.Element | null {
  const { panel } = usePanel();
  const heads = panel.ownSelection.value.heads;
  const [head] = heads;
  const [chosen, setChosen] = useState<MetricId | undefined>(undefined);
  const own = useMemo(
    () => profile.examples.filter((each) => each.layer === head?.layer && each.head === head.head),
    [profile, head?.layer, head?.head],
  );
  const metrics = useMemo(() => [...new Set(own.map(({ metric }) => metric))], [own]);
  const choices = useMemo(() => metrics.map((value) => ({ value, label: metricTitle(value) })), [metrics]);
  if (heads.length !== 1 || head === undefined || headsOf(component).length === 0) return null;
  const names = profile.names.filter((name) => name.layer === head.layer && name.head === head.head);
  // What the head stands out by comes first.
  const strongest = (): MetricId | undefined => {
    const at = indexOfHead(component, head);
    const ratioOf = (id: MetricId): number =>
      profile.columns.find((column) => column.id === id && column.language === '')?.ratios[at] ?? 0;
    return [...metrics].sort((a, b) => (ratioOf(b) || 0) - (ratioOf(a) || 0))[0];
  };
  const metric = chosen !== undefined && metrics.includes(chosen) ? chosen : strongest();
  return (
    <section class="profile-card" aria-label={l10n.t('Head {0} in the profile', headLabel(head))}>
      <h3>{l10n.t('Head {0}', headLabel(head))}</h3>
      <span class="profile-names">
        {names.length === 0
          ? l10n.t('no name: nothing passes the thresholds')
          : names.map((name) => <span key={`${name.name}/${name.language}`}>{headNameText(name)}</span>)}
      </span>
      {metric === undefined ? null : (
        <>
          <Select
            label={l10n.t('Strongest examples of')}
            value={metric}
            choices={choices}
            width={170}
            onChange={(value) => setChosen(value as MetricId /* one of the choices */)}
          />
          <ol class="profile-examples">
            {own
              .filter((example) => example.metric === metric)
              .map((example) => (
                <li key={example.rank}>
                  <button
                    type="button"
                    class="link"
                    title={l10n.t('Open it in the editor, explained')}
                    onClick={() => panel.profile.openExample(example)}
                  >
                    {l10n.t('{0}, lines {1}–{2}', example.file, example.line, example.endLine)}
                  </button>{' '}
                  <span class="number">{formatMetric(metric, component, example.value)}</span>
                </li>
              ))}
          </ol>
        </>
      )}
    </section>
  );
}
