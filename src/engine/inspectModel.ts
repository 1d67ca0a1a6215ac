import { formatReport, makeReport } from '../onnx/report';
import type { ReportView } from '../protocol';
import type { FileAccess } from './fileAccess';
import { readModelFiles } from './modelFiles';
import { resolveModel } from './modelFolder';

/** The extraction report of a model that is not loaded, from its graph alone. */
export async function inspectModel(access: FileAccess, path: string): Promise<ReportView> {
  const { name, modelPath } = await resolveModel(access, path);
  const report = makeReport((await readModelFiles(access, modelPath)).analysis);
  return { title: name, markdown: formatReport(report), json: JSON.stringify(report, undefined, 2) };
}
