import type { Rect } from './headGrid';

/**
 * The parts of the panel that show a run, in the order in which the keyboard comes to them. None is made smaller than this, in CSS pixels, by moving a
 * line, as far as the panel has room.
 */
const least = {
  source: { width: 140, height: 80 },
  heads: { width: 90, height: 60 },
  list: { width: 110, height: 50 },
  matrix: { width: 150, height: 140 },
  headTable: { width: 150, height: 110 },
  how: { width: 150, height: 110 },
  relations: { width: 150, height: 110 },
  predictions: { width: 150, height: 110 },
  effects: { width: 150, height: 110 },
  compare: { width: 150, height: 110 },
} as const satisfies Readonly<Record<string, { readonly width: number; readonly height: number }>>;

/** The name of a part. */
export type PaneName = keyof typeof least;
/** The parts that are there only where someone has opened them. */
export const viewNames = [
  'headTable',
  'relations',
  'predictions',
  'effects',
  'compare',
  'how',
] as const satisfies readonly PaneName[];
/** The name of such a part. */
export type ViewName = (typeof viewNames)[number];
/** All of them. */
export const paneNames = Object.keys(least) as PaneName[]; // its own keys, in order

/** Two areas side by side (`x`) or one above the other (`y`), with a line between them that can be moved. */
interface Split {
  readonly name: string;
  readonly axis: 'x' | 'y';
  readonly first: Area;
  readonly second: Area;
  /** The first area's share until someone moves the line; of a grid of heads at most, which then takes what it needs. */
  readonly share: number;
  readonly isFitted?: boolean;
}

/** Several parts in one place, one seen at a time. */
interface Tabs {
  readonly tabs: readonly PaneName[];
}

type Area = PaneName | Split | Tabs;

const tabs: Tabs = { tabs: ['matrix', 'heads', 'list', ...viewNames] };
const views: Tabs = { tabs: viewNames };
/** Where there is less room, the list is behind the views. */
const viewsAndList: Tabs = { tabs: [...viewNames, 'list'] };
/** Two areas beside each other, the first with a share of the width. */
const beside = (name: string, share: number, first: Area, second: Area): Split => ({
  name,
  axis: 'x',
  share,
  first,
  second,
});
/** Two areas one above the other, the first with a share of the height. */
const above = (...split: Parameters<typeof beside>): Split => ({ ...beside(...split), axis: 'y' });
const headsOverList = (name: string): Split => ({ ...above(name, 0.62, 'heads', 'list'), isFitted: true });

const compactShares = { source: 0.37, heads: 0.42 } as const;

/** Every layout of the panel. All parts are seen in each but the last three, for where there is no room for that; an area of views of which none is open is not there. */
const layouts = {
  /** The list beside the text, the matrix as high as the panel. */
  wide: beside(
    'wideSource',
    0.3,
    'source',
    above('wideViews', 0.45, views, beside('wideHeads', 0.36, headsOverList('wideGrid'), 'matrix')),
  ),
  /** For a grid so high that the list has no room below it. */
  quarters: above(
    'quartersSource',
    0.37,
    beside('quartersText', 0.6, 'source', 'list'),
    beside('quartersHeads', 0.42, 'heads', 'matrix'),
  ),
  compact: above(
    'compactSource',
    compactShares.source,
    'source',
    beside('compactHeads', compactShares.heads, headsOverList('compactGrid'), 'matrix'),
  ),
  /** A picture is about as wide as high, and so is its matrix below it. */
  picture: above(
    'pictureSource',
    0.5,
    beside('pictureHeads', 0.57, 'source', 'heads'),
    beside('pictureList', 0.57, 'matrix', 'list'),
  ),
  /** With a view open, where it is not wide. */
  stacked: above(
    'stackedSource',
    0.28,
    'source',
    above('stackedViews', 0.5, viewsAndList, beside('stackedHeads', 0.42, 'heads', 'matrix')),
  ),
  narrow: above('narrowSource', 0.45, 'source', tabs),
  low: beside('lowSource', 0.5, 'source', tabs),
} as const satisfies Record<string, Split>;

/** The name of a layout. */
export type LayoutKind = keyof typeof layouts;

/** Width of the line between two areas, and height of a row of tabs, in CSS pixels. */
const lineWidth = 5;
const tabsHeight = 30;

/** Where less room is, two parts have to share it. */
const wideFrom = 980;
const quartersFrom = 700;
const narrowBelow = 430;
const lowBelow = 380;
/** In less height three rows have no room for what is in them. */
const stackedFrom = 620;
/** A list lower than this shows less than its four strongest. */
const leastList = 110;

/** What a layout is chosen by and made for. */
export interface PaneRoom {
  readonly width: number;
  readonly height: number;
  readonly isPicture: boolean;
  /** The views that are open. */
  readonly open?: readonly ViewName[];
  /** The height that the grid of heads needs in a width. */
  heightOfHeads(width: number): number;
}

/** The layout for a room. */
export function layoutKindFor({ width, height, isPicture, open = [], heightOfHeads }: PaneRoom): LayoutKind {
  if (height < lowBelow) return width > height ? 'low' : 'narrow';
  if (width < narrowBelow) return isPicture && width >= 400 && open.length === 0 ? 'picture' : 'narrow';
  if (width >= wideFrom) return 'wide';
  if (open.length > 0) return height >= stackedFrom ? 'stacked' : 'narrow';
  if (isPicture) return 'picture';
  const leftForList = height * (1 - compactShares.source) - heightOfHeads(width * compactShares.heads) - 2 * lineWidth;
  return width >= quartersFrom && leftForList < leastList ? 'quarters' : 'compact';
}

/** A line between two areas: where it is, and the area that it divides. */
export interface PlacedSplit {
  readonly name: string;
  readonly axis: 'x' | 'y';
  readonly rect: Rect;
  readonly area: Rect;
  readonly share: number;
  /** The first part before it, which it is named by. */
  readonly pane: PaneName;
}

/** Where everything stands in the panel's body, in CSS pixels. */
export interface PlacedPanes {
  /** Of views only of those that are open. */
  readonly panes: Readonly<Record<Exclude<PaneName, ViewName>, Rect> & Partial<Record<ViewName, Rect>>>;
  readonly splits: readonly PlacedSplit[];
  /** The parts of which one is seen at a time, with the place of their tabs. */
  readonly tabs: { readonly panes: readonly PaneName[]; readonly rect: Rect } | undefined;
}

/** The names of all lines that can be moved. */
export const splitNames: readonly string[] = Object.values(layouts).flatMap((layout) => namesIn(layout));

function namesIn(area: Area): string[] {
  return typeof area === 'string' || 'tabs' in area ? [] : [area.name, ...namesIn(area.first), ...namesIn(area.second)];
}

/** Lays a layout out in a room; `shares` are those of the lines that someone has moved. */
export function placePanes(kind: LayoutKind, room: PaneRoom, shares: Readonly<Record<string, number>>): PlacedPanes {
  const panes: Partial<Record<PaneName, Rect>> = {};
  const splits: PlacedSplit[] = [];
  let placedTabs: PlacedPanes['tabs'];
  const place = (area: Area, rect: Rect): void => {
    if (typeof area === 'string') panes[area] = rect;
    else if ('tabs' in area) {
      placedTabs = { panes: area.tabs, rect: { ...rect, height: Math.min(tabsHeight, rect.height) } };
      for (const name of area.tabs)
        panes[name] = { ...rect, y: rect.y + tabsHeight, height: Math.max(0, rect.height - tabsHeight) };
    } else placeSplit(area, rect);
  };
  const placeSplit = (area: Split, rect: Rect): void => {
    const side = area.axis === 'x' ? 'width' : 'height';
    const length = Math.max(0, rect[side] - lineWidth);
    const needed = area.isFitted === true ? room.heightOfHeads(rect.width) / Math.max(1, length) : 1;
    const wanted = Math.round(length * (shares[area.name] ?? Math.min(area.share, needed)));
    const [low, high] = [leastOf(area.first)[side], length - leastOf(area.second)[side]];
    // Where not even the least fits, both give way.
    const size = low > high ? Math.round(length * area.share) : Math.min(high, Math.max(low, wanted));
    const part = (from: number, size: number): Rect =>
      area.axis === 'x' ? { ...rect, x: rect.x + from, width: size } : { ...rect, y: rect.y + from, height: size };
    splits.push({
      name: area.name,
      axis: area.axis,
      rect: part(size, lineWidth),
      area: rect,
      share: length > 0 ? size / length : 0,
      pane: firstPane(area.first),
    });
    place(area.first, part(0, size));
    place(area.second, part(size + lineWidth, Math.max(0, length - size)));
  };
  const root = withOpen(layouts[kind], room.open ?? []);
  if (root !== undefined) place(root, { x: 0, y: 0, width: room.width, height: room.height });
  const nowhere: Rect = { x: 0, y: 0, width: 0, height: 0 };
  return {
    panes: { source: nowhere, heads: nowhere, list: nowhere, matrix: nowhere, ...panes },
    splits,
    tabs: placedTabs,
  };
}

/** An area with those views alone that are open; undefined where nothing of it is left. One part alone needs no tabs, but where all share them. */
function withOpen(area: Area, open: readonly ViewName[]): Area | undefined {
  const isThere = (name: PaneName): boolean =>
    !viewNames.some((view) => view === name) || open.some((view) => view === name);
  if (typeof area === 'string') return isThere(area) ? area : undefined;
  if ('tabs' in area) {
    const left = area.tabs.filter(isThere);
    return left.length > 1 ? { tabs: left } : left[0];
  }
  const [first, second] = [withOpen(area.first, open), withOpen(area.second, open)];
  return first !== undefined && second !== undefined ? { ...area, first, second } : (first ?? second);
}

function firstPane(area: Area): PaneName {
  if (typeof area === 'string') return area;
  return 'tabs' in area ? area.tabs[0] : firstPane(area.first);
}

function leastOf(area: Area): { readonly width: number; readonly height: number } {
  if (typeof area === 'string') return least[area];
  if ('tabs' in area)
    return {
      width: Math.max(...area.tabs.map((name) => least[name].width)),
      height: tabsHeight + Math.max(...area.tabs.map((name) => least[name].height)),
    };
  const [first, second] = [leastOf(area.first), leastOf(area.second)];
  const isRow = area.axis === 'x';
  return {
    width: isRow ? first.width + lineWidth + second.width : Math.max(first.width, second.width),
    height: isRow ? Math.max(first.height, second.height) : first.height + lineWidth + second.height,
  };
}
