import { ExplorerError } from '../../base/errors';
import { fadeSinks, renormalizing } from '../../model/patternForm';
import type { StrongestCell, WeightForm } from '../../model/weightForm';
import type { HeldLayer } from './heldLayer';
import { LayerView } from './layerView';
import { bandRows } from './readBlock';

/** The sinks of a head, found in its own pattern. */
type SinksOfHead = (head: number) => Promise<readonly number[]>;

/**
 * A layer in another form: its heads' sinks faded or taken out, its tokens put together to units. What a unit reads of another is the mean over its
 * queries of the sum over the other's keys, so that rows stay distributions (Wan et al. 2022, arXiv 2202.06840). Sinks go first, each
 * head's own, row by row of tokens.
 */
export class FormedLayer extends LayerView {
  readonly #form: WeightForm;
  /** The head's sinks, whether or not the form shows them. */
  readonly sinksOf: SinksOfHead;
  readonly #unitOfKey: Int32Array | undefined;

  /** Throws `invalidArgument` where its units are not those of the layer's tokens. */
  constructor(layer: HeldLayer, form: WeightForm, sinksOf: SinksOfHead) {
    super(layer, {
      numQueries: countUnits('queries', form.queries, layer.numQueries),
      numKeys: countUnits('keys', form.keys, layer.numKeys),
    });
    this.#form = form;
    this.sinksOf = sinksOf;
    this.#unitOfKey = form.keys && unitsOfTokens(form.keys, layer.numKeys);
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const { numKeys } = this;
    const { numKeys: numTokens } = this.layer;
    const units = this.#unitOfKey;
    const sums = new Float64Array((to - from) * numKeys);
    await this.#eachRow(head, [from, to], signal, ({ rows, start, unit, factor }) => {
      const at = (unit - from) * numKeys;
      if (units === undefined) for (let key = 0; key < numTokens; key++) sums[at + key] += rows[start + key] * factor;
      else for (let key = 0; key < numTokens; key++) sums[at + units[key]] += rows[start + key] * factor;
    });
    return Float32Array.from(sums);
  }

  override async column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    const { keys } = this.#form;
    const [first, end] = keys === undefined ? [key, key + 1] : [keys[key], keys[key + 1] ?? this.layer.numKeys];
    const sums = new Float64Array(this.numQueries);
    await this.#eachRow(head, [0, this.numQueries], signal, ({ rows, start, unit, factor }) => {
      for (let token = first; token < end; token++) sums[unit] += rows[start + token] * factor;
    });
    return Float32Array.from(sums);
  }

  /** The strongest weight between the tokens of a row and those of a column, as positions of tokens. Throws the signal's reason. */
  async strongestCell(head: number, query: number, key: number, signal?: AbortSignal): Promise<StrongestCell> {
    const { keys } = this.#form;
    const [first, end] = keys === undefined ? [key, key + 1] : [keys[key], keys[key + 1] ?? this.layer.numKeys];
    let found: StrongestCell = { query: this.#queriesOf(query)[0], key: first, weight: 0 };
    await this.#eachRow(head, [query, query + 1], signal, ({ rows, start, token, renormalizing: factor }) => {
      for (let other = first; other < end; other++) {
        const weight = rows[start + other] * factor;
        if (weight > found.weight) found = { query: token, key: other, weight };
      }
    });
    return found;
  }

  /** How much of each row lies on the head's sinks, of a unit the mean of its queries. Throws the signal's reason. */
  async removed(head: number, signal?: AbortSignal): Promise<Float32Array> {
    const sinks = await this.sinksOf(head);
    if (sinks.length === 0) return new Float32Array(this.numQueries);
    const sums = new Float64Array(this.numQueries);
    await this.#eachRow(head, [0, this.numQueries], signal, ({ removed: share, unit, count }) => {
      sums[unit] += share / count;
    });
    return Float32Array.from(sums);
  }

  /** The tokens of a row: half-open. */
  #queriesOf(unit: number): readonly [number, number] {
    const { queries } = this.#form;
    return queries === undefined ? [unit, unit + 1] : [queries[unit], queries[unit + 1] ?? this.layer.numQueries];
  }

  /** Hands over the rows of the tokens of units [from, to), their sinks as the form has them. */
  async #eachRow(
    head: number,
    [from, to]: readonly [number, number],
    signal: AbortSignal | undefined,
    take: (row: TokenRow) => void,
  ): Promise<void> {
    const { numKeys } = this.layer;
    const { sinks: mode, isRenormalized } = this.#form;
    const sinks = mode === 'show' ? [] : await this.sinksOf(head);
    const end = this.#queriesOf(to - 1)[1];
    let unit = from;
    let [first, next] = this.#queriesOf(unit);
    for (let top = first; top < end; top += bandRows) {
      const bottom = Math.min(end, top + bandRows);
      const held = await this.layer.rows(head, top, bottom, signal);
      // What is held is never changed.
      const rows = sinks.length === 0 ? held : held.slice();
      for (let token = top, start = 0; token < bottom; token++, start += numKeys) {
        if (token === next) [first, next] = this.#queriesOf(++unit);
        const removed = sumOf(rows, start, sinks);
        if (mode === 'fade') fadeSinks(rows, sinks, start, numKeys);
        else for (const key of sinks) rows[start + key] = 0;
        const count = next - first;
        const factor = mode === 'remove' && isRenormalized ? renormalizing(removed) : 1;
        take({ rows, start, token, unit, count, removed, renormalizing: factor, factor: factor / count });
      }
    }
  }
}

/** The row of a token within rows that were read together. */
interface TokenRow {
  readonly rows: Float32Array;
  readonly start: number;
  readonly token: number;
  /** Its unit, and how many tokens that has. */
  readonly unit: number;
  readonly count: number;
  /** How much of it lies on sinks. */
  readonly removed: number;
  /** What its weights are to be multiplied with, and the same for the mean over its unit. */
  readonly renormalizing: number;
  readonly factor: number;
}

function sumOf(weights: Float32Array, start: number, keys: readonly number[]): number {
  return keys.reduce((sum, key) => sum + weights[start + key], 0);
}

function countUnits(name: string, starts: Int32Array | undefined, numTokens: number): number {
  if (starts === undefined) return numTokens;
  const isInOrder = starts.every((start, unit) => (unit === 0 ? start === 0 : start > starts[unit - 1]));
  if (!isInOrder || starts.length === 0 || starts[starts.length - 1] >= numTokens)
    throw new ExplorerError('invalidArgument', [name, 'they are not the units of this text']);
  return starts.length;
}

function unitsOfTokens(starts: Int32Array, numTokens: number): Int32Array {
  const units = new Int32Array(numTokens);
  for (let unit = 0; unit < starts.length; unit++) units.fill(unit, starts[unit], starts[unit + 1] ?? numTokens);
  return units;
}

/** What tells forms apart that give other weights. */
export function nameOfForm(form: WeightForm | undefined): string {
  if (form === undefined) return '';
  const { method, tokens, sinks, isRenormalized, queries, keys, compared } = form;
  if (compared !== undefined) return `/${nameOfComparison(compared)}`;
  return `/${method} ${tokens?.join() ?? ''} ${sinks} ${sinks === 'remove' && isRenormalized} ${nameOfUnits(queries)} ${nameOfUnits(keys)}`;
}

/** What tells comparisons apart. */
export function nameOfComparison({ otherId, pairing, shows }: NonNullable<WeightForm['compared']>): string {
  return `${shows} ${otherId} ${pairing}`;
}

function nameOfUnits(starts: Int32Array | undefined): string {
  if (starts === undefined) return '-';
  let hash = 17;
  for (const start of starts) hash = (Math.imul(hash, 31) + start) | 0;
  return `${starts.length}:${hash}`;
}
