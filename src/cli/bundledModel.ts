import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExplorerError } from '../base/errors';

/** What stands before the name of a model that ships with the product, as in the editor's setting. */
const prefix = 'bundled:';

/** Where the models that ship with the product lie: beside dist/, where this bundle lies. */
const folder = (): string => join(__dirname, '..', 'media', 'models');

/** The folder of a model that ships with the product, the one for texts unless another is named. */
export function bundledModelPath(name = 'code-decoder'): string {
  return join(folder(), name);
}

/** The path of a model as a person writes it: a file, a folder, or a bundled model's name after `bundled:`. Throws `invalidArgument` where none is called that. */
export function modelPathOf(written: string): string {
  if (!written.startsWith(prefix)) return resolve(written);
  const name = written.slice(prefix.length);
  const names = Object.keys(JSON.parse(readFileSync(join(folder(), 'models.json'), 'utf8')) as object); // ships with us
  if (!names.includes(name))
    throw new ExplorerError('invalidArgument', [
      written,
      `the models that come with this program are ${names.map((each) => prefix + each).join(', ')}`,
    ]);
  return bundledModelPath(name);
}
