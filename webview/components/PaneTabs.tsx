import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Rect } from '../layout/headGrid';
import type { PaneName } from '../layout/paneLayout';
import { styleOf } from './place';

/** Tabs for the parts of the panel that share one place, for where there is no room to show them together. */
export function PaneTabs({
  panes,
  rect,
  shown,
  titleOf,
  onShow,
}: {
  panes: readonly PaneName[];
  rect: Rect;
  shown: PaneName;
  titleOf: (pane: PaneName) => string;
  onShow: (pane: PaneName) => void;
}): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || event.altKey) return;
    const next = (panes.indexOf(shown) + step + panes.length) % panes.length;
    onShow(panes[next]);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="tabs pane-tabs"
      role="tablist"
      aria-label={l10n.t('Views')}
      style={styleOf(rect)}
      ref={list}
      onKeyDown={onKeyDown}
    >
      {panes.map((pane) => (
        <button
          key={pane}
          type="button"
          role="tab"
          id={`tab-of-${pane}`}
          aria-selected={pane === shown}
          aria-controls={`pane-${pane}`}
          tabIndex={pane === shown ? 0 : -1}
          title={titleOf(pane)}
          onClick={() => onShow(pane)}
        >
          {titleOf(pane)}
        </button>
      ))}
    </div>
  );
}
