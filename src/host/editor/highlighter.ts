import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { isCancelled, ExplorerError } from '../../base/errors';
import { entry } from '../../base/logText';
import type { TextSpan } from '../../model/contextWindow';
import type { Direction } from '../../model/pattern';
import { selectedTokens } from '../../model/selectedTokens';
import type { TokenRef } from '../../model/token';
import type { ShownRun } from '../run/shownRun';
import { readSettings } from '../readSettings';
import type { Log } from '../say/log';
import type { ViewStore } from '../view/viewStore';
import { barOf, maxHighlights, maxLiveHighlights, planHighlights, numDepths, type Highlight } from './decorationPlan';
import { DecorationTypes, themeKind } from './decorationTypes';
import type { RowReader } from './rowReader';
import { shownHeat } from './surprisalColours';

/** What is lit in the editor. */
interface Lit {
  readonly run: ShownRun;
  readonly highlights: readonly Highlight[];
  /** The tokens in question that stand in the source text. */
  readonly focus: readonly TokenRef[];
  readonly direction: Direction;
  /** Whether live mode follows what is typed. */
  readonly isFollowing: boolean;
}

/** Lights up, in every editor of the explained document, what the hovered or pinned token reads. */
export class Highlighter implements Disposable {
  readonly #viewStore: ViewStore;
  readonly #rows: RowReader;
  readonly #log: Log;
  readonly #store = new DisposableStore();
  readonly #types = this.#store.add(new MutableDisposable<DecorationTypes>());
  readonly #following = this.#store.add(new MutableDisposable<DisposableStore>());
  #typesKey = '';
  #lit: Lit | undefined;
  /** Counts updates: an answer that comes after a newer question is dropped. */
  #update = 0;
  /** The run whose first light has been told of. */
  #toldRunId: number | undefined;
  /** Which types each editor has ranges of, so that none is cleared in vain. */
  readonly #used = new WeakMap<vscode.TextEditor, Set<vscode.TextEditorDecorationType>>();

  constructor(
    viewStore: ViewStore,
    rows: RowReader,
    log: Log,
    onDidChangeSettings: (listener: () => void) => Disposable,
  ) {
    this.#viewStore = viewStore;
    this.#rows = rows;
    this.#log = log;
    const update = (): void => void this.#refresh();
    const paint = (): void => this.#paint();
    this.#store.add(
      viewStore.onDidChangeRun((run) => {
        const following = new DisposableStore();
        if (run !== undefined) {
          following.add(run.held.onDidIntervene(update));
          following.add(run.held.predictions.onDidPredict(update));
        }
        this.#following.value = following;
        update();
      }),
    );
    this.#store.add(viewStore.onDidChangeView(update));
    this.#store.add(viewStore.onDidChangeHover(update));
    this.#store.add(viewStore.onDidChangeCaret(update));
    this.#store.add(viewStore.onDidChangeStatus(update));
    this.#store.add(onDidChangeSettings(update));
    this.#store.add(vscode.window.onDidChangeVisibleTextEditors(paint));
    this.#store.add(vscode.window.onDidChangeActiveColorTheme(paint));
    this.#store.add(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.#selectionChanged(textEditor)),
    );
  }

  /** What is lit now, strongest first. */
  get highlights(): readonly Highlight[] {
    return this.#lit?.highlights ?? [];
  }

  dispose(): void {
    this.#update++;
    this.#lit = undefined;
    this.#store.dispose();
  }

  async #refresh(): Promise<void> {
    const update = ++this.#update;
    const lit = await this.#read().catch((error: unknown) => {
      // Where the attention is gone the panel says so; here there is only nothing to light.
      if (!isCancelled(error)) this.#log.debug(entry`Nothing is lit: ${ExplorerError.from(error).message}`);
      return undefined;
    });
    if (update !== this.#update || (lit === undefined && this.#lit === undefined)) return;
    this.#lit = lit;
    this.#paint();
    this.#tell(lit);
  }

  /** Says in the log how long a command took to light the editor. */
  #tell(lit: Lit | undefined): void {
    if (lit?.run.askedAt === undefined || lit.run.runId === this.#toldRunId) return;
    this.#toldRunId = lit.run.runId;
    this.#log.info(
      entry`First light in the editor ${(performance.now() - lit.run.askedAt).toFixed(0)} ms after the command.`,
    );
  }

  async #read(): Promise<Lit | undefined> {
    const { run, view, hovered, caret, status, live } = this.#viewStore;
    const isFollowing = run?.isLive === true && live.kind !== 'off';
    if (run === undefined || run.text.isEdited || status.kind === 'engineStopped') return undefined;
    const isHoverShown = hovered !== undefined && readSettings(run.text.uri).highlightOnHover;
    const tokens = isHoverShown
      ? [hovered.token]
      : view.pinned.length > 0 || caret === undefined
        ? view.pinned
        : [caret];
    const focus = tokens.filter(({ stream }) => stream === run.sourceIndex);
    // Surprisal colours all of the text: what is looked at has its frame alone.
    if (shownHeat(this.#viewStore) !== undefined)
      return { run, highlights: [], focus, direction: view.direction, isFollowing };
    const row = await this.#rows.read(run, view, tokens);
    if (row === undefined) return undefined;
    const highlights =
      row.stream === run.sourceIndex
        ? planHighlights(
            row.over.tokens,
            row.ceiling === 1 ? row.drawn : row.drawn.map((weight) => weight / row.ceiling),
            view,
            isFollowing ? maxLiveHighlights : maxHighlights,
          )
        : [];
    return { run, highlights, focus, direction: row.direction, isFollowing };
  }

  #paint(): void {
    const lit = this.#lit;
    if (lit !== undefined) this.#chooseTypes(lit);
    const types = this.#types.value;
    if (types === undefined) return;
    for (const editor of vscode.window.visibleTextEditors) {
      const isOurs = lit !== undefined && editor.document.uri.toString() === lit.run.text.uri.toString();
      this.#apply(editor, types, isOurs ? lit : undefined);
    }
  }

  /** What is lit in a selection has bars: they come and go with it. */
  #selectionChanged(editor: vscode.TextEditor): void {
    const types = this.#types.value;
    if (
      types === undefined ||
      this.#lit === undefined ||
      editor.document.uri.toString() !== this.#lit.run.text.uri.toString()
    )
      return;
    const hasBars = types.bars.some((type) => this.#used.get(editor)?.has(type) === true);
    if (hasBars || editor.selections.some(({ isEmpty }) => !isEmpty)) this.#apply(editor, types, this.#lit);
  }

  #apply(editor: vscode.TextEditor, types: DecorationTypes, lit: Lit | undefined): void {
    const ranges =
      lit === undefined ? new Map<vscode.TextEditorDecorationType, vscode.Range[]>() : rangesOf(editor, types, lit);
    for (const type of this.#used.get(editor) ?? []) if (!ranges.has(type)) editor.setDecorations(type, []);
    for (const [type, list] of ranges) editor.setDecorations(type, list);
    this.#used.set(editor, new Set(ranges.keys()));
  }

  /** Types are made anew only when their look changes; disposing of the former clears them everywhere. */
  #chooseTypes({ run, direction, isFollowing }: Lit): void {
    const { colourMap } = readSettings(run.text.uri);
    const kind = themeKind(vscode.window.activeColorTheme.kind);
    const key = `${colourMap} ${direction} ${kind} ${numDepths} ${isFollowing}`;
    if (key === this.#typesKey && this.#types.value !== undefined) return;
    this.#typesKey = key;
    this.#types.value = new DecorationTypes(colourMap, direction, kind, !isFollowing);
  }
}

/** What is lit in an editor, by how it looks. */
function rangesOf(
  { document, selections }: vscode.TextEditor,
  types: DecorationTypes,
  lit: Lit,
): Map<vscode.TextEditorDecorationType, vscode.Range[]> {
  const { text, source } = lit.run;
  const ranges = new Map<vscode.TextEditorDecorationType, vscode.Range[]>();
  const add = (type: vscode.TextEditorDecorationType, range: vscode.Range | undefined): void => {
    if (range === undefined) return;
    const list = ranges.get(type);
    if (list === undefined) ranges.set(type, [range]);
    else list.push(range);
  };
  const selected = selections.filter(({ isEmpty }) => !isEmpty);
  for (const { start, end, bucket, depth } of lit.highlights) {
    const range = text.rangeOf(document, start, end);
    if (range === undefined) continue;
    add(types.byBucket[bucket], range);
    const bar = barOf(depth);
    const isSelected = selected.some((selection) => selection.intersection(range)?.isEmpty === false);
    if (bar !== undefined && isSelected) add(types.bars[bar], range);
  }
  for (const { position } of lit.focus) {
    const token = source.tokens[position];
    if (token !== undefined && token.end > token.start)
      add(types.focus, text.rangeOf(document, token.start, token.end));
  }
  const asked = askedFor(lit);
  if (asked !== undefined) add(types.selected, text.rangeOf(document, asked.start, asked.end));
  return ranges;
}

/** What was selected of more that was read; undefined where all of its tokens have a frame of their own. */
function askedFor({ run, focus }: Lit): TextSpan | undefined {
  const positions = new Set(focus.map(({ position }) => position));
  return run.focus === undefined || selectedTokens(run.source, run.focus).every((position) => positions.has(position))
    ? undefined
    : run.focus;
}
