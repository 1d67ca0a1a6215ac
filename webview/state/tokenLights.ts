import type { TokenRef } from '../../src/model/token';
import { depthOf } from '../../src/model/viewState';
import { mark } from '../draw/tokenPainter';
import { levelOf } from '../theme/palette';
import type { Panel } from './panel';

/** How the tokens of a stream are lit: a level of colour and marks, one each for every token. */
export interface TokenLights {
  readonly levels: Uint8Array;
  readonly marks: Uint8Array;
}

/** The levels and marks of a stream's tokens, from all that is looked at. */
export function tokenLights(panel: Panel, stream: number, count: number): TokenLights {
  const levels = new Uint8Array(count);
  const marks = new Uint8Array(count);
  const lighting = panel.lighting.value;
  const { scale, threshold, pinned } = panel.view.value;
  if (lighting?.stream === stream) {
    lighting.weights.forEach((weight, position) => {
      if (weight >= threshold && position < count) levels[position] = levelOf(depthOf(weight, scale, lighting.maximum));
    });
  }
  const set = (token: TokenRef | undefined, bit: number): void => {
    if (token?.stream === stream && token.position < count) marks[token.position] |= bit;
  };
  for (const token of pinned) set(token, mark.pinned);
  for (const token of panel.looking.value) set(token, mark.looking);
  set(panel.hovered.value ?? panel.editorHover.value, mark.pointed);
  set(panel.pointed.value, mark.pointed);
  set(panel.cursor.value, mark.cursor);
  set(panel.heads.held.value, mark.crossKey);
  for (const token of panel.view.value.marked) set(token, mark.crossKey);
  for (const token of panel.found.value) set(token, mark.found);
  const component = panel.component.value;
  const cell = panel.crosshair.value;
  if (component !== undefined && cell !== undefined) {
    set({ stream: component.queryStream, position: cell.query }, mark.crossQuery);
    set({ stream: component.keyStream, position: cell.key }, mark.crossKey);
  }
  if (component !== undefined)
    for (const position of panel.sinks.value) set({ stream: component.keyStream, position }, mark.sink);
  return { levels, marks };
}
