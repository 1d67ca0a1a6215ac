// Text that a file brings is hostile: it may try to look like our own words, or to be read as a link, a picture, an icon or a
// terminal's command. So every place where text is shown takes a type of its own, and only these functions make them.

declare const fitFor: unique symbol;

/** A text that is fit for some kind of place. */
export type SafeText<Kind extends string> = string & { readonly [fitFor]: Kind };

/** One line, bounded, whose characters can all be seen: for places that show text as it is. */
export type PlainText = SafeText<'plain'>;

/** Several such lines, bounded as a whole. */
export type PlainLines = SafeText<'plain' | 'lines'>;

/** For notifications and prompts, where VS Code makes links of `[label](command:…)`. */
export type MessageText = SafeText<'message'>;

/** For items of lists and of the status bar, where VS Code makes icons of `$(name)`. */
export type LabelText = SafeText<'label'>;

/** UTF-16 units of one foreign text in a sentence. */
export const maxArgument = 300;

/** Control characters, halves of characters, line separators, and what is there to be ignored: marks of direction, zero widths, tags. */
const unseen = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;
/** What is as it should be without a closer look: letters of Latin, Cyrillic and East Asian scripts, punctuation and arrows. */
const isSimple =
  /^[ -~\u00a1-\u00ac\u00ae-\u024f\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3]*$/;
const needsWork = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]|\p{M}{9}/u;
const lineBreaks = /\r\n|[\n\r\v\f\x85\u2028\u2029]/g;
/** Marks that stand on one character: more than eight cover the lines above. */
const manyMarks = /(\p{M}{8})\p{M}+/gu;

/** A text as one line of at most `maxUnits` UTF-16 units: line breaks become «↵», what cannot be seen becomes visible. */
export function plain(text: string, maxUnits = maxArgument): PlainText {
  const short = cut(text, maxUnits);
  return (
    isSimple.test(short) || !needsWork.test(short)
      ? short
      : visible(short.replaceAll(lineBreaks, '↵').replaceAll('\t', ' '))
  ) as PlainText; // made so just now
}

/** The same for a text of several lines, which stay. */
export function plainLines(text: string, maxUnits: number): PlainLines {
  const short = cut(text, maxUnits);
  if (/^[ -~\n]*$/.test(short)) return short as PlainLines; // nothing else is in it
  return visible(short.replaceAll(lineBreaks, '\n')) as PlainLines; // made so just now
}

/** Several plain texts as one, with a separator of our own between them. */
export function joinPlain(parts: readonly PlainText[], separator: ' ' | ' · ' | ' + ' | ', '): PlainText {
  return parts.join(separator) as PlainText; // of plain texts only
}

/** Several plain texts, one a line. */
export function linesOf(parts: readonly PlainText[]): PlainLines {
  return parts.join('\n') as PlainLines; // of plain texts only
}

/** A text as a notification shows it: nothing in it is a link. */
export function messageText(text: PlainText): MessageText {
  return text.replaceAll('](', '] (') as MessageText; // VS Code's pattern of a link needs the two side by side
}

/** A text as an item shows it: nothing in it is an icon. */
export function labelText(text: PlainText): LabelText {
  return text.replaceAll('$(', '$ (') as LabelText; // VS Code's pattern of an icon needs the two side by side
}

/** One of VS Code's icons before a text. */
export function iconLabel(icon: string, text: PlainText): LabelText {
  return `$(${icon}) ${labelText(text)}` as LabelText; // the icon is ours
}

/** Several labels as one. */
export function joinLabels(labels: readonly LabelText[]): LabelText {
  return labels.join(' · ') as LabelText; // of labels only
}

/** The first units of a text, with «…» for the rest; no character is cut in two. */
function cut(text: string, maxUnits: number): string {
  return text.length <= maxUnits ? text : `${text.slice(0, maxUnits - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function visible(text: string): string {
  return text.replaceAll(unseen, seen).replaceAll(manyMarks, '$1');
}

function seen(character: string, offset: number, text: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n' || character === '\t') return character;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '␡';
  // They choose between two forms of the character before them.
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return character;
  // They join emoji and letters of scripts that need it.
  if ((code === 0x200c || code === 0x200d) && joins(text.charCodeAt(offset - 1)) && joins(text.charCodeAt(offset + 1)))
    return character;
  return '\ufffd';
}

function joins(unit: number): boolean {
  return unit > 0x7f && !(unit >= 0x200b && unit <= 0x206f) && unit !== 0xfeff;
}
