import type { ExplorerError } from './errors';
import { plain, plainLines, type SafeText } from './safeText';

/** One entry of the log, bounded; further lines of it are indented, so that none looks like an entry of its own. */
export type LogText = SafeText<'log'>;

/** An entry of our own words: `` entry`The engine stopped: ${reason}.` ``. */
export function entry(words: TemplateStringsArray, ...parts: readonly (string | number)[]): LogText {
  return String.raw({ raw: words }, ...parts.map((part) => (typeof part === 'number' ? part : plain(part)))) as LogText; // words are ours, parts are plain
}

/** An entry with the lines that something else has written. */
export function entryOf(title: string, text: string): LogText {
  const lines = plainLines(text.trimEnd(), maxEntry).split('\n', maxLines + 1);
  const shown = lines.length > maxLines ? [...lines.slice(0, maxLines), '…'] : lines;
  return `${title}${shown.join('\n    ')}` as LogText; // the title is ours, the lines are plain and indented
}

/** An entry that tells of a failure, with what is known of its cause. */
export function failureEntry(error: ExplorerError, title = ''): LogText {
  return entryOf(title, error.details === undefined ? error.message : `${error.message}\n${error.details}`);
}

const maxEntry = 4000;
const maxLines = 30;
