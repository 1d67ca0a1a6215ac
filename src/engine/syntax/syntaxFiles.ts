import type { Language, Parser } from 'web-tree-sitter';

/** What of web-tree-sitter is used. */
export interface TreeSitter {
  readonly Parser: typeof Parser;
  readonly Language: typeof Language;
}

/** Where the parser and its grammars are read from, when they are first wanted. */
export interface SyntaxFiles {
  /** Loads the parser's program. */
  module(): Promise<TreeSitter>;
  /** A file of dist/: the parser's binary or a grammar. Throws `fileUnreadable`. */
  read(name: SyntaxFile): Promise<Uint8Array>;
}

/** The files of dist/ that are read. */
type SyntaxFile = 'web-tree-sitter.wasm' | `tree-sitter-${string}.wasm`;
