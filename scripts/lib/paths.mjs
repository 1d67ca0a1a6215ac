// Where things are, found from this file's own place or, when it has been bundled, from the bundle's.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'attention-explorer') return folder;
    if (dirname(folder) === folder) throw new Error(`No package.json of attention-explorer above ${from}.`);
  }
}

/** The repository's folder. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Where tests leave screenshots, traces and logs. */
export const artefacts = join(root, 'test', 'artefacts');

/** The extension's manifest. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The extension's identifier, `publisher.name`. */
export const extensionId = `${manifest.publisher}.${manifest.name}`;
