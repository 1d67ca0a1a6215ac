/** Steps that a model's files can make slow. Each holds the engine's thread until it is done. */
export type TimedStep = 'readTokenizer' | 'tokenize' | 'chatTemplate' | 'preparePicture' | 'readProfile';

/** How long a step may take. */
export interface TimeLimit {
  /** What it is called at the start of a sentence. */
  readonly title: string;
  readonly seconds: number;
  /** Seconds more for each million of what it works on. */
  readonly perMillion: number;
}

/** The limits: a hundred times what honest files and texts take on a slow machine, so that only the others meet them. */
export const timeLimits: Readonly<Record<TimedStep, TimeLimit>> = {
  /** For each million code units of the file: real ones have up to 40 million. */
  readTokenizer: { title: 'Reading the tokenizer', seconds: 20, perMillion: 2 },
  /** For each million code units of the text. */
  tokenize: { title: 'The tokenizer', seconds: 10, perMillion: 100 },
  /** Templates of real models take milliseconds. For each million code units of the message. */
  chatTemplate: { title: 'The chat template', seconds: 5, perMillion: 10 },
  /** Decoding, then resizing. For each million pixels. */
  preparePicture: { title: 'Preparing the picture', seconds: 20, perMillion: 5 },
  /** For each million bytes of its files: real ones take milliseconds. */
  readProfile: { title: 'Reading the profile', seconds: 10, perMillion: 2 },
};

/** The most seconds that a step may take on something of a size, without fractions beyond the limit's own. */
export function mostSeconds({ seconds, perMillion }: TimeLimit, size: number): number {
  return seconds + Math.floor((perMillion * size) / 1e6);
}
