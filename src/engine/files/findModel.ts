import { vocabularyNames } from '../../model/tokenizerNames';
import { ExplorerError } from '../../base/errors';
import { baseName, folderOf, joinPath, type FileAccess } from './fileAccess';
import { genaiModel, type GenaiModel } from './genaiConfig';

/** The files that a model consists of, and the folders in which what goes with them is looked for, the nearest first. */
export interface FoundModel {
  readonly modelPath: string;
  /** The encoder, where `modelPath` is the decoder that reads its result. */
  readonly encoderPath: string | undefined;
  /** What makes embeddings of ids, for a decoder that takes these. */
  readonly embeddingPath: string | undefined;
  /** What makes embeddings of pictures, for such a decoder. */
  readonly visionPath: string | undefined;
  readonly folders: readonly string[];
  /** The folder that the model is called after. */
  readonly namedBy: string;
  /** What genai_config.json says, where there is one. */
  readonly genai: GenaiModel | undefined;
}

/** Names of models that convention prefers, best first. */
const preferred = [
  'model.onnx',
  'decoder_model_merged.onnx',
  'decoder_model.onnx',
  'decoder.onnx',
  'encoder_model.onnx',
  'encoder.onnx',
  'model_quantized.onnx',
];

/** A decoder's file, with its variant (`_quantized`, `_fp16`, …). */
const decoderName = /^decoder(_model)?(_merged)?((?:_\w+)?)\.onnx$/i;

/** Parts of a pipeline that are no model of text by themselves. */
const isPart = (name: string): boolean =>
  /^(?:decoder(?:_model)?_with_past|decoder_with_past_model|embed_tokens|embed_images?|embeddings?(?:_model)?|vision(?:_encoder|_model)?|audio_encoder|speech(?:_encoder)?)(?![a-z])/i.test(
    name,
  );

/** Files by which a folder is seen to be a model's. */
const tokenizers = ['tokenizer.json', ...vocabularyNames];
/** What says how a text or a picture is read; in the order in which asking ends soonest. */
const processors = ['tokenizer.json', 'preprocessor_config.json', 'processor_config.json', ...tokenizers.slice(1)];
const companions = [...processors, 'config.json', 'genai_config.json', 'tokenizer_config.json'];

/** A model in a folder of a repository has what goes with it so many folders above, at most. */
export const mostFoldersAbove = 2;

/**
 * Finds a model's files from a path: an .onnx file, or a folder that holds one, also in folders of its own.
 * Throws `modelNotFound`, `modelAmbiguous` or `modelOrtFormat`.
 */
export async function findModel(access: FileAccess, path: string): Promise<FoundModel> {
  const isFile = await access.exists(path);
  const folder = isFile ? folderOf(path) : path;
  const genai = await genaiModel(access, folder);
  const stated = genai === undefined || (isFile && baseName(path) !== genai.decoder) ? undefined : genai;
  const modelPath = stated === undefined ? await findModelFile(access, path) : joinPath(folder, stated.decoder);
  const own = folderOf(modelPath);
  const named = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : joinPath(folder, name);
  return {
    modelPath,
    encoderPath: named(stated?.encoder) ?? (await findEncoder(access, modelPath)),
    embeddingPath:
      named(stated?.embedding) ??
      (await findPart(access, modelPath, /^(?:embed_tokens|embeddings?(?:_model)?)(?![a-z])\w*\.onnx$/i)),
    visionPath:
      named(stated?.vision) ??
      (await findPart(access, modelPath, /^(?:vision(?:_encoder|_model)?|embed_images?)(?![a-z])\w*\.onnx$/i)),
    ...(await companionFolders(access, own)),
    genai,
  };
}

/** The model's own folder, that above a folder `onnx`, and, where these lack a tokenizer or everything, the nearest above that has it. */
async function companionFolders(access: FileAccess, own: string): Promise<Pick<FoundModel, 'folders' | 'namedBy'>> {
  const folders = baseName(own) === 'onnx' ? [own, folderOf(own)] : [own];
  const isOneOf = async (names: readonly string[], each: readonly string[], isAbove = false): Promise<boolean> => {
    // What lies above and may not be read is not this model's.
    for (const folder of each)
      for (const name of names)
        if (
          await access.exists(joinPath(folder, name)).catch((error: unknown) => {
            if (isAbove) return false;
            throw error;
          })
        )
          return true;
    return false;
  };
  const last = folders[folders.length - 1];
  const hasSome = await isOneOf(companions, folders);
  if (hasSome && (await isOneOf(processors, folders))) return { folders, namedBy: last };
  const above: string[] = [];
  for (let at = folderOf(own); above.length < mostFoldersAbove && at !== folderOf(at); at = folderOf(at))
    above.push(at);
  for (const names of hasSome ? [tokenizers] : [tokenizers, companions]) {
    for (const folder of above)
      if (!folders.includes(folder) && (await isOneOf(names, [folder], true)))
        return { folders: [...folders, folder], namedBy: hasSome ? last : folder };
  }
  return { folders, namedBy: last };
}

async function findModelFile(access: FileAccess, path: string): Promise<string> {
  if (await access.exists(path)) {
    if (/\.ort$/i.test(path)) throw new ExplorerError('modelOrtFormat', [baseName(path)]);
    return path;
  }
  const names = await namesIn(access, path);
  let candidates = names.filter(isModelName).map((name) => joinPath(path, name));
  if (names.includes('onnx') || candidates.length === 0)
    for (const name of await namesIn(access, joinPath(path, 'onnx')))
      if (isModelName(name)) candidates.push(joinPath(path, `onnx/${name}`));
  const isBelow = candidates.length === 0;
  if (isBelow) candidates = await modelsBelow(access, path, names);
  const [only] = candidates;
  if (only === undefined) {
    const ort = names.find((name) => /\.ort$/i.test(name));
    throw ort === undefined ? new ExplorerError('modelNotFound', [path]) : new ExplorerError('modelOrtFormat', [ort]);
  }
  if (candidates.length === 1) return only;
  // Folders beside each other are models, or parts, between which convention does not decide.
  if (!isBelow || new Set(candidates.map(folderOf)).size === 1) {
    for (const name of preferred) {
      const found = candidates.find((candidate) => baseName(candidate) === name);
      if (found !== undefined) return found;
    }
  }
  const whole = candidates.filter(
    (candidate) =>
      !isPart(baseName(candidate)) &&
      !isReplaced(
        baseName(candidate),
        candidates.filter((other) => folderOf(other) === folderOf(candidate)).map(baseName),
      ),
  );
  if (whole.length === 1) return whole[0];
  const title = (candidate: string): string =>
    isBelow ? candidate.slice(joinPath(path, '').length) : baseName(candidate);
  throw new ExplorerError('modelAmbiguous', [path, whole.map(title).sort().join(', ')]);
}

const isModelName = (name: string): boolean => /\.onnx$/i.test(name);

async function namesIn(access: FileAccess, folder: string): Promise<string[]> {
  try {
    return await access.list(folder);
  } catch {
    return []; // there is no such folder
  }
}

/** Folders that are looked into at most, and how deep they lie in each other. */
const mostFolders = 100;
const mostDepth = 3;

/** The models in the folders of a folder that holds none itself. */
async function modelsBelow(access: FileAccess, path: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const isFolderName = (name: string): boolean =>
    !name.startsWith('.') && name !== 'node_modules' && !/\.[a-z_]\w*$/i.test(name);
  let level = names.filter(isFolderName).map((name) => joinPath(path, name));
  let numListed = 0;
  for (let depth = 0; depth < mostDepth && found.length === 0; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (numListed++ >= mostFolders) return found;
      for (const name of await namesIn(access, folder)) {
        if (isModelName(name)) found.push(joinPath(folder, name));
        else if (isFolderName(name)) next.push(joinPath(folder, name));
      }
    }
    level = next;
  }
  return found;
}

/** Whether another file of the folder brings this one along (a decoder its encoder) or can all that it can (a merged decoder). */
function isReplaced(name: string, names: readonly string[]): boolean {
  const [, model = '', merged, variant = ''] = decoderName.exec(name) ?? [];
  if (/^encoder(?:_model)?(?![a-z])/i.test(name)) return names.some((other) => decoderName.test(other));
  return decoderName.test(name) && merged === undefined && names.includes(`decoder${model}_merged${variant}.onnx`);
}

/** The encoder beside a decoder: of the same variant, else the plain one, else the only one. */
async function findEncoder(access: FileAccess, modelPath: string): Promise<string | undefined> {
  const decoder = decoderName.exec(baseName(modelPath));
  if (decoder === null) return undefined;
  const folder = folderOf(modelPath);
  const [, model = '', , variant] = decoder;
  for (const name of new Set([`encoder${model}${variant}.onnx`, `encoder${model}.onnx`]))
    if (await access.exists(joinPath(folder, name))) return joinPath(folder, name);
  return onlyOf(folder, await namesIn(access, folder), /^encoder(?:_model)?(?![a-z])\w*\.onnx$/i);
}

/** Variants of a part, the nearest to the plain one first, as exporters call them. */
const variants = ['', '_fp16', '_quantized', '_int8', '_uint8', '_q4f16', '_q4', '_bnb4'];

/** A part beside a decoder: of the same variant, else the plain one, else the nearest to it, else the only one. */
async function findPart(access: FileAccess, modelPath: string, pattern: RegExp): Promise<string | undefined> {
  const decoder = /^(?:decoder(?:_model)?(?:_merged)?|model|text)((?:_\w+)?)\.onnx$/i.exec(baseName(modelPath));
  if (decoder === null) return undefined;
  const folder = folderOf(modelPath);
  const names = (await namesIn(access, folder)).filter((name) => pattern.test(name));
  const stems = names.map((name) => name.replace(/\.onnx$/i, '').toLowerCase());
  const known = stems.map(
    (stem) => /^(.*?)((?:_(?:fp16|quantized|u?int8|q4f16|q4|bnb4))?)$/.exec(stem)?.slice(1) ?? [stem, ''],
  );
  // Names of several kinds of parts are not chosen between.
  if (new Set(known.map(([stem]) => stem)).size !== 1) return onlyOf(folder, names, pattern);
  for (const variant of [decoder[1].toLowerCase(), ...variants]) {
    const at = known.findIndex(([, own]) => own === variant);
    if (at >= 0) return joinPath(folder, names[at]);
  }
  return undefined;
}

function onlyOf(folder: string, names: readonly string[], pattern: RegExp): string | undefined {
  const found = names.filter((name) => pattern.test(name));
  return found.length === 1 ? joinPath(folder, found[0]) : undefined;
}
