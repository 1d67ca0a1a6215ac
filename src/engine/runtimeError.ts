import { ExplorerError } from '../base/errors';
import { saysOutOfMemory } from '../base/outOfMemory';

/** The typed error for what the runtime threw; its message is kept as the details. */
export function runtimeError(error: unknown, what: string): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const message = error instanceof Error ? error.message : typeof error === 'number' ? `exception ${error}` : String(error);
  if (saysOutOfMemory(message)) return new ExplorerError('outOfMemory', [what], { cause: error, details: message });
  return new ExplorerError('runtimeFailed', [shortened(message)], { cause: error, details: message });
}

/** A message is read so far: names in it are the model's, and as long as it likes. */
const mostRead = 1500;
const mostSaid = 200;
/** A place in the runtime's own source: the path of the machine that it was built on, the file, the line. */
const place = /(?:[\w.:+-]*[/\\])*[\w+-]+\.(?:cc|cpp|h|hpp):\d+ /;

/** The part of a runtime's message that says what is wrong; the name of the node, and where in its own source the runtime noticed, are left out. */
export function shortened(message: string): string {
  const read = message.slice(0, mostRead);
  const [, text = read] = /(?:Status Message|ERROR_MESSAGE): (.*)/s.exec(read) ?? [];
  let [said] = text.split('\n');
  for (let found = place.exec(said); found !== null; found = place.exec(said)) {
    const before = said.slice(0, found.index);
    said = `${before}${/[.:!]$/.test(before) ? ' ' : ''}${withoutFunction(said.slice(found.index + found[0].length))}`;
  }
  said = said.replace(/\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /g, '').trim();
  return said.length > mostSaid ? `${said.slice(0, mostSaid - 1)}…` : said;
}

/** What follows the function in which the runtime noticed something: its name, or all of its signature, and the condition that did not hold. */
function withoutFunction(text: string): string {
  const [, said] = / was false\. (.*)/s.exec(text) ?? [];
  if (said !== undefined) return said;
  const open = text.indexOf('(');
  if (open < 0 || !/::[^()]*$/.test(text.slice(0, open))) return text.replace(/^\w+ /, '');
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    // More of it may follow: the parameters of a function whose result is a function, what a template stands for.
    if (depth > 0 || text[at + 1] === '(' || text[at + 1] === ':') continue;
    if (depth === 0 && text[at] === ')') return text.slice(at + 1).replace(/^(?: const)?(?: \[with [^\]]*\])? /, '');
  }
  return '';
}
