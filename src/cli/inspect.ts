import { documentText, jsonAsIs, type TerminalText } from '../base/terminalText';
import { inspectModel } from '../engine/inspectModel';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { modelPathOf } from './bundledModel';

/** What `inspect` is asked. */
export interface InspectOptions {
  readonly model: string;
  readonly isJson: boolean;
}

/** The extraction report of a model, as Markdown or as JSON. */
export async function inspect({ model, isJson }: InspectOptions): Promise<TerminalText> {
  const { json, markdown } = await inspectModel(nodeFileAccess, { path: modelPathOf(model) });
  return isJson ? jsonAsIs(json) : documentText(markdown);
}
