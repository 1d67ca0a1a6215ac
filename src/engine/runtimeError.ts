import { ExplorerError } from '../base/errors';

/** The typed error for what the runtime threw; its message is kept as the details. */
export function runtimeError(error: unknown, what: string): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const message = error instanceof Error ? error.message : typeof error === 'number' ? `exception ${error}` : String(error);
  if (/bad_alloc|out of memory|Array buffer allocation failed|Invalid typed array length|could not allocate/i.test(message)) return new ExplorerError('outOfMemory', [what], { cause: error, details: message });
  return new ExplorerError('runtimeFailed', [shortened(message)], { cause: error, details: message });
}

/** The part of a runtime's message that says what is wrong; the name of the node, and where in its own source the runtime noticed, are left out. */
export function shortened(message: string): string {
  const [, text = message] = /(?:Status Message|ERROR_MESSAGE): (.*)/s.exec(message) ?? [];
  const [line] = text.split('\n');
  const said = line.replace(/^\S+\.(?:cc|h):\d+ (?:.* was false\. |\w+ )/, '').trim();
  return said.length > 200 ? `${said.slice(0, 199)}…` : said;
}
