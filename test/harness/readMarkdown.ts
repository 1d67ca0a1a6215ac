import MarkdownIt from 'markdown-it';
import { marked, type Token } from 'marked';

/** What Markdown becomes: the kinds of everything in it that is not text, and the text as it is read. */
export interface ReadMarkdown {
  readonly kinds: readonly string[];
  /** Addresses of links and pictures. */
  readonly addresses: readonly string[];
  readonly text: string;
}

/** Two readers: the one of the preview (with the search for addresses wider than its own), and the one of hover cards. */
export const readers: Readonly<Record<'preview' | 'card', (markdown: string) => ReadMarkdown>> = {
  preview: readInPreview,
  card: readInCard,
};

const preview = new MarkdownIt({ html: true, linkify: true });

function readInPreview(markdown: string): ReadMarkdown {
  const tokens = preview.parse(markdown, {}).flatMap((token) => [token, ...(token.children ?? [])]);
  const visible = tokens.filter(({ type }) =>
    ['text', 'text_special', 'code_inline', 'fence', 'code_block'].includes(type),
  );
  return {
    kinds: tokens
      .map(({ type }) => type)
      .filter((type) => !/^(?:text|text_special|inline|softbreak)$|_close$/.test(type)),
    addresses: tokens
      .flatMap((token) => [token.attrGet('href'), token.attrGet('src')])
      .filter((address) => address !== null)
      .map(String),
    text: visible.map(({ content }) => content).join(''),
  };
}

function readInCard(markdown: string): ReadMarkdown {
  const kinds: string[] = [];
  const addresses: string[] = [];
  let text = '';
  void marked.walkTokens(marked.lexer(markdown), (token: Token) => {
    if (token.type === 'link' || token.type === 'image') addresses.push(String(token['href']));
    if (token.type !== 'text' && token.type !== 'space' && token.type !== 'escape') kinds.push(token.type);
    if (
      token.type === 'codespan' ||
      token.type === 'code' ||
      token.type === 'escape' ||
      (token.type === 'text' && !('tokens' in token && token.tokens !== undefined))
    )
      text += String(token['text']);
  });
  return { kinds, addresses, text };
}
