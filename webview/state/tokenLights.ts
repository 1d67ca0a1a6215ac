import type { TokenRef } from '../../src/model/token';
import { depthOf, signedDepthOf } from '../../src/model/viewState';
import { mark } from '../draw/tokenPainter';
import { levelOf } from '../theme/palette';
import { inPattern, sinkTokens, tokensIn } from './matrixData';
import { keysOf } from './relations';
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
  const shown = panel.matrix.value;
  const { scale, threshold, pinned } = panel.view.value;
  const ceiling = panel.ceiling.value;
  const heat = panel.heat.value;
  if (heat?.stream === stream) {
    for (let position = 0; position < count; position++)
      levels[position] = levelOf(Math.min(1, heat.bits[position] / heat.ceiling));
  } else if (heat === undefined && lighting?.stream === stream) {
    (lighting.drawn ?? lighting.weights).forEach((drawn, position) => {
      const isSigned = shown?.form.compared === 'difference';
      const weight = lighting.weights[position];
      if ((isSigned ? Math.abs(weight) : weight) < threshold * ceiling) return;
      const level = levelOf((isSigned ? signedDepthOf : depthOf)(drawn, scale, lighting.maximum, ceiling));
      const [from, to] = shown === undefined ? [position, position + 1] : tokensIn(shown, { stream, position });
      levels.fill(level, from, Math.min(to, count));
    });
  }
  const set = (token: TokenRef | undefined, bit: number): void => {
    if (token?.stream === stream && token.position < count) marks[token.position] |= bit;
  };
  /** The same for all tokens of a row or column of the pattern. */
  const setUnit = (place: TokenRef, bit: number): void => {
    if (place.stream !== stream) return;
    const [from, to] = shown === undefined ? [place.position, place.position + 1] : tokensIn(shown, place);
    for (let position = from; position < Math.min(to, count); position++) marks[position] |= bit;
  };
  const setAround = (token: TokenRef | undefined, bit: number): void => {
    if (token !== undefined) setUnit(shown === undefined ? token : inPattern(shown, token), bit);
  };
  for (const token of pinned) setAround(token, mark.pinned);
  for (const token of panel.lookedAt.value) setAround(token, mark.looking);
  setAround(panel.looking.hovered.value ?? panel.looking.editorHover.value, mark.pointed);
  setAround(panel.looking.pointed.value, mark.pointed);
  set(panel.looking.cursor.value, mark.cursor);
  set(panel.heads.held.value, mark.crossKey);
  for (const token of panel.view.value.marked) set(token, mark.crossKey);
  for (const token of panel.looking.found.value) set(token, mark.found);
  for (const position of relatedTokens(panel, stream)) set({ stream, position }, mark.crossKey);
  const component = panel.component.value;
  const cell = panel.looking.crosshair.value;
  if (component !== undefined && cell !== undefined) {
    setUnit({ stream: component.queryStream, position: cell.query }, mark.crossQuery);
    setUnit({ stream: component.keyStream, position: cell.key }, mark.crossKey);
  }
  if (component !== undefined)
    for (const position of shown === undefined ? [] : sinkTokens(shown))
      set({ stream: component.keyStream, position }, mark.sink);
  return { levels, marks };
}

/** The tokens of a stream that the looked-at ones are related with, in the relation whose pairs are drawn; while nothing is looked at, all that any is. */
function relatedTokens(panel: Panel, stream: number): Iterable<number> {
  const pairs = panel.relations.pairs.value;
  if (pairs === undefined || panel.component.value?.queryStream !== stream) return [];
  const looking = panel.lookedAt.value.filter((token) => token.stream === stream);
  return looking.length === 0 ? pairs.keys : looking.flatMap(({ position }) => [...keysOf(pairs, position)]);
}
