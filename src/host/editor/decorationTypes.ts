import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import type { Direction } from '../../model/pattern';
import { rampFor, type ThemeKind } from '../../model/ramp';
import type { ColourMap } from '../../model/viewState';
import { numBars } from './decorationPlan';
import { depthStyles } from './depthStyles';

/** The kind of the theme in use. */
export function themeKind(kind: vscode.ColorThemeKind): ThemeKind {
  switch (kind) {
    case vscode.ColorThemeKind.Light:
      return 'light';
    case vscode.ColorThemeKind.Dark:
      return 'dark';
    case vscode.ColorThemeKind.HighContrast:
      return 'highContrastDark';
    case vscode.ColorThemeKind.HighContrastLight:
      return 'highContrastLight';
  }
}

/** One decoration type for each depth bucket, and one that outlines the token in question. */
export class DecorationTypes implements Disposable {
  readonly #store = new DisposableStore();
  readonly byBucket: readonly vscode.TextEditorDecorationType[];
  readonly focus: vscode.TextEditorDecorationType;
  /** What was selected, where more was read. */
  readonly selected: vscode.TextEditorDecorationType;
  /** Bars above what is lit in a selection, thicker for more. */
  readonly bars: readonly vscode.TextEditorDecorationType[];

  /** @param hasMarks whether the overview ruler gets marks too. */
  constructor(colourMap: ColourMap, direction: Direction, kind: ThemeKind, hasMarks: boolean) {
    const styles = depthStyles((background, foreground) => rampFor(colourMap, background, foreground, direction), kind);
    const create = (options: vscode.DecorationRenderOptions): vscode.TextEditorDecorationType =>
      this.#store.add(
        vscode.window.createTextEditorDecorationType({
          rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
          ...options,
        }),
      );
    this.byBucket = styles.map(({ background, text, ruler, outline, outlineWidth }) =>
      create({
        backgroundColor: background,
        ...(text === undefined ? {} : { color: text }),
        ...(hasMarks ? { overviewRulerColor: ruler, overviewRulerLane: vscode.OverviewRulerLane.Center } : {}),
        ...(outlineWidth === 0 ? {} : { outline: `${outlineWidth}px solid ${outline}` }),
      }),
    );
    // A bar below: a colour would be taken for a weight.
    this.selected = create({
      borderStyle: 'solid',
      borderWidth: '0 0 2px 0',
      borderColor: new vscode.ThemeColor('focusBorder'),
    });
    const strong = styles.at(-1)?.outline;
    this.bars = Array.from({ length: numBars }, (_, thickness) =>
      create({
        borderStyle: 'solid',
        borderWidth: `${thickness + 1}px 0 0 0`,
        ...(strong === undefined ? {} : { borderColor: strong }),
      }),
    );
    this.focus = create({
      borderStyle: 'solid',
      borderWidth: '1px',
      borderColor: new vscode.ThemeColor('focusBorder'),
    });
  }

  dispose(): void {
    this.#store.dispose();
  }
}
