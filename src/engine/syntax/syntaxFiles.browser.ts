import type { EngineHostApi } from '../../protocol';
import type { Client } from '../../rpc/connection';
import type { SyntaxFiles, TreeSitter } from './syntaxFiles';

/** The parser and its grammars, which the window reads for a worker from the extension's files. */
export function windowSyntaxFiles(window: Client<EngineHostApi>): SyntaxFiles {
  return {
    module: async () => {
      const { bytes } = await window.readAsset({ name: 'web-tree-sitter.mjs' });
      const script = bytes as Uint8Array<ArrayBuffer>; // what comes in a message lies in memory of its own
      const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
      try {
        return (await import(url)) as TreeSitter; // a copy of the package's own module
      } finally {
        URL.revokeObjectURL(url);
      }
    },
    read: async (name) => (await window.readAsset({ name })).bytes,
  };
}
