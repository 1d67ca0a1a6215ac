// File access for the engine in tests: paths are those of test/fixtures.
import { ExplorerError } from '../../src/base/errors';
import type { FileAccess } from '../../src/engine/files/fileAccess';
import { checkFileLimit } from '../../src/model/fileLimits';
import { listFixtures, readFixture } from '../harness/fixtures';

/** Reads below test/fixtures, in Node and in a browser. */
export const fixtureAccess: FileAccess = {
  async read(path) {
    try {
      return await readFixture(path);
    } catch (error) {
      throw new ExplorerError('fileNotFound', [path], { cause: error });
    }
  },
  async exists(path) {
    const at = path.lastIndexOf('/');
    if (!(await listFixtures(path.slice(0, at)).catch((): string[] => [])).includes(path.slice(at + 1))) return false;
    // Only a folder can be listed.
    return listFixtures(path).then(
      () => false,
      () => true,
    );
  },
  list: (folder) => listFixtures(folder),
};

/** Files held in memory, for models made by a test. */
export function memoryAccess(
  contents: Readonly<Record<string, Uint8Array | string>>,
): FileAccess & { readonly wasRead: readonly string[] } {
  const wasRead: string[] = [];
  return {
    wasRead,
    async read(path, kind) {
      const content = Object.hasOwn(contents, path) ? contents[path] : undefined;
      if (content === undefined) throw new ExplorerError('fileNotFound', [path]);
      checkFileLimit(kind, path, content.length);
      wasRead.push(path);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    exists: async (path) => Object.hasOwn(contents, path),
    async list(folder) {
      const names = new Set(
        Object.keys(contents).flatMap((path) =>
          path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split('/')[0]] : [],
        ),
      );
      if (names.size === 0) throw new ExplorerError('fileNotFound', [folder]);
      return [...names];
    },
  };
}
