import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { ComponentInfo } from '../../src/model/head';
import { componentName } from '../words';
import { usePanel } from './context';

/** One tab for each attention of a model that has several: encoder, decoder, cross. */
export function ComponentTabs({
  components,
  current,
}: {
  components: readonly ComponentInfo[];
  current: ComponentInfo;
}): JSX.Element {
  const { panel } = usePanel();
  const list = useRef<HTMLDivElement>(null);
  // What is shown of it may be another: with a method that joins heads, one matrix for each layer.
  const index = components.findIndex(({ component }) => component === current.component);
  const streams = panel.run.value?.info.streams ?? [];
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || event.altKey) return;
    const next = (index + step + components.length) % components.length;
    panel.showComponent(components[next].component);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="tabs" role="tablist" aria-label={l10n.t('Attention of the model')} ref={list} onKeyDown={onKeyDown}>
      {components.map((each, i) => (
        <button
          key={each.component}
          type="button"
          role="tab"
          id={`tab-${each.component}`}
          aria-selected={i === index}
          aria-controls="panel-body"
          tabIndex={i === index ? 0 : -1}
          onClick={() => panel.showComponent(each.component)}
        >
          {componentName(each, streams)}
        </button>
      ))}
    </div>
  );
}
