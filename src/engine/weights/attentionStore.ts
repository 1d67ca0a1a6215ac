import { ExplorerError } from '../../base/errors';
import { Turns } from '../../base/turns';
import { headLabel, type Component, type HeadSelection } from '../../model/head';
import { hasEnoughQueries, provenSinksAmong } from '../../model/lighting';
import { joinedSelection, joinsHeads, type MethodId } from '../../model/methods';
import type { HeadTable } from '../../model/metrics/headTable';
import { encodeDifferences, encodeThumbnail, type Pattern } from '../../model/pattern';
import { blocksAlong, cutTile, overviewLevel, tileSize } from '../../model/patternLevels';
import type {
  CausalParams,
  CellParams,
  HeadRows,
  HeadRowsParams,
  HeadTableParams,
  OfText,
  PairParams,
  PatternOverview,
  PatternParams,
  PatternTile,
  RowParams,
  ThumbnailParams,
  Thumbnails,
  TileParams,
} from '../../protocol';
import type { OfWeightForm, SinkMass, StrongestCell, Weighing, WeightForm } from '../../model/weightForm';
import { AttentionFlow } from './flow';
import { FormedLayer, nameOfComparison, nameOfForm } from './formedLayer';
import type { HeldLayer } from './heldLayer';
import { buildPyramid, type PatternPyramid } from './patternPyramid';
import { areSigned, bandRows, readBlock, readColumn, type HeadsOfPattern } from './readBlock';
import { readHeadRows, readHeadTable, readPairs } from './readAllHeads';
import { SharedWork } from '../limits/sharedWork';
import { smallPicture } from './smallPicture';

/** Room for the pyramids of about three heads of 4096 tokens. */
const maxPyramidBytes = 72 * 2 ** 20;
/** Metrics take some ten kilobytes for a thousand heads. */
const maxTablesBytes = 2 ** 20;

/** The layers of a component as a method weighs them, in their order; those of a method that joins heads have one. */
export interface WeighedLayers extends Weighing {
  readonly layers: readonly HeldLayer[];
}

/** Layers of a component beside those of another run; they hold nothing of their own. */
interface ComparedLayers {
  readonly runIds: readonly number[];
  readonly layers: readonly HeldLayer[];
  readonly ceiling: number;
}

type HeldTable = HeadTable & { readonly bytes: number };

/**
 * Holds the attention of the latest runs and hands it out by slice; the oldest runs go when the budget is spent. All that is
 * handed out is the receiver's own. Long work lets messages in and ends with its signal's reason.
 */
export class AttentionStore {
  readonly #runs = new Map<number, readonly HeldLayer[]>();
  readonly #budgetBytes: number;
  readonly #pyramids = new SharedWork<PatternPyramid>(maxPyramidBytes);
  readonly #tables = new SharedWork<HeldTable>(maxTablesBytes);
  /** The sinks of heads, by run, layer and head. */
  readonly #sinks = new Map<string, Promise<readonly number[]>>();
  /** Layers of runs weighed by a method, by run, component and method. */
  readonly #weighed = new Map<string, WeighedLayers>();
  /** Layers of runs beside those of another, by run, component and comparison. */
  readonly #compared = new Map<string, ComparedLayers>();
  /** Attention flow of components, with the rows that were made. */
  readonly #flows = new Map<string, AttentionFlow>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of attention held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a run (layers in order, per component), or what there is of it now; older ones are dropped while the budget is exceeded. */
  add(runId: number, layers: readonly HeldLayer[]): void {
    this.#bytes += bytesOf(layers) - bytesOf(this.#runs.get(runId) ?? []);
    // What was measured and weighed of all heads was of fewer.
    this.#dropWeighed(runId);
    this.#tables.drop(`${runId}/`);
    this.#runs.set(runId, layers);
    for (const oldest of this.#runs.keys()) {
      if (this.#bytes <= this.#budgetBytes || oldest === runId) break;
      this.release(oldest);
    }
  }

  /** Holds the layers of a component as a method weighs them, until the run goes. */
  addWeighed(runId: number, component: Component, method: MethodId, weighed: WeighedLayers): void {
    if (!this.#runs.has(runId)) return;
    this.#weighed.set(`${runId}/${component}/${method}`, weighed);
    this.#bytes += bytesOf(weighed.layers);
  }

  /** Holds the layers of a component as a comparison shows them, until one of its runs goes. */
  addCompared(
    runId: number,
    component: Component,
    compared: NonNullable<WeightForm['compared']>,
    { layers, ceiling }: Pick<ComparedLayers, 'layers' | 'ceiling'>,
  ): void {
    if (this.#runs.has(runId) && this.#runs.has(compared.otherId))
      this.#compared.set(`${runId}/${component}/${nameOfComparison(compared)}`, {
        runIds: [runId, compared.otherId],
        layers,
        ceiling,
      });
  }

  /** What is known of a component as a method weighs it; undefined where nobody has weighed it. */
  weighed(runId: number, component: Component, method: MethodId): WeighedLayers | undefined {
    return this.#weighed.get(`${runId}/${component}/${method}`);
  }

  has(runId: number): boolean {
    return this.#runs.has(runId);
  }

  release(runId: number): void {
    const layers = this.#runs.get(runId);
    if (layers === undefined) return;
    this.#runs.delete(runId);
    this.#bytes -= bytesOf(layers);
    this.#dropWeighed(runId);
    this.#pyramids.drop(`${runId}/`);
    this.#tables.drop(`${runId}/`);
    for (const name of this.#sinks.keys()) if (name.startsWith(`${runId}/`)) this.#sinks.delete(name);
    for (const [name, { runIds }] of this.#compared) if (runIds.includes(runId)) this.#compared.delete(name);
    for (const layer of layers) layer.release?.();
  }

  /** The whole pattern of a selection. Throws `unknownRun` or `invalidArgument`. */
  async pattern({ runId, selection, form }: PatternParams & OfWeightForm, signal?: AbortSignal): Promise<Pattern> {
    const heads = this.#heads(runId, selection, form);
    const { numQueries, numKeys } = heads;
    const turns = new Turns(signal);
    if (numQueries <= bandRows)
      return {
        numQueries,
        numKeys,
        weights: await readBlock(heads, { from: 0, to: numQueries, left: 0, right: numKeys }, turns, signal),
      };
    const weights = new Float32Array(numQueries * numKeys);
    for (let from = 0; from < numQueries; from += bandRows) {
      weights.set(
        await readBlock(
          heads,
          { from, to: Math.min(numQueries, from + bandRows), left: 0, right: numKeys },
          turns,
          signal,
        ),
        from * numKeys,
      );
    }
    return { numQueries, numKeys, weights };
  }

  /** What one token reads, or what reads it, in the pattern of a selection, without making the whole pattern. Throws `unknownRun` or `invalidArgument`. */
  async row(
    { runId, selection, position, direction, form }: RowParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const heads = this.#heads(runId, selection, form);
    checkIndex('position', position, direction === 'reads' ? heads.numQueries : heads.numKeys);
    const turns = new Turns(signal);
    if (direction === 'readBy') return readColumn(heads, position, turns, signal);
    return readBlock(heads, { from: position, to: position + 1, left: 0, right: heads.numKeys }, turns, signal);
  }

  /** The pattern of a selection reduced to what is drawn first, with the numbers at its edges. Throws `unknownRun` or `invalidArgument`. */
  async overview(
    { runId, selection, isCausal, form }: PatternParams & CausalParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<PatternOverview> {
    const heads = this.#heads(runId, selection, form);
    const { numQueries, numKeys } = heads;
    const { levels, rowMaxima, sums } = await this.#pyramid({ runId, selection, form }, heads, signal);
    const last = levels.at(-1);
    const { rows, columns, maxima } =
      last === undefined
        ? {
            rows: numQueries,
            columns: numKeys,
            maxima: (await this.pattern({ runId, selection, form }, signal)).weights,
          }
        : { ...last, maxima: last.maxima.slice() };
    const columnMeans = sums.columnMeans(isCausal);
    const sinks = areSigned(heads) ? [] : provenSinksAmong(columnMeans, numQueries, isCausal);
    return {
      numQueries,
      numKeys,
      level: levels.length,
      rows,
      columns,
      maxima,
      rowMaxima: rowMaxima.slice(),
      rowSums: sums.rowSums.slice(),
      columnMeans,
      sinks,
    };
  }

  /** One tile of one level of a selection's pattern. Throws `unknownRun` or `invalidArgument`. */
  async tile(
    { runId, selection, level, row, column, form }: TileParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<PatternTile> {
    const heads = this.#heads(runId, selection, form);
    const { numQueries, numKeys } = heads;
    checkIndex('level', level, overviewLevel(numQueries, numKeys) + 1);
    checkIndex('row', row, Math.ceil(blocksAlong(numQueries, level) / tileSize));
    checkIndex('column', column, Math.ceil(blocksAlong(numKeys, level) / tileSize));
    if (level > 0) {
      const { levels } = await this.#pyramid({ runId, selection, form }, heads, signal);
      return cutTile(levels[level - 1], row, column);
    }
    const [from, left] = [row * tileSize, column * tileSize];
    const [to, right] = [Math.min(numQueries, from + tileSize), Math.min(numKeys, left + tileSize)];
    return {
      rows: to - from,
      columns: right - left,
      maxima: await readBlock(heads, { from, to, left, right }, new Turns(signal), signal),
    };
  }

  /** Every head of a component, reduced by maximum to at most `size` rows and columns, with its sinks. Throws `unknownRun`. */
  async thumbnails(
    { runId, component, size, layers: wanted, isCausal, form }: ThumbnailParams & CausalParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<Thumbnails> {
    const layers = this.#layers(runId, component, form);
    const { ceiling = 1 } =
      (form?.compared === undefined
        ? this.weighed(runId, component, form?.method ?? 'attention')
        : this.#compared.get(`${runId}/${component}/${nameOfComparison(form.compared)}`)) ?? {};
    const numHeads = layers.map((layer, number) => (wanted?.includes(number) === false ? 0 : layer.numHeads));
    const rows = Math.max(0, ...layers.map((layer) => Math.min(size, layer.numQueries)));
    const columns = Math.max(0, ...layers.map((layer) => Math.min(size, layer.numKeys)));
    const total = numHeads.reduce((sum, count) => sum + count, 0);
    const pixels = new Uint8Array(total * rows * columns);
    const sinks: (readonly number[])[] = [];
    const turns = new Turns(signal);
    let index = 0;
    for (const [number, layer] of layers.entries()) {
      for (let head = 0; head < numHeads[number]; head++, index++) {
        const { pooled, columnMeans } = await smallPicture({ layer, head }, { size, isCausal }, turns, signal);
        // Those that were faded or taken out are still its sinks.
        sinks.push(
          layer instanceof FormedLayer
            ? await layer.sinksOf(head)
            : layer.isSigned === true
              ? []
              : provenSinksAmong(columnMeans, layer.numQueries, isCausal),
        );
        const encode = layer.isSigned === true ? encodeDifferences : encodeThumbnail;
        const bytes = encode(ceiling === 1 ? pooled.weights : pooled.weights.map((weight) => weight / (ceiling || 1)));
        for (let row = 0; row < pooled.numQueries; row++)
          pixels.set(bytes.subarray(row * pooled.numKeys, (row + 1) * pooled.numKeys), (index * rows + row) * columns);
      }
    }
    return { numHeads, rows, columns, pixels, sinks };
  }

  /** The weight between two tokens in every head of a component. Throws `unknownRun` or `invalidArgument`. */
  async headPairs(
    { runId, component, queries, keys, form }: PairParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const layers = this.#layers(runId, component, form);
    for (const { numQueries, numKeys } of layers) {
      checkIndices('queries', queries, numQueries);
      checkIndices('keys', keys, numKeys);
    }
    return readPairs(layers, { queries, keys }, signal);
  }

  /** What tokens read, or what reads them, in every head of a component, reduced by maximum to at most `size` numbers. Throws `unknownRun` or `invalidArgument`. */
  async headRows(
    { runId, component, form, ...params }: HeadRowsParams & CausalParams & OfWeightForm,
    signal?: AbortSignal,
  ): Promise<HeadRows> {
    const layers = this.#layers(runId, component, form);
    for (const { numQueries, numKeys } of layers)
      checkIndices('positions', params.positions, params.direction === 'reads' ? numQueries : numKeys);
    return readHeadRows(layers, params, signal);
  }

  /** Metrics of every head of a component; those of norms say nothing where it was not weighed by them. Throws `unknownRun`. */
  async headTable(
    { runId, component, metrics, text }: Omit<HeadTableParams, 'asked'> & OfText,
    signal?: AbortSignal,
  ): Promise<HeadTable> {
    const layers = this.#layers(runId, component);
    const read = async (working: AbortSignal): Promise<HeldTable> => {
      const norms = this.weighed(runId, component, 'norm')?.layers;
      const table = await readHeadTable(layers, metrics, text, {
        signal: working,
        ...(norms === undefined ? {} : { norms }),
      });
      return { ...table, bytes: table.values.byteLength };
    };
    const { values } = await this.#tables.get(
      `${runId}/${component}/${metrics.join()}/${text.asked?.queries.join() ?? ''}/${text.asked?.keys.join() ?? ''}`,
      read,
      signal,
    );
    return { metrics, values: values.slice() };
  }

  /** What lies on sinks in the rows of a pattern. Throws `unknownRun` or `invalidArgument`. */
  async sinkMass(
    { runId, selection, form }: PatternParams & { readonly form: WeightForm },
    signal?: AbortSignal,
  ): Promise<SinkMass> {
    const { heads, numQueries } = this.#heads(runId, selection, { ...form, sinks: 'remove' });
    const turns = new Turns(signal);
    const sinks = new Set<number>();
    const removed = new Float32Array(numQueries);
    for (const { layer, head } of heads) {
      if (!(layer instanceof FormedLayer)) continue;
      for (const key of await layer.sinksOf(head)) sinks.add(key);
      const own = await layer.removed(head, signal);
      for (let row = 0; row < numQueries; row++) removed[row] += own[row] / heads.length;
      if (turns.isDue) await turns.give();
    }
    return { sinks: [...sinks].sort((a, b) => a - b), removed };
  }

  /** The strongest weight of any head shown within a cell of units. Throws `unknownRun` or `invalidArgument`. */
  async strongestCell(
    { runId, selection, query, key, form }: CellParams & { readonly form: WeightForm },
    signal?: AbortSignal,
  ): Promise<StrongestCell> {
    const { heads, numQueries, numKeys } = this.#heads(runId, selection, form);
    checkIndex('query', query, numQueries);
    checkIndex('key', key, numKeys);
    const turns = new Turns(signal);
    let found: StrongestCell | undefined;
    for (const { layer, head } of heads) {
      if (!(layer instanceof FormedLayer)) continue;
      const own = await layer.strongestCell(head, query, key, signal);
      if (found === undefined || own.weight > found.weight) found = own;
      if (turns.isDue) await turns.give();
    }
    if (found === undefined) throw new ExplorerError('invalidArgument', ['form', 'every token is a unit']);
    return found;
  }

  /** The layers of a component of a run. Throws `unknownRun`. */
  layersOf(runId: number, component: Component): readonly HeldLayer[] {
    return this.#layers(runId, component);
  }

  #pyramid(
    { runId, selection, form }: PatternParams & OfWeightForm,
    heads: HeadsOfPattern,
    signal: AbortSignal | undefined,
  ): Promise<PatternPyramid> {
    const { component, aggregation } = selection;
    const name = `${runId}/${component}/${heads.heads.length > 1 ? aggregation : ''}/${selection.heads.map(headLabel).join(' ')}${nameOfForm(form)}`;
    return this.#pyramids.get(name, (working) => buildPyramid(heads, working), signal);
  }

  #dropWeighed(runId: number): void {
    for (const name of this.#flows.keys()) if (name.startsWith(`${runId}/`)) this.#flows.delete(name);
    for (const [name, { layers }] of this.#weighed)
      if (name.startsWith(`${runId}/`)) {
        this.#weighed.delete(name);
        this.#bytes -= bytesOf(layers);
      }
  }

  #layers(runId: number, component: Component, form?: WeightForm): HeldLayer[] {
    const layers = this.#runs.get(runId);
    if (layers === undefined) throw new ExplorerError('unknownRun');
    const own = layers.filter((layer) => layer.component === component);
    if (form === undefined) return own;
    if (form.compared !== undefined) {
      const compared = this.#compared.get(`${runId}/${component}/${nameOfComparison(form.compared)}`)?.layers;
      if (compared === undefined) throw new ExplorerError('unknownRun');
      return [...compared];
    }
    const { method } = form;
    const weighed =
      method === 'attention'
        ? own
        : method === 'flow'
          ? this.#flowing(runId, component, form.tokens)
          : this.weighed(runId, component, method)?.layers;
    if (weighed === undefined) throw new ExplorerError('invalidArgument', ['method', `${method} was not weighed`]);
    return own.map((layer, index) => {
      // Sinks are those of the weights themselves, whatever these are multiplied with.
      const sinksOf = (head: number): Promise<readonly number[]> =>
        form.canHaveSinks && hasEnoughQueries(layer.numQueries)
          ? this.#sinksOf(`${runId}/${component}/${index}.${head}`, layer, head, form.isCausal)
          : Promise.resolve([]);
      return new FormedLayer(weighed[index], form, sinksOf);
    });
  }

  /** Attention flow of some tokens, the last one where none are named. Throws `invalidArgument`. */
  #flowing(runId: number, component: Component, tokens: readonly number[] | undefined): readonly HeldLayer[] {
    const key = `${runId}/${component}`;
    const own = this.#layers(runId, component);
    const flow = this.#flows.get(key) ?? new AttentionFlow(own);
    this.#flows.set(key, flow);
    const numTokens = Math.max(0, ...own.map(({ numQueries }) => numQueries));
    if (tokens !== undefined && tokens.length > 0) checkIndices('tokens', tokens, numTokens);
    return flow.of(tokens === undefined || tokens.length === 0 ? [numTokens - 1] : tokens);
  }

  /** The sinks of a head, found once a run. */
  #sinksOf(name: string, layer: HeldLayer, head: number, isCausal: boolean): Promise<readonly number[]> {
    let found = this.#sinks.get(name);
    if (found === undefined) {
      // Not ended with whoever asked first: the next one needs it too.
      found = smallPicture({ layer, head }, { size: 1, isCausal }, new Turns(undefined)).then(({ columnMeans }) =>
        provenSinksAmong(columnMeans, layer.numQueries, isCausal),
      );
      this.#sinks.set(name, found);
      found.catch(() => this.#sinks.delete(name));
    }
    return found;
  }

  #heads(runId: number, selection: HeadSelection, form?: WeightForm): HeadsOfPattern {
    const { component, aggregation } = selection;
    const layers = this.#layers(runId, component, form);
    const wanted = form !== undefined && joinsHeads(form.method) ? joinedSelection(selection).heads : selection.heads;
    const found = wanted.map(({ layer: index, head }) => {
      const layer = layers[index];
      if (layer === undefined || !Number.isInteger(head) || head < 0 || head >= layer.numHeads)
        throw new ExplorerError('invalidArgument', ['head', `${component} ${index}.${head} is not in the model`]);
      return { layer, head };
    });
    const [first] = found;
    if (first === undefined) throw new ExplorerError('invalidArgument', ['heads', 'the selection is empty']);
    const { numQueries, numKeys } = first.layer;
    if (found.some(({ layer }) => layer.numQueries !== numQueries || layer.numKeys !== numKeys))
      throw new ExplorerError('invalidArgument', ['heads', 'their patterns are of different shapes']);
    return { heads: found, aggregation, numQueries, numKeys };
  }
}

function checkIndex(name: string, index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new ExplorerError('invalidArgument', [name, `${index} is not in 0 … ${count - 1}`]);
}

function checkIndices(name: string, indices: readonly number[], count: number): void {
  if (indices.length === 0) throw new ExplorerError('invalidArgument', [name, 'the list is empty']);
  for (const index of indices) checkIndex(name, index, count);
}

function bytesOf(layers: readonly HeldLayer[]): number {
  return layers.reduce((sum, layer) => sum + layer.bytes, 0);
}
