import type { HeldLayer } from '../weights/heldLayer';
import { LayerView } from '../weights/layerView';
import { bandRows } from '../weights/readBlock';

/** Which unit each token of an axis belongs to, in order; −1 those that belong to none. */
export interface UnitAxis {
  readonly unitOf: Int32Array;
  readonly numUnits: number;
}

/** Rows over units, and how much of each lies on tokens of no unit. */
export interface AlignedRows {
  readonly rows: Float32Array;
  readonly outside: Float64Array;
}

/**
 * A layer over the units of another text: what a unit reads of another is the mean over its queries of the sum over the other's keys. Nothing is
 * divided by what is left out, and a unit without a token reads nothing, and is read by nothing.
 */
export class AlignedLayer extends LayerView {
  readonly #keys: UnitAxis;
  /** The tokens of each unit of the queries; undefined where each token is a unit of both axes, as of texts that are the same. */
  readonly #tokens: readonly (readonly number[])[] | undefined;

  constructor(layer: HeldLayer, queries: UnitAxis, keys: UnitAxis) {
    super(layer, { numQueries: queries.numUnits, numKeys: keys.numUnits });
    // Where nothing is held there are no tokens either.
    const { numHeads, numQueries, numKeys } = layer;
    if (numHeads > 0 && (queries.unitOf.length !== numQueries || keys.unitOf.length !== numKeys))
      throw new RangeError('The units are of another text');
    this.#keys = keys;
    if (areTokens(queries) && areTokens(keys)) return;
    const tokens: number[][] = Array.from({ length: queries.numUnits }, () => []);
    queries.unitOf.forEach((unit, token) => {
      if (unit >= 0) tokens[unit].push(token);
    });
    this.#tokens = tokens;
  }

  async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    return (await this.alignedRows(head, from, to, signal)).rows;
  }

  /** Rows [from, to) of a head, perhaps a view into what is held. Throws as {@link HeldLayer.rows} does. */
  async alignedRows(head: number, from: number, to: number, signal?: AbortSignal): Promise<AlignedRows> {
    const { numKeys } = this;
    const { unitOf } = this.#keys;
    const tokensOf = this.#tokens;
    if (tokensOf === undefined)
      return { rows: await this.layer.rows(head, from, to, signal), outside: new Float64Array(to - from) };
    const sums = new Float64Array((to - from) * numKeys);
    const outside = new Float64Array(to - from);
    const all = tokensOf.slice(from, to).flat();
    // Tokens of units are in order, so that what is read lies together.
    const [first, end] = [all.at(0) ?? 0, (all.at(-1) ?? -1) + 1];
    for (let top = first; top < end; top += bandRows) {
      const bottom = Math.min(end, top + bandRows);
      const held = await this.layer.rows(head, top, bottom, signal);
      for (let unit = from; unit < to; unit++) {
        const tokens = tokensOf[unit];
        for (const token of tokens) {
          if (token < top || token >= bottom) continue;
          const start = (token - top) * unitOf.length;
          for (let key = 0; key < unitOf.length; key++) {
            const weight = held[start + key] / tokens.length;
            if (unitOf[key] < 0) outside[unit - from] += weight;
            else sums[(unit - from) * numKeys + unitOf[key]] += weight;
          }
        }
      }
    }
    return { rows: Float32Array.from(sums), outside };
  }
}

/** Whether each token is a unit by itself. */
function areTokens({ unitOf, numUnits }: UnitAxis): boolean {
  return numUnits === unitOf.length && unitOf.every((unit, token) => unit === token);
}
