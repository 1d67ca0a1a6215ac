import type { Component } from '../../model/head';
import type { HowKind } from '../../model/how/how';
import type { TokenRef } from '../../model/token';
import type { MetricId } from '../../model/metrics/metrics';

/** The scheme of the texts and pictures that we bring along; they are in memory. */
export const sampleScheme = 'attention-explorer-sample';

/** The stations of the course, in order: each is a step of the walkthrough with a text in media/course. */
export const stations = [
  'bottleneck',
  'byHand',
  'scale',
  'heads',
  'positions',
  'mask',
  'cross',
  'masked',
  'patches',
  'linear',
  'temperature',
  'limits',
] as const;
/** The name of a station. */
export type Station = (typeof stations)[number];

/** The station of a name; undefined where it names none. */
export function stationNamed(name: unknown): Station | undefined {
  return stations.find((station) => station === name);
}

/** Where the text of a station stands, among the samples. */
export function stationPath(station: Station): string {
  return `/course/${station}.md`;
}

/** The models that the course is told on; all of them are bundled. */
type CourseModel =
  | 'code-decoder'
  | 'code-encoder'
  | 'date-seq2seq'
  | 'date-transformer'
  | 'shapes-linear-vit'
  | 'shapes-vit'
  | 'thinking-machines'
  | 'worked-example';

/** What a station shows: a model on a text or a picture, a head of it, what is pinned, and the view that is open. */
export interface Scene {
  readonly station: Station;
  readonly model: CourseModel;
  /** What is read, where it is not the model's own sample. */
  readonly text?: string;
  /** How the name of what is read ends. */
  readonly extension: 'py' | 'txt' | 'png';
  readonly component: Component;
  readonly layer: number;
  readonly head: number;
  readonly pinned?: TokenRef;
  /** What is open beside the matrix: all heads, or how the weight of one token for another came about, at a step. */
  readonly open?:
    | { readonly view: 'headTable'; readonly sort: MetricId }
    | { readonly view: 'how'; readonly query: number; readonly key: number; readonly step: HowKind };
}

const source = (position: number): TokenRef => ({ stream: 0, position });
const target = (position: number): TokenRef => ({ stream: 1, position });
const first = { component: 'self', layer: 0, head: 0 } as const;

/**
 * Every scene by its name. A command names one of them and nothing else: whatever asks for it, it opens a bundled model on what we bring
 * along. Positions are those of tokens, as `test/engine/course.node.test.ts` has them.
 */
export const scenes = {
  alignment: { station: 'bottleneck', model: 'date-seq2seq', extension: 'txt', component: 'cross', layer: 0, head: 0 },
  additiveScore: {
    station: 'bottleneck',
    model: 'date-seq2seq',
    extension: 'txt',
    component: 'cross',
    layer: 0,
    head: 0,
    pinned: target(6),
    open: { view: 'how', query: 6, key: 9, step: 'additive' },
  },
  byHand: {
    station: 'byHand',
    model: 'worked-example',
    extension: 'txt',
    ...first,
    pinned: source(0),
    open: { view: 'how', query: 0, key: 1, step: 'product' },
  },
  scale: {
    station: 'scale',
    model: 'thinking-machines',
    extension: 'txt',
    ...first,
    pinned: source(0),
    open: { view: 'how', query: 0, key: 1, step: 'division' },
  },
  previousToken: {
    station: 'heads',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 0,
    head: 1,
    pinned: source(23),
  },
  induction: {
    station: 'heads',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 4,
    pinned: source(23),
  },
  allHeads: {
    station: 'heads',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 4,
    open: { view: 'headTable', sort: 'repeatedInduction' },
  },
  order: {
    station: 'positions',
    model: 'worked-example',
    text: 'x3 x1 x2',
    extension: 'txt',
    ...first,
    pinned: source(1),
  },
  sameTokens: {
    station: 'positions',
    model: 'code-decoder',
    text: 'x x x x x x x x x x x x',
    extension: 'txt',
    component: 'self',
    layer: 0,
    head: 1,
    open: { view: 'how', query: 5, key: 4, step: 'rotaryPosition' },
  },
  mask: {
    station: 'mask',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 4,
    open: { view: 'how', query: 23, key: 5, step: 'mask' },
  },
  noMask: {
    station: 'mask',
    model: 'code-encoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 0,
  },
  encoder: {
    station: 'cross',
    model: 'date-transformer',
    extension: 'txt',
    component: 'encoder',
    layer: 0,
    head: 0,
  },
  decoder: {
    station: 'cross',
    model: 'date-transformer',
    extension: 'txt',
    component: 'decoder',
    layer: 0,
    head: 1,
  },
  cross: {
    station: 'cross',
    model: 'date-transformer',
    extension: 'txt',
    component: 'cross',
    layer: 2,
    head: 1,
  },
  masked: {
    station: 'masked',
    model: 'code-encoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 6,
    pinned: source(44),
  },
  patches: {
    station: 'patches',
    model: 'shapes-vit',
    extension: 'png',
    component: 'self',
    layer: 0,
    head: 2,
    pinned: source(0),
  },
  linear: {
    station: 'linear',
    model: 'shapes-linear-vit',
    extension: 'png',
    component: 'self',
    layer: 0,
    head: 3,
    pinned: source(0),
    open: { view: 'how', query: 0, key: 28, step: 'linearWeight' },
  },
  temperature: {
    station: 'temperature',
    model: 'worked-example',
    extension: 'txt',
    ...first,
    pinned: source(1),
    open: { view: 'how', query: 1, key: 1, step: 'weight' },
  },
  softRow: {
    station: 'temperature',
    model: 'date-transformer',
    extension: 'txt',
    component: 'encoder',
    layer: 2,
    head: 1,
    pinned: source(9),
  },
  hardRow: {
    station: 'temperature',
    model: 'date-transformer',
    extension: 'txt',
    component: 'cross',
    layer: 2,
    head: 1,
    pinned: target(2),
  },
  littleWritten: {
    station: 'limits',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 2,
    pinned: source(39),
    open: { view: 'how', query: 39, key: 0, step: 'contributors' },
  },
  muchWritten: {
    station: 'limits',
    model: 'code-decoder',
    extension: 'py',
    component: 'self',
    layer: 1,
    head: 2,
    pinned: source(87),
    open: { view: 'how', query: 87, key: 5, step: 'contributors' },
  },
} as const satisfies Readonly<Record<string, Scene>>;

/** The name of a scene. */
export type SceneName = keyof typeof scenes;

const all: ReadonlyMap<string, Scene> = new Map(Object.entries(scenes));

/** The scene of a name; undefined where it names none. */
export function sceneNamed(name: unknown): Scene | undefined {
  return typeof name === 'string' ? all.get(name) : undefined;
}

/** Where what a scene reads stands, among the samples. */
export function scenePath(name: string, { extension }: Scene): string {
  return `/course/${name}.${extension}`;
}

/** The scene whose text or picture stands at a path among the samples, with its name; undefined where none does. */
export function sceneAt(path: string): { readonly name: string; readonly scene: Scene } | undefined {
  const [, name] = /^\/course\/(\w+)\.\w+$/.exec(path) ?? [];
  const scene = sceneNamed(name);
  return name !== undefined && scene !== undefined && scenePath(name, scene) === path ? { name, scene } : undefined;
}

/** The model that reads what stands at an address, as settings name it, where that is a scene's: the course is about these models, whatever the settings say. */
export function modelOfScene({
  scheme,
  path,
}: {
  readonly scheme: string;
  readonly path: string;
}): `bundled:${CourseModel}` | undefined {
  const found = scheme === sampleScheme ? sceneAt(path) : undefined;
  return found && `bundled:${found.scene.model}`;
}
