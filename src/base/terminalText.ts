import type { MarkdownText } from './markdown';
import type { PlainLines, SafeText } from './safeText';

/** For a terminal: lines of our own, without a sequence that it would obey. */
export type TerminalText = SafeText<'plain' | 'lines' | 'terminal'>;

/** A line of our own words: `` line`${plain(name)}: ${numHeads} heads` ``. */
export function line(
  words: TemplateStringsArray,
  ...parts: readonly (PlainLines | TerminalText | number)[]
): TerminalText {
  return String.raw({ raw: words }, ...parts) as TerminalText; // words are ours, parts are fit
}

/** Several texts, one after the other. */
export function joinTerminal(
  parts: readonly TerminalText[],
  separator: '' | ', ' | ' + ' | '; ' | '\n' = '\n',
): TerminalText {
  return parts.join(separator) as TerminalText; // of fit texts only
}

/** A Markdown document as it stands: what is foreign in it was made visible when it was put there. */
export function documentText(markdown: MarkdownText): TerminalText {
  return markdown as string as TerminalText; // MarkdownText is made of plain texts
}

/** A value as JSON; characters that a terminal would obey, or that cannot be seen, are escaped. */
export function jsonText(value: unknown): TerminalText {
  return jsonAsIs(JSON.stringify(value));
}

/** JSON as it was made elsewhere, with the same characters escaped: they stand in its strings only. */
export function jsonAsIs(json: string): TerminalText {
  return json.replaceAll(
    /[\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu,
    escapeUnits,
  ) as TerminalText; // JSON.stringify has escaped the others
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}
