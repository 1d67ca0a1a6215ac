import type { EngineApi, EngineEvents } from '../../protocol';
import type { Channel } from '../../rpc/channel';
import { openConnection, type Connection, type Server } from '../../rpc/connection';
import { engineMethods } from '../../rpc/methods';

/** The methods by which an engine is made to hold a run. */
const holding: readonly (keyof EngineApi)[] = ['explain', 'explainImage'];

/** Opens the line to an engine. A run that was done as it was cancelled is nobody's: the engine is told to let it go. */
export function openEngineConnection<LocalApi extends { readonly [K in keyof LocalApi]: (params: never) => unknown }>(
  channel: Channel,
  server: Server<LocalApi>,
  onMalformed: (what: string) => void,
): Connection<EngineApi, object, EngineEvents> {
  const connection = openConnection<LocalApi, EngineApi, object, EngineEvents>(
    channel,
    engineMethods,
    server,
    onMalformed,
  );
  connection.onLateAnswer(({ method, result }) => {
    if (!holding.includes(method) || typeof result !== 'object' || !('runId' in result)) return;
    connection.remote.release({ runId: result.runId }).catch(() => {}); // with the engine all that it holds is gone
  });
  return connection;
}
