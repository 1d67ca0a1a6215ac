import type { TokenRef } from '../../src/model/token';
import type { AskedPair } from '../state/howView';
import type { KeptLayout } from '../state/layoutState';
import type { Panel } from '../state/panel';

/** Opens what interventions do, with the keyboard in it. */
export function openEffects({ effects }: Panel, kept: KeptLayout): void {
  effects.wantFocus();
  kept.toggleView('effects', true);
}

/** Blocks a weight in the selected heads, else, of one token alone, all that reads it; and opens the view. */
export function block({ effects, ownComponent }: Panel, kept: KeptLayout, pair?: AskedPair, token?: TokenRef): void {
  if (pair !== undefined) effects.block(pair);
  else if (token !== undefined && token.stream === ownComponent.peek()?.keyStream)
    effects.intervene({ kind: 'block', query: 0, key: token.position, shape: 'column', isRenormalized: false });
  kept.toggleView('effects', true);
}

/** Silences the selected heads, and opens the view. */
export function silence({ effects }: Panel, kept: KeptLayout): void {
  effects.silence();
  kept.toggleView('effects', true);
}
