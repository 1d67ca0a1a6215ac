import type * as vscode from 'vscode';
import type { PlainText } from '../../base/safeText';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { runFitting, type ModelsOfKinds, type WhileAsking } from '../model/modelsOfKinds';
import { checkFile, readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from './documentName';
import { lastingPath, otherModelNotice } from './otherModel';

/** What running a picture needs of the window. */
export interface PictureDependencies {
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly models: ModelsOfKinds;
}

/** A run of a picture, with the model that read it. */
export interface PictureRun {
  readonly held: HeldRun;
  readonly model: ModelLocation;
  /** Localised. */
  readonly notices: readonly PlainText[];
}

/** Explains a picture with the model that {@link runFitting} finds for it. Throws `modelReadsText` where there is none. */
export async function runPicture(
  uri: vscode.Uri,
  { supervisor, files, places, models }: PictureDependencies,
  signal: AbortSignal,
  whileAsking: WhileAsking,
): Promise<PictureRun> {
  // Said before a model is chosen or loaded for it.
  await checkFile(uri, 'picture', documentName(uri));
  const settings = readSettings(uri);
  const bytes =
    places.hasFilePaths && uri.scheme !== 'file' ? await readFileAtMost(uri, 'picture', documentName(uri)) : undefined;
  return runFitting<PictureRun>({
    kind: 'image',
    written: settings.modelPath,
    models,
    whileAsking,
    signal,
    run: async (modelPath, instead) => {
      const model = locateModel({ ...settings, modelPath }, places, uri);
      files.allowModel(model.uri);
      files.allowPicture(uri);
      const held = await supervisor.explainImage(
        {
          model: model.spec,
          path: places.hasFilePaths ? uri.fsPath : uri.toString(),
          ...(bytes === undefined ? {} : { bytes }),
        },
        signal,
      );
      return {
        run: {
          held,
          model,
          notices: instead === undefined ? [] : [otherModelNotice('image', instead, held.info.model.name)],
        },
        path: lastingPath(uri, modelPath, model, places),
      };
    },
  });
}
