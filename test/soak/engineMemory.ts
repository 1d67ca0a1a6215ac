import { existsSync, readFileSync, rmSync } from 'node:fs';

/** Where the copy of the extension lies whose engines say what they hold (scripts/soak/measuredEngine.mjs). */
export const measuredEngine = 'out/soak/extension/dist/engine.node.cjs';

/** What an engine of that copy holds after its garbage was collected. Throws where it does not answer within half a minute. */
export async function engineMemory(pid: number): Promise<NodeJS.MemoryUsage> {
  const file = `out/soak/memory/${pid}.json`;
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let i = 0; i < 3000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage; // written by our engine
  }
  throw new Error(`The engine ${pid} does not say what it holds.`);
}
