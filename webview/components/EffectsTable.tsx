import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isSameForwards } from '../../src/model/effects/causalReach';
import { isShared, type Replacement } from '../../src/model/effects/effects';
import { headLabel, headsOf, type ComponentInfo } from '../../src/model/head';
import { cssColour } from '../../src/model/ramp';
import {
  backupSentence,
  causalSentence,
  effectUnit,
  experimentName,
  noShareSentence,
  pathMeaning,
  replacementMeaning,
  shareSentence,
  signSentence,
} from '../effectWords';
import { signedNumber } from '../headWords';
import type { MeasuredHeads } from '../state/effectsView';
import { usePanel } from './context';
import { MovedPointer } from './movedPointer';

/** More heads than anyone reads. */
const mostListed = 300;

/** Every head silenced, or swapped, by itself: the way to begin and end it, how far it is, and the heads by what it does, the strongest first. */
export function EffectsTable({ component }: { component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const { effects } = panel;
  const chosen = effects.chosen.value;
  const question = effects.question.value;
  const { by, path } = effects.layout.value;
  const name = experimentName(path, by);
  const heading = useRef<HTMLHeadingElement>(null);
  const isRunning = chosen?.isRunning === true;
  // What comes is seen as it comes.
  const hasCome = (chosen?.numDone ?? 0) > 0;
  useLayoutEffect(() => {
    if (isRunning) heading.current?.scrollIntoView({ block: 'start' });
  }, [isRunning, hasCome]);
  return (
    <>
      <h3 ref={heading}>{l10n.t('Every head by itself ({0})', name)}</h3>
      <p class="effect-controls">
        {chosen !== undefined && isRunning ? (
          <>
            <progress
              max={chosen.numHeads}
              value={chosen.numDone}
              aria-label={
                by === 'swap' ? l10n.t('Heads that have been swapped') : l10n.t('Heads that have been silenced')
              }
            />
            <span role="status">{l10n.t('{0} of {1} heads', chosen.numDone, chosen.numHeads)}</span>
            <button type="button" class="random-switch" onClick={() => effects.cancel()}>
              {l10n.t('Cancel')}
            </button>
          </>
        ) : (
          <button
            type="button"
            class="random-switch"
            disabled={question === undefined || (by === 'swap' && effects.other.value === undefined)}
            title={l10n.t('The model runs again for each head: what comes before it is not computed again')}
            onClick={() => {
              effects.measure();
              panel.heads.show('effect');
            }}
          >
            {chosen !== undefined ? l10n.t('Measure Again') : measuringName(by, headsOf(component).length)}
          </button>
        )}
        {chosen !== undefined && panel.heads.measure.value !== 'effect' ? (
          <button type="button" class="random-switch" onClick={() => panel.heads.show('effect')}>
            {l10n.t('Colour the Grid by It')}
          </button>
        ) : null}
      </p>
      {chosen === undefined || question === undefined ? null : (
        <>
          <p class="hint">
            {chosen.isRunning || chosen.numDone === chosen.numHeads
              ? ''
              : `${l10n.t('Only {0} of {1} heads: it was cancelled.', chosen.numDone, chosen.numHeads)} `}
            {chosen.by === 'swap' ? shareSentence() : signSentence(question)} {backupSentence()}
          </p>
          <NoShare of={chosen} />
          {chosen.oneByOne === undefined ? null : (
            <p class="hint">{l10n.t('Heads are run one after the other: {0}.', chosen.oneByOne)}</p>
          )}
          {chosen.failed.map(({ layer, reason }) => (
            <p key={layer} class="hint" role="alert">
              {l10n.t('Nothing can be told of layer {0}: {1}.', layer, reason)}
            </p>
          ))}
          <Heads component={component} chosen={chosen} measured={effects.measured.value} />
        </>
      )}
    </>
  );
}

/** What the button says that begins with all heads. */
function measuringName(by: Replacement, numHeads: number): string {
  return by === 'swap'
    ? l10n.t('Swap Each of the {0} Heads in Turn', numHeads)
    : l10n.t('Silence Each of the {0} Heads in Turn', numHeads);
}

/** Says where swapped heads have no share: both texts come to the same. */
function NoShare({ of: { plain, other, answered: question } }: { of: MeasuredHeads }): JSX.Element | null {
  const components = usePanel().panel.run.value?.info.components ?? [];
  return plain === undefined || other === undefined || question === undefined || isShared(plain, other) ? null : (
    <p class="hint" role="alert">
      {noShareSentence()} {isSameForwards({ question, plain, other }, components) ? causalSentence() : ''}
    </p>
  );
}

function Heads({
  component,
  chosen,
  measured,
}: {
  component: ComponentInfo;
  chosen: MeasuredHeads;
  measured: readonly MeasuredHeads[];
}): JSX.Element {
  const { panel } = usePanel();
  const { effects } = panel;
  const table = useRef<HTMLTableElement>(null);
  const pointer = useRef(new MovedPointer());
  const [active, setActive] = useState(0);
  const known = headsOf(component)
    .map((head, index) => ({ ...head, index, value: chosen.values[index] }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.index - b.index);
  const rows = known.slice(0, mostListed);
  const largest = Math.abs(rows[0]?.value ?? 0);
  const at = Math.min(active, Math.max(0, rows.length - 1));
  const selected = new Set(panel.selection.value.heads.map(headLabel));
  useLayoutEffect(() => table.current?.tBodies[0]?.rows[at]?.scrollIntoView({ block: 'nearest' }), [active]);

  const choose = (index: number): void => {
    const row = rows[index];
    if (row === undefined) return;
    setActive(index);
    panel.looking.lookAtHead(undefined);
    panel.select([{ layer: row.layer, head: row.head }]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== table.current) return;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next !== undefined) {
      const to = Math.max(0, Math.min(rows.length - 1, next));
      setActive(to);
      panel.looking.lookAtHead(rows[to]);
    } else if (event.key === 'Enter' || event.key === ' ') choose(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const indexOf = (target: EventTarget | null): number =>
    Number((target instanceof Element ? target.closest<HTMLElement>('tbody tr') : null)?.dataset['index'] ?? -1);
  return (
    <table
      ref={table}
      class="head-table effect-table"
      role="grid"
      tabIndex={0}
      aria-label={l10n.t('Heads by their effect')}
      aria-activedescendant={rows.length > 0 ? `effect-row-${at}` : undefined}
      onKeyDown={onKeyDown}
      onBlur={() => panel.looking.lookAtHead(undefined)}
      onPointerMove={(event) => pointer.current.note(event)}
      onPointerOver={(event) => {
        const row = rows[indexOf(event.target)];
        if (row !== undefined && pointer.current.hasMoved(event)) panel.looking.lookAtHead(row);
      }}
      onPointerLeave={() => panel.looking.lookAtHead(undefined)}
      onClick={(event) => choose(indexOf(event.target))}
    >
      <thead>
        <tr role="row">
          <th role="columnheader" scope="col">
            {l10n.t('Head')}
          </th>
          <th role="columnheader" scope="col" aria-sort="descending" class="effect-bar">
            {l10n.t('− | +')}
          </th>
          {measured.map(({ name, path, by }) => (
            <th
              key={name}
              role="columnheader"
              scope="col"
              title={`${pathMeaning(path)} ${replacementMeaning(by)} ${backupSentence()}`}
            >
              {l10n.t('{0} ({1})', experimentName(path, by), effectUnit(by))}
            </th>
          ))}
          <th role="columnheader" scope="col">
            <span class="visually-hidden">{l10n.t('Intervention')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ layer, head, index, value }, row) => (
          <tr
            key={index}
            id={`effect-row-${row}`}
            role="row"
            data-index={row}
            class={row === at ? 'active' : ''}
            aria-selected={selected.has(headLabel({ layer, head }))}
          >
            <th role="rowheader" scope="row">
              {headLabel({ layer, head })}
            </th>
            <td role="gridcell" class="effect-bar" aria-hidden="true">
              <span
                style={{
                  width: `${largest > 0 ? (50 * Math.abs(value)) / largest : 0}%`,
                  [value < 0 ? 'right' : 'left']: '50%',
                  backgroundColor: cssColour(panel.diverging.value.colour(value < 0 ? -0.8 : 0.8)),
                }}
              />
            </td>
            {measured.map(({ name, values }) => (
              <td key={name} role="gridcell">
                {signedNumber(values[index] ?? NaN)}
              </td>
            ))}
            <td role="gridcell">
              <button
                type="button"
                class="link"
                tabIndex={-1}
                aria-label={
                  chosen.by === 'swap'
                    ? l10n.t('Swap head {0}', headLabel({ layer, head }))
                    : l10n.t('Silence head {0}', headLabel({ layer, head }))
                }
                onClick={(event) => {
                  event.stopPropagation();
                  if (chosen.by === 'swap') effects.swap([{ layer, head }]);
                  else effects.silence([{ layer, head }]);
                }}
              >
                {chosen.by === 'swap' ? l10n.t('swap') : l10n.t('silence')}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
