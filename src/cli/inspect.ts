import { documentText, jsonAsIs, type TerminalText } from '../base/terminalText';
import { inspectModel } from '../engine/serve/inspectModel';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import type { ReportView } from '../protocol';
import { modelPathOf } from './bundledModel';

/** What `inspect` is asked. */
export interface InspectOptions {
  readonly model: string;
  readonly isJson: boolean;
}

/** The extraction report of a model, as Markdown or as JSON. */
export async function inspect({ model, isJson }: InspectOptions): Promise<TerminalText> {
  return printedReport(await inspectModel(nodeFileAccess, { path: modelPathOf(model) }), isJson);
}

/** A report as it is printed. */
export function printedReport({ json, markdown }: ReportView, isJson: boolean): TerminalText {
  return isJson ? jsonAsIs(json) : documentText(markdown);
}
