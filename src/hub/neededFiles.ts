import { modelFolderOf, precisionOf, type ModelVariant } from '../model/modelVariants';
import { holdsTokenizer, tokenizerCompanions, vocabularyNames } from '../model/tokenizerNames';
import type { HubFile } from './hub';

/** Names of files that say how a model reads and writes, beside those of its tokenizer. */
const settingsNames: ReadonlySet<string> = new Set([
  'config.json',
  'genai_config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'chat_template.jinja',
  'chat_template.json',
  'tokenizer.json',
  ...vocabularyNames,
  ...tokenizerCompanions,
]);

/** What tells how texts or pictures are read: a folder without any is looked above of. */
const readsBy = (names: readonly string[]): boolean =>
  holdsTokenizer(names) || names.includes('preprocessor_config.json') || names.includes('processor_config.json');

/** A folder of a repository has what goes with its models so many folders above, at most. */
const mostFoldersAbove = 2;

/** Parts of a pipeline that a decoder takes embeddings from. */
const partNames = [
  /^(?:embed_tokens|embeddings?(?:_model)?)(?![a-z])\w*\.onnx$/i,
  /^(?:vision(?:_encoder|_model)?|embed_images?)(?![a-z])\w*\.onnx$/i,
];
/** A decoder that may take them. */
const takesParts = /^(?:decoder(?:_model)?(?:_merged)?|model|text)(?:_\w+)?\.onnx$/i;

/** The files that a model of a repository needs, its own first, and no others. */
export function neededFiles(variant: Pick<ModelVariant, 'files' | 'name'>, files: readonly HubFile[]): HubFile[] {
  const own = folderOf(variant.name);
  const here = files.filter(({ path }) => folderOf(path) === own).map(({ path }) => nameOf(path));
  const parts = takesParts.test(nameOf(variant.name))
    ? partNames.flatMap((pattern) => {
        const found = here.filter((name) => pattern.test(name));
        const part =
          found.find((name) => precisionOf(name) === precisionOf(variant.name)) ??
          found.find((name) => suffixOf(name) === '') ??
          found[0];
        return part === undefined ? [] : [join(own, part)];
      })
    : [];
  const models = [...new Set([...variant.files, ...parts])];
  const folders = foldersOf(own, files);
  const isNeeded = ({ path }: HubFile): boolean =>
    models.some((model) => belongsTo(path, model)) ||
    folders.some(
      (folder) =>
        (folderOf(path) === folder && isSettings(nameOf(path))) ||
        (folderOf(path) === join(folder, 'additional_chat_templates') && path.endsWith('.jinja')),
    );
  const rank = ({ path }: HubFile): number => {
    const owner = models.findIndex((model) => belongsTo(path, model));
    return owner < 0 ? models.length : owner;
  };
  return files.filter(isNeeded).sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
}

function isSettings(name: string): boolean {
  return (
    settingsNames.has(name) || /^tokenizer\.\d[\d.]*\.json$/.test(name) || /^sentence_[\w-]+_config\.json$/.test(name)
  );
}

/** The model's own folder, the one above `onnx`, and those above as long as nothing there says how it reads. */
function foldersOf(own: string, files: readonly HubFile[]): string[] {
  const folders = [own];
  if (nameOf(own) === 'onnx') folders.push(modelFolderOf(`${own}/model.onnx`));
  const names = (): string[] =>
    files.filter(({ path }) => folders.includes(folderOf(path))).map(({ path }) => nameOf(path));
  for (let above = 0; above < mostFoldersAbove && folders.at(-1) !== '' && !readsBy(names()); above++)
    folders.push(folderOf(folders.at(-1) ?? ''));
  return folders;
}

/** Whether a file is a model's own, or holds weights of it: `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`, `model.data`. */
function belongsTo(path: string, model: string): boolean {
  if (path === model) return true;
  const stem = model.replace(/\.onnx$/i, '');
  return path.startsWith(stem) && /^(?:\.onnx)?[._](?:data|weights)(?:[._-]?\d+)?$/i.test(path.slice(stem.length));
}

/** What stands behind a part's plain name, such as `_fp16`. */
function suffixOf(name: string): string {
  return /(_(?:fp16|quantized|u?int8|q4f16|q4|bnb4))?\.onnx$/i.exec(name)?.[1] ?? '';
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
