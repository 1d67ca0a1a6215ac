import type { FileAccess } from './fileAccess';
import { joinPath } from './fileAccess';
import { readSettings, type Settings } from './modelSettings';

/** What genai_config.json, the layout of ONNX Runtime's generate API, says of a model. */
export interface GenaiModel {
  /** File names within the folder. */
  readonly decoder: string;
  readonly encoder: string | undefined;
  readonly embedding: string | undefined;
  readonly vision: string | undefined;
  /** Its numbers, by the names that a config.json has for them. */
  readonly settings: Settings;
}

/** Reads a folder's genai_config.json; undefined where there is none, or where it names no decoder of one file. */
export async function genaiModel(access: FileAccess, folder: string): Promise<GenaiModel | undefined> {
  const path = joinPath(folder, 'genai_config.json');
  if (!(await access.exists(path))) return undefined;
  const config = await readSettings(access, path);
  const model = typeof config === 'string' ? undefined : part(config, 'model');
  const decoder = model === undefined ? undefined : await fileOf(access, folder, model, 'decoder');
  if (model === undefined || decoder === undefined) return undefined;
  const named: readonly (readonly [string, string])[] = [
    ['context_length', 'max_position_embeddings'],
    ['vocab_size', 'vocab_size'],
    ['pad_token_id', 'pad_token_id'],
    ['bos_token_id', 'bos_token_id'],
    ['eos_token_id', 'eos_token_id'],
    ['decoder_start_token_id', 'decoder_start_token_id'],
  ];
  const settings = Object.fromEntries(
    named.flatMap(([name, own]) => (Object.hasOwn(model, name) ? [[own, model[name]]] : [])),
  );
  const [encoder, embedding, vision] = await Promise.all(
    ['encoder', 'embedding', 'vision'].map((name) => fileOf(access, folder, model, name)),
  );
  return { decoder, encoder, embedding, vision, settings };
}

function part(settings: Settings, name: string): Settings | undefined {
  const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** The file of a part, where it is there; a name may not lead out of the folder. */
async function fileOf(access: FileAccess, folder: string, model: Settings, name: string): Promise<string | undefined> {
  const file = part(model, name)?.['filename'];
  if (typeof file !== 'string' || file === '' || file.length > 255 || /[/\\:\0]/.test(file)) return undefined;
  return (await access.exists(joinPath(folder, file))) ? file : undefined;
}
