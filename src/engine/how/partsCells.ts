import type { How } from '../../model/how/how';
import { linearMap, type LinearMap } from '../../onnx/follow/outputProjection';
import { projectedTensor } from '../../onnx/follow/products';
import { signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ValuesInParts } from '../../onnx/name/site';
import { partsGraph } from '../../onnx/rewrite/partsGraph';
import { namedNode } from '../../onnx/steps/cellPlan';
import { ElementTracer, type TracedNumbers } from '../../onnx/steps/elementTrace';
import { findEmbedding, type Embedding } from '../../onnx/steps/embedding';
import { partsRegion, type PartsRegion } from '../../onnx/steps/partsRegion';
import type { OutputTensor } from '../runtime/feeds';
import type { AttentionSession } from '../session/attentionSession';
import { positionsOfTokens } from '../session/placedText';
import { runPositions } from '../session/positionRun';
import { readProjection, type ProjectionNumbers } from '../session/projectionRun';
import { mapOf } from './cellMaps';
import type { CellMaps } from './cellRead';
import type { DrawnCell } from './cellRead';
import { CellTensors } from './cellTensors';
import { howCell } from './howCell';
import { partsFrame, rowOf, type PartsFrame } from './partsFrame';
import { PartsNumbers } from './partsNumbers';
import { PartsTrace, type PartsRow } from './partsTrace';

/** How far the weights of a row may be from those that are drawn. */
const tolerance = 1e-5;
const unlaid = 'what its parts come to is not laid out in a way that is known';
const none = { nodes: [], initializers: [], valueInfos: [] };

/** Where the attention in parts that cells are asked of is. */
interface PartsSite {
  readonly own: AttentionSession;
  readonly values: ValuesInParts;
  readonly region: PartsRegion;
  /** What the first product gives, whose axis of features is as long as a head's. */
  readonly first: { readonly tensor: string; readonly axis: number };
  readonly projection: LinearMap | string;
  /** By what is projected to queries. */
  readonly embeddings: ReadonlyMap<string, Embedding>;
}

/** Reads how cells of one attention in parts came about: every number is followed through what moves it, with the indices that a run had. */
export class PartsCells {
  readonly #site: PartsSite;
  readonly #numbers: PartsNumbers;
  readonly #maps = new Map<string, Promise<ProjectionNumbers | undefined>>();
  #projection: CellMaps['projection'] | undefined;

  private constructor(site: PartsSite, numbers: PartsNumbers) {
    this.#site = site;
    this.#numbers = numbers;
  }

  /** Of a site; otherwise, in a clause, why it cannot be followed. Throws what the runtime throws. */
  static async open(own: AttentionSession, site: PlacedSite, values: ValuesInParts): Promise<PartsCells | string> {
    const { index } = own.analysis;
    const graph = partsGraph(index, values);
    if (typeof graph === 'string') return graph;
    const region = partsRegion(index, values);
    if (typeof region === 'string') return region;
    const node = index.consumers(values.joined).find((each) => projectedTensor(index, each) === values.joined);
    const projection = node === undefined ? 'its projection is not told' : linearMap(index, node, values.joined);
    const { roles } = signatureOf(index);
    const embeddings = new Map<string, Embedding>();
    for (const { context } of region.maps.values()) {
      const found = embeddings.has(context) ? undefined : findEmbedding(index, context, roles, 'ids');
      if (found !== undefined) embeddings.set(context, found);
    }
    const numbers = await PartsNumbers.open(own, site, [
      ...region.tensors,
      graph.firstResult,
      ...(typeof projection === 'string' ? [] : [projection.result]),
      ...[...embeddings.values()].flatMap(({ tensor, position }) => [
        tensor,
        position?.tensor ?? '',
        position?.sum ?? '',
      ]),
    ]);
    const first = { tensor: graph.firstResult, axis: graph.featureAxis };
    return new PartsCells({ own, values, region, first, projection, embeddings }, numbers);
  }

  /**
   * How a cell came about of a run that was fed these inputs; otherwise, in a clause, why that cannot be told. Throws a RangeError likewise, and what the runtime throws.
   * @param first the position of the text's first token.
   */
  async how(drawn: DrawnCell, inputs: readonly ModelInput[], first: number): Promise<How | string> {
    const { own, values, region, projection } = this.#site;
    const { index } = own.analysis;
    const numbers = await this.#numbers.read(inputs);
    const tracer = new ElementTracer(index, numbers);
    const trace = new PartsTrace(index, tracer, region, values);
    const { cell, token, weight, numHeads } = drawn;
    const joined = tracer.numbers(values.joined);
    const width = joined.dims.at(-1) ?? 0;
    const size = tracer.numbers(this.#site.first.tensor).dims.at(this.#site.first.axis) ?? 0;
    if (width !== numHeads * size) return unlaid;
    const places = await this.#places(inputs, drawn.numKeys, first);
    const query = places.queries[cell.query];
    const row = trace.row({ tensor: values.joined, at: query * width + cell.head * size });
    const weights = tracer.numbers(row.weights).values;
    const keys = row.values.map((value) => {
      if (value === undefined) return -1;
      const { dims } = tracer.numbers(value.tensor);
      return (places.keys.get(value.tensor) ?? []).indexOf(Math.floor(value.at / (dims.at(-1) ?? 1)));
    });
    const column = columnOf(drawn, keys, (at) => weights[row.from + at]);
    if (typeof column === 'string') return column;
    const frame = partsFrame({
      ...{ index, tracer, trace, region, row, column, query },
      key: places.queries[cell.key],
      tokenAt: (at) => places.queries.indexOf(at),
    });
    const { tensors } = frame;
    tensors.set('context', rowOf(joined.values, query * width, width));
    tensors.set('values', headValues(tracer, row, size));
    if (typeof projection !== 'string') tensors.set('written', rowAt(tracer.numbers(projection.result), query));
    const { plan, origins, inParts } = frame;
    return howCell(
      {
        plan,
        origins,
        inParts,
        embedding: this.#embedding(frame, numbers, query),
        loop: undefined,
        isUndivided: false,
        isRounded: false,
        projectionNode: typeof projection === 'string' ? undefined : namedNode(index, projection.node),
        parts: {
          queries: unlaid,
          keys: unlaid,
          scores: unlaid,
          residual: unlaid,
          values: { tensor: '', positionAxis: -2, featureAxis: -1 },
          projection,
          suffix: none,
          weightSuffix: none,
        },
      },
      new CellTensors(tensors, { head: cell.head, window: undefined }),
      {
        cell,
        weight,
        numHeads,
        token,
        numKeys: row.length,
        first: { query: query - cell.query, key: column - cell.key },
        keys,
      },
      await this.#mapsOf(frame, width),
    );
  }

  release(): Promise<void> {
    return this.#numbers.release();
  }

  /** Where the tokens stand among the queries and among the values of each projection: as the model's own graph moves their numbers. */
  async #places(
    inputs: readonly ModelInput[],
    numTokens: number,
    first: number,
  ): Promise<{ readonly queries: readonly number[]; readonly keys: ReadonlyMap<string, readonly number[]> }> {
    const { own, values } = this.#site;
    const { roles } = signatureOf(own.analysis.index);
    const ids = inputs.find(({ name }) => roles.get(name) === 'ids');
    const inOrder = Array.from({ length: numTokens }, (_, token) => token + first);
    const streams = [...new Set(values.sources.map(({ hidden }) => hidden))];
    const found =
      ids &&
      (await runPositions(own.partRuntime, inputs, ids, { streams, joined: [values.joined], sites: [] })).streams;
    const placesOf = (hidden: string): readonly number[] | undefined => {
      const places = found?.get(hidden);
      return places === undefined || typeof places === 'string' ? undefined : positionsOfTokens(places, numTokens);
    };
    const ofText = values.sources.flatMap(({ hidden }) => placesOf(hidden) ?? []);
    return {
      queries: ofText.length === 0 ? inOrder : ofText.slice(0, numTokens),
      keys: new Map(
        values.sources.flatMap(({ tensor, hidden }) => {
          const places = ofText.length === 0 ? inOrder : placesOf(hidden);
          return places === undefined ? [] : [[tensor, places] as const];
        }),
      ),
    };
  }

  async #mapsOf({ origins, tensors }: PartsFrame, width: number): Promise<CellMaps> {
    const { own, projection } = this.#site;
    this.#projection ??=
      typeof projection === 'string'
        ? projection
        : await readProjection(own.partRuntime, { projection, weightSuffix: none }, width);
    const read = (side: 'query' | 'key'): Promise<ProjectionNumbers | undefined> => {
      const { map } = origins[side];
      const [numIn, numOut] = [`x of ${side}`, `made of ${side}`].map((what) => tensors.get(what)?.dims.at(-1));
      const known = this.#maps.get(map?.output ?? '') ?? mapOf(own, map, [numIn, numOut]);
      this.#maps.set(map?.output ?? '', known);
      return known;
    };
    const [query, key] = [await read('query'), await read('key')];
    return { projection: this.#projection, maps: { query, key } };
  }

  /** The embedding that the query's token begins with, whose numbers are put beside the others. */
  #embedding(
    { origins, tensors }: PartsFrame,
    numbers: ReadonlyMap<string, TracedNumbers>,
    query: number,
  ): Embedding | undefined {
    const embedding = this.#site.embeddings.get(origins.query.source ?? '');
    if (embedding === undefined) return undefined;
    const { tensor, position } = embedding;
    for (const [what, name] of [
      ['embedding', tensor],
      ['position', position?.tensor],
      ['summed', position?.sum],
    ] as const) {
      const found = name === undefined ? undefined : numbers.get(name);
      if (found !== undefined) tensors.set(what, rowAt(found, query));
    }
    return embedding;
  }
}

/** A position's row; the only one where there is one for all. */
function rowAt({ dims, values }: TracedNumbers, position: number): OutputTensor {
  const width = dims.at(-1) ?? 0;
  return rowOf(values, (position % (values.length / width)) * width, width);
}

/** A head's values at all columns of a row. */
function headValues(tracer: ElementTracer, row: PartsRow, size: number): OutputTensor {
  const data = new Float32Array(row.length * size);
  row.values.forEach((element, at) => {
    if (element === undefined) return;
    const { values } = tracer.numbers(element.tensor);
    for (let i = 0; i < size; i++) data[at * size + i] = values[element.at + i];
  });
  return { type: 'float32', dims: [1, 1, row.length, size], data };
}

/** Why a cell that lies in no part is not followed, in a clause: its row is known then. */
export const isInNoPart = 'no part of the graph reads this key for this query: its weight is none';

/** Where in a row the cell is; in a clause, why it is not there, or why the row is not the one that is drawn. */
function columnOf(
  { cell, row }: DrawnCell,
  keys: readonly number[],
  weightAt: (column: number) => number,
): number | string {
  const sums = new Map<number, number>();
  for (const [column, key] of keys.entries()) sums.set(key, (sums.get(key) ?? 0) + weightAt(column));
  for (const [key, drawn] of Array.from(row ?? []).entries())
    if (!(Math.abs((sums.get(key) ?? 0) - drawn) <= tolerance))
      return 'its row is another one than that which is drawn: its positions are not the tokens, one by one';
  let found = -1;
  for (const [column, key] of keys.entries())
    if (key === cell.key && (found < 0 || weightAt(column) > weightAt(found))) found = column;
  return found < 0 ? isInNoPart : found;
}
