import { converter, modeLrgb, modeOklab, modeRgb, useMode, wcagContrast } from 'culori/fn';
import { interpolateCividis, interpolateMagma, interpolateViridis } from 'd3-scale-chromatic';
import type { Direction } from './pattern';
import type { ColourMap } from './viewState';

useMode(modeRgb);
useMode(modeLrgb);
useMode(modeOklab);
const toOklab = converter('oklab');
const toRgb = converter('rgb');

/** A colour in sRGB, each channel an integer in [0, 255]. */
export interface Rgb {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

/** A colour with its opacity `a` in [0, 1]. */
export interface Rgba extends Rgb {
  readonly a: number;
}

/** The kinds of themes that an editor has. */
export type ThemeKind = 'light' | 'dark' | 'highContrastDark' | 'highContrastLight';

/** The editor colours of VS Code's default themes, for where a theme's own cannot be read. */
export const editorColours: Readonly<Record<ThemeKind, { readonly background: Rgb; readonly foreground: Rgb }>> = {
  light: { background: { r: 255, g: 255, b: 255 }, foreground: { r: 59, g: 59, b: 59 } },
  dark: { background: { r: 31, g: 31, b: 31 }, foreground: { r: 204, g: 204, b: 204 } },
  highContrastDark: { background: { r: 0, g: 0, b: 0 }, foreground: { r: 255, g: 255, b: 255 } },
  highContrastLight: { background: { r: 255, g: 255, b: 255 }, foreground: { r: 41, g: 41, b: 41 } },
};

/** Colours by depth in [0, 1]: even steps to the eye, from the editor's background (depth 0) to full colour (depth 1). */
export interface Ramp {
  colour(depth: number): Rgb;
  /** The colour for text on `colour(depth)`: the editor's foreground while it is readable there, else black or white. */
  text(depth: number): Rgb;
  /** What, laid over the background, gives `colour(depth)` with as little opacity as can be (at most 0.85). */
  overlay(depth: number): Rgba;
}

/** Contrast that WCAG 2.2 (1.4.3) asks of text. */
const readableContrast = 4.5;
const maxOverlayOpacity = 0.85;
const numSteps = 256;
const darkestStep = 0.17;

/** The map that stands for the reverse direction, far from the map itself in hue. */
const counterpart: Readonly<Record<ColourMap, ColourMap>> = {
  blue: 'orange',
  orange: 'blue',
  viridis: 'magma',
  cividis: 'magma',
  magma: 'viridis',
};

/** A colour in OKLab. */
interface Lab {
  readonly l: number;
  readonly a: number;
  readonly b: number;
}

/** The ramp of a colour map over an editor's background; `readBy` has a hue of its own. */
export function rampFor(colourMap: ColourMap, background: Rgb, foreground: Rgb, direction: Direction): Ramp {
  const map = direction === 'reads' ? colourMap : counterpart[colourMap];
  return rampThrough((isDark) => pointsOf(map, isDark), background, foreground);
}

/** The ramp of surprisal, whose hue no weight has in the maps of one hue. */
export function surprisalRamp(background: Rgb, foreground: Rgb): Ramp {
  return rampThrough((isDark) => [isDark ? fromLch(0.82, 0.12, 160) : fromLch(0.45, 0.1, 160)], background, foreground);
}

/** The ramp from an editor's background through points of OKLab, which are told whether that background is dark. */
export function rampThrough(points: (isDark: boolean) => readonly Lab[], background: Rgb, foreground: Rgb): Ramp {
  // Made when they are first wanted: of the reverse direction mostly nothing is.
  let table: readonly Rgb[] | undefined;
  const texts: Rgb[] = [];
  const overlays: Rgba[] = [];
  const colour = (depth: number): Rgb => (table ??= tableOf(points, background))[indexOf(depth)];
  return {
    colour,
    text: (depth) => (texts[indexOf(depth)] ??= textOver(colour(depth), foreground)),
    overlay: (depth) => (overlays[indexOf(depth)] ??= overlayOf(colour(depth), background)),
  };
}

/** The WCAG contrast ratio of two colours, from 1 to 21. */
export function contrastOf(one: Rgb, other: Rgb): number {
  return wcagContrast(culoriRgb(one), culoriRgb(other));
}

/** A colour as OKLab has it (Ottosson 2020): lightness `l` in [0, 1] and the opponent axes `a` and `b`. */
export function oklabOf(colour: Rgb): Lab {
  const { l, a, b } = toOklab(culoriRgb(colour));
  return { l, a, b };
}

/** A colour as CSS writes it. */
export function cssColour(colour: Rgb | Rgba): string {
  return 'a' in colour
    ? `rgba(${colour.r}, ${colour.g}, ${colour.b}, ${Number(colour.a.toFixed(3))})`
    : `rgb(${colour.r}, ${colour.g}, ${colour.b})`;
}

/** Reads `#rgb`, `#rrggbb(aa)` and `rgb(…)`/`rgba(…)` (opacity dropped); undefined for anything else. */
export function parseColour(text: string): Rgb | undefined {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (hex !== undefined && (hex.length === 6 || hex.length === 8))
    return { r: parseInt(hex.slice(0, 2), 16), g: parseInt(hex.slice(2, 4), 16), b: parseInt(hex.slice(4, 6), 16) };
  if (hex !== undefined && hex.length <= 4)
    return {
      r: parseInt(hex.charAt(0), 16) * 17,
      g: parseInt(hex.charAt(1), 16) * 17,
      b: parseInt(hex.charAt(2), 16) * 17,
    };
  const parts = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/i.exec(text.trim());
  return parts === null
    ? undefined
    : { r: Math.round(Number(parts[1])), g: Math.round(Number(parts[2])), b: Math.round(Number(parts[3])) };
}

function indexOf(depth: number): number {
  return depth > 0 ? Math.min(numSteps - 1, Math.round(depth * (numSteps - 1))) : 0;
}

function tableOf(points: (isDark: boolean) => readonly Lab[], background: Rgb): Rgb[] {
  const start = oklabOf(background);
  const isDark = start.l < 0.5;
  // Bytes near black cannot show OKLab's even steps, so on such backgrounds the steps begin a little above.
  const path = [isDark ? { ...start, l: Math.max(start.l, darkestStep) } : start, ...points(isDark)];
  // Lightness only ever moves away from the background's: what does not is left out, and the rest joined.
  const kept = path.filter(
    (point, i) => i === 0 || (isDark ? point.l > Math.max(start.l, darkestStep) + 0.02 : point.l < start.l - 0.02),
  );
  return evenSteps(kept, numSteps).map((point, i) => (i === 0 ? background : rgbOf(point)));
}

/** The way from weak to strong, without the background. */
function pointsOf(colourMap: ColourMap, isDark: boolean): Lab[] {
  switch (colourMap) {
    case 'blue':
      return [isDark ? fromLch(0.8, 0.105, 245) : fromLch(0.42, 0.15, 260)];
    case 'orange':
      return [isDark ? fromLch(0.82, 0.135, 68) : fromLch(0.48, 0.115, 50)];
    case 'viridis':
      return sampled(interpolateViridis, isDark);
    case 'cividis':
      return sampled(interpolateCividis, isDark);
    case 'magma':
      return sampled(interpolateMagma, isDark);
  }
}

/** A colour of OKLab by its chroma and its hue in degrees. */
export function fromLch(l: number, chroma: number, hue: number): Lab {
  const angle = (hue * Math.PI) / 180;
  return { l, a: chroma * Math.cos(angle), b: chroma * Math.sin(angle) };
}

function sampled(interpolate: (t: number) => string, isDark: boolean): Lab[] {
  const points: Lab[] = [];
  const count = 64;
  for (let i = 0; i <= count; i++) {
    const point = oklabOf(parseColour(interpolate(isDark ? i / count : 1 - i / count)) ?? { r: 0, g: 0, b: 0 });
    const last = points.at(-1);
    if (last === undefined || (isDark ? point.l > last.l : point.l < last.l)) points.push(point);
  }
  return points;
}

/** Points at even distances along a polyline in OKLab, where distance is difference to the eye. */
function evenSteps(path: readonly Lab[], count: number): Lab[] {
  const lengths = path
    .slice(1)
    .map((point, i) => Math.hypot(point.l - path[i].l, point.a - path[i].a, point.b - path[i].b));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const steps: Lab[] = [];
  let segment = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const at = (total * i) / (count - 1);
    while (segment < lengths.length - 1 && before + lengths[segment] < at) before += lengths[segment++];
    const share = lengths[segment] > 0 ? Math.min(1, (at - before) / lengths[segment]) : 0;
    const from = path[segment];
    const to = path[segment + 1];
    steps.push({
      l: from.l + (to.l - from.l) * share,
      a: from.a + (to.a - from.a) * share,
      b: from.b + (to.b - from.b) * share,
    });
  }
  return steps;
}

function textOver(colour: Rgb, foreground: Rgb): Rgb {
  if (contrastOf(colour, foreground) >= readableContrast) return foreground;
  const black = { r: 0, g: 0, b: 0 };
  const white = { r: 255, g: 255, b: 255 };
  return contrastOf(colour, black) >= contrastOf(colour, white) ? black : white;
}

function overlayOf(colour: Rgb, background: Rgb): Rgba {
  const channels = ['r', 'g', 'b'] as const;
  const needed = Math.max(
    ...channels.map((c) =>
      colour[c] > background[c]
        ? (colour[c] - background[c]) / (255 - background[c])
        : background[c] > 0
          ? (background[c] - colour[c]) / background[c]
          : 0,
    ),
  );
  const a = Math.min(maxOverlayOpacity, needed);
  const under = (c: 'r' | 'g' | 'b'): number =>
    a > 0 ? clampByte((colour[c] - background[c] * (1 - a)) / a) : background[c];
  return { r: under('r'), g: under('g'), b: under('b'), a };
}

function clampByte(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}

function culoriRgb({ r, g, b }: Rgb): { mode: 'rgb'; r: number; g: number; b: number } {
  return { mode: 'rgb', r: r / 255, g: g / 255, b: b / 255 };
}

function rgbOf({ l, a, b }: Lab): Rgb {
  const colour = toRgb({ mode: 'oklab', l, a, b });
  return { r: clampByte(colour.r * 255), g: clampByte(colour.g * 255), b: clampByte(colour.b * 255) };
}
