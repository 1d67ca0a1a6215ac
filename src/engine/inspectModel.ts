import type { ReportView } from '../protocol';
import type { FileAccess } from './fileAccess';
import { resolveModel } from './modelFolder';
import { readModelParts, reportsOf } from './modelParts';
import { reportView } from './reportView';

/** The extraction report of a model that is not loaded, from its graphs alone. */
export async function inspectModel(access: FileAccess, path: string): Promise<ReportView> {
  const resolved = await resolveModel(access, path);
  return reportView(resolved.name, reportsOf(await readModelParts(access, resolved)));
}
