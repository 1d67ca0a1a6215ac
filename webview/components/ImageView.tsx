import { effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { gridsOf, specialPositions } from '../../src/model/patchGrid';
import { strongest } from '../../src/model/pattern';
import { visibleText, type PatchGrid, type TokenStream } from '../../src/model/token';
import type { PanelRun } from '../../src/panelProtocol';
import type { PictureView } from '../../src/protocol';
import { drawPicture, pictureCanvas } from '../draw/drawPicture';
import { TokenPainter } from '../draw/tokenPainter';
import { layoutPicture, movePatch, patchRect, patchUnder } from '../layout/pictureLayout';
import { tokenLights } from '../state/tokenLights';
import { shortWeight } from '../../src/model/shortWeight';
import { formatWeight, gridName } from '../words';
import { usePanel } from './context';
import { useSize } from './useSize';

const numLabelled = 5;
/** Room that the line above the picture and the paddings take, in CSS pixels. */
const roomAround = { width: 28, height: 54 };

/** Room of a line that names a grid. */
const headingHeight = 26;

/** The special tokens, which stand for no place of the picture, as chips above it. */
function SpecialTokens({ info, stream }: { info: TokenStream; stream: number }): JSX.Element | null {
  const { panel } = usePanel();
  const root = useRef<HTMLDivElement>(null);
  const special = useMemo(() => specialPositions(info), [info]);
  useEffect(() => {
    if (root.current === null) return undefined;
    const painter = new TokenPainter(root.current, info.tokens.length);
    return effect(() => {
      const { levels, marks } = tokenLights(panel, stream, info.tokens.length);
      painter.paint(levels, marks);
    });
  }, [info]);
  if (special.length === 0) return null;
  const chips = special.map((position) => (
    <span
      key={position}
      class="token chip"
      data-token={position}
      title={
        !info.tokens[position].isSpecial
          ? l10n.t('A token of the text that is read with the picture')
          : info.grid?.rows === 0
            ? l10n.t('A query that the model has learned: it stands for no place of the picture')
            : l10n.t('A special token: it stands for no place of the picture')
      }
      onPointerEnter={(event) => {
        if (event.pointerType !== 'touch') panel.looking.hover({ stream, position });
      }}
      onPointerLeave={() => panel.looking.hover(undefined)}
      onClick={(event) => {
        panel.looking.putCursor({ stream, position });
        if ((event.ctrlKey || event.metaKey) && event.shiftKey) panel.mark({ stream, position });
        else panel.pin({ stream, position }, event.shiftKey);
      }}
    >
      {visibleText(info, position)}
    </span>
  ));
  return (
    <div class="special-tokens" ref={root}>
      {chips}
    </div>
  );
}

/** The picture on a canvas, lit by what is looked at. */
function Picture({
  picture,
  info,
  grid,
  stream,
  room,
}: {
  picture: PictureView;
  info: TokenStream;
  grid: PatchGrid;
  stream: number;
  room: { width: number; height: number };
}): JSX.Element {
  const { panel } = usePanel();
  const canvas = useRef<HTMLCanvasElement>(null);
  const source = useMemo(() => pictureCanvas(picture), [picture]);
  const layout = useMemo(() => layoutPicture(picture, grid, room), [picture, grid, room.width, room.height]);
  useEffect(
    () =>
      effect(() => {
        if (canvas.current === null) return;
        const lighting = panel.lighting.value;
        const isLit = lighting?.stream === stream;
        const isSigned = panel.isDifference.value;
        const labels = isLit
          ? strongest(
              isSigned ? lighting.weights.map(Math.abs) : lighting.weights,
              numLabelled,
              Math.max(panel.view.value.threshold, 0.01),
            )
          : [];
        const signOf = (position: number): string =>
          !isSigned ? '' : (lighting?.weights[position] ?? 0) < 0 ? '−' : '+';
        drawPicture(canvas.current, source, layout, {
          grid,
          lights: tokenLights(panel, stream, info.tokens.length),
          isLit,
          ramp: panel.ramps.value[panel.direction.value],
          theme: panel.theme.value,
          labels: labels.map((found) => ({ ...found, text: signOf(found.position) + shortWeight(found.weight) })),
        });
      }),
    [source, layout, info],
  );
  useEffect(
    () =>
      effect(() => {
        // A picture larger than its pane follows the keyboard.
        const token = panel.looking.cursor.value;
        const rect = token?.stream === stream ? patchRect(grid, token.position, layout) : undefined;
        const scroller = canvas.current?.closest('.source-scroll');
        if (rect === undefined || canvas.current === null || !(scroller instanceof HTMLElement)) return;
        const top = canvas.current.offsetTop + rect.y;
        const left = canvas.current.offsetLeft + rect.x;
        if (top < scroller.scrollTop) scroller.scrollTop = top;
        else if (top + rect.height > scroller.scrollTop + scroller.clientHeight)
          scroller.scrollTop = top + rect.height - scroller.clientHeight;
        if (left < scroller.scrollLeft) scroller.scrollLeft = left;
        else if (left + rect.width > scroller.scrollLeft + scroller.clientWidth)
          scroller.scrollLeft = left + rect.width - scroller.clientWidth;
      }),
    [layout, grid],
  );
  const under = (event: MouseEvent): number | undefined => patchUnder(grid, event.offsetX, event.offsetY, layout);
  return (
    <canvas
      ref={canvas}
      class="picture"
      aria-hidden="true"
      onPointerMove={(event) => {
        if (event.pointerType === 'touch') return;
        const position = under(event);
        if (panel.looking.hovered.peek()?.position !== position)
          panel.looking.hover(position === undefined ? undefined : { stream, position });
      }}
      onPointerLeave={() => panel.looking.hover(undefined)}
      onClick={(event) => {
        const position = under(event);
        if (position === undefined) return;
        panel.looking.putCursor({ stream, position });
        if ((event.ctrlKey || event.metaKey) && event.shiftKey) panel.mark({ stream, position });
        else panel.pin({ stream, position }, event.shiftKey);
      }}
    />
  );
}

/** The explained picture as the model sees it, its patches lit by what is looked at, and what the model itself says of it; twice where queries and keys are patches of two grids. */
export function ImageView({ run }: { run: PanelRun }): JSX.Element {
  const { panel } = usePanel();
  const scroller = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(scroller);
  const { streams, model, answers = [] } = run.info;
  const component = panel.component.value;
  const shown = [...new Set([component?.queryStream ?? 0, component?.keyStream ?? 0])];
  const picture = panel.shown.picture.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    const current = panel.looking.cursor.peek() ?? panel.view.peek().pinned[0];
    if (event.key === 'Enter' && current !== undefined && (event.ctrlKey || event.metaKey)) panel.mark(current);
    else if (event.key === 'Enter' && current !== undefined) panel.pin(current, event.shiftKey);
    else {
      const [first] = shown;
      const stream = current !== undefined && shown.includes(current.stream) ? current.stream : first;
      const position =
        event.altKey || event.shiftKey
          ? undefined
          : movePatch(
              streams[stream],
              current?.stream === stream ? current.position : undefined,
              event.key,
              event.ctrlKey || event.metaKey,
            );
      if (position === undefined) return;
      panel.looking.moveCursor({ stream, position });
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const { grid } = streams[shown[0]];
  const hasTwo = shown.length > 1 || grid?.thumbnail !== undefined;
  // Two stand side by side where the pane is wider than it is high.
  const [across, down] = !hasTwo ? [1, 1] : width > height ? [2, 1] : [1, 2];
  const room = {
    width: Math.max(40, (width - roomAround.width) / across),
    height: Math.max(40, (height - roomAround.height) / down - (hasTwo ? headingHeight : 0)),
  };
  const answerLines = answers.map(({ label, probability }) => (
    <p key={label} class="answer">
      {l10n.t('{0} says:', model.name)} <strong>{label}</strong>,{' '}
      <span class="number">{formatWeight(probability)}</span>
    </p>
  ));
  return (
    <div
      class="source-scroll image-scroll"
      ref={scroller}
      role="group"
      tabIndex={0}
      aria-label={l10n.t(
        'Picture, {0} rows and {1} columns of patches. Arrow keys walk the patches, Enter pins one.',
        grid?.rows ?? 0,
        grid?.columns ?? 0,
      )}
      onKeyDown={onKeyDown}
      onBlur={() => panel.looking.putCursor(undefined)}
    >
      {shown.length > 1 ? <div class="picture-head">{answerLines}</div> : null}
      <div class={shown.length > 1 ? 'picture-pair' : ''}>
        {shown.map((stream) => (
          <section key={stream}>
            {shown.length > 1 ? (
              <h2>
                {stream === component?.queryStream
                  ? l10n.t('Queries: {0}', gridName(streams[stream]))
                  : l10n.t('Keys: {0}', gridName(streams[stream]))}
              </h2>
            ) : null}
            <div class="picture-head">
              <SpecialTokens key={stream} info={streams[stream]} stream={stream} />
              {shown.length > 1 ? null : answerLines}
            </div>
            <GridPicture
              picture={picture}
              info={streams[stream]}
              stream={stream}
              room={width === 0 ? undefined : room}
            />
          </section>
        ))}
      </div>
    </div>
  );
}

/** The picture with a stream's grid, once both it and its room are there; beside it, with another grid, where it is read once more as a whole. */
function GridPicture({
  picture,
  info,
  stream,
  room,
}: {
  picture: PictureView | undefined;
  info: TokenStream;
  stream: number;
  room: { width: number; height: number } | undefined;
}): JSX.Element | null {
  if (info.grid?.rows === 0) return null;
  if (picture === undefined || info.grid === undefined || room === undefined)
    return <p class="hint">{l10n.t('Fetching the picture…')}</p>;
  const pictures = gridsOf(info.grid).map((grid) => (
    <Picture key={grid.first} picture={picture} info={info} grid={grid} stream={stream} room={room} />
  ));
  if (info.grid.thumbnail === undefined) return pictures[0];
  const { thumbnail } = info.grid;
  return (
    <div class="picture-pair">
      <section>
        <h2>{l10n.t('In tiles: {0}', gridName(info))}</h2>
        {pictures[0]}
      </section>
      <section>
        <h2>{l10n.t('As a whole: {0}', gridName({ ...info, grid: thumbnail }))}</h2>
        {pictures[1]}
      </section>
    </div>
  );
}
