import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** One choice of a {@link Select}. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string;
}

/** A drop-down list with VS Code's look; `isFiltered` lets one type to find a choice. */
export function Select({ label, value, choices, width, isFiltered = false, onChange }: { label: string; value: string; choices: readonly Choice[]; width: number; isFiltered?: boolean; onChange: (value: string) => void }): JSX.Element {
  const element = useRef<HTMLElement>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    const select = element.current as VscodeSingleSelect | null; // the element that this component renders
    if (select === null) return undefined;
    select.label = label;
    select.combobox = isFiltered;
    select.filter = 'contains';
    select.style.width = `${width}px`;
    const listener = (): void => {
      // Its own value is put back until the new one comes down as a property: one source of truth.
      if (select.value !== '') changed.current(select.value);
    };
    select.addEventListener('change', listener);
    return () => select.removeEventListener('change', listener);
  }, [label, isFiltered, width]);
  useEffect(() => {
    const select = element.current as VscodeSingleSelect | null; // the element that this component renders
    if (select === null) return;
    select.options = choices.map((choice) => ({ label: choice.label, value: choice.value, description: choice.description ?? '', selected: choice.value === value, disabled: false }));
    select.value = value;
    select.requestUpdate();
  }, [choices, value]);
  return <vscode-single-select ref={element} class="select" title={label} />;
}
