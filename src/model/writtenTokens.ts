import type { Continuation } from './continuation';
import type { TokenStream } from './token';

/** The ids of what a model wrote after a text. */
export function writtenIds({ tokens, written }: TokenStream): readonly number[] {
  return written === undefined ? [] : tokens.slice(written.from).map(({ id }) => id);
}

/** What a model wrote after a text; empty where it wrote nothing. */
export function writtenText({ tokens, written }: TokenStream): string {
  return written === undefined
    ? ''
    : tokens.slice(written.from).reduce((text, { template = '' }) => text + template, '');
}

/** What was written after a text, as it is given to be read again; undefined where nothing was. */
export function continuationOf(stream: TokenStream): Continuation | undefined {
  const { written } = stream;
  return written && { written: writtenIds(stream), tokens: 0, sampling: written.sampling };
}
