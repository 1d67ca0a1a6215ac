import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { PanelRun, PanelSelection } from '../../src/panelProtocol';
import { usePanel } from './context';

type Mode = 'readInContext' | 'readAlone';

const modes: readonly Mode[] = ['readInContext', 'readAlone'];
const steps: Readonly<Record<string, 1 | -1>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

function modeTitle(mode: Mode): string {
  return mode === 'readInContext' ? l10n.t('In context') : l10n.t('Selection alone');
}

function modeTooltip(mode: Mode): string {
  return mode === 'readInContext'
    ? l10n.t('The model reads the selection with the text around it.')
    : l10n.t('The model reads the selection as a text of its own.');
}

/** Says where what was selected stands and what was read with it, and changes that. */
export function SelectionBar({ run, selected }: { run: PanelRun; selected: PanelSelection }): JSX.Element {
  const { panel } = usePanel();
  const group = useRef<HTMLDivElement>(null);
  const [asked, ask] = useState<{ readonly mode: Mode; readonly runId: number } | undefined>(undefined);
  const { runId } = run.info;
  const shown: Mode = selected.isInContext ? 'readInContext' : 'readAlone';
  // What was chosen stands at once, unless the run that was to show it came to nothing.
  const chosen = asked?.runId === runId && panel.status.value?.kind === 'busy' ? asked.mode : shown;
  const choose = (mode: Mode): void => {
    if (mode === chosen) return;
    ask({ mode, runId });
    panel.act(mode);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = (modes.indexOf(chosen) + step + modes.length) % modes.length;
    choose(modes[next]);
    group.current?.querySelectorAll<HTMLElement>('[role=radio]')[next]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="selection-bar">
      <span class="selection-place" title={selected.place}>
        {selected.place}
      </span>
      <div
        class="segmented"
        role="radiogroup"
        aria-label={l10n.t('How the selection is read')}
        ref={group}
        onKeyDown={onKeyDown}
      >
        {modes.map((mode) => (
          <button
            key={mode}
            type="button"
            role="radio"
            aria-checked={mode === chosen}
            tabIndex={mode === chosen ? 0 : -1}
            title={modeTooltip(mode)}
            onClick={() => choose(mode)}
          >
            {modeTitle(mode)}
          </button>
        ))}
      </div>
    </div>
  );
}
