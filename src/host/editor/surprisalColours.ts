import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { surprisalRamp, type ThemeKind } from '../../model/ramp';
import { surprisalHeat, type SurprisalHeat } from '../../model/predictions';
import type { ShownRun } from '../run/shownRun';
import type { ViewStore } from '../view/viewStore';
import { bucketOf, numDepths } from './decorationPlan';
import { themeKind } from './decorationTypes';
import { depthStyles } from './depthStyles';

/**
 * The surprisal that colours the explained text in the place of weights; undefined where weights do, as they do of a run with interventions, or
 * where it is not known yet.
 */
export function shownHeat({ run, view }: Pick<ViewStore, 'run' | 'view'>): SurprisalHeat | undefined {
  const predictions = run?.held.predictions.known;
  if (run === undefined || predictions === undefined || view.light !== 'surprisal' || run.held.intervened !== undefined)
    return undefined;
  const heat = surprisalHeat(predictions, run.source.tokens.length);
  return heat?.stream === run.sourceIndex ? heat : undefined;
}

/** Where someone has chosen it, colours each token of the explained text in the editor by its surprisal, on a scale of its own. */
export class SurprisalColours implements Disposable {
  readonly #viewStore: ViewStore;
  readonly #store = new DisposableStore();
  readonly #types = this.#store.add(new MutableDisposable<DisposableStore>());
  readonly #following = this.#store.add(new MutableDisposable<DisposableStore>());
  #byDepth: readonly vscode.TextEditorDecorationType[] = [];
  #kind: ThemeKind | undefined;
  #isWanted = false;

  constructor(viewStore: ViewStore) {
    this.#viewStore = viewStore;
    const update = (): void => this.#update();
    const paint = (): void => this.#paint();
    const follow = (run: ShownRun | undefined): void => {
      const following = new DisposableStore();
      if (run !== undefined) {
        following.add(run.held.predictions.onDidPredict(paint));
        following.add(run.held.onDidIntervene(paint));
      }
      this.#following.value = following;
      this.#isWanted = false;
      update();
      paint();
    };
    this.#store.add(viewStore.onDidChangeRun(follow));
    this.#store.add(viewStore.onDidChangeView(update));
    this.#store.add(vscode.window.onDidChangeVisibleTextEditors(paint));
    this.#store.add(vscode.window.onDidChangeActiveColorTheme(paint));
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** The view changes with every pin: only another light is looked at. */
  #update(): void {
    const { run, view } = this.#viewStore;
    const isWanted = run !== undefined && view.light === 'surprisal';
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    // The panel says why it cannot be had.
    if (isWanted) run.held.predictions.predict(undefined).catch(() => {});
    this.#paint();
  }

  #paint(): void {
    const { run } = this.#viewStore;
    const heat = run?.text.isEdited === false ? shownHeat(this.#viewStore) : undefined;
    if (run === undefined || heat === undefined) {
      this.#types.value = undefined; // which clears them everywhere
      this.#kind = undefined;
      return;
    }
    this.#chooseTypes();
    for (const editor of vscode.window.visibleTextEditors) {
      const isOurs = editor.document.uri.toString() === run.text.uri.toString();
      const ranges = Array.from({ length: numDepths }, (): vscode.Range[] => []);
      run.source.tokens.forEach(({ start, end }, position) => {
        const bucket = bucketOf(Math.min(1, heat.bits[position] / heat.ceiling));
        if (!isOurs || bucket === undefined || start === end) return;
        const range = run.text.rangeOf(editor.document, start, end);
        if (range !== undefined) ranges[bucket].push(range);
      });
      this.#byDepth.forEach((type, i) => editor.setDecorations(type, ranges[i]));
    }
  }

  #chooseTypes(): void {
    const kind = themeKind(vscode.window.activeColorTheme.kind);
    if (kind === this.#kind) return;
    this.#kind = kind;
    const types = new DisposableStore();
    // No marks in the overview ruler: all of a text would have one.
    this.#byDepth = depthStyles(surprisalRamp, kind).map(({ background, text, outline, outlineWidth }) =>
      types.add(
        vscode.window.createTextEditorDecorationType({
          rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
          backgroundColor: background,
          ...(text === undefined ? {} : { color: text }),
          ...(outlineWidth === 0 ? {} : { outline: `${outlineWidth}px solid ${outline}` }),
        }),
      ),
    );
    this.#types.value = types;
  }
}
