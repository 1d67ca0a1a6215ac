import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { silencings, type Silencing } from '../../src/model/effects/effects';
import { headsOf, headLabel, type HeadRef } from '../../src/model/head';
import type { PanelRun } from '../../src/panelProtocol';
import { isMaskedOut } from '../../src/model/effects/causalReach';
import { deedName, headsName, maskedOutSentence, replacementName, shapeName } from '../effectWords';
import {
  blockShapes,
  interventionOf,
  longestName,
  mostInterventions,
  type BlockShape,
  type ListedIntervention,
} from '../state/keptEffects';
import { usePanel } from './context';
import type { PaneProps } from './paneProps';
import { Select } from './Select';

const sameHeads = (a: readonly HeadRef[], b: readonly HeadRef[]): boolean =>
  a.map(headLabel).join() === b.map(headLabel).join();

/** The interventions: each can be switched on and off, named, changed and taken out. */
export function InterventionList({ run, component }: PaneProps): JSX.Element {
  const { panel } = usePanel();
  const { effects } = panel;
  const { interventions } = effects.layout.value;
  const { heads } = panel.ownSelection.value;
  const isFull = interventions.length >= mostInterventions;
  return (
    <>
      <h3>{l10n.t('Interventions')}</h3>
      <p class="effect-controls">
        <button
          type="button"
          class="random-switch"
          disabled={isFull}
          title={l10n.t('Silence the selected heads (Z)')}
          onClick={() => effects.silence()}
        >
          {l10n.t('Silence {0}', headsName(heads, component))}
        </button>
        {effects.other.value === undefined ? null : (
          <button
            type="button"
            class="random-switch"
            disabled={isFull}
            title={l10n.t('The selected heads hand on what they read in B: {0}', effects.other.value.name)}
            onClick={() => effects.swap()}
          >
            {l10n.t('Swap {0}', headsName(heads, component))}
          </button>
        )}
      </p>
      {interventions.length === 0 ? (
        <p class="hint">
          {l10n.t(
            'Nothing is changed in the run. To block what a head reads: K over a cell of the matrix, its menu, or “block” in the list of sources.',
          )}
        </p>
      ) : (
        <ul class="interventions">
          {interventions.map((each) => (
            <Intervention key={each.id} run={run} each={each} />
          ))}
        </ul>
      )}
      {isFull ? <p class="hint">{l10n.t('There are {0} interventions at most.', mostInterventions)}</p> : null}
    </>
  );
}

function Intervention({ run, each }: { run: PanelRun; each: ListedIntervention }): JSX.Element {
  const { effects } = usePanel().panel;
  const { components, streams } = run.info;
  const { id, name, isOn, deed } = each;
  const does = deedName(each, components, streams);
  const known = name === '' ? does : name;
  return (
    <li class={isOn ? 'on' : ''}>
      <div class="effect-controls">
        <input
          type="checkbox"
          checked={isOn}
          aria-label={l10n.t('On: {0}', known)}
          onChange={(event) => effects.edit(id, { isOn: event.currentTarget.checked })}
        />
        <input
          type="text"
          class="head-filter"
          value={name}
          maxLength={longestName}
          placeholder={l10n.t('Name')}
          aria-label={l10n.t('Name of: {0}', does)}
          onChange={(event) => effects.edit(id, { name: event.currentTarget.value.slice(0, longestName) })}
        />
        <vscode-toolbar-button
          icon="trash"
          label={l10n.t('Take out: {0}', known)}
          title={l10n.t('Take out')}
          onClick={() => effects.edit(id, undefined)}
        />
      </div>
      <p>{does}</p>
      {isMaskedOut(interventionOf(each), components) ? <p class="hint">{maskedOutSentence()}</p> : null}
      {deed.kind === 'swap' && effects.other.value === undefined ? (
        <p class="hint">{l10n.t('It is off: the run is compared with no other text now.')}</p>
      ) : null}
      <div class="effect-controls">
        <HeadsChoice run={run} each={each} />
        {deed.kind === 'swap' ? null : deed.kind === 'silence' ? (
          <Select
            label={l10n.t('A silent head hands on')}
            value={deed.by}
            choices={silencings.map((by) => ({ value: by, label: replacementName(by) }))}
            width={100}
            onChange={(by) => effects.edit(id, { deed: { kind: 'silence', by: by as Silencing /* a choice */ } })}
          />
        ) : (
          <>
            <Select
              label={l10n.t('What is blocked')}
              value={deed.shape}
              choices={blockShapes.map((shape) => ({ value: shape, label: shapeName(shape) }))}
              width={120}
              onChange={(shape) => effects.edit(id, { deed: { ...deed, shape: shape as BlockShape /* a choice */ } })}
            />
            {deed.shape === 'row' ? null : (
              <label title={l10n.t('The rest of the row is divided by its sum: the blocked weight goes elsewhere')}>
                <input
                  type="checkbox"
                  checked={deed.isRenormalized}
                  onChange={(event) =>
                    effects.edit(id, { deed: { ...deed, isRenormalized: event.currentTarget.checked } })
                  }
                />{' '}
                {l10n.t('renormalised')}
              </label>
            )}
          </>
        )}
      </div>
    </li>
  );
}

/** In which heads: those that it was made for, those that are selected now, or all. */
function HeadsChoice({ run, each }: { run: PanelRun; each: ListedIntervention }): JSX.Element {
  const { panel } = usePanel();
  const component = run.info.components.find((candidate) => candidate.component === each.component);
  const selection = panel.ownSelection.value;
  const all = component === undefined ? [] : headsOf(component);
  const choices: { readonly value: string; readonly label: string; readonly heads: readonly HeadRef[] }[] = [
    { value: 'own', label: headsName(each.heads, component), heads: each.heads },
  ];
  if (selection.component === each.component && !sameHeads(selection.heads, each.heads))
    choices.push({
      value: 'selected',
      label: l10n.t('selected: {0}', headsName(selection.heads, component)),
      heads: selection.heads,
    });
  if (!sameHeads(all, each.heads) && !sameHeads(all, selection.heads))
    choices.push({ value: 'all', label: headsName(all, component), heads: all });
  return (
    <Select
      label={l10n.t('In which heads')}
      value="own"
      choices={choices}
      width={140}
      onChange={(value) => {
        const heads = choices.find((choice) => choice.value === value)?.heads;
        if (heads !== undefined) panel.effects.edit(each.id, { heads });
      }}
    />
  );
}
