import { signal, type ReadonlySignal } from '@preact/signals';
import { editorColours, parseColour, type Rgb, type ThemeKind } from '../../src/model/ramp';
import type { MatrixStyle } from '../draw/drawMatrix';

/** What drawing needs to know of the editor's theme. */
export interface Theme {
  readonly kind: ThemeKind;
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly isHighContrast: boolean;
  /** The line that high contrast draws around things. */
  readonly outline: Rgb;
  readonly canvas: MatrixStyle;
}

function kindOf(classes: DOMTokenList): ThemeKind {
  if (classes.contains('vscode-high-contrast-light')) return 'highContrastLight';
  if (classes.contains('vscode-high-contrast')) return 'highContrastDark';
  return classes.contains('vscode-light') ? 'light' : 'dark';
}

/** Reads the theme as VS Code has written it into the page. */
function readTheme(): Theme {
  const isForced = matchMedia('(forced-colors: active)').matches;
  const isPageDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const kind = isForced ? (isPageDark ? 'highContrastDark' : 'highContrastLight') : kindOf(document.body.classList);
  const style = getComputedStyle(document.documentElement);
  const text = (name: string): string => style.getPropertyValue(`--vscode-${name}`).trim();
  const defaults = editorColours[kind];
  const isHighContrast = kind === 'highContrastDark' || kind === 'highContrastLight';
  const isDark = kind === 'dark' || kind === 'highContrastDark';
  const background = (isForced ? undefined : parseColour(text('editor-background'))) ?? defaults.background;
  const foreground = (isForced ? undefined : parseColour(text('editor-foreground'))) ?? defaults.foreground;
  const veil = (opacity: number): string => `rgba(${foreground.r}, ${foreground.g}, ${foreground.b}, ${opacity})`;
  return {
    kind,
    background,
    foreground,
    isHighContrast,
    outline: parseColour(text('contrastBorder')) ?? (isDark ? { r: 111, g: 195, b: 223 } : { r: 15, g: 74, b: 133 }),
    canvas: {
      background: `rgb(${background.r}, ${background.g}, ${background.b})`,
      foreground: veil(1),
      dim: veil(isHighContrast ? 0.8 : 0.6),
      faint: veil(0.1),
      hatch: veil(isHighContrast ? 0.55 : 0.16),
      line: veil(isHighContrast ? 1 : 0.35),
      accent: text('focusBorder') || (isDark ? '#0078d4' : '#005fb8'),
      bar: veil(0.55),
      fontFamily: text('editor-font-family') || 'monospace',
    },
  };
}

/** The theme of the page, followed as VS Code changes it; one observer for the page's life. */
export function followTheme(): ReadonlySignal<Theme> {
  const theme = signal(readTheme());
  const update = (): void => {
    theme.value = readTheme();
  };
  new MutationObserver(update).observe(document.body, {
    attributes: true,
    attributeFilter: ['class', 'data-vscode-theme-id'],
  });
  new MutationObserver(update).observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  matchMedia('(forced-colors: active)').addEventListener('change', update);
  return theme;
}
