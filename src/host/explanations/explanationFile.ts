import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { smallJson } from '../../base/smallJson';
import type { Continuation } from '../../model/continuation';
import type { Languages } from '../../model/modelInfo';
import type { ViewState } from '../../model/viewState';
import { continuation, keptView } from '../panel/messageShapes';
import { maxTextUnits } from '../run/textGuards';
import { bundledPrefix } from '../model/modelPath';

/** What a file's name ends in. */
export const explanationEnding = '.attention-explanation.json';

/** What makes the same view again: it runs the model again. */
export interface Explanation {
  readonly model: {
    /** As the setting has it, of models that come with the extension by name; or relative to the file. */
    readonly path: string;
    readonly name: string;
    /** Of the model's files; see the engine's `modelHash`. */
    readonly sha256: string | undefined;
  };
  readonly text: string;
  readonly second: string | undefined;
  readonly target: string | undefined;
  readonly isChatMessage: boolean;
  /** What was selected, by UTF-16 offsets in the text, where the rest of it is context. */
  readonly focus: { readonly start: number; readonly end: number } | undefined;
  readonly languages: Languages | undefined;
  readonly continuation: Continuation | undefined;
  readonly tokenLimit: number;
  readonly view: ViewState;
  /** The page's own: which views are open, and interventions. The page checks it. */
  readonly arrangement: unknown;
}

const text = v.pipe(v.string(), v.maxLength(maxTextUnits));
const optionalText = v.optional(text);
const short = v.pipe(v.string(), v.maxLength(10_000));
const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxTextUnits));
const language = v.optional(v.pipe(v.string(), v.maxLength(100)));
const format = 'attention-explorer explanation';

const explanation = v.pipe(
  v.object({
    format: v.literal(format),
    version: v.literal(1),
    model: v.object({
      path: v.pipe(short, v.minLength(1)),
      name: short,
      sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
    }),
    text: v.pipe(text, v.minLength(1)),
    second: optionalText,
    target: optionalText,
    isChatMessage: v.optional(v.boolean(), false),
    focus: v.optional(v.object({ start: place, end: place })),
    languages: v.optional(v.object({ source: language, target: language })),
    continuation: v.optional(continuation),
    tokenLimit: v.optional(v.pipe(place, v.maxValue(4096)), 0),
    view: keptView,
    arrangement: v.optional(v.unknown()),
  }),
  v.check(
    ({ text: all, focus }) => focus === undefined || (focus.start < focus.end && focus.end <= all.length),
    'what is selected is not within the text',
  ),
);

/** The bytes of a file that holds an explanation. */
export function writeExplanation(from: Explanation): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ format, version: 1, ...from }, null, 2)}\n`);
}

/** An explanation from a file's bytes, of which nothing is believed. Throws `explanationInvalid`. */
export function readExplanation(bytes: Uint8Array, name: string): Explanation {
  const invalid = (reason: string): ExplorerError => new ExplorerError('explanationInvalid', [name, reason]);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('it is no JSON');
  }
  const result = v.safeParse(explanation, value, { abortEarly: true });
  if (!result.success) {
    const [{ path, message }] = result.issues;
    const where = path?.map(({ key }) => String(key)).join('.') ?? '';
    throw invalid(plain(where === '' ? message : `${where}: ${message}`, 200));
  }
  const { format: _, version: __, ...read } = result.output;
  return {
    ...read,
    model: { ...read.model, sha256: read.model.sha256 },
    second: read.second,
    target: read.target,
    focus: read.focus,
    languages: read.languages,
    continuation: read.continuation && { ...read.continuation, sampling: read.continuation.sampling },
    arrangement: smallJson(read.arrangement),
  };
}

/** The view that an attention file says it is to be looked at with; undefined where it says none. */
export function readKeptView(value: unknown): { readonly view: ViewState; readonly arrangement: unknown } | undefined {
  const { view, arrangement } = Object(value) as { readonly view?: unknown; readonly arrangement?: unknown };
  const result = v.safeParse(keptView, view);
  return result.success ? { view: result.output, arrangement } : undefined;
}

/** Throws `explanationUntrusted` where a workspace that is not trusted would say which model is read; those that come with the extension may be named. */
export function checkNamesModel({ model: { path } }: Explanation, name: string, isTrusted: boolean): void {
  if (!isTrusted && !(path.startsWith(bundledPrefix) && /^[\w-]+$/.test(path.slice(bundledPrefix.length))))
    throw new ExplorerError('explanationUntrusted', [name, path]);
}

/** The parts of an address that say on which machine something is. */
export interface Place {
  readonly scheme: string;
  readonly authority: string;
}

/**
 * Throws `explanationElsewhere` where opening the model at an address would connect to a machine that nothing but the file names: a share of a
 * network, or a server. The file's own machine and those of the workspace are known, and those that the person allows VS Code to go to.
 */
export function checkModelIsHere(
  { model: { path } }: Explanation,
  name: string,
  { scheme, authority }: Place,
  known: { readonly places: readonly Place[]; readonly hosts: readonly string[] },
): void {
  const isOfHost = (host: string): boolean => host.toLowerCase() === authority.toLowerCase();
  const isHere =
    path.startsWith(bundledPrefix) ||
    (scheme === 'file' && (authority === '' || known.hosts.some(isOfHost))) ||
    known.places.some((place) => place.scheme === scheme && isOfHost(place.authority));
  if (!isHere) throw new ExplorerError('explanationElsewhere', [name, path]);
}

/** How many tokens an explanation is read with: in a workspace that is not trusted no more than the person's own limit has it. 0: no limit. */
export function limitOf({ tokenLimit }: Explanation, ownLimit: number, isTrusted: boolean): number {
  if (isTrusted || ownLimit === 0) return tokenLimit;
  return tokenLimit === 0 ? ownLimit : Math.min(tokenLimit, ownLimit);
}
