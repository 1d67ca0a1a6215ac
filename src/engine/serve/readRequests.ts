import type { Component, HeadSelection } from '../../model/head';
import type { OfWeightForm } from '../../model/weightForm';
import type { EngineApi } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { giveUpArrays } from '../../rpc/transferable';
import type { AttentionStore } from '../weights/attentionStore';
import type { ComparedRuns } from './comparedRuns';
import type { WeighedRuns } from './weighedRuns';

type Reading = Pick<
  Server<EngineApi>,
  | 'pattern'
  | 'overview'
  | 'tile'
  | 'row'
  | 'sinkMass'
  | 'strongestCell'
  | 'thumbnails'
  | 'headPairs'
  | 'headRows'
  | 'weighing'
  | 'methodReasons'
>;

/** What is read of one component, in a form. */
interface FormedParams extends OfWeightForm {
  readonly runId: number;
  readonly component?: Component;
  readonly selection?: HeadSelection;
}

/**
 * What is read of the attention that is held, weighed or compared first where that is asked for.
 * @param reading is told of everything that is being read.
 */
export function readRequests(
  attention: AttentionStore,
  { weigher, compared }: { readonly weigher: WeighedRuns; readonly compared: ComparedRuns },
  reading: <T>(reading: Promise<T>) => Promise<T>,
): Reading {
  const weighed = async <T extends object>(
    { runId, selection, component, form }: FormedParams,
    signal: AbortSignal | undefined,
    read: () => Promise<T>,
  ): Promise<T> => {
    const name = component ?? selection?.component;
    if (name !== undefined && form?.compared !== undefined)
      attention.addCompared(runId, name, form.compared, await compared.layers(runId, name, form.compared));
    else if (name !== undefined) await weigher.ensure(runId, name, form, signal);
    signal?.throwIfAborted();
    return giveUpArrays(await reading(read()));
  };
  return {
    pattern: (params, signal) => weighed(params, signal, () => attention.pattern(params, signal)),
    overview: (params, signal) => weighed(params, signal, () => attention.overview(params, signal)),
    tile: (params, signal) => weighed(params, signal, () => attention.tile(params, signal)),
    row: (params, signal) => weighed(params, signal, async () => ({ weights: await attention.row(params, signal) })),
    sinkMass: (params, signal) => weighed(params, signal, () => attention.sinkMass(params, signal)),
    strongestCell: (params, signal) => weighed(params, signal, () => attention.strongestCell(params, signal)),
    thumbnails: (params, signal) => weighed(params, signal, () => attention.thumbnails(params, signal)),
    headPairs: (params, signal) =>
      weighed(params, signal, async () => ({ weights: await attention.headPairs(params, signal) })),
    headRows: (params, signal) => weighed(params, signal, () => attention.headRows(params, signal)),
    weighing: ({ runId, component, method }, signal) => weigher.weigh(runId, component, method, signal),
    methodReasons: ({ runId, component }) => weigher.reasons(runId, component),
  };
}
