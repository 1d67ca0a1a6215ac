import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { codeSpan, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { plain, type PlainText } from '../../base/safeText';
import { comingLayers, isDerived } from '../../model/head';
import type { HeadName } from '../../model/profile/headNames';
import { strongest, type WeightedPosition } from '../../model/pattern';
import { joinedComponent, joinedSelection, joinsHeads, type MethodId } from '../../model/methods';
import { mostRemoved, type Level } from '../../model/patternForm';
import { tokensAt, visibleNext, visibleText, type TokenRef } from '../../model/token';
import { predictionAt } from '../../model/predictions';
import { tokensOfUnit } from '../../model/units';
import type { ViewState } from '../../model/viewState';
import { commands } from '../commands/commandIds';
import { namesText } from '../profiles/nameText';
import { selectionLabel } from '../selectionLabel';
import type { ShownRun } from '../run/shownRun';
import { readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { cardMarkdown, weightText, type CardSource } from './hoverCard';
import type { Row, RowReader } from './rowReader';
import { shownHeat } from './surprisalColours';
import { hoverOf } from '../say/hover';
import { saidMarkdown } from '../say/said';

const maxSources = 8;
/** Of those the other way round. */
const maxOthers = 3;
/** What is less is no source that anyone looks for, and a line more over the text. */
const leastWeight = 0.01;

/** What a card is made of. */
interface CardContents {
  readonly run: ShownRun;
  readonly document: vscode.TextDocument;
  readonly token: TokenRef;
  readonly row: Row;
  readonly others: Row | undefined;
}

/** Shows a card for the token under the pointer, and makes it the hovered one. */
export class AttentionHover implements vscode.HoverProvider, Disposable {
  readonly #viewStore: ViewStore;
  readonly #rows: RowReader;
  readonly #registration: vscode.Disposable;

  readonly #namesOf: (run: ShownRun) => readonly HeadName[];

  /** @param namesOf gives the names of heads, where they are here. */
  constructor(viewStore: ViewStore, rows: RowReader, namesOf: (run: ShownRun) => readonly HeadName[]) {
    this.#namesOf = namesOf;
    this.#viewStore = viewStore;
    this.#rows = rows;
    this.#registration = vscode.languages.registerHoverProvider('*', this);
  }

  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
    cancellation: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined> {
    const { run, view, status } = this.#viewStore;
    if (run === undefined || document.uri.toString() !== run.text.uri.toString()) return undefined;
    const offset = run.text.offsetOf(document, position);
    const found =
      offset === undefined || status.kind === 'engineStopped' || !readSettings(document.uri).highlightOnHover
        ? []
        : tokensAt(run.source, offset);
    if (found.length === 0) {
      if (this.#viewStore.hovered?.origin === 'editor') this.#viewStore.setHovered(undefined);
      return undefined;
    }
    const token = { stream: run.sourceIndex, position: found[0] };
    this.#viewStore.setHovered({ token, origin: 'editor' });
    // Where the attention is gone the panel says so.
    const row =
      comingLayers(view.selection, run.info.components).length > 0
        ? undefined
        : await this.#rows.read(run, view, [token]).catch(() => undefined);
    const others = row === undefined ? undefined : await this.#othersOf(run, view, token, row);
    if (row === undefined || cancellation.isCancellationRequested || run !== this.#viewStore.run) return undefined;
    const { start, end } = run.source.tokens[token.position];
    const range = run.text.rangeOf(document, start, end);
    return (
      range &&
      hoverOf(this.#card({ run, document, token, row, others }), range, [
        commands.pinToken,
        commands.previousHead,
        commands.nextHead,
        commands.askEffects,
        commands.openPanel,
        commands.revealToken,
      ])
    );
  }

  dispose(): void {
    this.#registration.dispose();
  }

  /** What reads the token where the card says what it reads, and the other way round; only where it is here already, so that no card waits for it. */
  async #othersOf(run: ShownRun, view: ViewState, token: TokenRef, { direction }: Row): Promise<Row | undefined> {
    const component = run.info.components.find((candidate) => candidate.component === view.selection.component);
    if (
      component === undefined ||
      component.queryStream !== component.keyStream ||
      component.layers.some(({ held, isComing }) => held !== 'whole' || isComing === true)
    )
      return undefined;
    return this.#rows
      .read(run, { ...view, direction: direction === 'reads' ? 'readBy' : 'reads' }, [token])
      .catch(() => undefined);
  }

  #card({ run, document, token, row, others }: CardContents): MarkdownText {
    const { view } = this.#viewStore;
    // Of lengths, as parts of the largest.
    const least = Math.max(leastWeight, view.threshold) * row.ceiling;
    const areJoined = joinsHeads(row.method);
    const head = areJoined
      ? selectionLabel(joinedSelection(view.selection), run.info.components.map(joinedComponent))
      : selectionLabel(view.selection, run.info.components);
    const method = isDerived(view.selection, run.info.components)
      ? md` (${saidMarkdown('derived: φ(q)φ(k)ᵀ, normalised')})`
      : md``;
    const names =
      areJoined || view.selection.heads.length !== 1
        ? plain('')
        : namesText(this.#namesOf(run), view.selection.component, view.selection.heads[0]);
    const named = names === '' ? md`` : md` (${saidMarkdown('profile: {0}', escaped(names))})`;
    const place = md`${escaped(head)}${method}${named}`;
    return cardMarkdown({
      runId: run.runId,
      token,
      text: visibleText(run.source, token.position),
      facts: this.#facts(run, token),
      caption:
        row.direction === 'reads' ? saidMarkdown('reads, in {0}:', place) : saidMarkdown('is read by, in {0}:', place),
      sources: strongest(row.weights, maxSources, least).map((source) => this.#source(run, document, row, source)),
      aside: asideOf(row, view, shownHeat(this.#viewStore) !== undefined),
      others: others && {
        caption: others.direction === 'reads' ? saidMarkdown('reads:') : saidMarkdown('is read by:'),
        sources: strongest(others.weights, maxOthers, least).map((source) =>
          this.#source(run, document, others, source),
        ),
      },
      nothing: saidMarkdown('nothing with {0} or more', Number(least.toPrecision(3))),
      commands: [
        {
          title: view.pinned.some((pinned) => pinned.stream === token.stream && pinned.position === token.position)
            ? saidMarkdown('Unpin')
            : saidMarkdown('Pin'),
          command: commands.pinToken,
        },
        { title: saidMarkdown('Previous head'), command: commands.previousHead },
        { title: saidMarkdown('Next head'), command: commands.nextHead },
        { title: saidMarkdown('Effects'), command: commands.askEffects },
        { title: saidMarkdown('Open panel'), command: commands.openPanel },
      ],
      revealCommand: commands.revealToken,
    });
  }

  /** Which token it is, and where surprisal colours the text its own. */
  #facts({ source, held }: ShownRun, { stream, position }: TokenRef): MarkdownText {
    const { id } = source.tokens[position];
    const { known: predictions } = held.predictions;
    const actual =
      shownHeat(this.#viewStore) === undefined || predictions === undefined || predictions.kind === 'labels'
        ? undefined
        : predictions.stream === stream
          ? predictionAt(predictions, position)?.actual
          : undefined;
    return actual === undefined
      ? saidMarkdown('token {0} · id {1}', position, id)
      : saidMarkdown(
          'token {0} · id {1} · surprisal {2} bits',
          position,
          id,
          escaped(plain(actual.surprisal.toFixed(2))),
        );
  }

  #source(
    run: ShownRun,
    document: vscode.TextDocument,
    { stream, over }: Row,
    { position, weight }: WeightedPosition,
  ): CardSource {
    const { start, end } = over.tokens[position];
    const place = stream === run.sourceIndex && end > start ? run.text.rangeOf(document, start, end) : undefined;
    const text = visibleText(over, position);
    const source = {
      // A link goes to a unit's first token.
      token: { stream, position: over.units === undefined ? position : tokensOfUnit(over.units, position)[0] },
      text: over.units === undefined ? text : shortened(text),
      weight,
      isInDocument: stream === run.sourceIndex,
    };
    if (over.units !== undefined)
      return { ...source, place: place === undefined ? md`` : saidMarkdown('line {0}', place.start.line + 1) };
    const next = visibleNext(over, position);
    const facts =
      next === undefined
        ? saidMarkdown('token {0}', position)
        : over.target?.isWritten === true
          ? saidMarkdown('token {0} of the target, predicting {1}', position, codeSpan(next))
          : saidMarkdown('token {0} of the target, before {1}', position, codeSpan(next));
    return {
      ...source,
      place: place === undefined ? facts : saidMarkdown('token {0}, line {1}', position, place.start.line + 1),
    };
  }
}

/** UTF-16 units of a unit's text in a card. */
const maxUnitText = 48;

function shortened(text: PlainText): string {
  return text.length > maxUnitText ? `${text.slice(0, maxUnitText - 1)}…` : text;
}

/** What was done to the numbers of a card: what was taken out of them, and over what they are sums and means. */
function asideOf(row: Row, { isRenormalized }: ViewState, isBesideSurprisal: boolean): MarkdownText {
  const said: MarkdownText[] = [];
  if (row.isIntervened)
    said.push(
      row.isMaskedOut
        ? saidMarkdown('of the intervened run, in which nothing changes: the causal mask has taken out what is blocked')
        : saidMarkdown('of the intervened run'),
    );
  if (row.method !== 'attention') said.push(methodMarkdown(row.method));
  else if (isBesideSurprisal) said.push(saidMarkdown('attention weights: the colours are of surprisal'));
  const { removed, over } = row;
  if (over.units !== undefined) said.push(levelMarkdown(over.units.level));
  if (removed !== undefined) {
    const mass = escaped(plain(weightText(removed)));
    said.push(
      !isRenormalized
        ? saidMarkdown('sinks removed: {0} of its weight', mass)
        : removed > mostRemoved
          ? saidMarkdown('sinks removed: {0} of its weight; too little is left to be renormalised', mass)
          : saidMarkdown('sinks removed: {0} of its weight; the rest is renormalised', mass),
    );
  }
  return joinMarkdown(said, '; ');
}

/** What the numbers of a card are, with their unit where that is no share. */
function methodMarkdown(id: MethodId): MarkdownText {
  switch (id) {
    case 'attention':
      return md``;
    case 'norm':
      return saidMarkdown('norm-weighted attention: lengths in the model’s own units');
    case 'value':
      return saidMarkdown('value-weighted attention: lengths in the model’s own units');
    case 'summed':
      return saidMarkdown('norm-weighted attention, summed over heads: lengths in the model’s own units');
    case 'residual':
      return saidMarkdown('norm-weighted attention with the residual: lengths in the model’s own units');
    case 'residualNorm':
      return saidMarkdown('norm-weighted attention with residual and norm: lengths in the model’s own units');
    case 'rollout':
      return saidMarkdown('attention rollout: shares of the input');
    case 'rolloutUniform':
      return saidMarkdown('rollout of uniform attention: shares of the input');
    case 'flow':
      return saidMarkdown('attention flow: shares of the input');
  }
}

function levelMarkdown(level: Level): MarkdownText {
  switch (level) {
    case 'word':
      return saidMarkdown('words: sums over keys, means over queries');
    case 'line':
      return saidMarkdown('lines: sums over keys, means over queries');
    case 'symbol':
      return saidMarkdown('symbols: sums over keys, means over queries');
    case 'token':
      return md``;
  }
}
