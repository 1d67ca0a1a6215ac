import { join, resolve } from 'node:path';

/** What stands before the name of a model that ships with the product, as in the editor's setting. */
const prefix = 'bundled:';

/** The folder of a model that ships with the product, the one for texts unless another is named: beside dist/, where this bundle lies. */
export function bundledModelPath(name = 'code-decoder'): string {
  return join(__dirname, '..', 'media', 'models', name);
}

/** The path of a model as a person writes it: a file, a folder, or a bundled model's name after `bundled:`. */
export function modelPathOf(written: string): string {
  const name = written.startsWith(prefix) ? written.slice(prefix.length) : '';
  return /^[\w-]+$/.test(name) ? bundledModelPath(name) : resolve(written);
}
