import { ExplorerError } from '../../base/errors';
import type { SyntaxTree } from '../../model/relations/syntaxTree';
import type { Grammar } from './grammars';
import type { SyntaxFiles, TreeSitter } from './syntaxFiles';

/** UTF-16 units of a program that is parsed; no model reads as many. */
const maxLength = 1_000_000;
/** Nodes of a tree: more than ten for each token that a model reads at once. */
const maxNodes = 400_000;
/** How long the parser may take, in milliseconds; a hundred times what honest programs take. */
const maxMilliseconds = 5000;

/** Parses programs by the grammars that ship; each is loaded when it is first wanted. */
export class CodeParser {
  readonly #files: SyntaxFiles;
  #module: Promise<TreeSitter> | undefined;
  readonly #languages = new Map<Grammar, Promise<InstanceType<TreeSitter['Language']>>>();

  constructor(files: SyntaxFiles) {
    this.#files = files;
  }

  /** The syntax tree of a program, also of one with errors. Throws `codeNotParsed` where it is too large or takes too long. */
  async parse(text: string, grammar: Grammar): Promise<SyntaxTree> {
    if (text.length > maxLength) throw new ExplorerError('codeNotParsed', [`it has more than ${maxLength} characters`]);
    const { Parser } = await (this.#module ??= this.#load());
    let language = this.#languages.get(grammar);
    if (language === undefined) {
      language = this.#files.read(`tree-sitter-${grammar}.wasm`).then(async (bytes) => {
        const { Language } = await (this.#module ??= this.#load());
        return Language.load(bytes);
      });
      this.#languages.set(grammar, language);
      language.catch(() => this.#languages.delete(grammar));
    }
    const parser = new Parser();
    try {
      parser.setLanguage(await language);
      const until = performance.now() + maxMilliseconds;
      const tree = parser.parse(text, null, { progressCallback: () => performance.now() > until });
      if (tree === null) throw new ExplorerError('codeNotParsed', ['the parser took too long']);
      try {
        return listNodes(tree.walk(), until);
      } finally {
        tree.delete();
      }
    } finally {
      parser.delete();
    }
  }

  async #load(): Promise<TreeSitter> {
    try {
      const [module, wasmBinary] = await Promise.all([this.#files.module(), this.#files.read('web-tree-sitter.wasm')]);
      // Asked for its own address beside that, which a module out of a blob has none of.
      await module.Parser.init({ wasmBinary, locateFile: (name: string) => name });
      return module;
    } catch (error) {
      this.#module = undefined; // the next one tries again
      throw error;
    }
  }
}

type Cursor = ReturnType<NonNullable<ReturnType<InstanceType<TreeSitter['Parser']>['parse']>>['walk']>;

/** Lists a tree's nodes, parents first, without recursion: how deep a program is nested is for whoever wrote it to say. */
function listNodes(cursor: Cursor, until: number): SyntaxTree {
  const types: string[] = [];
  const fields: string[] = [];
  const [isNamed, starts, ends, parents]: number[][] = [[], [], [], []];
  const above: number[] = [];
  try {
    for (;;) {
      if (types.length >= maxNodes)
        throw new ExplorerError('codeNotParsed', [`its syntax tree has more than ${maxNodes} nodes`]);
      if (types.length % 4096 === 0 && performance.now() > until)
        throw new ExplorerError('codeNotParsed', ['the parser took too long']);
      const node = types.push(cursor.nodeType) - 1;
      fields.push(cursor.currentFieldName ?? '');
      isNamed.push(cursor.nodeIsNamed ? 1 : 0);
      starts.push(cursor.startIndex);
      ends.push(cursor.endIndex);
      parents.push(above.at(-1) ?? -1);
      if (cursor.gotoFirstChild()) {
        above.push(node);
        continue;
      }
      while (!cursor.gotoNextSibling()) {
        above.pop();
        if (!cursor.gotoParent())
          return {
            types,
            fields,
            isNamed: Uint8Array.from(isNamed),
            starts: Int32Array.from(starts),
            ends: Int32Array.from(ends),
            parents: Int32Array.from(parents),
          };
      }
    }
  } finally {
    cursor.delete();
  }
}
