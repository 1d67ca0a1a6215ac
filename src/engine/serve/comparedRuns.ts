import { numCommon, onlyInB } from '../../model/compare/alignTokens';
import {
  comparedValues,
  haveSameHeads,
  type CompareParams,
  type ComparedWith,
  type Comparison,
} from '../../model/compare/comparison';
import { headsOf, type Component, type ComponentInfo } from '../../model/head';
import type { ComparedView } from '../../model/patternForm';
import type { WeightForm } from '../../model/weightForm';
import { visibleText, type TokenStream } from '../../model/token';
import { ComparedLayer, othersByLayer } from '../compare/comparedLayer';
import { RunPair } from '../compare/runPair';
import type { AttentionStore } from '../weights/attentionStore';
import type { HeldLayer } from '../weights/heldLayer';

/** What is to be known of runs to compare them. */
interface ComparedRun {
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
}

/** Two runs of a component, compared. */
interface Compared {
  readonly comparison: Comparison;
  readonly other: readonly HeldLayer[];
  readonly difference: readonly HeldLayer[];
}

/** So many tokens of the other text that the one shown has not are told. */
const mostOnly = 40;

/** Compares runs that are held, each pair when someone first asks. Weights are put together as they are read; what is kept of a pair is a table. */
export class ComparedRuns {
  readonly #store: AttentionStore;
  /** Throws `unknownRun`. */
  readonly #ranOf: (runId: number) => ComparedRun;
  readonly #made = new Map<string, Promise<Compared>>();

  constructor(store: AttentionStore, ranOf: (runId: number) => ComparedRun) {
    this.#store = store;
    this.#ranOf = ranOf;
  }

  /** How far the heads of a component are apart in two runs. Throws `unknownRun`, `notCompared`, or the signal's reason. */
  async compare({ runId, component, compared }: CompareParams, signal?: AbortSignal): Promise<Comparison> {
    const { comparison } = await this.#of(runId, component, compared);
    signal?.throwIfAborted();
    return { ...comparison, heads: comparison.heads.slice(), values: comparison.values.slice() };
  }

  /** The layers of a component as a comparison shows them. Throws as {@link compare}. */
  async layers(
    runId: number,
    component: Component,
    compared: NonNullable<WeightForm['compared']>,
  ): Promise<{ readonly layers: readonly HeldLayer[]; readonly ceiling: number }> {
    const { shows, otherId } = compared;
    // It has the same tokens and heads.
    if (shows === 'intervened') return { layers: this.#store.layersOf(otherId, component), ceiling: 1 };
    const made = await this.#of(runId, component, compared);
    return { layers: made[shows], ceiling: shows === 'difference' ? made.comparison.largest : 1 };
  }

  /** Forgets what is known of a run. */
  release(runId: number): void {
    for (const name of this.#made.keys()) {
      const [own, other] = name.split('/').map(Number);
      if (own === runId || other === runId) this.#made.delete(name);
    }
  }

  /** Several views ask at once; what one of them no longer wants, the others do. */
  #of(runId: number, component: Component, compared: ComparedWith): Promise<Compared> {
    const name = `${runId}/${compared.otherId}/${component}/${compared.pairing}`;
    let made = this.#made.get(name);
    if (made === undefined) {
      made = this.#make(runId, component, compared);
      this.#made.set(name, made);
      made.catch(() => this.#made.delete(name));
    }
    return made;
  }

  async #make(runId: number, name: Component, { otherId, pairing }: ComparedWith): Promise<Compared> {
    const sides = [runId, otherId].map((id) => ({
      streams: this.#ranOf(id).streams,
      components: this.#ranOf(id).components,
      layersOf: (each: Component) => this.#store.layersOf(id, each),
    }));
    const pair = new RunPair(sides[0], sides[1]);
    const { a, b, layersOfB, common } = pair.component(name);
    const own = this.#store.layersOf(runId, name);
    const heads = await pair.heads(name, pairing);
    const others = othersByLayer(own, heads);
    const axis = (stream: number, isCommon: Uint8Array) => {
      const { unitsOfA, starts } = pair.alignments[stream];
      return { unitOf: unitsOfA, numUnits: starts.length, isCommon };
    };
    const [queries, keys] = [axis(a.queryStream, common.queries), axis(a.keyStream, common.keys)];
    const seen = (view: Exclude<ComparedView, 'intervened'>): HeldLayer[] =>
      own.map((layer, i) => new ComparedLayer(layer, { layers: layersOfB, others: others[i], queries, keys }, view));
    return {
      comparison: {
        texts: pair.alignments.map((alignment, i) => ({
          kind: alignment.kind,
          numTokens: [sides[0].streams[i].tokens.length, sides[1].streams[i].tokens.length],
          numUnits: alignment.starts.length,
          numCommon: numCommon(alignment),
          onlyInA: [...alignment.isCommon.keys()].flatMap((unit) =>
            alignment.isCommon[unit] === 1 ? [] : [alignment.starts[unit]],
          ),
          onlyInB: onlyInB(alignment)
            .slice(0, mostOnly)
            .map((position) => visibleText(sides[1].streams[i], position)),
          numOnlyInB: onlyInB(alignment).length,
          unitsOfA: alignment.unitsOfA,
          unitsOfB: alignment.unitsOfB,
        })),
        numHeads: [headsOf(a).length, headsOf(b).length],
        areHeadsAlike: haveSameHeads(a, b),
        heads: Int32Array.from(heads.flatMap(({ head, other }) => [head.layer, head.head, other.layer, other.head])),
        values: Float32Array.from(
          heads.flatMap(({ difference: { jensenShannon, meanAbsolute, largest, unaligned } }) => {
            const values: Readonly<Record<(typeof comparedValues)[number], number>> = {
              jensenShannon,
              meanAbsolute,
              largest: largest.difference,
              query: pair.alignments[a.queryStream].starts[largest.query],
              key: pair.alignments[a.keyStream].starts[largest.key],
              unalignedA: unaligned.a,
              unalignedB: unaligned.b,
            };
            return comparedValues.map((value) => values[value]);
          }),
        ),
        largest: Math.max(0, ...heads.map(({ difference }) => Math.abs(difference.largest.difference))),
      },
      other: seen('other'),
      difference: seen('difference'),
    };
  }
}
