import { Turns } from '../../base/turns';
import type { HeldLayer } from './heldLayer';
import { mixedMean } from './rollout';

/** A row takes a maximum flow for each token of the input, through all layers before: of so many tokens, those of a dozen layers take some seconds. */
export const mostFlowingTokens = 80;
/** What is left of a capacity that is used up. */
const nothing = 1e-12;

/**
 * Attention flow (Abnar & Zuidema 2020): in the graph whose edges lead from each token behind a layer to those before it with the capacities Ã of rollout,
 * the maximum flow from a token behind a layer to each token of the input, divided by the sum of these. Each row is made when someone first asks for it.
 */
export class AttentionFlow {
  readonly #layers: readonly HeldLayer[];
  readonly #own: readonly HeldLayer[];
  readonly #capacities = new Map<number, Promise<Float64Array>>();
  readonly #rows = new Map<string, Float32Array>();

  constructor(layers: readonly HeldLayer[]) {
    this.#layers = layers;
    this.#own = layers.filter(({ numHeads }) => numHeads > 0);
  }

  /** The layers with the rows of some tokens; those of all others are zeros. Layers without attention keep their place. */
  of(tokens: readonly number[]): HeldLayer[] {
    return this.#layers.map((layer) =>
      layer.numHeads === 0
        ? layer
        : new FlowLayer(layer, tokens, (token, signal) => this.#row(this.#own.indexOf(layer), token, signal)),
    );
  }

  async #row(depth: number, token: number, signal: AbortSignal | undefined): Promise<Float32Array> {
    const name = `${depth}/${token}`;
    const found = this.#rows.get(name);
    if (found !== undefined) return found;
    const turns = new Turns(signal);
    const layers: Float64Array[] = [];
    for (let below = 0; below <= depth; below++) {
      const made = this.#capacities.get(below) ?? mixedMean(this.#own[below], false);
      this.#capacities.set(below, made);
      layers.push(await made);
    }
    const { numKeys } = this.#own[depth];
    const network = new LayeredNetwork(layers, numKeys);
    const row = new Float32Array(numKeys);
    for (let key = 0; key < numKeys; key++) {
      signal?.throwIfAborted();
      row[key] = network.maximumFlow(token, key);
      if (turns.isDue) await turns.give();
    }
    const sum = row.reduce((total, flow) => total + flow, 0);
    const shares = sum > 0 ? row.map((flow) => flow / sum) : row;
    this.#rows.set(name, shares);
    return shares;
  }
}

/** A layer of which some rows are made when they are asked for. */
class FlowLayer implements HeldLayer {
  readonly numHeads = 1;
  readonly held = 'whole';
  readonly bytes = 0;
  readonly component: HeldLayer['component'];
  readonly numQueries: number;
  readonly numKeys: number;
  readonly #tokens: readonly number[];
  readonly #row: (token: number, signal: AbortSignal | undefined) => Promise<Float32Array>;

  constructor(
    { component, numQueries, numKeys }: HeldLayer,
    tokens: readonly number[],
    row: (token: number, signal: AbortSignal | undefined) => Promise<Float32Array>,
  ) {
    this.component = component;
    this.numQueries = numQueries;
    this.numKeys = numKeys;
    this.#tokens = tokens;
    this.#row = row;
  }

  async rows(_head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const rows = new Float32Array((to - from) * this.numKeys);
    for (const token of this.#tokens)
      if (token >= from && token < to) rows.set(await this.#row(token, signal), (token - from) * this.numKeys);
    return rows;
  }

  async column(_head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    const column = new Float32Array(this.numQueries);
    for (const token of this.#tokens) column[token] = (await this.#row(token, signal))[key];
    return column;
  }
}

/** A network of layers of nodes, each with edges to all of the layer below: maximum flows by Dinic's algorithm. */
class LayeredNetwork {
  readonly #capacities: readonly Float64Array[];
  readonly #size: number;
  /** What is left of each edge, `[layer][from * size + to]`, and what flows along it and could flow back, `[layer][to * size + from]`. */
  readonly #left: readonly Float64Array[];
  readonly #used: readonly Float64Array[];
  /** How far each node, `layer * size + position` with the input as layer 0, is from the source; −1 where it cannot be reached. */
  readonly #levels: Int32Array;
  /** The next edge that each node tries: those down, then those back up. */
  readonly #next: Int32Array;
  readonly #queue: Int32Array;

  /** @param capacities of the layers from the input on: `[layer][from * size + to]`. */
  constructor(capacities: readonly Float64Array[], size: number) {
    this.#capacities = capacities;
    this.#size = size;
    this.#left = capacities.map((layer) => new Float64Array(layer.length));
    this.#used = capacities.map((layer) => new Float64Array(layer.length));
    const numNodes = (capacities.length + 1) * size;
    this.#levels = new Int32Array(numNodes);
    this.#next = new Int32Array(numNodes);
    this.#queue = new Int32Array(numNodes);
  }

  /** From a token behind the last layer to one of the input. */
  maximumFlow(from: number, to: number): number {
    this.#capacities.forEach((layer, i) => {
      this.#left[i].set(layer);
      this.#used[i].fill(0);
    });
    const top = this.#capacities.length;
    let flow = 0;
    while (this.#reaches(top * this.#size + from, to)) {
      this.#next.fill(0);
      const more = this.#push(top, from, to, Infinity);
      if (more <= nothing) break;
      flow += more;
    }
    return flow;
  }

  /** Numbers the nodes that flow can still reach by their distance, as far as the target. */
  #reaches(source: number, target: number): boolean {
    const size = this.#size;
    const levels = this.#levels.fill(-1);
    let end = 1;
    const visit = (edges: Float64Array | undefined, position: number, others: number, level: number): void => {
      if (edges === undefined) return;
      for (let other = 0, at = position * size; other < size; other++, at++) {
        if (edges[at] <= nothing || levels[others + other] >= 0) continue;
        levels[others + other] = level;
        this.#queue[end++] = others + other;
      }
    };
    levels[source] = 0;
    this.#queue[0] = source;
    for (let at = 0; at < end && levels[target] < 0; at++) {
      const node = this.#queue[at];
      const layer = Math.floor(node / size);
      const position = node - layer * size;
      visit(this.#left[layer - 1], position, (layer - 1) * size, levels[node] + 1);
      visit(this.#used[layer], position, (layer + 1) * size, levels[node] + 1);
    }
    return levels[target] >= 0;
  }

  /** Sends up to `limit` from a node on towards the target in the input; returns how much arrives. */
  #push(layer: number, position: number, target: number, limit: number): number {
    if (layer === 0 && position === target) return limit;
    const size = this.#size;
    const node = layer * size + position;
    const level = this.#levels[node] + 1;
    // Nothing as far as the target leads to it but the target.
    if (level > this.#levels[target]) return 0;
    let pushed = 0;
    for (; this.#next[node] < 2 * size; this.#next[node]++) {
      const isDown = this.#next[node] < size;
      const other = isDown ? this.#next[node] : this.#next[node] - size;
      const below = isDown ? layer - 1 : layer;
      const [from, to] = isDown ? [position, other] : [other, position];
      const edges = isDown ? this.#left[below] : this.#used[below];
      if (edges === undefined) continue;
      const left = edges[position * size + other];
      const next = isDown ? layer - 1 : layer + 1;
      if (left <= nothing || this.#levels[next * size + other] !== level) continue;
      const more = this.#push(next, other, target, Math.min(left, limit - pushed));
      if (more <= 0) continue;
      const signed = isDown ? more : -more;
      this.#left[below][from * size + to] -= signed;
      this.#used[below][to * size + from] += signed;
      pushed += more;
      if (limit - pushed <= nothing) break;
    }
    return pushed;
  }
}
