import type { HeldLayer } from './heldLayer';
import { columnOfRows } from './readBlock';

/** A layer that is read through another one: its kind, its heads, its shape and how it is held are those of that one, unless told otherwise. */
export abstract class LayerView implements HeldLayer {
  readonly component: HeldLayer['component'];
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly held: HeldLayer['held'];
  readonly bytes: number;
  protected readonly layer: HeldLayer;

  /** @param own what is other than in the layer; it holds nothing unless told otherwise. */
  constructor(layer: HeldLayer, own: Partial<Pick<HeldLayer, 'numQueries' | 'numKeys' | 'bytes'>> = {}) {
    ({ component: this.component, numHeads: this.numHeads, held: this.held } = layer);
    ({
      numQueries: this.numQueries = layer.numQueries,
      numKeys: this.numKeys = layer.numKeys,
      bytes: this.bytes = 0,
    } = own);
    this.layer = layer;
  }

  abstract rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array>;

  column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    return columnOfRows(this, head, key, signal);
  }
}
