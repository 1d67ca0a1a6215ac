import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { headsOf, type HeadRef } from '../../src/model/head';
import { metricOf, type MetricId } from '../../src/model/metrics/metrics';
import { metricTitle } from '../headWords';
import { parseHeadFilter } from '../layout/headFilter';
import { sortHeads, type ListedHead } from '../layout/sortHeads';
import { isMetric } from '../state/headViews';
import type { ShownTable } from '../state/headTables';
import { profileColumnTitle, shownColumns } from '../profileWords';
import { tokensName } from '../words';
import { usePanel } from './context';
import { HeadScatter } from './HeadScatter';
import { HeadTable } from './HeadTable';
import type { PaneProps } from './paneProps';
import { ProfileCaption, ProfileCard, ProfileChoices } from './ProfileParts';
import { Select } from './Select';

/** All heads with their metrics, as a table or as a scatter of two of them. */
export function HeadTableView({ component }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { tables } = panel;
  const pane = useRef<HTMLElement>(null);
  const { kind, sort, isAscending, filter, x, y } = kept.layout.value.headTable;
  const shown = tables.shown.value?.component === component ? tables.shown.value : undefined;
  const isRandom = tables.ground.value === 'random';
  const asked = tables.asked.value;

  useEffect(() => {
    tables.open();
    panel.profile.open();
    if (tables.takesFocus()) pane.current?.querySelector<HTMLElement>('input')?.focus();
    return () => {
      tables.close();
      panel.profile.close();
    };
  }, []);
  // Whoever asks about tokens sees the answer first.
  const isAsked = asked !== undefined;
  const wasAsked = useRef(isAsked);
  useEffect(() => {
    if (isAsked && (!wasAsked.current || sort === 'head')) kept.arrangeHeadTable({ sort: 'reads', isAscending: false });
    wasAsked.current = isAsked;
  }, [isAsked]);

  const { profile } = panel;
  const isPicture = panel.run.value?.info.streams.some(({ grid }) => grid !== undefined) === true;
  const isProfiled = profile.isOn.value && component.areHeadsJoined !== true && !isPicture;
  const profileShown = isProfiled ? (profile.shown.value ?? undefined) : undefined;
  const [group, against] = [profile.group.value, profile.against.value];
  const profiled = useMemo(
    () => (profileShown === undefined ? [] : shownColumns(profileShown, { group, against })),
    [profileShown, group, against],
  );
  const profileSort = profile.sort.value;
  const test = useMemo(() => {
    const heads = { names: [], values: [] };
    return parseHeadFilter(filter, [
      ...(shown?.columns ?? []).map(({ id, values }) => ({ ...heads, names: [id, metricTitle(id)], values })),
      ...profiled.map(({ column, values }) => ({
        ...heads,
        names: [`profile ${column.id}`, l10n.t('profile: {0}', profileColumnTitle(column)), column.id],
        values,
      })),
    ]);
  }, [filter, shown, profiled]);
  const listed = useMemo((): readonly ListedHead[] => {
    if (shown === undefined) return [];
    const all = headsOf(component).map((head, index) => ({ ...head, index }));
    const column = shown.columns.find(({ id }) => id === sort);
    const ofProfile = profiled.find(({ key }) => key === profileSort?.key);
    return sortHeads(
      all.filter((head) => test === undefined || test(head, head.index)),
      (ofProfile ?? column)?.values,
      ofProfile === undefined ? isAscending : profileSort?.isAscending === true,
    );
  }, [shown, test, sort, isAscending, component, profiled, profileSort]);
  const choices = useMemo(
    () =>
      (shown?.columns ?? [])
        .filter(({ id }) => metricOf(id).isDetail !== true)
        .map(({ id }) => ({ value: id, label: metricTitle(id) })),
    [shown],
  );
  const isColour = sort !== 'head' && panel.heads.applicable.value.includes(sort);
  const look = (head: HeadRef | undefined): void => panel.looking.lookAtHead(head);
  const choose = (head: HeadRef): void => panel.select([{ layer: head.layer, head: head.head }]);
  const pick = (which: 'x' | 'y') => (value: string) =>
    kept.arrangeHeadTable({ [which]: value as MetricId /* one of the choices */ });
  return (
    <section ref={pane} class="pane head-table-pane" aria-label={l10n.t('Metrics of heads')}>
      <div class="head-table-bar" role="toolbar" aria-label={l10n.t('Metrics of heads')}>
        <div class="segmented" role="group" aria-label={l10n.t('Show as')}>
          {(['table', 'scatter'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={kind === each}
              onClick={() => kept.arrangeHeadTable({ kind: each })}
            >
              {each === 'table' ? l10n.t('Table') : l10n.t('Scatter')}
            </button>
          ))}
        </div>
        <input
          type="text"
          class={`head-filter${test === undefined ? ' invalid' : ''}`}
          value={filter}
          placeholder={l10n.t('Filter: 3, or 3.5, or self > 0.2')}
          aria-label={l10n.t('Filter heads by layer, name, or a metric')}
          aria-invalid={test === undefined}
          title={
            test === undefined
              ? l10n.t(
                  'This is no filter: write a layer (3), a head (3.5) or a metric with < or > and a number, with commas between.',
                )
              : l10n.t(
                  'A layer (3), a head (3.5) or a metric with < or > and a number (self > 0.2), with commas between',
                )
          }
          onInput={(event) => kept.arrangeHeadTable({ filter: event.currentTarget.value })}
        />
        {kind === 'scatter' ? (
          <>
            <Select label={l10n.t('Across')} value={x} choices={choices} width={150} onChange={pick('x')} />
            <Select label={l10n.t('Upwards')} value={y} choices={choices} width={150} onChange={pick('y')} />
          </>
        ) : null}
        {isPicture ? null : (
          <button
            type="button"
            class="random-switch"
            aria-pressed={isRandom}
            title={l10n.t(
              'Let the model read random tokens that come twice, and measure there: only on such a text does induction tell of the head, and not of what the text repeats',
            )}
            onClick={() => tables.measureOn(isRandom ? 'text' : 'random')}
          >
            {l10n.t('Measure on a Repeated Random Text')}
          </button>
        )}
        {isPicture ? null : <ProfileChoices />}
        <span class="actions">
          {isColour ? (
            <vscode-toolbar-button
              icon="symbol-color"
              label={l10n.t('Colour the grid by this metric')}
              title={l10n.t('Colour the grid of heads by {0}', metricTitle(sort))}
              onClick={() => {
                if (isMetric(sort)) panel.heads.show(sort);
              }}
            />
          ) : null}
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close the metrics of heads')}
            title={l10n.t('Close the metrics of heads (B)')}
            onClick={() => kept.toggleView('headTable', false)}
          />
        </span>
      </div>
      <HeadTableCaption shown={shown} numListed={listed.length} numHeads={headsOf(component).length} />
      {shown === undefined ? (
        <p class="hint" role="status">
          {isRandom ? l10n.t('The model reads random tokens…') : l10n.t('Measuring the heads…')}
        </p>
      ) : kind === 'table' ? (
        <HeadTable shown={shown} profiled={profiled} listed={listed} look={look} choose={choose} />
      ) : (
        <HeadScatter shown={shown} listed={listed} x={x} y={y} look={look} choose={choose} />
      )}
      {profileShown === undefined ? null : <ProfileCard profile={profileShown} component={component} />}
      {isProfiled ? <ProfileCaption /> : null}
    </section>
  );
}

/** What the numbers are of: the text or random tokens, and what is asked about. */
function HeadTableCaption({
  shown,
  numListed,
  numHeads,
}: {
  shown: ShownTable | undefined;
  numListed: number;
  numHeads: number;
}): JSX.Element {
  const { panel } = usePanel();
  const streams = panel.run.value?.info.streams ?? [];
  const { pinned, marked } = panel.view.value;
  const isAsked = panel.tables.asked.value !== undefined;
  const all = numHeads === 1 ? l10n.t('1 head') : l10n.t('{0} heads', numHeads);
  const count = numListed < numHeads ? l10n.t('{0} of {1} heads', numListed, numHeads) : all;
  const ground =
    shown?.random !== undefined
      ? l10n.t('on {0} random tokens that come twice; patterns are those of your text', shown.random.numTokens)
      : shown !== undefined && shown.component.queryStream === shown.component.keyStream && shown.numRepeated > 0
        ? l10n.t('on this text; tokens that occurred before: {0}', shown.numRepeated)
        : streams.some(({ grid }) => grid !== undefined)
          ? l10n.t('on this picture')
          : l10n.t('on this text');
  const question = isAsked
    ? l10n.t('Which head reads this? From {0} to {1}', tokensName(streams, pinned), tokensName(streams, marked))
    : marked.length > 0
      ? l10n.t('Which head reads {0}? Pin the tokens that read.', tokensName(streams, marked))
      : l10n.t('Which head reads this? Pin tokens that read, and mark what is read with Ctrl + Shift + click.');
  return (
    <p class="caption head-table-caption" role="status">
      <span>
        {count}, {ground}
      </span>
      <span class={isAsked ? 'asked' : 'faint'}>{question}</span>
    </p>
  );
}
