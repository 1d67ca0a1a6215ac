import { siteContexts } from '../../onnx/find/siteContexts';
import { siteTaps } from '../../onnx/find/siteTaps';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { HeadTensor } from '../../onnx/name/taps';
import type { OutputProjection } from '../../onnx/follow/outputProjection';
import { readModel } from '../../onnx/file/readModel';
import { GraphIndex } from '../../onnx/graph/graphIndex';
import type { AskedLogits } from '../../onnx/predict/askLogits';
import type { LogitsOutput } from '../../onnx/predict/findLogits';
import { lastSum } from '../../onnx/predict/finalSum';
import { rewriteModel, type RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import { cutStages, type StageCut } from '../../onnx/stages/cutStages';
import type { AttentionSession } from '../session/attentionSession';

/** An attention in a model that experiments are made on. */
export interface EffectSite {
  readonly site: PlacedSite;
  /** The stage that ends with what its heads read. */
  readonly stage: number;
  /** What its heads read, before it is projected; in a clause, why it cannot be told. */
  readonly contexts: readonly HeadTensor[] | string;
  /** The output that holds its weights; undefined where they would have to be made. */
  readonly weights: string | undefined;
  readonly values: HeadTensor | string;
  readonly projection: OutputProjection | string;
}

/** What is asked of the end of a model: logits of a vocabulary at some places, or the scores of labels. */
export type EndOutputs = AskedLogits | { readonly scores: string };

/** A model that is cut behind what its heads read, and gives what is asked of its end. */
export interface EffectGraph {
  readonly rewritten: RewrittenModel;
  readonly cut: StageCut;
  readonly sites: readonly EffectSite[];
}

/**
 * Writes a model for experiments.
 * @param makesWeights whether weights, and values, are made that operators keep inside themselves.
 */
export function effectGraph(session: AttentionSession, end: EndOutputs, makesWeights: boolean): EffectGraph {
  const { analysis } = session;
  const { index } = analysis;
  const parts = analysis.sites.map((site) => {
    const taps = siteTaps(index, site);
    const isThere = site.suffix === undefined && site.loop === undefined && site.inParts === undefined;
    const { values } = taps;
    const hasValues = typeof values !== 'string' && (makesWeights || index.hasTensor(values.tensor));
    return {
      site,
      taps,
      contexts: siteContexts(index, site),
      gives: isThere || (makesWeights && site.loop === undefined && site.inParts === undefined),
      values: hasValues ? values : typeof values === 'string' ? values : 'they would have to be made',
    };
  });
  const own = parts.map(({ site, gives }) => (gives ? site : { ...site, suffix: undefined, needs: [] }));
  const none = { nodes: [], initializers: [], valueInfos: [], outputs: [] };
  const valueTensors = parts.flatMap(({ values }) => (typeof values === 'string' ? [] : [values.tensor]));
  const isAsked = 'suffix' in end;
  const rewritten = rewriteModel(analysis, {
    sites: own,
    isWhole: false,
    also: [...new Set([...valueTensors, ...(isAsked ? Object.values(end.outputs) : [end.scores])])],
    suffixes: [...parts.map(({ taps }) => taps.suffix), ...(isAsked ? [end.suffix] : [])],
    keepsWeights: session.keepsWeights,
    tap: (site, weights) => {
      const { gives } = parts[own.indexOf(site)];
      return gives ? { ...none, outputs: [weights] } : none;
    },
    ...(isAsked ? { tapInputs: end.inputs, replacements: end.replacements } : {}),
  });
  const graph = new GraphIndex(readModel(rewritten.bytes, analysis.model.name));
  const cut = cutStages(
    graph,
    rewritten.outputs.map(({ taps }, i) => ({
      tensors: [...taps, ...tensorsOf(parts[i].values), ...contextTensors(parts[i].contexts)],
    })),
  );
  const sites = parts.map(({ site, taps, contexts, values }, i) => ({
    site,
    stage: cut.stages.findIndex(({ ends }) => ends.includes(i)),
    contexts,
    weights: rewritten.outputs[i].taps.at(0),
    values,
    projection: taps.projection,
  }));
  return { rewritten, cut, sites };
}

const tensorsOf = (values: HeadTensor | string): string[] => (typeof values === 'string' ? [] : [values.tensor]);
const contextTensors = (contexts: readonly HeadTensor[] | string): string[] =>
  typeof contexts === 'string' ? [] : contexts.map(({ tensor }) => tensor);

/** The sum from which on only the rows that are asked are computed. */
export function lastSumOf({ analysis: { index, sites } }: AttentionSession, logits: LogitsOutput): string | undefined {
  const written = sites.map((site) => {
    const { projection } = siteTaps(index, site);
    return typeof projection === 'string' || !index.hasTensor(projection.output) ? undefined : projection.output;
  });
  // Of an attention whose projection is not known, nobody knows where it writes.
  const known = written.filter((tensor) => tensor !== undefined);
  return known.length < sites.length
    ? undefined
    : lastSum(
        index,
        known,
        sites.map(({ node }) => node),
        logits,
      );
}
