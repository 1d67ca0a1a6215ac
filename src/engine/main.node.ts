import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import 'vscode-jsonrpc/node';
import { FramedChannel } from '../rpc/framedChannel.node';
import { EngineServer } from './serve/engineServer';
import { interrupt } from './serve/interrupt.node';
import { numbersWriter } from './serve/numbersWriter.node';
import { usualLimits } from './long/memoryPlan';
import { proofShelfIn } from './files/proofShelf.node';
import { nodeFileAccess } from './files/nodeFileAccess.node';
import { nodeRuntimes } from './runtime/nodeRuntimes.node';
import { syntaxFilesIn } from './syntax/syntaxFiles.node';
import { startGuard } from './serve/startGuard.node';

// The forked engine: control messages over IPC, bulk frames and the guard's words over the two extra pipes that the launcher opened.
const bulkDescriptor = 4;
const guardDescriptor = 5;

/** Attention that a process may hold beside the model. */
const attentionBudgetBytes = 2 ** 30;

const limitBytes = Number(process.argv[2]);
/** The extension's own folder, where it has one. */
const storage = process.argv[3];
startGuard({ descriptor: guardDescriptor, limitBytes });

const bulk = new Socket({ fd: bulkDescriptor, readable: true, writable: true });
const channel = new FramedChannel(
  {
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
    onClose: (listener) => process.once('disconnect', () => listener('the window disconnected')),
    close: () => {
      if (process.connected) process.disconnect();
    },
  },
  bulk,
);
const server = new EngineServer({
  channel,
  runtimes: () => nodeRuntimes,
  access: () =>
    storage === undefined ? nodeFileAccess : { ...nodeFileAccess, proofs: proofShelfIn(join(storage, 'proofs.json')) },
  numProcessors: availableParallelism(),
  attentionBudgetBytes,
  memoryLimits: { ...usualLimits, engineBytes: Math.min(usualLimits.engineBytes, limitBytes) },
  residentBytes: () => process.memoryUsage.rss(),
  interrupt,
  numbersWriter,
  sha256: async (blocks) => {
    const hash = createHash('sha256');
    for (const block of blocks) hash.update(block);
    return hash.digest('hex');
  },
  syntax: () => syntaxFilesIn(__dirname),
});
// Nothing can be saved here: the window that asked is gone.
server.onClose(() => process.exit(0));
