import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { areElementsDefined } from '../loadElements';

/** One choice of a {@link Select}. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string;
  /** Whether it is there to be read, and cannot be chosen. */
  readonly isDisabled?: boolean;
}

/** The element renders every option it has with each change, open or not: of more than these it gets the chosen one alone until someone comes near. */
const fewChoices = 16;

/** A drop-down list with VS Code's look; `isFiltered` lets one type to find a choice. */
export function Select({
  label,
  value,
  choices,
  width,
  isFiltered = false,
  isDisabled = false,
  onNear,
  onChange,
}: {
  label: string;
  value: string;
  choices: readonly Choice[];
  width: number;
  isFiltered?: boolean;
  isDisabled?: boolean;
  /** Someone is about to choose. */
  onNear?: () => void;
  onChange: (value: string) => void;
}): JSX.Element {
  const element = useRef<HTMLElement>(null);
  const isDefined = areElementsDefined.value;
  const changed = useRef(onChange);
  changed.current = onChange;
  const comesNear = useRef(onNear);
  comesNear.current = onNear;
  const held = useRef<readonly Choice[]>([]);
  const give = (all: boolean): void => {
    const select = element.current as VscodeSingleSelect | null; // the element that this component renders
    if (select === null || !isDefined) return;
    const given = all || choices.length <= fewChoices ? choices : choices.filter((choice) => choice.value === value);
    const isSame = given.length === held.current.length && given.every((choice, i) => choice === held.current[i]);
    if (!isSame) {
      held.current = given;
      select.options = given.map((choice) => ({
        label: choice.label,
        value: choice.value,
        description: choice.description ?? '',
        selected: choice.value === value,
        disabled: choice.isDisabled === true,
      }));
    }
    if (isSame && select.value === value) return;
    select.value = value;
    select.requestUpdate();
  };
  const latest = useRef(give);
  latest.current = give;
  useLayoutEffect(() => {
    const select = element.current as VscodeSingleSelect | null; // the element that this component renders
    if (select === null || !isDefined) return undefined;
    select.label = label;
    select.combobox = isFiltered;
    select.disabled = isDisabled;
    select.filter = 'contains';
    const listener = (): void => {
      // Its own value is put back until the new one comes down as a property: one source of truth.
      if (select.value !== '') changed.current(select.value);
    };
    const fill = (): void => {
      comesNear.current?.();
      latest.current(true);
    };
    const near = ['pointerenter', 'pointerdown', 'focusin'] as const;
    select.addEventListener('change', listener);
    for (const type of near) select.addEventListener(type, fill);
    return () => {
      select.removeEventListener('change', listener);
      for (const type of near) select.removeEventListener(type, fill);
    };
  }, [isDefined, label, isFiltered, isDisabled]);
  // Before the frame is drawn: what is chosen is drawn with what it shows.
  useLayoutEffect(() => give(element.current?.matches(':hover, :focus-within') === true), [isDefined, choices, value]);
  return (
    <vscode-single-select
      ref={element}
      class={`select${isDisabled ? ' disabled' : ''}`}
      title={label}
      style={{ width: `${width}px` }}
      data-chosen={choices.find((choice) => choice.value === value)?.label}
    />
  );
}
