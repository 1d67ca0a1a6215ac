import type { LeftOut } from './leftOut';

/** A text that is to be profiled. */
export interface TextToProfile {
  /** What it is called in the profile. */
  readonly file: string;
  /** What its language is called: the ending of its file. */
  readonly language: string;
  readonly bytes: Uint8Array;
}

/** What became of a text. */
export interface ProfiledAs {
  readonly status: 'read' | LeftOut;
  readonly numTokens: number;
}
