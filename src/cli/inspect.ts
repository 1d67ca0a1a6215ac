import { availableParallelism } from 'node:os';
import { documentText, jsonAsIs, type TerminalText } from '../base/terminalText';
import { inspectModel } from '../engine/serve/inspectModel';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { nodeRuntimes } from '../engine/runtime/nodeRuntimes.node';
import { proveModel } from '../engine/serve/proveModel';
import { Runtimes } from '../engine/runtime/runtimes';
import type { EngineOptions } from '../protocol';
import { modelPathOf } from './bundledModel';

/** What `inspect` is asked. */
export interface InspectOptions {
  readonly model: string;
  readonly isJson: boolean;
  /** Whether the model is run, to prove that what was found is what it uses. */
  readonly isProven?: boolean;
  readonly backend?: EngineOptions['backend'];
}

/** The extraction report of a model, as Markdown or as JSON; with what runs prove of it, where that is asked. */
export async function inspect({
  model,
  isJson,
  isProven = false,
  backend = 'auto',
}: InspectOptions): Promise<TerminalText> {
  const place = { path: modelPathOf(model) };
  const { json, markdown } = isProven
    ? await proveModel(nodeFileAccess, place, new Runtimes(nodeRuntimes, availableParallelism()), {
        backend,
        threads: 0,
      })
    : await inspectModel(nodeFileAccess, place);
  return isJson ? jsonAsIs(json) : documentText(markdown);
}
