import { effect } from '@preact/signals';
import { areViewsWanted, wantViews } from './laterViews';
import { areElementsDefined } from './loadElements';
import { appendScript } from './appendScript';

/**
 * Loads the script of the views that someone opens when the first of them is shown, or when all else is there: then they are there at once.
 * @param nonce what the page's policy asks of scripts.
 */
export function loadViews(source: string, nonce: string): void {
  let isLoading = false;
  effect(() => {
    if (areElementsDefined.value) requestIdleCallback(wantViews);
    if (!areViewsWanted.value || isLoading) return;
    isLoading = true;
    appendScript(source, nonce);
  });
}
