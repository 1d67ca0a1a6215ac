import type { Scale } from '../viewState';

/** A part of a token as a page shows it: the position, −1 of text in no token, and its text; a chip stands for no text. */
export type PagePiece = readonly [token: number, text: string, isChip?: 1];

/** What a page says, in the language of whoever made it. `{0}` and so on are filled in. */
export interface PageWords {
  readonly head: string;
  /** In the place of a head, where a layer has one matrix. */
  readonly layer: string;
  readonly direction: string;
  readonly reads: string;
  readonly readBy: string;
  /** `{0}` is a token. */
  readonly tokenReads: string;
  readonly tokenReadBy: string;
  readonly text: string;
  readonly target: string;
  /** `{0}` is a head. */
  readonly matrix: string;
  /** `{0}` is a layer. */
  readonly matrixOfLayer: string;
  readonly sources: string;
  readonly hint: string;
  readonly keys: string;
  /** Nothing is read. */
  readonly nothing: string;
  readonly needsScript: string;
  /** The browser is too old. */
  readonly needsStreams: string;
}

/** What a stand-alone page holds beside its numbers, which stand after it, one element with the id `n` and a number for each head. */
export interface PageData {
  readonly words: PageWords;
  readonly caption: readonly string[];
  readonly streams: readonly {
    readonly isTarget: boolean;
    readonly labels: readonly string[];
    readonly lines: readonly (readonly PagePiece[])[];
  }[];
  readonly components: readonly {
    readonly name: string;
    readonly queryStream: number;
    readonly keyStream: number;
    /** Names of heads, or of layers that have one matrix each, in the order of their numbers. */
    readonly heads: readonly string[];
  }[];
  /** What is shown first: a head by its place among all of them, and a token. */
  readonly first: { readonly head: number; readonly pinned?: { readonly stream: number; readonly position: number } };
  readonly scale: Scale;
  readonly ceiling: number;
  /** CSS colours of 256 depths, and of text on them. */
  readonly ramps: Readonly<
    Record<'reads' | 'readBy', { readonly fill: readonly string[]; readonly text: readonly string[] }>
  >;
  readonly background: string;
  readonly foreground: string;
}
