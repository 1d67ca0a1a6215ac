import 'vscode-jsonrpc/node';
import { md } from '../../../src/base/markdown';
import { plain, plainLines } from '../../../src/base/safeText';
import { Emitter } from '../../../src/base/event';
import { ExplorerError } from '../../../src/base/errors';
import type { ProcessEnd } from '../../../src/base/processEnd';
import type { EngineLauncher, EngineProcess } from '../../../src/host/engine/engineLauncher';
import type { RunInfo } from '../../../src/model/modelInfo';
import type { EngineApi, EngineEvents, ExplainParams } from '../../../src/protocol';
import type { Channel } from '../../../src/rpc/channel';
import { openConnection, type Server } from '../../../src/rpc/connection';
import { engineMethods } from '../../../src/rpc/methods';

/** One end of a pair of channels in memory; messages arrive later, as over a pipe. */
class Loopback implements Channel {
  readonly #messages = new Emitter<unknown>();
  readonly #closed = new Emitter<string>();
  readonly onMessage = this.#messages.event;
  readonly onClose = this.#closed.event;
  other: Loopback | undefined;
  /** A process inside a run reads no message. */
  isBlocked = false;
  #held: unknown[] = [];
  isClosed = false;

  send(message: unknown): void {
    const { other } = this;
    setTimeout(() => other?.receive(message));
  }

  receive(message: unknown): void {
    if (this.isClosed) return;
    if (this.isBlocked) this.#held.push(message);
    else this.#messages.fire(message);
  }

  unblock(): void {
    this.isBlocked = false;
    for (const message of this.#held.splice(0)) this.receive(message);
  }

  close(why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#closed.fire(why);
  }

  dispose(): void {
    this.close('disposed');
  }
}

/**
 * What a text makes the fake engine do: end at once, think without reading messages (with its deadline told or not) or until it is told to end,
 * take a moment, take too long the first time, run in stages (a short one, or one layer and then until it is told to end, behind a stage of a third of a second), fail, or answer.
 */
export type Behaviour =
  'crash' | 'block' | 'overdue' | 'wait' | 'slow' | 'late' | 'grow' | 'growOn' | 'outOfMemory' | 'answer';

/** An engine in this process that does what the text says, with the real connection between it and its window. */
export class FakeEngine implements EngineProcess {
  static nextPid = 1000;
  readonly pid = FakeEngine.nextPid++;
  readonly #exit = new Emitter<ProcessEnd>();
  readonly #beat = new Emitter<undefined>();
  readonly onExit = this.#exit.event;
  readonly onBeat = this.#beat.event;
  readonly connection;
  readonly #far = new Loopback();
  readonly #near = new Loopback();
  isOver = false;
  warmUps = 0;
  prepared: string[] = [];
  released: number[] = [];
  explained: string[] = [];
  background: boolean[] = [];
  /** Paths of models about which documents were asked for. */
  documents: string[] = [];

  constructor() {
    this.#far.other = this.#near;
    this.#near.other = this.#far;
    let runs = 0;
    const api: Server<EngineApi> = {
      warmUp: ({ model }) => {
        this.warmUps++;
        if (model !== undefined) this.prepared.push(model.path);
        return { numThreads: 1 };
      },
      readProfile: () => {
        throw new ExplorerError('internal', ['no profile']);
      },
      profileText: () => ({ status: 'read', numTokens: 1 }),
      profileFiles: () => ({ files: [], model: '' }),
      modelHash: () => ({ sha256: '' }),
      writeNumbers: () => {
        throw new ExplorerError('internal', ['no file']);
      },
      besideNumbers: () => ({ arrays: [] }),
      openAttention: () => {
        throw new ExplorerError('internal', ['no file']);
      },
      explain: async ({ text }, signal) => {
        this.explained.push(text);
        far.fire('began', {});
        far.fire('progress', { stage: 'run' });
        const behaviour = text.split(' ')[0];
        if (behaviour === 'crash') {
          for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setTimeout(resolve)); // what it said before arrives
          this.kill();
        }
        if (behaviour === 'outOfMemory') throw new ExplorerError('outOfMemory', ['it']);
        if (behaviour === 'overdue') far.fire('busy', { title: 'The tokenizer', seconds: 3 });
        if (behaviour === 'block' || behaviour === 'overdue') await this.#block();
        if (behaviour === 'wait')
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        if (behaviour.startsWith('grow')) {
          const run = runInfo(++runs, text);
          const { components, runId } = withFirstLayer(run);
          far.fire('progress', { stage: 'run', fraction: 0.5, layers: { done: 1, of: 2 } });
          far.fire('growing', { runId, components, run: { ...run, components } });
          if (behaviour === 'growOn') {
            while (!signal.aborted) {
              this.#far.isBlocked = true;
              await new Promise<void>((resolve) => setTimeout(resolve, 350));
              this.#far.unblock();
              await new Promise<void>((resolve) => setTimeout(resolve, 5));
            }
            throw new ExplorerError('cancelled');
          }
          await new Promise<void>((resolve) => setTimeout(resolve, 50));
          far.fire('growing', { runId, components: run.components });
          return run;
        }
        if (behaviour === 'late' || behaviour === 'slow') await new Promise<void>((resolve) => setTimeout(resolve, 50));
        if (signal.aborted) throw new ExplorerError('cancelled');
        if (behaviour === 'late' && this.explained.length === 1)
          throw new ExplorerError('tookTooLong', ['The tokenizer', 10]);
        return runInfo(++runs, text);
      },
      explainImage: ({ path }) => {
        this.explained.push(path);
        return runInfo(++runs, path);
      },
      how: ({ cell }) => ({ cell, weight: 1, numHeads: 1, numKeys: 1, firstKey: 0, steps: [] }),
      weighing: () => ({ ceiling: 1, difference: 0 }),
      methodReasons: () => ({}),
      picture: () => ({ width: 1, height: 1, pixels: new Uint8Array(4) }),
      pattern: () => ({ numQueries: 1, numKeys: 1, weights: Float32Array.of(1) }),
      overview: () => ({
        numQueries: 1,
        numKeys: 1,
        level: 0,
        rows: 1,
        columns: 1,
        maxima: Float32Array.of(1),
        rowMaxima: Float32Array.of(1),
        rowSums: Float32Array.of(1),
        columnMeans: Float32Array.of(1),
        sinks: [],
      }),
      tile: () => ({ rows: 1, columns: 1, maxima: Float32Array.of(1) }),
      row: ({ runId, form }) => ({ weights: Float32Array.of(form?.compared?.otherId ?? runId) }),
      sinkMass: () => ({ sinks: [], removed: Float32Array.of(0) }),
      strongestCell: () => ({ query: 0, key: 0, weight: 1 }),
      thumbnails: () => ({ numHeads: [1], rows: 1, columns: 1, pixels: new Uint8Array(1), sinks: [[]] }),
      headPairs: () => ({ weights: Float32Array.of(1) }),
      headRows: () => ({ columns: 1, maxima: Float32Array.of(1) }),
      measureRandom: ({ metrics, random }) => ({
        table: { metrics, values: new Float32Array(4 * metrics.length).fill(random.seed) },
        random,
      }),
      headTable: ({ metrics }) => ({
        metrics,
        values: Float32Array.from({ length: 4 * metrics.length }, (_, i) => i / 64),
      }),
      writes: () => Promise.reject(new ExplorerError('noWrites', ['tiny', 'it is made up'])),
      compare: () => ({
        texts: [],
        numHeads: [1, 1],
        areHeadsAlike: true,
        heads: Int32Array.of(0, 0, 0, 0),
        values: new Float32Array(7),
        largest: 0,
      }),
      predict: () => ({ kind: 'labels', questions: [] }),
      effect: () => Promise.reject(new Error('not in this test')),
      intervene: ({ interventions }) => ({ runId: 900 + interventions.length }),
      headEffects: ({ runId, scan, by, path }) => {
        const layers = [0, 1].map((layer) => ({ component: 'self' as const, layer, effects: Float32Array.of(layer) }));
        // As of another scan that is on its way, too.
        far.fire('effects', { ...layers[0], runId, scan: scan + 1, done: 1, of: 2 });
        for (const layer of layers) far.fire('effects', { ...layer, runId, scan, done: layer.layer + 1, of: 2 });
        const question = { kind: 'loss' as const, stream: 0, positions: Int32Array.of(1), masked: [] };
        return { path, by, question, plain: { value: 1, choices: [], alternatives: [] }, layers, failed: [] };
      },
      codeSymbols: () => ({ symbols: [] }),
      relations: () => ({ table: { relations: [], numPairs: [], values: new Float32Array(0) }, pairs: [] }),
      release: ({ runId }) => void this.released.push(runId),
      chatTemplate: async ({ path }) => {
        this.documents.push(path);
        if (path === endlessModel) {
          far.fire('busy', { title: 'The chat template', seconds: 5 });
          await this.#block();
        }
        return {
          modelName: 'fake',
          fileName: 'chat_template.jinja',
          text: '{{ messages }}',
          prefix: '',
          suffix: '',
          error: undefined,
        };
      },
      input: () => ({ title: plain('Input'), markdown: md``, python: plainLines('', 1) }),
      inspect: () => ({ title: plain('report'), markdown: md`# report`, json: '{}' }),
      memory: () => ({ residentBytes: 1, attentionBytes: 0 }),
    };
    const far = openConnection<EngineApi, object, EngineEvents>(this.#far, [], api);
    this.connection = openConnection<object, EngineApi, object, EngineEvents>(this.#near, engineMethods, {});
  }

  /** Reads no message any more. */
  async #block(): Promise<never> {
    this.#far.isBlocked = true;
    return new Promise<never>(() => {});
  }

  setBackground(isBackground: boolean): void {
    this.background.push(isBackground);
  }

  /** As the guard of a process does once a second. */
  beat(): void {
    this.#beat.fire(undefined);
  }

  /** Dies without a word that would have arrived yet. */
  dieUnnoticed(): void {
    this.#far.isBlocked = true;
  }

  kill(end: ProcessEnd = { kind: 'other', reason: 'signal SIGKILL' }): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#near.close('killed');
    this.#far.close('killed');
    this.#exit.fire(end);
  }

  dispose(): void {
    this.kill();
  }
}

/** Launches fake engines and remembers them. */
export class FakeLauncher implements EngineLauncher {
  readonly launched: FakeEngine[] = [];
  /** Whether what is launched ends at once. */
  isBroken = false;

  launch(): FakeEngine {
    const engine = new FakeEngine();
    this.launched.push(engine);
    if (this.isBroken) setTimeout(() => engine.kill({ kind: 'other', reason: 'exit code 1' }));
    return engine;
  }

  /** Engines that have not ended. */
  get alive(): FakeEngine[] {
    return this.launched.filter((engine) => !engine.isOver);
  }
}

/** A run of two layers of which the second is still to come. */
function withFirstLayer(run: RunInfo): RunInfo {
  return {
    ...run,
    components: run.components.map((component) => ({
      ...component,
      layers: component.layers.map((layer, number) => (number === 0 ? layer : { ...layer, isComing: true as const })),
    })),
  };
}

/** A run of two layers with two heads over the words of a text. */
export function runInfo(runId: number, text: string): RunInfo {
  const tokens = [...text.matchAll(/\S+/g)].map((match, i) => ({
    id: i,
    piece: match[0],
    start: match.index,
    end: match.index + match[0].length,
    isSpecial: false,
  }));
  return {
    runId,
    model: {
      name: plain('fake'),
      path: '/fake',
      backend: 'wasm',
      backendReason: plain(''),
      numThreads: 1,
      contextLength: 8,
      vocabularySize: 8,
      reads: 'text',
    },
    streams: [{ role: 'source', text, tokens }],
    components: [
      {
        component: 'self',
        layers: [
          {
            path: plain('layer0'),
            numHeads: 2,
            numKeyValueHeads: 2,
            normalization: 'softmax',
            method: 'exposed',
            held: 'whole',
          },
          {
            path: plain('layer1'),
            numHeads: 2,
            numKeyValueHeads: 2,
            normalization: 'softmax',
            method: 'exposed',
            held: 'whole',
          },
        ],
        queryStream: 0,
        keyStream: 0,
        isCausal: true,
      },
    ],
    notices: [],
    timings: { tokenize: 0, load: 0, run: 0 },
  };
}

/** A model whose chat template never comes to an end. */
export const endlessModel = '/endless';

/** Parameters that make a fake engine behave so. */
export function behave(behaviour: Behaviour, rest = '', threads = 0): ExplainParams {
  return { model: { path: '/fake', backend: 'wasm', threads }, text: `${behaviour} ${rest}`.trim(), tokenLimit: 0 };
}
