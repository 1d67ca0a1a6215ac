import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { cssColour, editorColours, type ThemeKind } from '../../model/ramp';
import { numSurprisalSteps, surprisalSteps } from '../../model/predictions';
import type { ShownRun } from '../run/shownRun';
import type { ViewStore } from '../view/viewStore';
import { themeKind } from './decorationTypes';

/** Thickness of the bar of a step, in pixels, and its opacity: the panel's own. */
const barOfStep = (step: number): { readonly pixels: number; readonly opacity: number } => ({
  pixels: 0.5 + 0.375 * step,
  opacity: step / numSurprisalSteps,
});

/** Where someone asks for it, puts a bar below each token of the explained text in the editor, the thicker the more bits of surprisal it has. */
export class SurprisalMarks implements Disposable {
  readonly #viewStore: ViewStore;
  readonly #store = new DisposableStore();
  readonly #types = this.#store.add(new MutableDisposable<DisposableStore>());
  readonly #following = this.#store.add(new MutableDisposable());
  #byStep: readonly vscode.TextEditorDecorationType[] = [];
  #kind: ThemeKind | undefined;

  constructor(viewStore: ViewStore) {
    this.#viewStore = viewStore;
    const paint = (): void => this.#paint();
    const follow = (run: ShownRun | undefined): void => {
      this.#following.value = run?.held.onDidPredict(paint);
      paint();
    };
    this.#store.add(viewStore.onDidChangeRun(follow));
    this.#store.add(viewStore.onDidMarkSurprisal(paint));
    this.#store.add(vscode.window.onDidChangeVisibleTextEditors(paint));
    this.#store.add(vscode.window.onDidChangeActiveColorTheme(paint));
  }

  dispose(): void {
    this.#store.dispose();
  }

  #paint(): void {
    const { run, isSurprisalMarked } = this.#viewStore;
    const predictions = isSurprisalMarked && run?.text.isEdited === false ? run.held.predictions : undefined;
    const steps =
      predictions === undefined || predictions.kind === 'labels' || predictions.stream !== run?.sourceIndex
        ? undefined
        : surprisalSteps(predictions, run.source.tokens.length);
    if (run === undefined || steps === undefined) {
      this.#types.value = undefined; // which clears them everywhere
      this.#kind = undefined;
      return;
    }
    this.#chooseTypes();
    for (const editor of vscode.window.visibleTextEditors) {
      const isOurs = editor.document.uri.toString() === run.text.uri.toString();
      const ranges = this.#byStep.map((): vscode.Range[] => []);
      run.source.tokens.forEach(({ start, end }, position) => {
        if (!isOurs || steps[position] === 0 || start === end) return;
        const range = run.text.rangeOf(editor.document, start, end);
        if (range !== undefined) ranges[steps[position] - 1].push(range);
      });
      this.#byStep.forEach((type, i) => editor.setDecorations(type, ranges[i]));
    }
  }

  #chooseTypes(): void {
    const kind = themeKind(vscode.window.activeColorTheme.kind);
    if (kind === this.#kind) return;
    this.#kind = kind;
    const types = new DisposableStore();
    this.#byStep = Array.from({ length: numSurprisalSteps }, (_, i) => {
      const { pixels, opacity } = barOfStep(i + 1);
      // Borders are frames of what is looked at, and colours are weights.
      const colour = cssColour({ ...editorColours[kind].foreground, a: opacity });
      return types.add(
        vscode.window.createTextEditorDecorationType({
          rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
          textDecoration: `underline ${pixels}px ${colour}`,
        }),
      );
    });
    this.#types.value = types;
  }
}
