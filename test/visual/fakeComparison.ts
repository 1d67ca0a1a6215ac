// A second run beside a generated one, compared as the engine does it.
import { plain } from '../../src/base/safeText';
import { ComparedRuns } from '../../src/engine/serve/comparedRuns';
import type { AttentionStore } from '../../src/engine/weights/attentionStore';
import { WholeLayer } from '../../src/engine/weights/heldLayer';
import type { Comparison } from '../../src/model/compare/comparison';
import type { Component } from '../../src/model/head';
import type { ComparedView } from '../../src/model/patternForm';
import type { TokenStream } from '../../src/model/token';
import type { WeightForm } from '../../src/model/weightForm';
import type { PanelRun } from '../../src/panelProtocol';

const otherId = 900;
const compared = { otherId, pairing: 'index' } as const;
/** The token that the other text has not. */
const edited = 20;

/** In each layer, how much every second head of the other run is like the one before it. */
const share = 0.5;

/** Makes the other run, and answers what is asked of both. */
export class FakeComparison {
  readonly #run: PanelRun;
  readonly #store: AttentionStore;
  readonly #runs: ComparedRuns;

  constructor(run: PanelRun, store: AttentionStore) {
    this.#run = run;
    this.#store = store;
    const streams = run.info.streams.map((stream, i) => (i === 0 ? withoutToken(stream) : stream));
    this.#runs = new ComparedRuns(store, (runId) => ({
      streams: runId === otherId ? streams : run.info.streams,
      components: run.info.components,
    }));
  }

  /** How far the heads of a component are apart. */
  async compare(component: Component): Promise<Comparison> {
    await this.#make(component);
    return this.#runs.compare({ runId: this.#run.info.runId, component, compared });
  }

  /** A form as the engine is told of it, once it can be read. */
  async form(component: Component, form: WeightForm, shows: ComparedView): Promise<WeightForm> {
    await this.#make(component);
    const { runId } = this.#run.info;
    const seen = { ...compared, shows };
    this.#store.addCompared(runId, component, seen, await this.#runs.layers(runId, component, seen));
    return { ...form, compared: seen };
  }

  async #make(component: Component): Promise<void> {
    if (this.#store.has(otherId)) return;
    const layers = this.#store.layersOf(this.#run.info.runId, component);
    const others: WholeLayer[] = [];
    for (const layer of layers) {
      const { numHeads, numQueries, numKeys } = layer;
      const weights = new Float32Array(numHeads * numQueries * numKeys);
      for (let head = 0; head < numHeads; head++) {
        const own = await layer.rows(head, 0, numQueries);
        const before = await layer.rows(Math.max(0, head - (head % 2)), 0, numQueries);
        own.forEach((weight, i) => (weights[head * own.length + i] = share * weight + (1 - share) * before[i]));
      }
      others.push(new WholeLayer(component, { numHeads, numQueries, numKeys, weights }));
    }
    this.#store.add(otherId, others);
  }
}

function withoutToken(stream: TokenStream): TokenStream {
  return {
    ...stream,
    text: stream.grid === undefined ? `${stream.text} ` : stream.text,
    tokens: stream.tokens.map((token, i) => (i === edited ? { ...token, id: 77_777, piece: 'edited' } : token)),
  };
}

/** What the host says of it. */
export const readyComparison = ({ info, documentName }: PanelRun) =>
  ({
    runId: info.runId,
    kind: 'text',
    text: 'edited',
    a: plain(`code-decoder · ${documentName}`),
    hasOneModel: true,
    state: { kind: 'ready', otherId, b: plain(`code-decoder · ${documentName}, edited`), backend: undefined },
  }) as const;
