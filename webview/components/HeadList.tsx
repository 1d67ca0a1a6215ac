import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { headLabel, type ComponentInfo } from '../../src/model/head';
import { cssColour } from '../../src/model/ramp';
import { depthOf } from '../../src/model/viewState';
import { formatMeasure, lackSentence, measureTitle } from '../headWords';
import { tokenName } from '../words';
import { usePanel } from './context';
import { MovedPointer } from './movedPointer';

/** More heads than anyone goes through; the others are said to be weaker. */
const maxListed = 100;

/** All heads ranked by what the tiles show: by one pair's weight, by the strongest of a token's row, or by a metric. An option selects its head. */
export function HeadList({ component }: { component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const list = useRef<HTMLUListElement>(null);
  const pointer = useRef(new MovedPointer());
  const { heads: views } = panel;
  const shown = views.shown.value;
  const lack = views.lack.value;
  const ranking = views.ranking.value;
  const streams = panel.run.value?.info.streams ?? [];
  const { scale } = panel.view.value;
  const selected = new Set(panel.selection.value.heads.map(headLabel));
  const [active, setActive] = useState(0);
  const listed = ranking.slice(0, maxListed);
  const at = Math.min(active, Math.max(0, listed.length - 1));
  const title = shown === undefined ? l10n.t('Heads, ranked') : measureTitle(shown, streams);
  const weaker = ranking.length - listed.length;

  // Whoever asks for the list by its key is in it.
  useEffect(() => list.current?.focus({ preventScroll: true }), [shown === undefined]);
  useLayoutEffect(() => list.current?.children[at]?.scrollIntoView({ block: 'nearest' }), [at]);
  // Once the heads are ranked anew, the first is where the keyboard is.
  useEffect(() => setActive(0), [shown?.name]);
  useEffect(() => () => void panel.looking.lookAtHead(undefined), []);

  const goTo = (index: number): void => {
    const next = Math.max(0, Math.min(listed.length - 1, index));
    setActive(next);
    panel.looking.lookAtHead(listed[next]);
  };
  const choose = (index: number): void => {
    const head = listed[index];
    if (head === undefined) return;
    setActive(index);
    panel.looking.lookAtHead(undefined);
    panel.select([{ layer: head.layer, head: head.head }]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: listed.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    }[event.key];
    if (next !== undefined) goTo(next);
    else if (event.key === 'Enter' || event.key === ' ') choose(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const indexOf = (target: EventTarget | null): number =>
    Number((target instanceof Element ? target.closest<HTMLElement>('[role=option]') : null)?.dataset['index'] ?? -1);
  return (
    <section class="pane list-pane" aria-label={l10n.t('Heads, ranked')}>
      <header>
        <h2 title={title}>{title}</h2>
        <span class="aside">
          <vscode-toolbar-button
            icon="close"
            label={l10n.t('Back to the sources')}
            title={l10n.t('Back to the sources (H)')}
            onClick={() => views.toggleList()}
          />
        </span>
      </header>
      {shown === undefined ? (
        <p class="hint" role="status">
          {lack === undefined ? l10n.t('Measuring the heads…') : lackSentence(lack)}
        </p>
      ) : (
        <>
          <ul
            ref={list}
            class={`ranking${listed.some(({ key }) => key !== undefined) ? ' of-tokens' : ''}`}
            role="listbox"
            tabIndex={0}
            aria-label={title}
            aria-activedescendant={listed.length > 0 ? `ranked-${at}` : undefined}
            onKeyDown={onKeyDown}
            onBlur={() => panel.looking.lookAtHead(undefined)}
            onPointerMove={(event) => pointer.current.note(event)}
            onPointerOver={(event) => {
              const index = indexOf(event.target);
              if (index >= 0 && pointer.current.hasMoved(event)) panel.looking.lookAtHead(listed[index]);
            }}
            onPointerLeave={() => panel.looking.lookAtHead(undefined)}
            onClick={(event) => choose(indexOf(event.target))}
          >
            {listed.map(({ layer, head, value, key }, index) => {
              const label = headLabel({ layer, head });
              const number = formatMeasure(shown.measure, value);
              const share = shown.ceiling > 0 ? value / shown.ceiling : 0;
              const depth = depthOf(share, scale === 'row' ? 'absolute' : scale, 1);
              const colour =
                shown.measure === 'effect'
                  ? panel.diverging.value.colour(Math.sign(share) * Math.max(0.35, Math.abs(share)))
                  : panel.weightRamps.value[shown.direction].colour(Math.max(0.35, depth));
              const about = key === undefined ? '' : tokenName(streams, { stream: component.keyStream, position: key });
              return (
                <li
                  key={label}
                  id={`ranked-${index}`}
                  role="option"
                  data-index={index}
                  class={index === at ? 'active' : ''}
                  aria-selected={selected.has(label)}
                >
                  <span class="visually-hidden">{l10n.t('Head')} </span>
                  <span class="rank-head">{label}</span>
                  <span class="number">{number}</span>
                  <span class="bar">
                    <span
                      style={{
                        width: `${100 * Math.min(1, Math.abs(share))}%`,
                        backgroundColor: cssColour(colour),
                      }}
                    />
                  </span>
                  <span class="rank-about">{about}</span>
                </li>
              );
            })}
          </ul>
          {weaker > 0 ? (
            <p class="rest">
              {l10n.t(
                '{0} more heads have at most {1}.',
                weaker,
                formatMeasure(shown.measure, ranking[maxListed].value),
              )}
            </p>
          ) : null}
        </>
      )}
    </section>
  );
}
