import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { appendScript } from './appendScript';
import type { Panel } from './state/panel';

/** A run that takes longer is waited for with all that belongs to the panel. */
const mostMilliseconds = 1000;

const defined = signal(false);

/** Whether the custom elements are there; until then they are boxes of their size. */
export const areElementsDefined: ReadonlySignal<boolean> = defined;

/** Where whoever made the page brings the custom elements: notes when they are there. */
export function awaitElements(): void {
  void customElements.whenDefined('vscode-toolbar-button').then(() => (defined.value = true));
}

/**
 * Loads the script of the custom elements, which takes as long as drawing a run: where one is on its way, after its first paint.
 * @param nonce what the page's policy asks of scripts.
 */
export function loadElements(panel: Panel, source: string, nonce: string): void {
  let isLoading = false;
  const load = (): void => {
    // Two changes at once ask twice, and an element is defined once.
    if (isLoading) return;
    isLoading = true;
    stop();
    clearTimeout(timer);
    appendScript(source, nonce, () => (defined.value = true));
  };
  const timer = setTimeout(load, mostMilliseconds);
  const stop = effect(() => {
    const status = panel.status.value?.kind;
    const isRunAwaited = status === undefined || status === 'busy' || panel.run.value !== null;
    if (panel.hasPainted.value || !isRunAwaited) queueMicrotask(load);
  });
}
