// Large patterns by rule: rows are made when asked for, as nobody holds 144 heads of 4096 tokens in a page.
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import type { PanelRun } from '../../src/panelProtocol';

/** One cell far from the others in head 0.0, as large as none beside it. */
export const hotCell = { query: 3000, key: 1234, weight: 0.8125 } as const;

const window = 24;

/** A layer whose heads look at the first token and, falling off, at those before: each a little further than the one before it. */
export class LongLayer implements HeldLayer {
  readonly component = 'self';
  readonly held = 'whole';
  readonly bytes = 0;

  constructor(
    readonly layer: number,
    readonly numHeads: number,
    readonly numQueries: number,
  ) {}

  get numKeys(): number {
    return this.numQueries;
  }

  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const { numKeys } = this;
    const rows = new Float32Array((to - from) * numKeys);
    const reach = 1 + ((this.layer * this.numHeads + head) % 12);
    const falling = Float32Array.from({ length: window }, (_, distance) => 0.6 / 2 ** (distance / reach));
    for (let query = from; query < to; query++) {
      const at = (query - from) * numKeys;
      rows[at] = 0.35;
      for (let distance = 0; distance < window && distance < query; distance++)
        rows[at + query - distance] = falling[distance];
    }
    if (this.layer === 0 && head === 0 && from <= hotCell.query && hotCell.query < to)
      rows[(hotCell.query - from) * numKeys + hotCell.key] = hotCell.weight;
    return rows;
  }

  async column(head: number, key: number): Promise<Float32Array> {
    const column = new Float32Array(this.numQueries);
    for (let query = 0; query < column.length; query++) column[query] = (await this.rows(head, query, query + 1))[key];
    return column;
  }
}

/** The layers of a run with one stream, as an engine would hold them, for as many tokens as are said. */
export function longLayers({ info }: PanelRun, numTokens = info.streams[0]?.tokens.length ?? 0): LongLayer[] {
  return (info.components[0]?.layers ?? []).map(({ numHeads }, layer) => new LongLayer(layer, numHeads, numTokens));
}
