import type { Explanation } from '../../engine/text/textModel';
import type { AttentionStore } from '../../engine/weights/attentionStore';
import type { HeldLayer } from '../../engine/weights/heldLayer';
import { MixedLayer } from '../../engine/weights/weighedLayers';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../../model/head';
import type { methodOf } from '../../model/methods';
import { applicableTo, headMetrics, type HeadMetrics } from '../../model/metrics/headTable';
import { metricTextOf } from '../../model/metrics/metricText';
import { meanOf, weightsOf, type Pattern } from '../../model/pattern';
import { muchRead } from '../muchRead';
import { patternName, type Source } from '../openModel';
import type { RolloutBaseline } from '../rolloutBaseline';
import { writtenIn } from '../weighed';
import { ListedSources } from './listedSources';

/** A run as a method weighs it, and what of it is told. */
export interface Listing {
  readonly method: ReturnType<typeof methodOf>;
  readonly streams: Explanation['streams'];
  readonly layers: readonly HeldLayer[];
  /** Has the patterns of the layers. */
  readonly store: AttentionStore;
  /** The only head that is told of, in components that have it. */
  readonly chosen: HeadRef | undefined;
  /** The tokens that are told of, whose mean is told too; undefined: all of them. */
  readonly selected: readonly number[] | undefined;
  /** The only token whose row was weighed. */
  readonly token: number | undefined;
  /** What stands beside each source. */
  readonly baseline: RolloutBaseline | undefined;
}

/** A head as it is listed: its metrics, or, of a method whose numbers are lengths, how much it writes. */
export type MeasuredHead = Partial<HeadMetrics> & {
  readonly head: string;
  readonly muchRead?: ReturnType<typeof muchRead>;
  readonly written?: ReturnType<typeof writtenIn>;
  /** Of a method with the residual: how much of each token comes from others. */
  readonly mixing?: readonly number[];
};

/** What is told of a component, also as data. */
export interface ExplainedComponent extends Pick<ComponentInfo, 'component' | 'queryStream' | 'keyStream'> {
  /** The mean over the tokens that are told of, where these are several. */
  readonly meanReads?: readonly Source[];
  readonly pattern: string;
  /** Whether it is one head that is told of. */
  readonly isOne: boolean;
  readonly heads: readonly MeasuredHead[];
  /** Of each query. */
  readonly reads: readonly (readonly Source[])[];
}

/** Tells of a component what each head is like and what each token reads. Throws what reading rows throws. */
export async function explainComponent(info: ComponentInfo, listing: Listing): Promise<ExplainedComponent> {
  const { method, streams, store, chosen, selected, token, baseline } = listing;
  const { component, queryStream, keyStream } = info;
  const heads = headsOf(info);
  const shown = chosen && heads.find((each) => headLabel(each) === headLabel(chosen));
  const sources = new ListedSources(component, shown, baseline);
  const means =
    selected !== undefined && selected.length > 1 ? new ListedSources(component, shown, baseline) : undefined;
  const measure = measurer(info, listing);
  const measured: MeasuredHead[] = [];
  for (const each of heads) {
    // One row of one layer takes long enough.
    const isRead = token === undefined || each === shown;
    const pattern = isRead
      ? await store.pattern({ runId: 1, selection: { component, heads: [each], aggregation: 'mean' } })
      : undefined;
    measured.push({
      head: headLabel(each),
      ...(pattern === undefined || token !== undefined ? {} : measure(each, pattern)),
    });
    if (pattern === undefined || (shown !== undefined && each !== shown)) continue;
    sources.add(each, pattern);
    means?.add(each, meanPattern(pattern, selected ?? []));
  }
  const meanReads = await means?.of(0, selected);
  return {
    ...(meanReads === undefined ? {} : { meanReads }),
    component,
    pattern: patternName(shown, method.joinsHeads),
    isOne: shown !== undefined,
    queryStream,
    keyStream,
    heads: measured,
    reads: await Promise.all(
      streams[queryStream].tokens.map(async (_, query) =>
        token === undefined || query === token ? sources.of(query) : [],
      ),
    ),
  };
}

/** The mean of the rows of some queries, as a pattern of one row. */
function meanPattern(pattern: Pattern, queries: readonly number[]): Pattern {
  return {
    ...pattern,
    numQueries: 1,
    weights: meanOf(queries.map((query) => weightsOf(pattern, query, 'reads'))),
  };
}

/** What says of the heads of a component what they are like; metrics that compare positions of one text are left out where there are two. */
function measurer(
  info: ComponentInfo,
  { method, streams, layers }: Listing,
): (head: HeadRef, pattern: Pattern) => Omit<MeasuredHead, 'head'> {
  const metricText = metricTextOf(info, streams);
  const applicable = applicableTo(info);
  const own = layers.filter(({ component }) => component === info.component);
  return ({ layer: index }, pattern) => {
    const layer = own[index];
    const mixing = layer instanceof MixedLayer ? { mixing: [...layer.mixing] } : {};
    if (method.unit !== 'share') return { written: writtenIn(pattern), ...mixing };
    const metrics = headMetrics(pattern, metricText);
    return {
      ...Object.fromEntries(applicable.map((id) => [id, metrics[id]])),
      muchRead: muchRead(pattern, info),
      ...mixing,
    };
  };
}
