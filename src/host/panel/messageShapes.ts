import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { mostContinued } from '../../model/continuation';
import { components } from '../../base/component';
import { aggregations } from '../../model/head';
import { effectPaths, replacements, silencings } from '../../model/effects/effects';
import { methodIds } from '../../model/methods';
import { metricIds } from '../../model/metrics/metrics';
import { panelActions } from '../../model/panelAction';
import { comparedViews, levels, sinkModes } from '../../model/patternForm';
import { directions } from '../../model/pattern';
import { relationMethods } from '../../model/relations/relationsParams';
import { lights, pinnedMeans, scales } from '../../model/viewState';
import { maxTextUnits } from '../run/textGuards';

// What messages of the webview look like; how long a list is comes before what is in it.

const maxHeads = 4096;
const maxLayers = 1024;
const maxPinned = 64;
const maxThumbnailSize = 256;
/** Tokens that are asked about. */
const maxAsked = 8192;
/** Interventions that are on together, and UTF-16 units of a token that someone has written. */
const maxInterventions = 32;
const longestToken = 200;
/** Tokens of a random text that come twice. */
const maxRandom = 512;
/** UTF-16 units of what is told of a message. */
const maxComplaint = 200;
const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e6));
const offset = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

/** A list by its length alone: the library's own check of it comes after that of every member. */
const shortList = (least: number, most: number) =>
  v.custom<readonly unknown[]>(
    (value) => Array.isArray(value) && value.length >= least && value.length <= most,
    'a list of another length',
  );

const head = v.object({ layer: index, head: index });
/** A model has few stages. */
const stage = v.custom<`stage${number}`>(
  (value) => typeof value === 'string' && /^stage[1-9]\d?$/.test(value),
  'no stage',
);
const component = v.union([v.picklist(components), stage]);
const selection = v.object({
  component,
  heads: v.pipe(shortList(1, maxHeads), v.array(head)),
  aggregation: v.picklist(aggregations),
});
export const token = v.object({ stream: index, position: index });
const pinnedMean = v.picklist(pinnedMeans);
const formEntries = {
  method: v.picklist(methodIds),
  tokens: v.optional(v.pipe(shortList(0, maxPinned), v.array(index))),
  level: v.picklist(levels),
  sinks: v.picklist(sinkModes),
  isRenormalized: v.boolean(),
};
const form = v.object({ ...formEntries, compared: v.optional(v.picklist(comparedViews)) });
const optionalForm = v.optional(form);
const view = v.object({
  selection,
  direction: v.picklist(directions),
  scale: v.picklist(scales),
  light: v.picklist(lights),
  threshold: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  pinned: v.pipe(shortList(0, maxPinned), v.array(token)),
  pinnedMean,
  marked: v.pipe(shortList(0, maxPinned), v.array(token)),
  ...formEntries,
});
/** Views that were kept before there was a choice had one mean, nothing was marked, and all was shown as it is. */
export const keptView = v.object({
  ...view.entries,
  light: v.optional(view.entries.light, 'weights'),
  pinnedMean: v.optional(pinnedMean, 'all'),
  marked: v.optional(view.entries.marked, []),
  method: v.optional(formEntries.method, 'attention'),
  level: v.optional(formEntries.level, 'token'),
  sinks: v.optional(formEntries.sinks, 'show'),
  isRenormalized: v.optional(formEntries.isRenormalized, false),
});
export const changeView = v.object({ view: v.partial(view), sequence: index });
export const patternParams = v.object({ runId: index, selection, form: optionalForm });
export const cellParams = v.object({ runId: index, selection, form, query: index, key: index });
export const formParams = v.object({ runId: index, selection, form });
export const tileParams = v.object({
  runId: index,
  selection,
  level: index,
  row: index,
  column: index,
  form: optionalForm,
});
export const rowParams = v.object({
  runId: index,
  selection,
  position: index,
  direction: v.picklist(directions),
  form: optionalForm,
});
const thumbnailSize = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxThumbnailSize));
export const thumbnailParams = v.object({
  runId: index,
  component,
  size: thumbnailSize,
  form: optionalForm,
  layers: v.optional(v.pipe(shortList(1, maxLayers), v.array(index))),
});
const positions = v.pipe(shortList(1, maxPinned), v.array(index));
export const pairParams = v.object({
  runId: index,
  component,
  queries: positions,
  keys: positions,
  form: optionalForm,
});
export const headRowsParams = v.object({
  runId: index,
  component,
  positions,
  direction: v.picklist(directions),
  mean: pinnedMean,
  size: thumbnailSize,
  form: optionalForm,
});
const metricList = v.pipe(shortList(1, metricIds.length), v.array(v.picklist(metricIds)));
const askedPositions = v.pipe(shortList(1, maxAsked), v.array(index));
export const headTableParams = v.object({
  runId: index,
  component,
  metrics: metricList,
  asked: v.optional(v.object({ queries: askedPositions, keys: askedPositions })),
});
export const randomParams = v.object({
  runId: index,
  component,
  metrics: metricList,
  random: v.object({
    numTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxRandom)),
    seed: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1)),
  }),
});
export const writesParams = v.object({ runId: index, position: index, token: index, against: v.optional(index) });
export const continuation = v.object({
  written: v.pipe(shortList(0, maxAsked), v.array(index)),
  tokens: v.pipe(index, v.maxValue(mostContinued)),
  sampling: v.optional(
    v.object({
      temperature: v.pipe(v.number(), v.minValue(0.01), v.maxValue(100)),
      topP: v.pipe(v.number(), v.minValue(0.0001), v.maxValue(1)),
      seed: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1)),
    }),
  ),
});
export const predictParams = v.object({ runId: index, mask: v.optional(index) });
const tokenOrText = v.union([index, v.pipe(v.string(), v.minLength(1), v.maxLength(longestToken))]);
const question = v.union([
  v.object({ kind: v.literal('token'), position: index, token: tokenOrText, against: v.optional(tokenOrText) }),
  v.object({ kind: v.literal('loss') }),
  v.object({ kind: v.literal('label'), label: index, against: v.optional(index) }),
]);
const within = { component, heads: v.pipe(shortList(1, maxHeads), v.array(head)) };
const place = v.optional(index);
const intervention = v.union([
  v.object({ kind: v.literal('silence'), ...within, by: v.picklist(silencings) }),
  v.object({ kind: v.literal('swap'), ...within }),
  v.object({ kind: v.literal('block'), ...within, query: place, key: place, isRenormalized: v.boolean() }),
]);
export const effectParams = v.object({
  runId: index,
  question,
  interventions: v.pipe(shortList(0, maxInterventions), v.array(intervention)),
  path: v.picklist(effectPaths),
});
export const headEffectsParams = v.object({
  runId: index,
  question,
  by: v.picklist(replacements),
  path: v.picklist(effectPaths),
  components: v.optional(v.pipe(shortList(1, maxLayers), v.array(component))),
  scan: index,
});
export const howParams = v.object({
  runId: index,
  cell: v.object({ component, layer: index, head: index, query: index, key: index }),
});
export const methodParams = v.object({ runId: index, component, method: v.picklist(methodIds) });
export const componentParams = v.object({ runId: index, component });
export const relationsParams = v.object({ runId: index, component, method: v.picklist(relationMethods) });
export const pictureParams = v.object({ runId: index });
export const compareWith = v.nullable(
  v.object({
    kind: v.picklist(['text', 'picture', 'model', 'precision', 'earlier', 'file']),
    text: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(maxTextUnits))),
  }),
);
export const act = v.object({ action: v.picklist(panelActions) });
export const painted = v.object({ runId: index, milliseconds: v.pipe(v.number(), v.minValue(0), v.maxValue(1e9)) });
/** What the page's menu was opened over, as VS Code hands it on; a run's id tells whether the page was of this run. */
export const menuContext = v.object({ runId: index, stream: index, position: index });
export const kept = v.object({ version: v.literal(2), key: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) });
export const persisted = v.pipe(
  v.object({
    version: v.literal(1),
    uri: v.pipe(v.string(), v.maxLength(10_000)),
    start: offset,
    end: offset,
    textHash: v.pipe(v.string(), v.maxLength(64)),
    isWholeDocument: v.boolean(),
    isPicture: v.optional(v.boolean()),
    isChatMessage: v.optional(v.boolean()),
    target: v.optional(v.pipe(v.string(), v.maxLength(100_000))),
    focus: v.optional(v.object({ start: offset, end: offset })),
    second: v.optional(v.object({ start: offset, end: offset, textHash: v.pipe(v.string(), v.maxLength(64)) })),
    view: keptView,
  }),
  v.check(
    ({ start, end, isPicture, focus }) =>
      (start < end || isPicture === true) &&
      (focus === undefined || (focus.start < focus.end && focus.end <= end - start)),
  ),
);

/** What a schema makes of a value. Throws `invalidMessage`. */
export function parse<S extends v.GenericSchema>(what: string, schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (!result.success)
    throw new ExplorerError('invalidMessage', [`${what}: ${plain(result.issues[0].message, maxComplaint)}`]);
  return result.output;
}
