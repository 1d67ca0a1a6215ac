import { codeLabel, codeSpan, commandLink, escaped, joinMarkdown, md, type MarkdownText } from '../../base/markdown';
import { plain } from '../../base/safeText';
import type { TokenRef } from '../../model/token';

/** One source of a hover card. */
export interface CardSource {
  readonly token: TokenRef;
  /** Its text with whitespace made visible. */
  readonly text: string;
  readonly weight: number;
  /** Whether it has a place in the document, to go to. */
  readonly isInDocument: boolean;
  /** Localised, e.g. «line 12»; empty where it has no place in the document. */
  readonly place: MarkdownText;
}

/** What a hover card shows; all words localised. */
export interface Card {
  readonly runId: number;
  readonly token: TokenRef;
  readonly text: string;
  /** e.g. «token 57 · id 1234». */
  readonly facts: MarkdownText;
  /** e.g. «reads, in head 3.5:». */
  readonly caption: MarkdownText;
  readonly sources: readonly CardSource[];
  /** The strongest the other way round, on one line: few, and none where there are none or where to find them is much work. */
  readonly others?: { readonly caption: MarkdownText; readonly sources: readonly CardSource[] } | undefined;
  /** What was done to the numbers; empty where they are the weights themselves. */
  readonly aside?: MarkdownText;
  /** Said where there are none. */
  readonly nothing: MarkdownText;
  readonly commands: readonly { readonly title: MarkdownText; readonly command: string }[];
  readonly revealCommand: string;
}

const barLength = 10;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of block characters, ten full ones for a weight of one, filled up with a space that does not collapse. */
export function bar(weight: number): string {
  const total = Math.round(Math.min(1, Math.max(0, weight)) * barLength * 8);
  const full = Math.floor(total / 8);
  return `${'█'.repeat(full)}${eighths[total % 8]}`.padEnd(barLength, '\u2007');
}

/** A weight as a reader sees it: three decimals, and what is smaller than that said to be. */
export function weightText(weight: number): string {
  return weight > 0 && weight < 0.0005 ? '<0.001' : weight.toFixed(3);
}

/** The card as Markdown, in as few lines as can be: it lies over the text that it is about. */
export function cardMarkdown(card: Card): MarkdownText {
  const link = ({ isInDocument, text, token }: CardSource): MarkdownText =>
    isInDocument ? commandLink(codeLabel(text), card.revealCommand, [card.runId, token]) : codeSpan(text);
  // A bar stands in code, whose characters are all of one width.
  const line = (source: CardSource): MarkdownText =>
    joinMarkdown(
      [
        md`${codeSpan(bar(source.weight))} ${escaped(plain(weightText(source.weight)))}`,
        link(source),
        ...(source.place === '' ? [] : [source.place]),
      ],
      ' · ',
    );
  const body = card.sources.length === 0 ? card.nothing : joinMarkdown(card.sources.map(line), '  \n');
  const links = joinMarkdown(
    card.commands.map(({ title, command }) => commandLink(title, command, [card.runId, card.token])),
    ' | ',
  );
  const others =
    card.others === undefined || card.others.sources.length === 0
      ? md``
      : md`\n\n${card.others.caption} ${joinMarkdown(
          card.others.sources.map((source) => md`${link(source)} ${escaped(plain(weightText(source.weight)))}`),
          ' · ',
        )}`;
  const aside = card.aside === undefined || card.aside === '' ? md`` : md` (${card.aside})`;
  return md`**${codeSpan(card.text)}** · ${card.facts} · ${card.caption}${aside}\n\n${body}${others}\n\n${links}`;
}
