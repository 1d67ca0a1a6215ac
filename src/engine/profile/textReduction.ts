import { ExplorerError } from '../../base/errors';
import type { ComponentInfo } from '../../model/head';
import { applicableTo, hasEnoughRows } from '../../model/metrics/headTable';
import type { HeadMetric, HeadShape } from '../../model/metrics/metric';
import { metricOf, type MetricId } from '../../model/metrics/metrics';
import type { PatternTotals } from '../../model/metrics/patternTotals';
import { MetricText, metricTextOf } from '../../model/metrics/metricText';
import { profileMetrics, relationTotals, type ComponentRecord } from '../../model/profile/textRecord';
import { classesOf, tokenClasses } from '../../model/profile/tokenClass';
import { relationIds } from '../../model/relations/relation';
import { relationPairs } from '../../model/relations/relationPairs';
import { SyntaxFacts } from '../../model/relations/syntaxTree';
import type { Grammar } from '../syntax/grammars';
import type { CodeParser } from '../syntax/parseCode';
import type { Explanation } from '../text/textModel';
import { bandRows } from '../weights/readBlock';
import { PatternReduction } from './patternReduction';
import type { PatternSummer } from './patternSums';

const numClasses = tokenClasses.length;
const numRelations = relationIds.length;
const numTotals = relationTotals.length;

/** The sums of one component over the chunks so far. */
interface ComponentSums extends Omit<ComponentRecord, 'values' | 'uniform' | 'isCausal'> {
  isCausal: boolean;
  readonly values: number[];
  readonly uniform: number[];
}

/** Reduces what a model reads of one text, chunk after chunk, beside the weights: they are gone when the next chunk is read. */
export class TextReduction {
  readonly #parser: CodeParser;
  readonly #grammar: Grammar | undefined;
  readonly #summer: PatternSummer;
  readonly #sums = new Map<string, ComponentSums>();

  /** @param grammar of the text, where there is one. */
  constructor(parser: CodeParser, grammar: Grammar | undefined, summer: PatternSummer) {
    this.#parser = parser;
    this.#summer = summer;
    this.#grammar = grammar;
  }

  /** Adds a chunk. A chunk that is not parsed has no relations. */
  async add({ streams, layers, components }: Pick<Explanation, 'streams' | 'layers' | 'components'>): Promise<void> {
    const tree = this.#grammar && (await this.#parser.parse(streams[0].text, this.#grammar).catch(unparsed));
    const facts = tree && new SyntaxFacts(tree, streams[0].text);
    for (const component of components) {
      const own = layers.filter((layer) => layer.component === component.component);
      if (own.length === 0) continue;
      const sums = this.#sumsOf(component);
      sums.isCausal &&= component.isCausal;
      const [queries, keys] = [streams[component.queryStream], streams[component.keyStream]];
      const text = new MetricText(metricTextOf(component, streams));
      const ids = applicableTo(component).filter((id) => profileMetrics.includes(id) && hasEnoughRows(id, text));
      const classes = { queries: classesOf(queries), keys: classesOf(keys) };
      addClasses(sums, classes, component.isCausal);
      const pairs = facts && queries === keys ? relationPairs(queries, facts, component.isCausal) : undefined;
      const listed = pairs === undefined ? [] : relationIds.map((id) => pairs[id]);
      listed.forEach((each, relation) => {
        sums.relationQueries[relation] += each.queries.length;
        sums.relationPairs[relation] += each.keys.length;
      });
      const [{ numQueries, numKeys }] = [...own.filter((layer) => layer.numHeads > 0), ...own];
      const reduction = new PatternReduction({
        summer: this.#summer,
        shape: {
          ...{ numQueries, numKeys, isCausal: component.isCausal },
          ...{ classes: classes.queries, keyClasses: classes.keys },
        },
        text,
        relations: listed,
      });
      const telling = profileMetrics.map((id) => (ids.includes(id) ? ofTotalsOf(id) : undefined));
      const uniform = reduction.reduce([uniformRows({ numQueries, numKeys }, component.isCausal)]);
      pushValues(sums.uniform, telling, uniform.totals, text);
      let index = 0;
      for (const layer of own)
        for (let head = 0; head < layer.numHeads; head++, index++) {
          const bands: Float32Array[] = [];
          for (let from = 0; from < numQueries; from += bandRows)
            bands.push(await layer.rows(head, from, Math.min(numQueries, from + bandRows)));
          const { totals, classWeights, relations } = reduction.reduce(bands);
          pushValues(sums.values, telling, totals, text);
          addAll(sums.classWeights, classWeights, index * numClasses ** 2);
          addAll(sums.relationSums, relations, index * numRelations * numTotals);
        }
    }
  }

  /** What the chunks came to. */
  records(): ComponentRecord[] {
    return [...this.#sums.values()].map((sums) => ({
      ...sums,
      values: Float32Array.from(sums.values),
      uniform: Float32Array.from(sums.uniform),
    }));
  }

  #sumsOf({ component, layers, isCausal }: ComponentInfo): ComponentSums {
    const known = this.#sums.get(component);
    if (known !== undefined) return known;
    const numHeads = layers.map((layer) => layer.numHeads);
    const all = numHeads.reduce((sum, count) => sum + count, 0);
    const numParsed = this.#grammar === undefined ? 0 : numRelations;
    const sums: ComponentSums = {
      component,
      numHeads,
      isCausal,
      values: [],
      uniform: [],
      classQueries: new Float64Array(numClasses),
      classShares: new Float64Array(numClasses ** 2),
      classWeights: new Float64Array(all * numClasses ** 2),
      relationQueries: new Float64Array(numParsed),
      relationPairs: new Float64Array(numParsed),
      relationSums: new Float64Array(all * numParsed * numTotals),
    };
    this.#sums.set(component, sums);
    return sums;
  }
}

/** Adds the metrics of a pattern that say something, in the places of all; NaN of the others. */
function pushValues(
  values: number[],
  metrics: readonly HeadMetric['ofTotals'][],
  totals: PatternTotals,
  text: MetricText,
): void {
  for (const ofTotals of metrics) values.push(ofTotals?.(totals, text) ?? NaN);
}

function ofTotalsOf(id: MetricId): HeadMetric['ofTotals'] {
  const metric: HeadMetric = metricOf(id);
  return metric.ofTotals;
}

function addAll(sums: Float64Array, others: ArrayLike<number>, from: number): void {
  for (let at = 0; at < others.length; at++) sums[from + at] += others[at];
}

/** The pattern of a head that reads all that it can alike. */
function uniformRows({ numQueries, numKeys }: HeadShape, isCausal: boolean): Float32Array {
  const rows = new Float32Array(numQueries * numKeys);
  for (let query = 0; query < numQueries; query++) {
    const end = isCausal ? Math.min(numKeys, query + numKeys - numQueries + 1) : numKeys;
    rows.fill(1 / end, query * numKeys, query * numKeys + end);
  }
  return rows;
}

function unparsed(error: unknown): undefined {
  if (error instanceof ExplorerError && error.code === 'codeNotParsed') return undefined;
  throw error;
}

interface Classes {
  readonly queries: Uint8Array;
  readonly keys: Uint8Array;
}

/** Adds how many queries of each class there are, and the shares of classes among what each can read. */
function addClasses(sums: ComponentSums, { queries, keys }: Classes, isCausal: boolean): void {
  const readable = new Float64Array(numClasses);
  const offset = keys.length - queries.length;
  let next = 0;
  queries.forEach((own, query) => {
    const end = isCausal ? Math.max(0, Math.min(keys.length, query + offset + 1)) : keys.length;
    for (; next < end; next++) readable[keys[next]]++;
    sums.classQueries[own]++;
    for (let other = 0; other < numClasses; other++)
      sums.classShares[own * numClasses + other] += next > 0 ? readable[other] / next : 0;
  });
}
