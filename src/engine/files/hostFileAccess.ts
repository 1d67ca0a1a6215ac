import type { EngineHostApi } from '../../protocol';
import type { Client } from '../../rpc/connection';
import type { FileAccess } from './fileAccess';

/** Reads files through the editor host, for an engine that cannot read them itself. */
export function hostFileAccess(host: Client<EngineHostApi>): FileAccess {
  return {
    read: async (path, kind) => (await host.readFile({ path, kind })).bytes,
    exists: async (path) => (await host.statFile({ path })).kind === 'file',
    list: async (folder) => [...(await host.listFolder({ path: folder })).names],
  };
}
