import {
  effectPaths,
  replacements,
  silencings,
  type EffectPath,
  type Intervention,
  type Replacement,
  type Silencing,
} from '../../src/model/effects/effects';
import { components } from '../../src/base/component';
import { headLabel, type Component, type HeadRef, type HeadSelection } from '../../src/model/head';
import type { RunInfo } from '../../src/model/modelInfo';

/** What is asked about. A token or label that is not named is the one that stands there, else the most probable one. */
export type AskedQuestion =
  | {
      readonly kind: 'token';
      readonly position: number;
      readonly token?: number | string | undefined;
      readonly against?: number | string | undefined;
    }
  | { readonly kind: 'loss' }
  | { readonly kind: 'label'; readonly label?: number | undefined; readonly against?: number | undefined };

/** What of a pattern is blocked: one cell, all that a query reads, or all that reads a key. */
export const blockShapes = ['cell', 'row', 'column'] as const;
/** One of them. */
export type BlockShape = (typeof blockShapes)[number];

/** What is done in some heads. A blocked cell keeps both its places, whatever of it is blocked. */
export type Deed =
  | { readonly kind: 'silence'; readonly by: Silencing }
  | { readonly kind: 'swap' }
  | {
      readonly kind: 'block';
      readonly query: number;
      readonly key: number;
      readonly shape: BlockShape;
      readonly isRenormalized: boolean;
    };

/** An intervention as it is listed. */
export interface ListedIntervention {
  readonly id: number;
  /** What someone calls it; empty: by what it does. */
  readonly name: string;
  readonly isOn: boolean;
  readonly component: Component;
  readonly heads: readonly HeadRef[];
  readonly deed: Deed;
}

/** What someone has arranged of effects, and of which model and text it is: what names tokens says nothing of another text. */
export interface EffectsLayout {
  readonly model: string;
  readonly text: number;
  /** Undefined until someone has chosen: then what was looked at when the view opened. */
  readonly question: AskedQuestion | undefined;
  readonly by: Replacement;
  readonly path: EffectPath;
  readonly interventions: readonly ListedIntervention[];
}

/** How effects are arranged before anyone has touched them. */
export const firstEffects: EffectsLayout = {
  model: '',
  text: 0,
  question: undefined,
  by: 'zero',
  path: 'total',
  interventions: [],
};

/** Interventions that are listed at most, and heads that one of them has. */
export const mostInterventions = 32;
const mostHeads = 4096;
/** UTF-16 units of a name, and of a token that someone has written. */
export const longestName = 80;
export const longestToken = 200;

/** The intervention as the engine is told of it. */
export function interventionOf({ component, heads, deed }: ListedIntervention): Intervention {
  if (deed.kind === 'silence') return { kind: 'silence', component, heads, by: deed.by };
  if (deed.kind === 'swap') return { kind: 'swap', component, heads };
  const { query, key, shape, isRenormalized } = deed;
  return {
    kind: 'block',
    component,
    heads,
    ...(shape === 'column' ? {} : { query }),
    ...(shape === 'row' ? {} : { key }),
    isRenormalized,
  };
}

/** What interventions do in any of some heads. */
export function deedsIn(
  interventions: readonly ListedIntervention[],
  { component, heads }: Pick<HeadSelection, 'component' | 'heads'>,
): readonly Deed[] {
  const shown = new Set(heads.map(headLabel));
  return interventions
    .filter((each) => each.component === component && each.heads.some((head) => shown.has(headLabel(head))))
    .map(({ deed }) => deed);
}

/** What of an arrangement still says something of a run: of another text what heads do, of another model nothing. */
export function effectsFor(
  layout: EffectsLayout,
  { model, streams }: Pick<RunInfo, 'model' | 'streams'>,
): EffectsLayout {
  const text = hashOf(streams.map((stream) => stream.text).join('\0'));
  const { by, path } = layout;
  if (layout.model !== model.name) return { ...firstEffects, by, path, model: model.name, text };
  if (layout.text === text) return layout;
  const interventions = layout.interventions.filter(({ deed }) => deed.kind !== 'block');
  return { ...layout, text, question: undefined, interventions };
}

/** FNV-1a of a text's UTF-16 units, in 32 bits: tells a text from another, and keeps nothing of it. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** What of a kept state is an arrangement of effects; the rest is as it was before anyone touched it. */
export function validEffects(value: unknown): EffectsLayout {
  const { model, text, question, by, path, interventions } = entriesOf(value);
  return {
    model: typeof model === 'string' ? model : firstEffects.model,
    text: isCount(text) ? text : firstEffects.text,
    question: validQuestion(question),
    by: replacements.find((each) => each === by) ?? firstEffects.by,
    path: effectPaths.find((each) => each === path) ?? firstEffects.path,
    interventions: (Array.isArray(interventions) ? (interventions as readonly unknown[]) : [])
      .slice(0, mostInterventions)
      .flatMap((each) => validIntervention(each) ?? []),
  };
}

function validQuestion(value: unknown): AskedQuestion | undefined {
  const { kind, position, token, label, against } = entriesOf(value);
  if (kind === 'loss') return { kind };
  if (kind === 'label')
    return { kind, label: isCount(label) ? label : undefined, against: isCount(against) ? against : undefined };
  return kind === 'token' && isCount(position)
    ? { kind, position, token: validToken(token), against: validToken(against) }
    : undefined;
}

function validToken(value: unknown): number | string | undefined {
  return isCount(value) ? value : typeof value === 'string' && value !== '' ? value.slice(0, longestToken) : undefined;
}

function validIntervention(value: unknown): ListedIntervention | undefined {
  const { id, name, isOn, component, heads, deed } = entriesOf(value);
  const known =
    components.find((each) => each === component) ??
    (typeof component === 'string' && /^stage[1-9]\d?$/.test(component) ? (component as Component) : undefined); // the form of a stage's name
  const done = validDeed(deed);
  if (!isCount(id) || known === undefined || done === undefined || !Array.isArray(heads)) return undefined;
  const valid = heads.slice(0, mostHeads).flatMap((each): HeadRef[] => {
    const { layer, head } = entriesOf(each);
    return isCount(layer) && isCount(head) ? [{ layer, head }] : [];
  });
  if (valid.length === 0) return undefined;
  return {
    id,
    name: typeof name === 'string' ? name.slice(0, longestName) : '',
    isOn: isOn === true,
    component: known,
    heads: valid,
    deed: done,
  };
}

function validDeed(value: unknown): Deed | undefined {
  const { kind, by, query, key, shape, isRenormalized } = entriesOf(value);
  if (kind === 'swap') return { kind };
  if (kind === 'silence') return { kind, by: silencings.find((each) => each === by) ?? 'zero' };
  if (kind !== 'block' || !isCount(query) || !isCount(key)) return undefined;
  return {
    kind,
    query,
    key,
    shape: blockShapes.find((each) => each === shape) ?? 'cell',
    isRenormalized: isRenormalized === true,
  };
}

function entriesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
