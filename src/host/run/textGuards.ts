import { ExplorerError } from '../../base/errors';

/** UTF-16 units that are sent to the engine at most: more than any context holds, and few enough to cross at once. */
export const maxTextUnits = 400_000;

/** Units at the start of a text that are searched for signs of a binary file. */
const probeUnits = 8192;

/** Throws `emptyText` or `binaryFile` where a text is not one to explain. */
export function checkText(text: string, name: string): void {
  if (text.length === 0) throw new ExplorerError('emptyText');
  const probe = text.slice(0, probeUnits);
  let replacements = 0;
  for (let i = 0; i < probe.length; i++) {
    const unit = probe.charCodeAt(i);
    if (unit === 0) throw new ExplorerError('binaryFile', [name]);
    if (unit === 0xfffd) replacements++;
  }
  // Bytes that are no text become replacement characters; a few are an honest mistake of encoding.
  if (replacements > 16 && replacements > probe.length / 10) throw new ExplorerError('binaryFile', [name]);
}
