/** A model path as a person writes it. */
export type ModelPath =
  | { readonly kind: 'bundled'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'absolute'; readonly path: string }
  | { readonly kind: 'relative'; readonly path: string };

/** What stands before the name of a model that ships with the extension, whose folder moves with each version. */
export const bundledPrefix = 'bundled:';

const workspaceFolder = '${workspaceFolder}';

/** Tells bundled models (`bundled:date-transformer`), addresses (`vscode-vfs://…`) from absolute paths, `~`, `${workspaceFolder}` and paths relative to the workspace. */
export function parseModelPath(written: string, homePath: string | undefined): ModelPath {
  if (/^bundled:[\w-]+$/.test(written)) return { kind: 'bundled', name: written.slice(bundledPrefix.length) };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(written)) return { kind: 'address', address: written };
  if (homePath !== undefined && /^~(?=$|[/\\])/.test(written))
    return { kind: 'absolute', path: homePath + written.slice(1) };
  if (written.startsWith(workspaceFolder))
    return { kind: 'relative', path: written.slice(workspaceFolder.length).replace(/^[/\\]+/, '') };
  if (/^([/\\]|[a-z]:[/\\])/i.test(written)) return { kind: 'absolute', path: written };
  return { kind: 'relative', path: written };
}
