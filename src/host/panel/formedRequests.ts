import { ExplorerError } from '../../base/errors';
import type { Component } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import type { PatternForm } from '../../model/patternForm';
import type { PanelApi } from '../../panelProtocol';
import type { WeightForm } from '../../model/weightForm';
import type { Server } from '../../rpc/connection';
import type { HeldRun } from '../engine/heldRun';
import { sizeOf } from '../engine/weightForm';
import {
  checkCellParams,
  checkHeadRowsParams,
  checkIsSmall,
  checkMethodParams,
  checkMethodReasonsParams,
  checkOverviewParams,
  checkPairParams,
  checkPatternParams,
  checkRelationsParams,
  checkRowParams,
  checkSinkMassParams,
  checkSymbolsParams,
  checkThumbnailParams,
  checkTileParams,
} from './panelMessages';

type FormedRequests = Pick<
  Server<PanelApi>,
  | 'pattern'
  | 'overview'
  | 'tile'
  | 'row'
  | 'sinkMass'
  | 'strongestCell'
  | 'weighing'
  | 'methodReasons'
  | 'symbols'
  | 'thumbnails'
  | 'headPairs'
  | 'headRows'
  | 'relations'
>;

/** What the panel asks of weights, which it can have in another form: all of it checked against the run that is shown. */
export function formedRequests(held: () => HeldRun, run: () => RunInfo | undefined): FormedRequests {
  /** The form that the engine is told, which has to be another one than that of the model. */
  const other = async (from: HeldRun, component: Component, form: PatternForm): Promise<WeightForm> => {
    const found = await from.weightForm(component, form);
    if (found === undefined) throw new ExplorerError('invalidMessage', ['form: weights as they are']);
    return found;
  };
  return {
    pattern: async (params, signal) => {
      const { selection, form: wanted } = checkPatternParams(params, run());
      const from = held();
      if (wanted === undefined) return from.pattern(selection, undefined, signal);
      const form = await from.weightForm(selection.component, wanted);
      const { numQueries, numKeys } = sizeOf(from.info, selection.component, form);
      checkIsSmall(numQueries, numKeys);
      return from.pattern(selection, form, signal);
    },
    overview: async (params, signal) => {
      const { selection, form } = checkOverviewParams(params, run());
      const from = held();
      return from.overview(selection, form && (await from.weightForm(selection.component, form)), signal);
    },
    tile: async (params, signal) => {
      const { form, ...place } = checkTileParams(params, run());
      const from = held();
      return from.tile(place, form && (await from.weightForm(place.selection.component, form)), signal);
    },
    row: async (params, signal) => {
      const { form, ...place } = checkRowParams(params, run());
      const from = held();
      const own = form && (await from.weightForm(place.selection.component, form));
      return { weights: await from.row(place, own, signal) };
    },
    sinkMass: async (params, signal) => {
      const { selection, form } = checkSinkMassParams(params, run());
      const from = held();
      return from.sinkMass(selection, await other(from, selection.component, form), signal);
    },
    strongestCell: async (params, signal) => {
      const { form, ...cell } = checkCellParams(params, run());
      const from = held();
      return from.strongestCell(cell, await other(from, cell.selection.component, form), signal);
    },
    weighing: (params, signal) => {
      const { component, method } = checkMethodParams(params, run());
      return held().weighing(component, method, signal);
    },
    methodReasons: (params, signal) => held().methodReasons(checkMethodReasonsParams(params, run()), signal),
    symbols: async (params) => {
      checkSymbolsParams(params, run());
      return { symbols: await held().symbols() };
    },
    thumbnails: async (params, signal) => {
      const { form, ...wanted } = checkThumbnailParams(params, run());
      const from = held();
      return from.thumbnails(wanted, form && (await from.weightForm(wanted.component, form)), signal);
    },
    relations: (params, signal) => held().relations(checkRelationsParams(params, run()), signal),
    headPairs: async (params, signal) => {
      const { form, ...pair } = checkPairParams(params, run());
      const from = held();
      return { weights: await from.headPairs(pair, form && (await from.weightForm(pair.component, form)), signal) };
    },
    headRows: async (params, signal) => {
      const { form, ...wanted } = checkHeadRowsParams(params, run());
      const from = held();
      return from.headRows(wanted, form && (await from.weightForm(wanted.component, form)), signal);
    },
  };
}
