import { availableParallelism } from 'node:os';
import type { TerminalText } from '../base/terminalText';
import { nodeRuntimes } from '../engine/runtime/nodeRuntimes.node';
import { proveModel } from '../engine/serve/proveModel';
import { Runtimes } from '../engine/runtime/runtimes';
import type { EngineOptions } from '../protocol';
import { modelPathOf } from './bundledModel';
import { commandFiles } from './commandFiles';
import { printedReport, type InspectOptions } from './inspect';

/** What `inspect --prove` is asked. */
export interface ProveOptions extends InspectOptions {
  readonly backend: EngineOptions['backend'];
}

/** The extraction report of a model with what runs prove of it, as Markdown or as JSON. */
export async function prove({ model, isJson, backend }: ProveOptions): Promise<TerminalText> {
  const runtimes = new Runtimes(nodeRuntimes, availableParallelism());
  const report = await proveModel(commandFiles, { path: modelPathOf(model) }, runtimes, { backend, threads: 0 });
  return printedReport(report, isJson);
}
