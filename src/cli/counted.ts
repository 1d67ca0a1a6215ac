import { plain } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';

type Noun = 'chunk' | 'file' | 'head' | 'layer' | 'line' | 'number' | 'pair' | 'stage' | 'text' | 'token';

/** What is counted, in words: `1 token`, `2 tokens`. */
export function counted(count: number, one: Noun): TerminalText {
  return line`${count} ${plain(count === 1 ? one : `${one}s`)}`;
}

/** The tokens of streams, counted each by itself: `3 + 5 tokens`. */
export function countedTokens(streams: readonly { readonly tokens: readonly unknown[] }[]): TerminalText {
  const counts = joinTerminal(
    streams.map(({ tokens }) => line`${tokens.length}`),
    ' + ',
  );
  return streams.length === 1 ? counted(streams[0].tokens.length, 'token') : line`${counts} tokens`;
}
