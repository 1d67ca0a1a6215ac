import ignore, { type Ignore } from 'ignore';

/** A `.gitignore`, by the folder that it stands in: a path within the workspace's folder, empty for that itself. */
export interface IgnoreFile {
  readonly folder: string;
  readonly text: string;
}

/** What is longer, or has more wildcards, would take long to look for, and nobody writes it. */
const longestPattern = 500;
const mostWildcards = 4;
const mostPatterns = 5000;

/** Says which files of a folder git would leave out, by its `.gitignore` files: those nearer to a file go before those above, and nothing is kept of a folder that is left out. */
export class IgnoredFiles {
  readonly #rules: readonly { readonly folder: string; readonly rules: Ignore }[];
  readonly #folders = new Map<string, boolean>();

  /** @param config of the repository (`.git/config`): it says whether large and small letters are the same. */
  constructor(files: readonly IgnoreFile[], config = '') {
    const ignorecase = /^\s*ignorecase\s*=\s*true\s*$/im.test(config);
    this.#rules = [...files]
      .sort((a, b) => a.folder.length - b.folder.length)
      .map(({ folder, text }) => ({
        folder,
        rules: ignore({ ignorecase }).add(
          text
            .split(/\r?\n/)
            .slice(0, mostPatterns)
            .filter(
              (line) => line.length <= longestPattern && (line.match(/\*+|\?|\[/g)?.length ?? 0) <= mostWildcards,
            ),
        ),
      }));
  }

  /** Whether a file, by its path in the workspace's folder with `/` between, is left out. */
  has(path: string): boolean {
    const parts = path.split('/');
    for (let at = 1; at < parts.length; at++) if (this.#isFolderOut(`${parts.slice(0, at).join('/')}/`)) return true;
    return this.#isOut(path);
  }

  #isFolderOut(folder: string): boolean {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    // What belongs to git itself is no text of anybody's.
    const found = folder.endsWith('/.git/') || folder === '.git/' || this.#isOut(folder);
    this.#folders.set(folder, found);
    return found;
  }

  #isOut(path: string): boolean {
    let isOut = false;
    for (const { folder, rules } of this.#rules) {
      const start = folder === '' ? '' : `${folder}/`;
      if (!path.startsWith(start) || path === start) continue;
      const { ignored, unignored } = rules.test(path.slice(start.length));
      if (ignored) isOut = true;
      else if (unignored) isOut = false;
    }
    return isOut;
  }
}
