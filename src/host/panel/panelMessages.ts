import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { headLabel, type HeadSelection } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import type { TokenRef } from '../../model/token';
import type { ViewState } from '../../model/viewState';
import type { PanelAction, PatternParams, PersistedPanel, ThumbnailParams } from '../../protocol';

// The webview is untrusted: all that it says is checked here, for its shape and against the run that is shown.

const maxHeads = 4096;
const maxPinned = 64;
const maxThumbnailSize = 256;
const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e6));
const offset = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

const head = v.object({ layer: index, head: index });
const component = v.picklist(['encoder', 'decoder', 'cross', 'self']);
const selection = v.object({ component, heads: v.pipe(v.array(head), v.minLength(1), v.maxLength(maxHeads)), aggregation: v.picklist(['mean', 'max']) });
const token = v.object({ stream: index, position: index });
const view = v.object({
  selection,
  direction: v.picklist(['reads', 'readBy']),
  scale: v.picklist(['absolute', 'row', 'log']),
  threshold: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  pinned: v.pipe(v.array(token), v.maxLength(maxPinned)),
});
const changeView = v.object({ view: v.partial(view), sequence: index });
const patternParams = v.object({ runId: index, selection });
const thumbnailParams = v.object({ runId: index, component, size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxThumbnailSize)) });
const pictureParams = v.object({ runId: index });
const actions = ['explain', 'explainSample', 'explainWithTarget', 'useModelOutput', 'rerun', 'cancel', 'restartEngine', 'selectModel', 'selectTextModel', 'selectImageModel', 'chooseModelFile', 'chooseTokenizer', 'showReport', 'showLog', 'openSettings'] as const satisfies readonly PanelAction[];
const act = v.object({ action: v.picklist(actions) });
const painted = v.object({ runId: index, milliseconds: v.pipe(v.number(), v.minValue(0), v.maxValue(1e9)) });
const persisted = v.pipe(
  v.object({ version: v.literal(1), uri: v.pipe(v.string(), v.maxLength(10_000)), start: offset, end: offset, textHash: v.pipe(v.string(), v.maxLength(64)), isWholeDocument: v.boolean(), isPicture: v.optional(v.boolean()), isChatMessage: v.optional(v.boolean()), target: v.optional(v.pipe(v.string(), v.maxLength(100_000))), view }),
  v.check(({ start, end, isPicture }) => start < end || isPicture === true),
);

/** Checks a request for a pattern against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkPatternParams(value: unknown, run: RunInfo | undefined): PatternParams {
  const params = parse('pattern', patternParams, value);
  checkSelection(params.selection, checkRun(params.runId, run));
  return params;
}

/** Checks a request for thumbnails against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkThumbnailParams(value: unknown, run: RunInfo | undefined): ThumbnailParams {
  const params = parse('thumbnails', thumbnailParams, value);
  if (!checkRun(params.runId, run).components.some((candidate) => candidate.component === params.component)) throw new ExplorerError('invalidMessage', ['thumbnails: no such component']);
  return params;
}

/** Checks a request for the run's picture. Throws `invalidMessage` or `unknownRun`. */
export function checkPictureParams(value: unknown, run: RunInfo | undefined): void {
  const { streams } = checkRun(parse('picture', pictureParams, value).runId, run);
  if (!streams.some(({ grid }) => grid !== undefined)) throw new ExplorerError('invalidMessage', ['picture: the run has none']);
}

/** Checks a change of the view against the run shown. Throws `invalidMessage`. */
export function checkChangeView(value: unknown, run: RunInfo | undefined): { readonly view: Partial<ViewState>; readonly sequence: number } {
  const { view: change, sequence } = parse('changeView', changeView, value);
  if (change.selection !== undefined && run !== undefined) checkSelection(change.selection, run);
  if (run !== undefined) for (const ref of change.pinned ?? []) checkToken(ref, run);
  return { view: withoutUndefined(change), sequence };
}

/** Checks a token, or none. Throws `invalidMessage`. */
export function checkTokenOrNull(value: unknown, run: RunInfo | undefined): TokenRef | null {
  const ref = parse('hover', v.nullable(token), value);
  if (ref !== null) checkToken(ref, run);
  return ref;
}

/** Checks a token of the run shown. Throws `invalidMessage`. */
export function checkTokenRef(value: unknown, run: RunInfo | undefined): TokenRef {
  const ref = parse('token', token, value);
  checkToken(ref, run);
  return ref;
}

/** Checks an action. Throws `invalidMessage`. */
export function checkAct(value: unknown): { readonly action: PanelAction } {
  return parse('act', act, value);
}

/** Checks the report of a first paint. Throws `invalidMessage`. */
export function checkPainted(value: unknown): { readonly runId: number; readonly milliseconds: number } {
  return parse('painted', painted, value);
}

/** What outlived a reload, if it is what we wrote; undefined for anything else. */
export function checkPersisted(value: unknown): PersistedPanel | undefined {
  const result = v.safeParse(persisted, value);
  return result.success ? result.output : undefined;
}

/** The same in the state of the webview, which keeps its own layout beside it. */
export function checkWebviewState(state: unknown): PersistedPanel | undefined {
  const result = v.safeParse(v.object({ persist: v.unknown() }), state);
  return result.success ? checkPersisted(result.output.persist) : undefined;
}

function parse<S extends v.GenericSchema>(what: string, schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new ExplorerError('invalidMessage', [`${what}: ${result.issues[0].message}`]);
  return result.output;
}

function checkRun(runId: number, run: RunInfo | undefined): RunInfo {
  if (run?.runId !== runId) throw new ExplorerError('unknownRun');
  return run;
}

function checkSelection({ component: name, heads }: HeadSelection, run: RunInfo): void {
  const found = run.components.find((candidate) => candidate.component === name);
  const labels = new Set(heads.map(headLabel));
  if (found === undefined || labels.size !== heads.length || heads.some((ref) => ref.head >= (found.layers[ref.layer]?.numHeads ?? 0))) throw new ExplorerError('invalidMessage', ['the selection names heads that the model does not have']);
}

function checkToken({ stream, position }: TokenRef, run: RunInfo | undefined): void {
  if (position >= (run?.streams[stream]?.tokens.length ?? 0)) throw new ExplorerError('invalidMessage', ['there is no such token']);
}

function withoutUndefined(change: { readonly [K in keyof ViewState]?: ViewState[K] | undefined }): Partial<ViewState> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)); // entries of the view, each as its schema has it
}
