import { resolve } from 'node:path';
import { readModelFiles } from '../engine/modelFiles';
import { resolveModel } from '../engine/modelFolder';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { formatReport, makeReport } from '../onnx/report';

/** What `inspect` is asked. */
export interface InspectOptions {
  readonly model: string;
  readonly isJson: boolean;
}

/** The extraction report of a model, as Markdown or as JSON. */
export async function inspect({ model, isJson }: InspectOptions): Promise<string> {
  const { modelPath } = await resolveModel(nodeFileAccess, resolve(model));
  const report = makeReport((await readModelFiles(nodeFileAccess, modelPath)).analysis);
  return isJson ? JSON.stringify(report, undefined, 2) : formatReport(report);
}
