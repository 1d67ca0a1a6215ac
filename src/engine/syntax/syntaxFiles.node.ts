import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SyntaxFiles, TreeSitter } from './syntaxFiles';

/** The parser and its grammars in a folder: that of the bundles, or wherever a test has them. */
export function syntaxFilesIn(folder: string): SyntaxFiles {
  return {
    module: async () => (await import(pathToFileURL(join(folder, 'web-tree-sitter.mjs')).href)) as TreeSitter, // a copy of the package's own module
    read: (name) => readFile(join(folder, name)),
  };
}
