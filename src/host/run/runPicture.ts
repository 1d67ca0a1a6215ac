import type * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { PlainText } from '../../base/safeText';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import type { ExplainImageParams } from '../../protocol';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { runFitting, type ModelsOfKinds, type WhileAsking } from '../model/modelsOfKinds';
import { checkFile, readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { askForText } from '../say/dialogs';
import { said } from '../say/said';
import { documentName } from './documentName';
import { lastingPath, otherModelNotice } from './otherModel';

/** What running a picture needs of the window. */
export interface PictureDependencies {
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly models: ModelsOfKinds;
}

/** What the person is asked on the way. */
export interface PictureQuestions {
  readonly whileAsking: WhileAsking;
  /** Asks for the text that is read with the picture, by a model that reads pictures within texts; undefined where there is none. */
  readonly askText: () => Promise<string | undefined>;
  /** Given a run whose first layers are there. */
  readonly onGrowing: (run: PictureRun) => void;
}

/** A run of a picture, with the model that read it. */
export interface PictureRun {
  readonly held: HeldRun;
  readonly model: ModelLocation;
  /** Localised. */
  readonly notices: readonly PlainText[];
}

/** Longer texts than this are for no picture. */
const maxTextUnits = 20_000;

/** Asks for the text that a model reads with a picture; undefined where the person leaves. */
export async function askPictureText(value: string): Promise<string | undefined> {
  return askForText({
    title: said('Explain Picture Within a Text'),
    prompt: said(
      'This model reads pictures within texts: what is the text? The picture stands before it, or where the text says so (<image>).',
    ),
    placeholder: said('What is in the picture?'),
    value,
    check: (text) =>
      text.trim() === ''
        ? said('The text must not be empty.')
        : text.length > maxTextUnits
          ? said('At most {0} characters.', maxTextUnits)
          : undefined,
  });
}

/** What the engine is told of a picture: where it lies, or what is in it where the engine cannot go. Throws what reading it throws. */
export async function pictureAt(
  uri: vscode.Uri,
  { hasFilePaths }: Pick<ModelPlaces, 'hasFilePaths'>,
): Promise<Pick<ExplainImageParams, 'path' | 'bytes'>> {
  const path = hasFilePaths ? uri.fsPath : uri.toString();
  return hasFilePaths && uri.scheme !== 'file'
    ? { path, bytes: await readFileAtMost(uri, 'picture', documentName(uri)) }
    : { path };
}

/** Explains a picture with the model that {@link runFitting} finds for it. Throws `modelReadsText` where there is none. */
export async function runPicture(
  uri: vscode.Uri,
  { supervisor, files, places, models }: PictureDependencies,
  signal: AbortSignal,
  { whileAsking, askText, onGrowing }: PictureQuestions,
): Promise<PictureRun> {
  // Said before a model is chosen or loaded for it.
  await checkFile(uri, 'picture', documentName(uri));
  const settings = readSettings(uri);
  const picture = await pictureAt(uri, places);
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
      const runOf = (held: HeldRun): PictureRun => ({
        held,
        model,
        notices: instead === undefined ? [] : [otherModelNotice('image', instead, held.info.model.name)],
      });
      const explain = (text: string | undefined): Promise<HeldRun> =>
        supervisor.explainImage(
          {
            model: model.spec,
            ...picture,
            ...(text === undefined ? {} : { text }),
          },
          signal,
          (held) => onGrowing(runOf(held)),
        );
      const held = await explain(undefined).catch(async (error: unknown) => {
        if (!(error instanceof ExplorerError) || error.code !== 'pictureBesideText') throw error;
        const text = await askText();
        if (text === undefined || signal.aborted) throw error;
        return explain(text);
      });
      return {
        run: runOf(held),
        path: lastingPath(uri, modelPath, model, places),
      };
    },
  });
}
