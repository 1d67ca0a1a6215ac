import type { ReportView } from '../protocol';
import type { FileAccess } from './fileAccess';
import { modelAccess, type ModelPlace } from './modelAccess';
import { resolveModel } from './modelFolder';
import { readModelParts, reportsOf } from './modelParts';
import { reportView } from './reportView';

/** The extraction report of a model that is not loaded, from its graphs alone. */
export async function inspectModel(files: FileAccess, { path, barred }: ModelPlace): Promise<ReportView> {
  const access = await modelAccess(files, { path, ...(barred === undefined ? {} : { barred }) });
  const resolved = await resolveModel(access, path);
  return reportView(resolved.name, reportsOf(await readModelParts(access, resolved)), access);
}
