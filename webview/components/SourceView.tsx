import { computed, effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { plain } from '../../src/base/safeText';
import { numTokensOf, type RunLanguages } from '../../src/model/modelInfo';
import { strongest, type WeightedPosition } from '../../src/model/pattern';
import { isSameToken, type TokenRef } from '../../src/model/token';
import type { PanelRun } from '../../src/panelProtocol';
import { TokenPainter } from '../draw/tokenPainter';
import { selectedText } from '../layout/selectedText';
import { layoutTokens, type TokenLine } from '../../src/model/tokenLines';
import { moveByRow, moveToken, type TokenMove, type TokenPlace } from '../layout/tokenMoves';
import { tokensIn } from '../state/matrixData';
import type { Panel } from '../state/panel';
import { tokenLights } from '../state/tokenLights';
import { shortWeight } from '../../src/model/shortWeight';
import { usePanel } from './context';
import { TokenText } from './TokenText';

const numLabelled = 5;
/** What a number beside a token takes, in CSS pixels. */
const numberWidth = 18;
const numberHeight = 9;

/** A number beside a token. */
interface WeightLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** The numbers that tokens of a text are labelled with: the strongest of what lights it, and that of the token that is looked at. */
function numbersOf(panel: Panel, stream: number): readonly WeightedPosition[] {
  const looked = panel.looking.hovered.value ?? panel.looking.editorHover.value ?? panel.looking.cursor.value;
  const heat = panel.heat.value;
  if (heat !== undefined) {
    if (heat.stream !== stream) return [];
    const wanted = strongest(heat.bits, numLabelled, 0.01);
    const own = looked?.stream === stream ? (heat.bits[looked.position] ?? 0) : 0;
    const isNamed = wanted.some(({ position }) => position === looked?.position);
    return looked !== undefined && own > 0 && !isNamed
      ? [...wanted, { position: looked.position, weight: own }]
      : wanted;
  }
  const lighting = panel.lighting.value;
  if (lighting?.stream !== stream) return [];
  const { threshold } = panel.view.value;
  const [hovered] = panel.placesOf(looked);
  const wanted = strongest(lighting.weights, numLabelled, Math.max(threshold, 0.01));
  const isOther =
    hovered?.stream === stream &&
    !wanted.some(({ position }) => position === hovered.position) &&
    !lighting.tokens.some((token) => isSameToken(token, hovered));
  if (isOther) wanted.push({ position: hovered.position, weight: lighting.weights[hovered.position] ?? 0 });
  return wanted;
}

/** The strongest numbers with the places of their tokens. Only reads the layout: after anything is written, reading would make the browser lay out anew. */
function labelsOf(panel: Panel, painter: TokenPainter, stream: number, layer: HTMLElement): WeightLabel[] {
  const wanted = numbersOf(panel, stream);
  if (wanted.length === 0) return [];
  const origin = layer.getBoundingClientRect();
  // Surprisal is of tokens, whatever these are together in the matrix.
  const shown = panel.heat.value === undefined ? panel.matrix.value : undefined;
  const labels: WeightLabel[] = [];
  for (const { position, weight } of wanted) {
    // A word, line or symbol has its number where it begins.
    const [first] = shown === undefined ? [position] : tokensIn(shown, { stream, position });
    const [element] = painter.elementsOf(first);
    // Lines out of sight of a long text are not laid out, and one number is no reason to do it.
    if (element === undefined || !element.checkVisibility({ contentVisibilityAuto: true })) continue;
    // A token that goes on on another row has its number where it begins.
    const [rect] = element.getClientRects();
    if (rect === undefined) continue;
    const [x, y] = [rect.left - origin.left, rect.top - origin.top - numberHeight];
    // A number that would cover a stronger one is left out; the list has them all.
    if (!labels.some((other) => Math.abs(other.x - x) < numberWidth && Math.abs(other.y - y) < numberHeight))
      labels.push({ text: shortWeight(weight), x, y });
  }
  return labels;
}

function showLabels(layer: HTMLElement, labels: readonly WeightLabel[]): void {
  while (layer.children.length < labels.length) layer.append(document.createElement('span'));
  for (let i = 0; i < layer.children.length; i++) {
    const element = layer.children[i] as HTMLElement; // made above
    const label = labels[i];
    element.hidden = label === undefined;
    if (label === undefined) continue;
    if (element.textContent !== label.text) element.textContent = label.text;
    // Not a transform, with which a change would have all of the page's layers put together anew.
    element.style.left = `${Math.round(label.x)}px`;
    element.style.top = `${Math.round(label.y)}px`;
  }
}

function tokenOf(target: EventTarget | null, stream: number): TokenRef | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>('[data-token]') : null;
  return element === null ? undefined : { stream, position: Number(element.dataset['token']) };
}

/** Where a token begins. */
function placeOf(painter: TokenPainter | undefined, position: number): TokenPlace | undefined {
  const [element] = painter?.elementsOf(position) ?? [];
  return element?.getClientRects()[0];
}

const moves: Readonly<Record<string, TokenMove>> = {
  ArrowLeft: 'previous',
  ArrowRight: 'next',
  Home: 'lineStart',
  End: 'lineEnd',
};
const rowSteps: Readonly<Record<string, 1 | -1>> = { ArrowUp: -1, ArrowDown: 1 };

/** What a key moves the cursor by: a token, a line, or a row as it is seen. */
interface CursorStep {
  readonly move: TokenMove | undefined;
  readonly row: 1 | -1 | undefined;
}

/** Undefined for keys that move no cursor. */
function stepOf({ key, altKey, shiftKey, ctrlKey, metaKey }: KeyboardEvent): CursorStep | undefined {
  if (altKey || shiftKey) return undefined;
  const isControl = ctrlKey || metaKey;
  const move = isControl ? ({ Home: 'first', End: 'last' } as const)[key] : moves[key];
  const row = isControl ? undefined : rowSteps[key];
  return move === undefined && row === undefined ? undefined : { move, row };
}

function StreamText({
  run,
  stream,
  lines,
  painters,
}: {
  run: PanelRun;
  stream: number;
  lines: readonly TokenLine[];
  painters: Map<number, TokenPainter>;
}): JSX.Element {
  const { panel } = usePanel();
  const root = useRef<HTMLDivElement>(null);
  const labels = useRef<HTMLDivElement>(null);
  const tabSize = panel.appearance.value.tabSize;
  const info = run.info.streams[stream];
  const isDocument = info.role === 'source';
  // Before the frame is drawn: a text that takes the place of another is never seen unlit.
  useLayoutEffect(() => {
    const [element, layer] = [root.current, labels.current];
    if (element === null || layer === null) return undefined;
    const painter = new TokenPainter(element, info.tokens.length);
    painters.set(stream, painter);
    return effect(() => {
      const { levels, marks } = tokenLights(panel, stream, info.tokens.length);
      const weightLabels = labelsOf(panel, painter, stream, layer);
      painter.paint(levels, marks);
      showLabels(layer, weightLabels);
    });
  }, [lines, info]);
  // The same virtual node each time: Preact then leaves the text and the classes painted on it alone.
  const text = useMemo(
    () => (
      <TokenText
        key={run.info.runId}
        lines={lines}
        firstNumber={isDocument ? run.startLine + 1 : undefined}
        indent={isDocument ? run.startCharacter : 0}
        second={run.second}
        tabSize={tabSize}
        focus={isDocument && run.selected?.isInContext === true ? run.selected : undefined}
      />
    ),
    [lines, isDocument, run, tabSize],
  );
  return (
    <div
      class="stream"
      ref={root}
      onPointerOver={(event) => {
        if (event.pointerType !== 'touch') panel.looking.hover(tokenOf(event.target, stream));
      }}
      onPointerLeave={() => panel.looking.hover(undefined)}
      onClick={(event) => {
        const token = tokenOf(event.target, stream);
        if (token === undefined || document.getSelection()?.isCollapsed === false) return;
        panel.looking.putCursor(token);
        if ((event.ctrlKey || event.metaKey) && event.shiftKey) panel.mark(token);
        else if ((event.ctrlKey || event.metaKey) && panel.view.peek().pinned.length > 0) panel.heads.hold(token);
        else panel.pin(token, event.shiftKey);
      }}
      onMouseDown={(event) => {
        // Shift-click adds a token; without this it would select text up to it.
        if (event.shiftKey) event.preventDefault();
      }}
    >
      {text}
      <div class="weight-labels" ref={labels} aria-hidden="true" />
    </div>
  );
}

/** How long after another size of the text an element that has gone out of sight has gone for that, in milliseconds. */
const afterResize = 250;

/** By how much two readings of the page's clock within a frame may be out of order, in milliseconds. */
const clockStep = 2;

/**
 * Keeps an element of the text in sight where another size would take it out of it; a person who scrolls away from it is left alone. Both
 * observers tell what the browser knows after a frame anyway: nothing is measured. Returns what ends it.
 */
function keepInSight(scroller: HTMLElement | null, element: HTMLElement | undefined): (() => void) | undefined {
  if (scroller === null || element === undefined) return undefined;
  let [resizedAt, wasInSight] = [-Infinity, false];
  const sizes = new ResizeObserver(() => (resizedAt = performance.now()));
  const sights = new IntersectionObserver(
    (entries) => {
      for (const { time, intersectionRatio } of entries) {
        const isInSight = intersectionRatio >= 1;
        // When it was seen to go, not when a busy page comes to telling so: another size may have come since.
        const sinceResize = time - resizedAt;
        if (wasInSight && !isInSight && sinceResize > -clockStep && sinceResize < afterResize)
          element.scrollIntoView({ block: 'nearest' });
        else wasInSight = isInSight;
      }
    },
    { root: scroller, threshold: [0, 1] },
  );
  sizes.observe(scroller);
  sights.observe(element);
  return () => {
    sizes.disconnect();
    sights.disconnect();
  };
}

/** Says whose text the target is, with what changes that. */
function TargetHeading({
  isWritten,
  languages,
}: {
  isWritten: boolean;
  languages: RunLanguages | undefined;
}): JSX.Element {
  const { panel } = usePanel();
  return (
    <header class="target-heading">
      <h2>{isWritten ? l10n.t('Target, written by the model') : l10n.t('Target, a text of your own')}</h2>
      <button type="button" class="link" onClick={() => panel.act('explainWithTarget')}>
        {l10n.t('Target text…')}
      </button>
      {isWritten ? null : (
        <button type="button" class="link" onClick={() => panel.act('useModelOutput')}>
          {l10n.t('Use the model’s own')}
        </button>
      )}
      {languages === undefined ? null : (
        <button type="button" class="link" title={l10n.t('Languages…')} onClick={() => panel.act('chooseLanguages')}>
          {`${plain(languages.source ?? '?')} → ${plain(languages.target ?? '?')}`}
        </button>
      )}
    </header>
  );
}

/** The explained text as it stands in the editor, cut into its tokens; the target, where there is one, above the source. */
export function SourceView({ run }: { run: PanelRun }): JSX.Element {
  const { panel } = usePanel();
  const scroller = useRef<HTMLDivElement>(null);
  const { streams } = run.info;
  const tabSize = panel.appearance.value.tabSize;
  const painters = useMemo(() => new Map<number, TokenPainter>(), [run.info]);
  const lines = useMemo(
    () =>
      streams.map((stream) =>
        layoutTokens(stream, tabSize, stream.role === 'source' ? run.startCharacter : 0, run.second?.startCharacter),
      ),
    [run, tabSize],
  );
  const order = streams
    .map((_, i) => i)
    .sort((a, b) => Number(streams[b].role === 'target') - Number(streams[a].role === 'target'));
  const numTokens = numTokensOf(run.info);

  // What was selected is in sight from the first, with what stands before it: in the first frame, when all panes have their sizes.
  useLayoutEffect(() => {
    if (run.selected?.isInContext !== true) return undefined;
    const frame = requestAnimationFrame(() =>
      scroller.current?.querySelector('.selected')?.scrollIntoView({ block: 'nearest' }),
    );
    return () => cancelAnimationFrame(frame);
  }, [run.info]);
  useEffect(() => {
    const pinned = computed(() => panel.view.value.pinned[0]);
    return effect(() =>
      keepInSight(
        scroller.current,
        pinned.value && painters.get(pinned.value.stream)?.elementsOf(pinned.value.position)[0],
      ),
    );
  }, [painters]);
  useEffect(
    () =>
      effect(() => {
        const token =
          panel.looking.cursor.value ??
          (panel.view.peek().pinned.length === 0 ? panel.looking.editorHover.value : undefined);
        if (token !== undefined)
          painters
            .get(token.stream)
            ?.elementsOf(token.position)[0]
            ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }),
    [painters],
  );

  /** The token that a step leads to; at the end of one text the arrows go on in the other. */
  const tokenAfter = (current: TokenRef | undefined, { move, row }: CursorStep): TokenRef | undefined => {
    const stream = current?.stream ?? order[0] ?? 0;
    const count = streams[stream].tokens.length;
    const position =
      row !== undefined && current !== undefined
        ? moveByRow(count, current.position, row, (of) => placeOf(painters.get(stream), of))
        : moveToken(lines[stream], count, current?.position, move ?? 'first');
    const onward = row ?? (move === 'next' ? 1 : move === 'previous' ? -1 : 0);
    const neighbour = position === current?.position ? order[order.indexOf(stream) + onward] : undefined;
    if (neighbour !== undefined && neighbour !== stream)
      return { stream: neighbour, position: onward < 0 ? streams[neighbour].tokens.length - 1 : 0 };
    return position === undefined ? undefined : { stream, position };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const current = panel.looking.cursor.peek() ?? panel.view.peek().pinned[0];
    const step = stepOf(event);
    if (event.key === 'Enter' && current !== undefined) {
      if (event.ctrlKey || event.metaKey) panel.mark(current);
      else panel.pin(current, event.shiftKey);
    } else if (step !== undefined) {
      const next = tokenAfter(current, step);
      if (next !== undefined) panel.looking.moveCursor(next);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onCopy = (event: ClipboardEvent): void => {
    const texts = order.flatMap((stream) => {
      const root = scroller.current?.querySelectorAll('.lines')[order.indexOf(stream)];
      const text = root === undefined ? undefined : selectedText(root, streams[stream].text, document.getSelection());
      return text === undefined ? [] : [text];
    });
    if (texts.length === 0) return;
    event.clipboardData?.setData('text/plain', texts.join('\n'));
    event.preventDefault();
  };

  const lastLine = (
    Math.max(run.startLine, run.second?.startLine ?? 0) +
    (lines[streams.findIndex(({ role }) => role === 'source')]?.length ?? 1)
  ).toString();
  return (
    <div
      class={`source-scroll${streams.length > 1 ? ' of-two' : ''}`}
      ref={scroller}
      role="group"
      tabIndex={0}
      aria-label={l10n.t('Source, {0} tokens. Arrow keys walk the tokens, Enter pins one.', numTokens)}
      style={{ '--gutter': `calc(${Math.max(2, lastLine.length)}ch + 18px)` }}
      onKeyDown={onKeyDown}
      onBlur={() => panel.looking.putCursor(undefined)}
      onCopy={onCopy}
    >
      {order.map((stream) => (
        <section key={stream} class="stream-section">
          {streams[stream].target === undefined ? (
            streams[stream].second !== undefined ? (
              <h2>{l10n.t('First text')}</h2>
            ) : streams.length > 1 ? (
              <h2>{l10n.t('Source')}</h2>
            ) : null
          ) : (
            <TargetHeading isWritten={streams[stream].target.isWritten} languages={run.info.languages} />
          )}
          <StreamText run={run} stream={stream} lines={lines[stream]} painters={painters} />
        </section>
      ))}
    </div>
  );
}
