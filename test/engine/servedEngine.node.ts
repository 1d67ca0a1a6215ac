import { nodeFileAccess } from '../../src/engine/files/nodeFileAccess.node';
import { nodeRuntimes } from '../../src/engine/runtime/nodeRuntimes.node';
import type { EngineHost } from '../../src/engine/serve/engineHost';
import { EngineServer } from '../../src/engine/serve/engineServer';
import type { EngineApi, EngineEvents } from '../../src/protocol';
import { openConnection, type Connection } from '../../src/rpc/connection';
import { engineMethods } from '../../src/rpc/methods';
import { WorkerChannel } from '../../src/rpc/workerChannel';

/** Serves an engine in this process, with what some tests give it beside, and speaks to it over a channel; `end` closes it. */
export function serveEngine(beside: Pick<EngineHost, 'numbersWriter' | 'sha256' | 'syntax' | 'memoryLimits'> = {}): {
  readonly connection: Connection<EngineApi, object, EngineEvents>;
  readonly end: () => void;
} {
  const ports = new MessageChannel();
  const [host, window] = [ports.port1, ports.port2].map((port) => {
    port.start();
    return new WorkerChannel(port as ConstructorParameters<typeof WorkerChannel>[0]); // the types of Node's and the browser's ports differ
  });
  new EngineServer({
    channel: host,
    runtimes: () => nodeRuntimes,
    access: () => nodeFileAccess,
    numProcessors: 1,
    attentionBudgetBytes: 1e8,
    residentBytes: () => 0,
    ...beside,
  });
  const connection = openConnection<object, EngineApi, object, EngineEvents>(window, engineMethods, {});
  return {
    connection,
    end: () => {
      connection.dispose();
      ports.port1.close();
      ports.port2.close();
    },
  };
}
