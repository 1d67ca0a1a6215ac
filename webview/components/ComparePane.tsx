import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { plain } from '../../src/base/safeText';
import {
  differenceSentences,
  distanceText,
  type ComparedHead,
  type Comparison,
} from '../../src/model/compare/comparison';
import { headLabel } from '../../src/model/head';
import type { ComparedView } from '../../src/model/patternForm';
import type { PanelComparison, PanelRun } from '../../src/panelProtocol';
import { formatChange, readerName, tokenName } from '../words';
import { ComparedPredictions } from './ComparedPredictions';
import { usePanel } from './context';
import type { PaneProps } from './paneProps';

/** Heads that are listed; the table says how many there are. */
const mostListed = 200;

/** The run that is shown beside another: which of both is seen, which heads changed most, and what both predict. */
export function ComparePane({ run, component }: PaneProps): JSX.Element {
  const { panel, kept } = usePanel();
  const { comparison } = panel;
  const pane = useRef<HTMLElement>(null);
  const [isChoosing, setChoosing] = useState(false);
  useEffect(() => {
    comparison.open();
    if (comparison.takesFocus()) pane.current?.focus();
    return () => comparison.close();
  }, []);
  const shown = comparison.shown.value?.runId === run.info.runId ? comparison.shown.value : null;
  useEffect(() => setChoosing(false), [shown]);
  const table = comparison.comparison.value;
  return (
    <section ref={pane} class="pane head-table-pane compare-pane" aria-label={l10n.t('Comparison')} tabIndex={0}>
      <div class="head-table-bar" role="toolbar" aria-label={l10n.t('Comparison')}>
        {table === undefined ? null : <ViewChoice />}
        {shown === null ? null : (
          <button
            type="button"
            class="random-switch"
            aria-expanded={isChoosing}
            onClick={() => setChoosing(!isChoosing)}
          >
            {l10n.t('Compare with Something Else')}
          </button>
        )}
        {shown === null || panel.effects.other.value === undefined ? null : (
          <button
            type="button"
            class="random-switch"
            title={l10n.t('In the view of effects: what heads read in B is put into this run')}
            onClick={() => {
              panel.effects.change({ by: 'swap' });
              kept.toggleView('effects', true);
            }}
          >
            {l10n.t('Swap Heads')}
          </button>
        )}
        <span class="actions">
          {shown === null ? null : (
            <vscode-toolbar-button
              icon="trash"
              label={l10n.t('End the comparison')}
              title={l10n.t('End the comparison: the other run is let go of')}
              onClick={() => comparison.want(null)}
            />
          )}
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Close the comparison')}
            title={l10n.t('Close the comparison (X): the run itself is shown again')}
            onClick={() => kept.toggleView('compare', false)}
          />
        </span>
      </div>
      {shown === null || isChoosing ? (
        <Choice run={run} shown={shown} />
      ) : (
        <div class="head-table-scroll compare">
          <Sides shown={shown} />
          {comparison.error.value !== undefined ? (
            <p class="hint" role="alert">
              {comparison.error.value.message}
            </p>
          ) : table !== undefined ? (
            <>
              <Facts run={run} shown={shown} table={table} streams={[component.queryStream, component.keyStream]} />
              <Heads run={run} streams={[component.queryStream, component.keyStream]} />
              {shown.kind === 'file' ? null : <ComparedPredictions run={run} table={table} />}
            </>
          ) : shown.state.kind === 'ready' ? (
            <p class="hint" role="status">
              {l10n.t('Comparing all heads…')}
            </p>
          ) : null}
        </div>
      )}
    </section>
  );
}

/** Which is seen: the run itself, the other one, or how much more that reads. */
function ViewChoice(): JSX.Element {
  const { comparison } = usePanel().panel;
  const choices: readonly (readonly [ComparedView | undefined, string, string])[] = [
    [undefined, 'A', l10n.t('The run itself')],
    ['other', 'B', l10n.t('What the other run reads, at the tokens that both have')],
    ['difference', 'B − A', l10n.t('How much more the other run reads: green is more, purple is less')],
  ];
  return (
    <span class="compare-views" role="group" aria-label={l10n.t('What is shown')}>
      {choices.map(([view, name, title]) => (
        <button
          key={name}
          type="button"
          class="random-switch"
          aria-pressed={comparison.view.value === view}
          title={title}
          onClick={() => comparison.see(view)}
        >
          {name}
        </button>
      ))}
    </span>
  );
}

/** With what the run can be compared: a copy of its text that can be edited, or another reading of it. */
function Choice({ run, shown }: { run: PanelRun; shown: PanelComparison | null }): JSX.Element {
  if (run.info.model.backend === 'file') return <FileChoice run={run} />;
  return <ReadingChoice run={run} shown={shown} />;
}

/** With what attention from a file can be compared, which no model reads anew. */
function FileChoice({ run }: { run: PanelRun }): JSX.Element {
  const { comparison } = usePanel().panel;
  if (run.isOutput === true)
    return (
      <p class="hint">
        {l10n.t(
          'Outputs are not compared: save this one as an attention file, and open that to compare it with another.',
        )}
      </p>
    );
  return (
    <p class="compare-choices">
      <button type="button" class="random-switch" onClick={() => comparison.want({ kind: 'file' })}>
        {l10n.t('Another Attention File…')}
      </button>
    </p>
  );
}

function ReadingChoice({ run, shown }: { run: PanelRun; shown: PanelComparison | null }): JSX.Element {
  const { comparison } = usePanel().panel;
  const own = run.info.streams[0]?.text ?? '';
  const [text, setText] = useState(shown?.kind === 'text' ? shown.text : own);
  const isPossible = text.trim() !== '' && text !== own;
  const isPicture = run.info.streams.some(({ grid }) => grid !== undefined);
  const others = [
    ...(isPicture ? ([['picture', l10n.t('Another Picture…')]] as const) : []),
    ['model', l10n.t('Another Model…')],
    ['precision', l10n.t('Another Precision…')],
    ['earlier', l10n.t('An Earlier Run…')],
  ] as const;
  return (
    <div class="head-table-scroll compare">
      {isPicture ? (
        <p class="hint">{l10n.t('Pictures stand beside each other patch by patch, where both are cut alike.')}</p>
      ) : (
        <label class="compare-text">
          {l10n.t('Compare with this text: edit the copy, best in one place')}
          <textarea
            rows={8}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
      )}
      <p class="compare-choices">
        {isPicture ? null : (
          <button
            type="button"
            class="random-switch"
            disabled={!isPossible}
            onClick={() => comparison.want({ kind: 'text', text })}
          >
            {l10n.t('Compare with This Text')}
          </button>
        )}
        {others.map(([kind, title]) => (
          <button key={kind} type="button" class="random-switch" onClick={() => comparison.want({ kind })}>
            {title}
          </button>
        ))}
      </p>
    </div>
  );
}

/** What A and B are, and how far B is. */
function Sides({ shown: { a, state } }: { shown: PanelComparison }): JSX.Element {
  return (
    <dl class="compare-sides">
      <div>
        <dt>A</dt>
        <dd>{a}</dd>
      </div>
      <div>
        <dt>B</dt>
        <dd>
          {state.kind === 'ready' ? (
            state.b
          ) : state.kind === 'busy' ? (
            <span role="status">{l10n.t('The other one is being read…')}</span>
          ) : (
            <span role="alert">{state.error.sentence}</span>
          )}
        </dd>
      </div>
    </dl>
  );
}

/** What of both texts is compared, and what is not. */
function Facts({
  run,
  shown,
  table,
  streams,
}: {
  run: PanelRun;
  shown: PanelComparison;
  table: Comparison;
  streams: readonly [number, number];
}): JSX.Element {
  const kinds = {
    same: l10n.t('one by one, as both have the same tokens'),
    ids: l10n.t('by the longest common subsequence of their ids'),
    characters: l10n.t('by their characters, as their tokenizers differ'),
    patches: l10n.t('patch by patch, and other tokens by their names'),
  } as const;
  const sentences = [...new Set(streams)].flatMap((stream) => {
    const text = table.texts[stream];
    const { tokens } = run.info.streams[stream];
    return [
      text.numUnits < tokens.length
        ? l10n.t(
            '{0} of {1} groups of tokens are in both, put together {2}.',
            text.numCommon,
            text.numUnits,
            kinds[text.kind],
          )
        : l10n.t('{0} of {1} tokens are in both, put together {2}.', text.numCommon, text.numUnits, kinds[text.kind]),
      ...(text.onlyInA.length === 0
        ? []
        : [
            l10n.t(
              'Only in A: {0}.',
              listOf(text.onlyInA.map((position) => tokenName(run.info.streams, { stream, position }))),
            ),
          ]),
      ...(text.numOnlyInB === 0
        ? []
        : [
            l10n.t(
              'Only in B: {0}.',
              listOf(
                text.onlyInB.map((token) => `"${token}"`),
                text.numOnlyInB,
              ),
            ),
          ]),
      ...(text.numUnits < tokens.length
        ? [
            l10n.t(
              'Where tokenizers cut the same characters otherwise, those tokens count as one, and what B reads there is spread evenly over A’s.',
            ),
          ]
        : []),
    ];
  });
  const [numA, numB] = table.numHeads;
  return (
    <>
      <p class="hint">{sentences.join(' ')}</p>
      {table.areHeadsAlike ? null : (
        <p class="hint">{l10n.t('A has {0} heads and B has {1}, not as many in each layer.', numA, numB)}</p>
      )}
      <p class="hint">
        {shown.hasOneModel
          ? l10n.t('Beside each head stands the one with its layer and index.')
          : l10n.t('Two models share no heads by number: beside each head of A stands the one of B that is nearest.')}
      </p>
      {shown.state.kind === 'ready' && shown.state.backend !== undefined ? (
        <p class="hint">{shown.state.backend}</p>
      ) : null}
    </>
  );
}

/** The heads that changed most first. */
function Heads({ run, streams: [queries, keys] }: { run: PanelRun; streams: readonly [number, number] }): JSX.Element {
  const { panel } = usePanel();
  const heads = panel.comparison.heads.value;
  const selected = new Set(panel.ownSelection.value.heads.map(headLabel));
  const listed = useMemo(() => heads.slice(0, mostListed), [heads]);
  const where = ({ difference: { largest } }: ComparedHead): string =>
    l10n.t(
      'from {0} to {1}',
      readerName(run.info.streams, { stream: queries, position: largest.query }),
      tokenName(run.info.streams, { stream: keys, position: largest.key }),
    );
  const share = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '–');
  return (
    <table class="head-table" aria-label={l10n.t('Heads by how much they changed')}>
      <caption class="visually-hidden">{l10n.t('Those that changed most come first.')}</caption>
      <thead>
        <tr>
          <th scope="col">{l10n.t('Head')}</th>
          <th scope="col">{l10n.t('beside')}</th>
          <th scope="col" aria-sort="descending" title={l10n.t(differenceSentences.jensenShannon)}>
            {l10n.t('JS (bits)')}
          </th>
          <th scope="col" title={l10n.t(differenceSentences.meanAbsolute)}>
            {l10n.t('mean |B − A|')}
          </th>
          <th scope="col" title={l10n.t(differenceSentences.largest)}>
            {l10n.t('largest')}
          </th>
          <th scope="col" title={l10n.t(differenceSentences.unaligned)}>
            {l10n.t('elsewhere (A, B)')}
          </th>
        </tr>
      </thead>
      <tbody>
        {listed.map((each) => {
          const { head, other, difference } = each;
          const label = headLabel(head);
          return (
            <tr
              key={label}
              aria-selected={selected.has(label)}
              onPointerEnter={() => panel.looking.lookAtHead(head)}
              onPointerLeave={() => panel.looking.lookAtHead(undefined)}
              onClick={() => panel.select([head])}
            >
              <th scope="row">
                <button
                  type="button"
                  class="link plain"
                  onFocus={() => panel.looking.lookAtHead(head)}
                  onBlur={() => panel.looking.lookAtHead(undefined)}
                >
                  {label}
                </button>
              </th>
              <td>{headLabel(other)}</td>
              <td>{distanceText(difference.jensenShannon)}</td>
              <td>{distanceText(difference.meanAbsolute)}</td>
              <td title={where(each)}>{formatChange(difference.largest.difference)}</td>
              <td>
                {share(difference.unaligned.a)}, {share(difference.unaligned.b)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Some names, and that there are more. */
function listOf(names: readonly string[], count = names.length): string {
  const few = names.slice(0, 12);
  return plain(`${few.join(', ')}${count > few.length ? ' …' : ''}`);
}
