import { ExplorerError } from '../../base/errors';
import { saysOutOfMemory } from '../../base/outOfMemory';

/** The typed error for what the runtime threw; its message is kept as the details. */
export function runtimeError(error: unknown, what: string): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const message =
    error instanceof Error ? error.message : typeof error === 'number' ? `exception ${error}` : String(error);
  if (saysOutOfMemory(message)) return new ExplorerError('outOfMemory', [what], { cause: error, details: message });
  return new ExplorerError('runtimeFailed', [shortened(message)], { cause: error, details: message });
}

/** What an error says with which a backend gave up, without a full stop. */
export function reasonOf({ code, args }: ExplorerError): string {
  switch (code) {
    case 'outOfMemory':
      return 'it takes more memory than there is';
    case 'modelTooLarge':
      return `it needs ${args[1]} MB, and there is room for ${args[2]} MB`;
    case 'checksFailed':
      return 'what comes out does not pass the checks';
    default:
      return String(args[0]).replace(/\.$/, '');
  }
}

/** A message is read so far: names in it are the model's, and as long as it likes. */
const mostRead = 1500;
const mostSaid = 200;
/** A place in the runtime's own source: the path of the machine that it was built on, the file, the line. */
const place = /(?:[\w.:+-]*[/\\])*[\w+-]+\.(?:cc|cpp|h|hpp):\d+ /;

/**
 * What the runtime says often, in words that someone can do something with who has not written it; what its expression caught stands
 * in the place of `$1`, `$2`. What is not listed is told as the runtime says it.
 */
const translations: readonly (readonly [RegExp, string])[] = [
  [/\[(?:Shape|Type)InferenceError\]/, 'shapes that the file states contradict what its operators give'],
  [/Failed to find kernel for (?:com\.microsoft\.)?(\w+)/, 'it does not have the operator $1 for numbers of this kind'],
  [
    /Could not find an implementation for (?:com\.microsoft\.)?(\w+)\((\d+)\)/,
    'it does not have the operator $1 of version $2, or not for numbers of this kind',
  ],
  [/([\w.]+:\w+)\(-?\d+\) is not a registered function\/op/, 'it does not know the operator $1'],
  [
    /No Op registered for (\w+) with domain_version of (\d+)/,
    'it does not know the operator $1 in version $2 of the operators',
  ],
  [
    /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    'the file is of format $1, and it reads formats up to $2',
  ],
  [
    /Opset (\d+) is under development and support for this is limited.*till opset (\d+)/,
    'the file uses version $1 of the operators, and it knows versions up to $2',
  ],
  [
    /Type Error: Type \W*(tensor\(\w+\))\W* of (?:input|output) parameter \([^)]*\) of operator \(([\w.]+)\)/,
    'the operator $2 does not work on $1',
  ],
  [
    /Type Error: Type parameter \([^)]*\) of Optype \(([\w.]+)\) bound to different types \((tensor\(\w+\)) and (tensor\(\w+\))/,
    'the operator $1 is given both $2 and $3',
  ],
  [
    /Attempting to broadcast an axis by a dimension other than 1\. (\d+) by (\d+)/,
    'two tensors with $1 and $2 positions do not fit together: the file may be made for texts of a certain length',
  ],
  [
    /The input tensor cannot be reshaped to the requested shape\. Input shape:(\{[\d,]*\}), requested shape:(\{[-\d,]*\})/,
    'a tensor of shape $1 cannot take the shape $2: the file may be made for texts of a certain length',
  ],
  [
    /indices element out of data bounds, idx=(-?\d+) must be within the inclusive range (\[-?\d+,-?\d+\])/,
    'the row $1 of a table was asked for, which has the rows $2: the tokenizer may not belong to the model, or the text is longer than it reads',
  ],
];

/** A message of the runtime in our words, where it is one of those that are known. */
function translated(said: string): string {
  for (const [expression, words] of translations) {
    const found = expression.exec(said);
    if (found !== null) return words.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? '');
  }
  return said;
}

/** The part of a runtime's message that says what is wrong; the name of the node, and where in its own source the runtime noticed, are left out. */
export function shortened(message: string): string {
  const read = message.slice(0, mostRead);
  // One may stand within the other.
  const [, given = read] = /ERROR_MESSAGE: (.*)/s.exec(read) ?? [];
  const [, text = given] = /Status Message: (.*)/s.exec(given) ?? [];
  let [said] = text.split('\n');
  for (let found = place.exec(said); found !== null; found = place.exec(said)) {
    const before = said.slice(0, found.index);
    said = `${before}${/[.:!]$/.test(before) ? ' ' : ''}${withoutFunction(said.slice(found.index + found[0].length))}`;
  }
  said = said.replace(/\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /g, '').trim();
  said = translated(said);
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

/** Throws what {@link runtimeError} makes of what a run threw. */
export function failedRun(error: unknown): never {
  throw runtimeError(error, 'this run');
}
