import { Script } from 'node:vm';
import { TimeIsUpError, type Interrupt } from '../limits/deadlines';

/** Where the script finds its work. A context of its own would start at three times the cost, and its errors would be no `Error` here. */
const place = Symbol.for('attentionExplorer.work');
const script = new Script('globalThis[Symbol.for("attentionExplorer.work")]()', { filename: 'work' });

/**
 * Does work within a time, with V8's own termination: it ends regular expressions, loops and WebAssembly, and nothing inside can
 * catch it. A single call into V8 that is written in C++ (`JSON.parse`, `normalize`) is ended when it is done.
 */
export const interrupt: Interrupt = (milliseconds, work) => {
  const slots = globalThis as Record<symbol, unknown>; // one property of our own
  const former = slots[place];
  let result: { readonly value: ReturnType<typeof work> } | undefined;
  slots[place] = () => {
    result = { value: work() };
  };
  try {
    script.runInThisContext({ timeout: Math.max(1, Math.ceil(milliseconds)) });
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
      ? new TimeIsUpError(`not done after ${milliseconds} ms`, { cause: error })
      : error;
  } finally {
    slots[place] = former;
  }
  if (result === undefined) throw new TimeIsUpError(`not done after ${milliseconds} ms`);
  return result.value;
};
