import type { GraphIndex } from './graphIndex';
import { nodeMetadata, nodeName } from './readModel';

/** The module that a node belongs to, in dotted form, where its name or its exporter's metadata says so. */
export function pathOfNode(index: GraphIndex, at: number): string | undefined {
  const node = index.nodes[at];
  const name = nodeName(index.model, node);
  if (name.startsWith('/')) {
    const segments = name.split('/').slice(1, -1);
    if (segments.length > 0) return segments.join('.');
  }
  const metadata = nodeMetadata(index.model, node);
  const scopes = metadata.get('pkg.torch.onnx.name_scopes');
  if (scopes !== undefined) {
    // A Python list of module paths, the node's own name last.
    const modules = [...scopes.matchAll(/'([^']*)'/g)].map(([, module]) => module.replace(/^_export_root\.?/, ''));
    const module = modules.slice(0, -1).findLast((each) => each !== '');
    if (module !== undefined) return module;
  }
  const namespace = metadata.get('namespace');
  if (namespace !== undefined) {
    const modules = namespace.split('/').map((part) => part.split(':')[0].trim());
    const module = modules.slice(0, -1).findLast((each) => each !== '');
    if (module !== undefined) return module;
  }
  // Other exporters name nodes after the module as well, with dots or slashes.
  if (/[./]\w+[./]/.test(name) && /\d/.test(name)) return name.replace(/^\//, '').split('/').slice(0, -1).join('.') || name;
  return undefined;
}

/** The layer's number in a path: that of a list of blocks, not of the parts within one. */
export function layerInPath(path: string): number | undefined {
  const match = /(?:^|[._/])(?:block|blocks|layers|layer|h|albert_layer_groups|stages|resblocks)[._](\d+)/.exec(path) ?? /[._](\d+)(?=[._]|$)/.exec(path);
  return match === null ? undefined : Number(match[1]);
}
