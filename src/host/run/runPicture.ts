import type * as vscode from 'vscode';
import type { PlainText } from '../../base/safeText';
import { ExplorerError } from '../../base/errors';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import { defaultImageModel, otherModelNotice, type ImageModels } from '../model/imageModels';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { checkFile, readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from './documentName';

/** What running a picture needs of the window. */
export interface PictureDependencies {
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly imageModels: ImageModels;
}

/** A run of a picture, with the model that read it. */
export interface PictureRun {
  readonly held: HeldRun;
  readonly model: ModelLocation;
  /** Localised. */
  readonly notices: readonly PlainText[];
}

/**
 * Explains a picture with the model of the settings; where that one reads text, with the one that the person chose for pictures,
 * and where the settings name none, with the bundled one. Throws `modelReadsText` where there is no other.
 */
export async function runPicture(uri: vscode.Uri, { supervisor, files, places, imageModels }: PictureDependencies, signal: AbortSignal): Promise<PictureRun> {
  // Said before a model is chosen or loaded for it.
  await checkFile(uri, 'picture', documentName(uri));
  const settings = readSettings(uri);
  const bytes = places.hasFilePaths && uri.scheme !== 'file' ? await readFileAtMost(uri, 'picture', documentName(uri)) : undefined;
  const explain = async (modelPath: string): Promise<{ readonly held: HeldRun; readonly model: ModelLocation }> => {
    const model = locateModel({ ...settings, modelPath }, places, uri);
    files.allowModel(model.uri);
    files.allowPicture(uri);
    return { model, held: await supervisor.explainImage({ model: model.spec, path: places.hasFilePaths ? uri.fsPath : uri.toString(), ...(bytes === undefined ? {} : { bytes }) }, signal) };
  };
  try {
    return { ...(await explain(settings.modelPath === '' ? defaultImageModel : settings.modelPath)), notices: [] };
  } catch (error) {
    if (!(error instanceof ExplorerError) || error.code !== 'modelReadsText') throw error;
    const other = await imageModels.choose();
    if (other === undefined || signal.aborted) throw error;
    try {
      const run = await explain(other);
      return { ...run, notices: [otherModelNotice(String(error.args[0]), run.held.info.model.name)] };
    } catch (failure) {
      if (failure instanceof ExplorerError && failure.code.startsWith('model')) await imageModels.forget();
      throw failure;
    }
  }
}
