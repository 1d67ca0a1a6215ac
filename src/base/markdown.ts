import { plain, plainLines, type PlainText, type SafeText } from './safeText';

/** Markdown whose links, pictures, headings and tables are all our own. */
export type MarkdownText = SafeText<'markdown'>;

/** Markdown of our own words, with what is Markdown already in it: `` md`**${codeSpan(name)}** is read` ``. */
export function md(words: TemplateStringsArray, ...parts: readonly (MarkdownText | number)[]): MarkdownText {
  return String.raw({ raw: words }, ...parts) as MarkdownText; // words are ours, parts are Markdown
}

/** Several pieces of Markdown as one. */
export function joinMarkdown(
  parts: readonly MarkdownText[],
  separator: '' | ' ' | '; ' | ', ' | ' → ' | ' · ' | ' | ' | '  \n' | '\n' | '\n\n',
): MarkdownText {
  return parts.join(separator) as MarkdownText; // of Markdown only
}

/**
 * A text as it is, in the middle of a line: every character that means something in Markdown, in
 * its extensions or to a search for addresses is escaped.
 */
export function escaped(text: PlainText): MarkdownText {
  const inside = text
    .trim()
    .replaceAll(/[\\`*_{}[\]<>#+=!|&~$^@:]|\/(?=\/)|\.(?=[^\s\d])|(?<=[^\s\d])\.(?=\d)/g, String.raw`\$&`);
  // At the start of a line these would make a list.
  return inside.replace(/^-/, String.raw`\-`).replace(/^(\d+)([.)])(?=\s|$)/, String.raw`$1\$2`) as MarkdownText; // nothing in it is a mark any more
}

/** A text as code: fenced by more backticks than it has in a row, and never empty. */
export function codeSpan(text: string): MarkdownText {
  const safe = plain(text) || '∅';
  const fence = '`'.repeat(longestRun(safe) + 1);
  const pad = safe.startsWith('`') || safe.endsWith('`') || /^ .* $/.test(safe) ? ' ' : '';
  return (fence + pad + safe + pad + fence) as MarkdownText; // no run of backticks in it closes the fence
}

/** A text of several lines as a block of code. */
export function codeBlock(language: 'text' | 'jinja' | 'python', text: string, maxUnits: number): MarkdownText {
  const safe = plainLines(text, maxUnits);
  const fence = '`'.repeat(Math.max(2, longestRun(safe)) + 1);
  return `${fence}${language}\n${safe}\n${fence}` as MarkdownText; // no run of backticks in it closes the block
}

/** A text as code inside a link, with marks that look like backticks: over brackets beside real ones the reader of hover cards loses the link. */
export function codeLabel(text: string): MarkdownText {
  return codeSpan(plain(text).replaceAll('`', 'ˋ'));
}

/** A link that runs one of our commands with arguments. */
export function commandLink(label: MarkdownText, command: string, args: readonly unknown[]): MarkdownText {
  return `[${label}](command:${command}?${encodeURIComponent(JSON.stringify(args)).replaceAll('(', '%28').replaceAll(')', '%29')})` as MarkdownText; // the address is ours
}

function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}
