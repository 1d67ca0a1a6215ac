import { ExplorerError } from '../../base/errors';
import { normMetrics } from '../../model/metrics/headTable';
import type { RunInfo } from '../../model/modelInfo';
import type { EngineApi } from '../../protocol';
import type { Client, Server } from '../../rpc/connection';
import { engineMethods } from '../../rpc/methods';
import { readAttentionFile } from '../attentionFile/readAttentionFile';
import { AttentionStore } from '../weights/attentionStore';
import { ComparedRuns } from './comparedRuns';
import { readRequests } from './readRequests';
import { WeighedRuns } from './weighedRuns';

/** The number of the only run. */
const runId = 1;

/** What is to be known of an attention file that is read where it is shown. */
export interface LocalAttention {
  readonly bytes: Uint8Array;
  /** What it is called where it is told of. */
  readonly name: string;
  /** What its arrays may take when they are unpacked, and its weights in single precision. */
  readonly mostBytes: number;
}

/**
 * What answers of an engine where all there is is one attention file, in the thread that asks: reading, weighing and measuring; what would
 * take a model is refused with `noModelHere`. Throws `attentionFileInvalid`.
 */
export function openLocalAttention({ bytes, name, mostBytes }: LocalAttention): {
  readonly info: RunInfo;
  readonly remote: Client<EngineApi>;
} {
  const { model, streams, components, layers, notices, weighings, picture } = readAttentionFile(
    bytes,
    '',
    name,
    mostBytes,
  );
  const store = new AttentionStore(Infinity);
  store.add(runId, layers);
  const ranOf = (asked: number) => {
    if (asked !== runId) throw new ExplorerError('unknownRun');
    return { streams, components, fed: [], weighings };
  };
  const refuse = (): never => {
    throw new ExplorerError('noModelHere', [name]);
  };
  const weigher = new WeighedRuns({
    store,
    ranOf,
    loaded: () => undefined,

    withModel: async () => refuse(),
  });
  const compared = new ComparedRuns(store, ranOf);
  const server: Partial<Server<EngineApi>> = {
    ...readRequests(store, { weigher, compared }, (reading) => reading),
    headTable: async (params, signal) => {
      if (params.metrics.some((id) => normMetrics.includes(id)))
        await weigher.weigh(params.runId, params.component, 'norm', signal);
      return store.headTable(params, signal);
    },
    picture: () => {
      if (picture === undefined) throw new ExplorerError('unknownRun');
      return picture;
    },
    release: () => {
      store.release(runId);
      weigher.release(runId);
    },
  };
  const never = new AbortController().signal;
  const remote = Object.fromEntries(
    engineMethods.map((method) => {
      const answer = server[method] as ((params: unknown, signal: AbortSignal) => unknown) | undefined; // each with its own parameters
      return [method, async (params: unknown, signal = never) => (answer ?? refuse)(params, signal)];
    }),
  );
  return {
    info: { runId, model, streams, components, notices, timings: { load: 0, tokenize: 0, run: 0 } },
    remote: remote as unknown as Client<EngineApi>, // each method of the list is there, and answers as the server's does
  };
}
