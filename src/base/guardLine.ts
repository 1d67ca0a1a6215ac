/** What a process' guard says: that the process lives, that it ends for holding more bytes than it may, or that there is no guard. */
export type GuardWord =
  { readonly kind: 'beat' } | { readonly kind: 'limit'; readonly bytes: number } | { readonly kind: 'unguarded' };

/** A word is not longer; what is, is none. */
const mostWordLength = 64;

/** Reads a guard's words from the pieces in which its line brings them. */
export class GuardLine {
  #rest = '';

  /** The words that a piece completes. */
  read(piece: string): GuardWord[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-mostWordLength);
    return lines.flatMap(wordOf);
  }
}

function wordOf(line: string): GuardWord[] {
  if (line === 'beat' || line === 'unguarded') return [{ kind: line }];
  const bytes = /^limit (\d{1,16})$/.exec(line)?.[1];
  return bytes === undefined ? [] : [{ kind: 'limit', bytes: Number(bytes) }];
}
