import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import type { ReportView } from '../../protocol';
import type { FileAccess } from '../files/fileAccess';
import { inputAccount } from '../report/inputAccount';
import { modelAccess, type ModelPlace } from '../files/modelAccess';
import { settingsFacts } from '../image/pictureFacts';
import { pictureWriting } from '../image/pictureWriting';
import { readPreprocessing } from '../image/readPreprocessing';
import { resolveModel, type ResolvedModel } from '../folder/modelFolder';
import { analysesOf, readModelParts, reportsOf } from '../folder/modelParts';
import { reportView } from '../report/reportView';

/** The extraction report of a model that is not loaded, from its graphs alone. */
export async function inspectModel(files: FileAccess, { path, barred }: ModelPlace): Promise<ReportView> {
  const access = await modelAccess(files, { path, ...(barred === undefined ? {} : { barred }) });
  const resolved = await resolveModel(access, path);
  const parts = await readModelParts(access, resolved);
  return reportView(resolved.name, reportsOf(parts), access, {
    account: inputAccount(access.readFiles, resolved, analysesOf(parts)),
    notices: [...resolved.notices, ...pictureFacts(resolved)],
  });
}

/** How pictures would be made ready; what is asked for and not known is said when one is to be. */
function pictureFacts({ name, preprocessorConfig, config }: ResolvedModel): readonly Notice[] {
  if (preprocessorConfig === undefined) return [];
  try {
    return settingsFacts(
      readPreprocessing(preprocessorConfig.settings, name, {
        file: preprocessorConfig.file,
        modelType: config['model_type'],
        takesPatches: true,
        takesTiles: pictureWriting(config)?.tiles !== undefined,
      }),
    );
  } catch (error) {
    if (error instanceof ExplorerError)
      return [{ code: 'pictureNotMade', args: [preprocessorConfig.file, String(error.args[1])] }];
    throw error;
  }
}
