import { basename, resolve } from 'node:path';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { ImageModel } from '../engine/image/imageModel';
import type { ModelBounds } from '../engine/folder/loading';
import { LoadedModel } from '../engine/serve/loadedModel';
import type { Explanation, Reading } from '../engine/text/textModel';
import { ExplorerError } from '../base/errors';
import type { Languages } from '../model/modelInfo';
import { deadlines } from './deadlines';
import { meantOf, readFilePart, type FilePart } from './filePart';
import { openModel, type ModelOptions } from './openModel';

/** The text that a command reads. */
export interface TextOptions extends ModelOptions {
  /** A path, with a range where only a part is meant, as for `explain`. */
  readonly file: string;
  /** The text, where it does not stand in a file. */
  readonly text?: string;
  readonly tokenizer: string | undefined;
}

/** The same, with what is written of it by a model that writes a text of its own. */
export interface TranslatedOptions extends TextOptions {
  readonly target: string | undefined;
  readonly languages?: Languages | undefined;
}

/** The text that is given in the place of a file, else what the file says. Throws as {@link readFilePart}. */
export async function readGiven({ file, text }: { readonly file: string; readonly text?: string }): Promise<FilePart> {
  return text === undefined ? readFilePart(file) : { text, span: undefined };
}

/** Loads a model of texts, the bundled one where none is asked for. Throws as {@link openModel}. */
export function openTextModel(
  options: ModelOptions & { readonly tokenizer: string | undefined },
  bounds: Omit<ModelBounds, 'deadlines'> = {},
): Promise<LoadedModel> {
  return openModel(
    options,
    undefined,
    (choosing, access, spec) => LoadedModel.load(choosing, access, spec, { ...bounds, deadlines }),
    options.tokenizer,
  );
}

/** Asks a model of texts about what it has read of what is given, and frees it. Throws `emptyText`, and what reading, loading and asking throw. */
export async function askOfText<T>(
  options: TextOptions,
  reading: Pick<Reading, 'target' | 'languages' | 'continuation'>,
  ask: (model: LoadedModel, read: Explanation) => Promise<T>,
): Promise<T> {
  const { text, span } = await readGiven(options);
  if (text === '') throw new ExplorerError('emptyText');
  const model = await openTextModel(options);
  try {
    const given = meantOf({ text, span });
    return await ask(model, await model.explain({ text: given, tokenLimit: 0, ...reading }));
  } finally {
    await model.release();
  }
}

/** A picture as it lies in its file. Throws what reading it throws. */
export async function readPicture(file: string): Promise<{ readonly bytes: Uint8Array; readonly name: string }> {
  const path = resolve(file);
  return { bytes: await nodeFileAccess.read(path, 'picture'), name: basename(path) };
}

/** Loads a model of pictures, the bundled one where none is asked for, and makes a file ready for it. Throws what reading it, {@link openModel} and `prepare` throw. */
export async function openPictureModel(
  options: ModelOptions,
  file: string,
): Promise<Awaited<ReturnType<ImageModel['prepare']>> & { readonly model: ImageModel }> {
  const read = await readPicture(file);
  const model = await loadPictureModel(options);
  return { ...(await preparePicture(model, read)), model };
}

/** Loads a model of pictures, the bundled one where none is asked for. Throws what {@link openModel} throws. */
export function loadPictureModel(options: ModelOptions): Promise<ImageModel> {
  return openModel(options, 'shapes-vit', (choosing, access, spec) => ImageModel.load(choosing, access, spec));
}

/** Makes a picture that was read ready for a model. Throws what `prepare` throws. */
export function preparePicture(
  model: ImageModel,
  { bytes, name }: Awaited<ReturnType<typeof readPicture>>,
): ReturnType<ImageModel['prepare']> {
  return model.prepare(bytes, name, deadlines);
}
