import { ExplorerError } from '../base/errors';
import type { Component, HeadRef } from '../model/head';
import { provenSinks } from '../model/lighting';
import { aggregatePatterns, encodeThumbnail, maxPool, weightsOf, type Pattern } from '../model/pattern';
import type { EngineApi, PatternParams, RowParams, Thumbnails } from '../protocol';

/** The attention of one layer of a run, in full precision: `weights[(head * numQueries + query) * numKeys + key]`. */
export interface LayerAttention {
  readonly component: Component;
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly weights: Float32Array;
}

/** Holds the attention of the latest runs and hands it out by slice; the oldest runs go when the budget is spent. */
export class AttentionStore {
  readonly #runs = new Map<number, readonly LayerAttention[]>();
  readonly #budgetBytes: number;
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of attention held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a run (layers in order, per component); older ones are dropped while the budget is exceeded. */
  add(runId: number, layers: readonly LayerAttention[]): void {
    this.#runs.set(runId, layers);
    this.#bytes += bytesOf(layers);
    for (const oldest of this.#runs.keys()) {
      if (this.#bytes <= this.#budgetBytes || oldest === runId) break;
      this.release(oldest);
    }
  }

  release(runId: number): void {
    const layers = this.#runs.get(runId);
    if (layers === undefined) return;
    this.#runs.delete(runId);
    this.#bytes -= bytesOf(layers);
  }

  /** The pattern of a selection, in an array of its own. Throws `unknownRun` or `invalidArgument`. */
  pattern({ runId, selection }: PatternParams): Pattern {
    const patterns = selection.heads.map((head) => this.#head(runId, selection.component, head));
    if (patterns.length === 0) throw new ExplorerError('invalidArgument', ['heads', 'the selection is empty']);
    const pattern = aggregatePatterns(patterns, selection.aggregation);
    return patterns.length === 1 ? { ...pattern, weights: pattern.weights.slice() } : pattern;
  }

  /** What one token reads, or what reads it, in the pattern of a selection, without making the whole pattern. */
  row({ runId, selection, position, direction }: RowParams): Float32Array {
    const vectors = selection.heads.map((head): Pattern => {
      const pattern = this.#head(runId, selection.component, head);
      const length = direction === 'reads' ? pattern.numQueries : pattern.numKeys;
      if (!Number.isInteger(position) || position < 0 || position >= length) throw new ExplorerError('invalidArgument', ['position', `${position} is not in 0 … ${length - 1}`]);
      const weights = weightsOf(pattern, position, direction);
      return { numQueries: 1, numKeys: weights.length, weights };
    });
    if (vectors.length === 0) throw new ExplorerError('invalidArgument', ['heads', 'the selection is empty']);
    return aggregatePatterns(vectors, selection.aggregation).weights;
  }

  /** Every head of a component, reduced by maximum to at most `size` rows and columns, with its sinks. */
  thumbnails({ runId, component, size, isCausal }: Parameters<EngineApi['thumbnails']>[0]): Thumbnails {
    const layers = this.#layers(runId, component);
    const rows = Math.max(0, ...layers.map((layer) => Math.min(size, layer.numQueries)));
    const columns = Math.max(0, ...layers.map((layer) => Math.min(size, layer.numKeys)));
    const total = layers.reduce((sum, layer) => sum + layer.numHeads, 0);
    const pixels = new Uint8Array(total * rows * columns);
    const sinks: number[][] = [];
    let index = 0;
    layers.forEach((layer, layerIndex) => {
      for (let head = 0; head < layer.numHeads; head++, index++) {
        const pattern = this.#head(runId, component, { layer: layerIndex, head });
        sinks.push(provenSinks(pattern, isCausal));
        const pooled = maxPool(pattern, size);
        const bytes = encodeThumbnail(pooled.weights);
        for (let row = 0; row < pooled.numQueries; row++) pixels.set(bytes.subarray(row * pooled.numKeys, (row + 1) * pooled.numKeys), (index * rows + row) * columns);
      }
    });
    return { numHeads: layers.map((layer) => layer.numHeads), rows, columns, pixels, sinks };
  }

  #layers(runId: number, component: Component): LayerAttention[] {
    const layers = this.#runs.get(runId);
    if (layers === undefined) throw new ExplorerError('unknownRun');
    return layers.filter((layer) => layer.component === component);
  }

  /** A view into the store; callers copy before they hand it out. */
  #head(runId: number, component: Component, { layer, head }: HeadRef): Pattern {
    const held = this.#layers(runId, component)[layer];
    if (held === undefined || !Number.isInteger(head) || head < 0 || head >= held.numHeads) throw new ExplorerError('invalidArgument', ['head', `${component} ${layer}.${head} is not in the model`]);
    const cells = held.numQueries * held.numKeys;
    return { numQueries: held.numQueries, numKeys: held.numKeys, weights: held.weights.subarray(head * cells, (head + 1) * cells) };
  }
}

function bytesOf(layers: readonly LayerAttention[]): number {
  return layers.reduce((sum, layer) => sum + layer.weights.byteLength, 0);
}
