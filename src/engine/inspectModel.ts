import type { ReportView } from '../protocol';
import type { FileAccess } from './fileAccess';
import { inputAccount } from './inputAccount';
import { modelAccess, type ModelPlace } from './modelAccess';
import { resolveModel } from './modelFolder';
import { analysesOf, readModelParts, reportsOf } from './modelParts';
import { reportView } from './reportView';

/** The extraction report of a model that is not loaded, from its graphs alone. */
export async function inspectModel(files: FileAccess, { path, barred }: ModelPlace): Promise<ReportView> {
  const access = await modelAccess(files, { path, ...(barred === undefined ? {} : { barred }) });
  const resolved = await resolveModel(access, path);
  const parts = await readModelParts(access, resolved);
  return reportView(resolved.name, reportsOf(parts), access, { account: inputAccount(access.readFiles, resolved, analysesOf(parts)) });
}
