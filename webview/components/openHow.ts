import type { AskedPair } from '../state/howView';
import type { KeptLayout } from '../state/layoutState';
import type { Panel } from '../state/panel';

/** Opens how a weight came about, with the keyboard in it. */
export function openHow({ how }: Panel, kept: KeptLayout, pair?: AskedPair): void {
  if (pair !== undefined) how.ask(pair);
  how.wantFocus();
  kept.toggleView('how', true);
}

/** Opens how the weight that is looked at came about, or another one; where nothing else is looked at, closes the view. */
export function toggleHow(panel: Panel, kept: KeptLayout): void {
  const { how } = panel;
  const [pair, asked] = [how.pairHere(), how.pair.peek()];
  const isOpen = kept.layout.peek().open.includes('how');
  const isNew = pair !== undefined && (pair.query !== asked?.query || pair.key !== asked.key);
  if (isOpen && !isNew) kept.toggleView('how', false);
  else openHow(panel, kept, pair);
}
