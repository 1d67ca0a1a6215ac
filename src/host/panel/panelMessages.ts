import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import type { Continuation } from '../../model/continuation';
import { headLabel, type HeadSelection } from '../../model/head';
import type { EffectQuestion } from '../../model/effects/effects';
import type { RunInfo } from '../../model/modelInfo';
import type { PanelAction } from '../../model/panelAction';
import type { PatternForm } from '../../model/patternForm';
import { blocksAlong, isTiled, overviewLevel, tileSize } from '../../model/patternLevels';
import type { TokenRef } from '../../model/token';
import type { ViewState } from '../../model/viewState';
import type { KeptPanel, PersistedPanel, PanelIntents } from '../../panelProtocol';
import type {
  CellParams,
  EffectParams,
  HeadEffectsParams,
  HeadRowsParams,
  HeadTableParams,
  HowParams,
  MethodParams,
  PairParams,
  PanelRelationsParams,
  PatternParams,
  PredictParams,
  RandomParams,
  RowParams,
  ThumbnailParams,
  TileParams,
  WritesParams,
} from '../../protocol';
import type { OfForm } from '../../model/weightForm';
import {
  act,
  cellParams,
  changeView,
  compareWith,
  componentParams,
  continuation,
  effectParams,
  formParams,
  headEffectsParams,
  headRowsParams,
  headTableParams,
  howParams,
  kept,
  menuContext,
  methodParams,
  painted,
  pairParams,
  parse,
  patternParams,
  persisted,
  pictureParams,
  predictParams,
  randomParams,
  relationsParams,
  rowParams,
  thumbnailParams,
  tileParams,
  token,
  writesParams,
} from './messageShapes';

// The webview is untrusted: all that it says is checked here, for its shape (messageShapes.ts) and against the run that is shown.

/** Checks a request for a whole pattern against the run shown: only a small one may be asked for; how many units a text has is not known here. Throws `invalidMessage` or `unknownRun`. */
export function checkPatternParams(value: unknown, run: RunInfo | undefined): PatternParams & OfForm {
  const params = parse('pattern', patternParams, value);
  const { numQueries, numKeys } = checkSelection(params.selection, checkRun(params.runId, run));
  if ((params.form?.level ?? 'token') === 'token') checkIsSmall(numQueries, numKeys);
  return params;
}

/** Throws `invalidMessage` where a pattern is too large to be sent whole. */
export function checkIsSmall(numQueries: number, numKeys: number): void {
  if (isTiled(numQueries, numKeys)) throw new ExplorerError('invalidMessage', ['pattern: too large to be sent whole']);
}

/** Checks a request for what lies on sinks against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkSinkMassParams(
  value: unknown,
  run: RunInfo | undefined,
): PatternParams & { readonly form: PatternForm } {
  const params = parse('sinks', formParams, value);
  checkSelection(params.selection, checkRun(params.runId, run));
  return params;
}

/** Checks a request for a cell against the run shown: units are at most as many as tokens. Throws `invalidMessage` or `unknownRun`. */
export function checkCellParams(value: unknown, run: RunInfo | undefined): CellParams & { readonly form: PatternForm } {
  const params = parse('cell', cellParams, value);
  const { numQueries, numKeys } = checkSelection(params.selection, checkRun(params.runId, run));
  if (params.query >= numQueries || params.key >= numKeys)
    throw new ExplorerError('invalidMessage', ['cell: not within the pattern']);
  return params;
}

/** Checks a request for the symbols of the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkSymbolsParams(value: unknown, run: RunInfo | undefined): void {
  checkRun(parse('symbols', pictureParams, value).runId, run);
}

/** Checks a request for an overview against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkOverviewParams(value: unknown, run: RunInfo | undefined): PatternParams & OfForm {
  const params = parse('overview', patternParams, value);
  checkSelection(params.selection, checkRun(params.runId, run));
  return params;
}

/** Checks a request for a tile against the run shown: its level and place must be within the pattern. Throws `invalidMessage` or `unknownRun`. */
export function checkTileParams(value: unknown, run: RunInfo | undefined): TileParams & OfForm {
  const params = parse('tile', tileParams, value);
  const { level, row, column } = params;
  const { numQueries, numKeys } = checkSelection(params.selection, checkRun(params.runId, run));
  if (
    level > overviewLevel(numQueries, numKeys) ||
    row * tileSize >= blocksAlong(numQueries, level) ||
    column * tileSize >= blocksAlong(numKeys, level)
  )
    throw new ExplorerError('invalidMessage', ['tile: not within the pattern']);
  return params;
}

/** Checks a request for one token's weights against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkRowParams(value: unknown, run: RunInfo | undefined): RowParams & OfForm {
  const params = parse('row', rowParams, value);
  const { numQueries, numKeys } = checkSelection(params.selection, checkRun(params.runId, run));
  if (params.position >= (params.direction === 'reads' ? numQueries : numKeys))
    throw new ExplorerError('invalidMessage', ['row: not within the pattern']);
  return params;
}

/** Checks a request for thumbnails against the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkThumbnailParams(value: unknown, run: RunInfo | undefined): ThumbnailParams & OfForm {
  const params = parse('thumbnails', thumbnailParams, value);
  if (!checkRun(params.runId, run).components.some((candidate) => candidate.component === params.component))
    throw new ExplorerError('invalidMessage', ['thumbnails: no such component']);
  return params;
}

/** Checks a request for the weight between two tokens in every head. Throws `invalidMessage` or `unknownRun`. */
export function checkPairParams(value: unknown, run: RunInfo | undefined): PairParams & OfForm {
  const params = parse('pair', pairParams, value);
  const { numQueries, numKeys } = componentSize('pair', params.component, checkRun(params.runId, run));
  if (params.queries.length > 1 && params.keys.length > 1)
    throw new ExplorerError('invalidMessage', ['pair: several of both']);
  if (params.queries.some((query) => query >= numQueries) || params.keys.some((key) => key >= numKeys))
    throw new ExplorerError('invalidMessage', ['pair: not within the pattern']);
  return params;
}

/** Checks a request for a token's weights in every head; those of its readers only where no layer has to recompute all that it has. Throws `invalidMessage` or `unknownRun`. */
export function checkHeadRowsParams(value: unknown, run: RunInfo | undefined): HeadRowsParams & OfForm {
  const params = parse('rows', headRowsParams, value);
  const shown = checkRun(params.runId, run);
  const { numQueries, numKeys } = componentSize('rows', params.component, shown);
  if (params.positions.some((position) => position >= (params.direction === 'reads' ? numQueries : numKeys)))
    throw new ExplorerError('invalidMessage', ['rows: not within the pattern']);
  if (
    params.direction === 'readBy' &&
    shown.components.some(
      (candidate) =>
        candidate.component === params.component && candidate.layers.some(({ held }) => held === 'recomputed'),
    )
  )
    throw new ExplorerError('invalidMessage', ['rows: all weights would be recomputed']);
  return params;
}

/** Checks a request for metrics of heads. Throws `invalidMessage` or `unknownRun`. */
export function checkHeadTableParams(value: unknown, run: RunInfo | undefined): HeadTableParams {
  const params = parse('metrics', headTableParams, value);
  const { numQueries, numKeys } = componentSize('metrics', params.component, checkRun(params.runId, run));
  const { queries = [], keys = [] } = params.asked ?? {};
  if (queries.some((query) => query >= numQueries) || keys.some((key) => key >= numKeys))
    throw new ExplorerError('invalidMessage', ['metrics: not within the pattern']);
  if (new Set(queries).size < queries.length || new Set(keys).size < keys.length)
    throw new ExplorerError('invalidMessage', ['metrics: a token twice']);
  return params;
}

/** Checks a request for metrics on a random text. Throws `invalidMessage` or `unknownRun`. */
export function checkRandomParams(value: unknown, run: RunInfo | undefined): RandomParams {
  const params = parse('random', randomParams, value);
  const shown = checkRun(params.runId, run);
  componentSize('random', params.component, shown);
  if (shown.streams.some(({ grid }) => grid !== undefined))
    throw new ExplorerError('invalidMessage', ['random: the model reads no text']);
  return params;
}

/** Checks a request for how a weight came about. Throws `invalidMessage` or `unknownRun`. */
export function checkHowParams(value: unknown, run: RunInfo | undefined): HowParams {
  const params = parse('how', howParams, value);
  const { component: name, layer, head, query, key } = params.cell;
  const shown = checkRun(params.runId, run);
  const { numQueries, numKeys } = checkSelection(
    { component: name, heads: [{ layer, head }], aggregation: 'mean' },
    shown,
  );
  if (query >= numQueries || key >= numKeys) throw new ExplorerError('invalidMessage', ['how: not within the pattern']);
  return params;
}

/** Checks how a model is to go on with a text. Throws `invalidMessage`. */
export function checkContinuation(value: unknown): Continuation {
  const { written, tokens, sampling } = parse('continueText', continuation, value);
  if (written.length + tokens === 0) throw new ExplorerError('invalidMessage', ['continueText: nothing is written']);
  return { written, tokens, sampling };
}

/** Checks a question of what heads write to a prediction. Throws `invalidMessage` or `unknownRun`. */
export function checkWritesParams(value: unknown, run: RunInfo | undefined): WritesParams {
  const params = parse('writes', writesParams, value);
  const { streams } = checkRun(params.runId, run);
  if (params.position > Math.max(...streams.map(({ tokens }) => tokens.length)))
    throw new ExplorerError('invalidMessage', ['writes: not within the text']);
  return params;
}

/** Checks a request for what the model predicts. Throws `invalidMessage` or `unknownRun`. */
export function checkPredictParams(value: unknown, run: RunInfo | undefined): PredictParams {
  const params = parse('predict', predictParams, value);
  const { streams } = checkRun(params.runId, run);
  if (streams.some(({ grid }) => grid !== undefined))
    throw new ExplorerError('invalidMessage', ['predict: the model reads no text']);
  if (params.mask !== undefined && params.mask >= streams[0].tokens.length)
    throw new ExplorerError('invalidMessage', ['predict: not within the text']);
  return params;
}

/** Checks a request for an experiment: its question and all that it intervenes in must be of the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkEffectParams(value: unknown, run: RunInfo | undefined): Omit<EffectParams, 'otherId'> {
  const params = parse('effect', effectParams, value);
  const shown = checkRun(params.runId, run);
  checkQuestion(params.question, shown);
  checkInterventions(params.interventions, shown);
  return params;
}

function checkInterventions(interventions: EffectParams['interventions'], shown: RunInfo): void {
  for (const each of interventions) {
    const { numQueries, numKeys } = checkSelection({ ...each, aggregation: 'mean' }, shown);
    if (each.kind !== 'block') continue;
    const { query, key } = each;
    if ((query === undefined && key === undefined) || (query ?? 0) >= numQueries || (key ?? 0) >= numKeys)
      throw new ExplorerError('invalidMessage', ['effect: not within the pattern']);
  }
}

/** Checks a request for the attention of a run with interventions, each of which must be of the run shown. Throws `invalidMessage` or `unknownRun`. */
export function checkIntervenedParams(
  value: unknown,
  run: RunInfo | undefined,
): Omit<EffectParams, 'question' | 'path'> {
  const params = parse('intervene', v.pick(effectParams, ['runId', 'interventions']), value);
  checkInterventions(params.interventions, checkRun(params.runId, run));
  return params;
}

/** Checks a request for the effect of every head. Throws `invalidMessage` or `unknownRun`. */
export function checkHeadEffectsParams(value: unknown, run: RunInfo | undefined): Omit<HeadEffectsParams, 'otherId'> {
  const params = parse('effects', headEffectsParams, value);
  const shown = checkRun(params.runId, run);
  checkQuestion(params.question, shown);
  for (const name of params.components ?? []) componentSize('effects', name, shown);
  return params;
}

/** A prediction is of a token of one of the texts, or of the one that comes next. */
function checkQuestion(asked: EffectQuestion, { streams }: RunInfo): void {
  if (asked.kind === 'token' && asked.position > Math.max(...streams.map(({ tokens }) => tokens.length)))
    throw new ExplorerError('invalidMessage', ['effect: not within the text']);
}

/** Checks a request for relations. Throws `invalidMessage` or `unknownRun`. */
export function checkRelationsParams(value: unknown, run: RunInfo | undefined): PanelRelationsParams {
  const params = parse('relations', relationsParams, value);
  componentSize('relations', params.component, checkRun(params.runId, run));
  return params;
}

/** Checks a wish to compare, or to end it. Throws `invalidMessage`. */
export function checkCompareWith(value: unknown): PanelIntents['compareWith'] {
  return parse('compareWith', compareWith, value);
}

/** Checks a request for what a run's other one predicts. Throws `invalidMessage` or `unknownRun`. */
export function checkPredictOtherParams(value: unknown, run: RunInfo | undefined): void {
  checkRun(parse('predictOther', pictureParams, value).runId, run);
}

/** Checks a request for what a method weighs. Throws `invalidMessage` or `unknownRun`. */
export function checkMethodParams(value: unknown, run: RunInfo | undefined): MethodParams {
  const params = parse('method', methodParams, value);
  componentSize('method', params.component, checkRun(params.runId, run));
  return params;
}

/** Checks a request for what methods a component can have. Throws `invalidMessage` or `unknownRun`. */
export function checkMethodReasonsParams(value: unknown, run: RunInfo | undefined): PairParams['component'] {
  const params = parse('methods', componentParams, value);
  componentSize('methods', params.component, checkRun(params.runId, run));
  return params.component;
}

/** Checks a request for the run's picture. Throws `invalidMessage` or `unknownRun`. */
export function checkPictureParams(value: unknown, run: RunInfo | undefined): void {
  const { streams } = checkRun(parse('picture', pictureParams, value).runId, run);
  if (!streams.some(({ grid }) => grid !== undefined))
    throw new ExplorerError('invalidMessage', ['picture: the run has none']);
}

/** Checks a change of the view against the run shown. Throws `invalidMessage`. */
export function checkChangeView(
  value: unknown,
  run: RunInfo | undefined,
): { readonly view: Partial<ViewState>; readonly sequence: number } {
  const { view: change, sequence } = parse('changeView', changeView, value);
  if (change.selection !== undefined && run !== undefined) checkSelection(change.selection, run);
  if (run !== undefined) for (const ref of [...(change.pinned ?? []), ...(change.marked ?? [])]) checkToken(ref, run);
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

/** The token that the panel's menu was opened over, if it names one of the run shown; undefined where it was opened over none. Throws `invalidMessage` or `unknownRun`. */
export function checkMenuToken(value: unknown, run: RunInfo | undefined): TokenRef | undefined {
  if (typeof value !== 'object' || value === null || !('position' in value)) return undefined;
  const { runId, stream, position } = parse('menu', menuContext, value);
  checkRun(runId, run);
  checkToken({ stream, position }, run);
  return { stream, position };
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

/** The key in the state of the webview, which keeps its own layout beside it: `nothing` where it was never given one, undefined where it is none of ours. */
export function checkKept(state: unknown): KeptPanel | 'nothing' | undefined {
  if (typeof state !== 'object' || state === null || !('persist' in state)) return 'nothing';
  const result = v.safeParse(kept, state.persist);
  return result.success ? result.output : undefined;
}

function checkRun(runId: number, run: RunInfo | undefined): RunInfo {
  if (run?.runId !== runId) throw new ExplorerError('unknownRun');
  return run;
}

/** The size of a component's patterns. Throws `invalidMessage` where the model has no such component. */
function componentSize(
  what: string,
  name: PairParams['component'],
  { components, streams }: RunInfo,
): { readonly numQueries: number; readonly numKeys: number } {
  const found = components.find((candidate) => candidate.component === name);
  if (found === undefined) throw new ExplorerError('invalidMessage', [`${what}: no such component`]);
  const lengthOf = (stream: number): number => streams[stream]?.tokens.length ?? 0;
  return { numQueries: lengthOf(found.queryStream), numKeys: lengthOf(found.keyStream) };
}

/** The size of the pattern that a selection has. */
function checkSelection(
  { component: name, heads }: HeadSelection,
  run: RunInfo,
): { readonly numQueries: number; readonly numKeys: number } {
  const found = run.components.find((candidate) => candidate.component === name);
  const labels = new Set(heads.map(headLabel));
  if (
    found === undefined ||
    labels.size !== heads.length ||
    heads.some((ref) => ref.head >= (found.layers[ref.layer]?.numHeads ?? 0))
  )
    throw new ExplorerError('invalidMessage', ['the selection names heads that the model does not have']);
  const lengthOf = (stream: number): number => run.streams[stream]?.tokens.length ?? 0;
  return { numQueries: lengthOf(found.queryStream), numKeys: lengthOf(found.keyStream) };
}

function checkToken({ stream, position }: TokenRef, run: RunInfo | undefined): void {
  if (position >= (run?.streams[stream]?.tokens.length ?? 0))
    throw new ExplorerError('invalidMessage', ['there is no such token']);
}

function withoutUndefined(change: { readonly [K in keyof ViewState]?: ViewState[K] | undefined }): Partial<ViewState> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)); // entries of the view, each as its schema has it
}
