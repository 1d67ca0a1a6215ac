import type { Component, HeadSelection } from '../../model/head';
import type { OfWeightForm } from '../../model/weightForm';
import type { EngineApi } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { giveUp } from '../../rpc/transferable';
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
  const weighed = async <T>(
    { runId, selection, component, form }: FormedParams,
    signal: AbortSignal | undefined,
    read: () => Promise<T>,
  ): Promise<T> => {
    const name = component ?? selection?.component;
    if (name !== undefined && form?.compared !== undefined)
      attention.addCompared(runId, name, form.compared, await compared.layers(runId, name, form.compared));
    else if (name !== undefined) await weigher.ensure(runId, name, form, signal);
    signal?.throwIfAborted();
    return reading(read());
  };
  return {
    pattern: async (params, signal) => {
      const pattern = await weighed(params, signal, () => attention.pattern(params, signal));
      giveUp(pattern.weights);
      return pattern;
    },
    overview: async (params, signal) => {
      const overview = await weighed(params, signal, () => attention.overview(params, signal));
      for (const numbers of [overview.maxima, overview.rowMaxima, overview.rowSums, overview.columnMeans])
        giveUp(numbers);
      return overview;
    },
    tile: async (params, signal) => {
      const tile = await weighed(params, signal, () => attention.tile(params, signal));
      giveUp(tile.maxima);
      return tile;
    },
    row: async (params, signal) => ({
      weights: giveUp(await weighed(params, signal, () => attention.row(params, signal))),
    }),
    sinkMass: async (params, signal) => {
      const mass = await weighed(params, signal, () => attention.sinkMass(params, signal));
      giveUp(mass.removed);
      return mass;
    },
    strongestCell: (params, signal) => weighed(params, signal, () => attention.strongestCell(params, signal)),
    thumbnails: async (params, signal) => {
      const thumbnails = await weighed(params, signal, () => attention.thumbnails(params, signal));
      giveUp(thumbnails.pixels);
      return thumbnails;
    },
    headPairs: async (params, signal) => ({
      weights: giveUp(await weighed(params, signal, () => attention.headPairs(params, signal))),
    }),
    headRows: async (params, signal) => {
      const rows = await weighed(params, signal, () => attention.headRows(params, signal));
      giveUp(rows.maxima);
      return rows;
    },
    weighing: ({ runId, component, method }, signal) => weigher.weigh(runId, component, method, signal),
    methodReasons: ({ runId, component }) => weigher.reasons(runId, component),
  };
}
