import type { Notice } from '../../model/modelInfo';

/** What bounds the number of tokens; 0 or undefined where nothing does. */
export interface TokenLimits {
  readonly modelName: string;
  readonly contextLength: number | undefined;
  /** Length that the model file is made for, if it takes no other. */
  readonly fixedLength: number | undefined;
  readonly tokenLimit: number;
  /** The most tokens whose attention can be held. */
  readonly memoryLimit: number;
  readonly vocabularySize: number | undefined;
  /** Whether a text that is too long loses its beginning, as `truncation_side` of the tokenizer's settings can say. */
  readonly cutsLeft?: boolean;
  /** How many types of tokens the model knows: 0 where it takes none, Infinity where it takes any. */
  readonly numTypes: number;
}

/** UTF-16 units of text that are tried per allowed token before the rest of a long text is looked at. */
export const unitsPerToken = 24;

/** The most tokens that the limits allow together; Infinity where nothing bounds them. */
export function mostTokens({ contextLength, fixedLength, tokenLimit, memoryLimit }: TokenLimits): number {
  return Math.min(
    ...[contextLength, fixedLength, tokenLimit, memoryLimit].map((limit) =>
      limit !== undefined && limit > 0 ? limit : Infinity,
    ),
  );
}

/** What is to be said where only `most` of so many tokens are read: which of the limits it was, or that they are the last ones. */
export function cutNotice(
  { modelName, contextLength, fixedLength, tokenLimit, cutsLeft }: TokenLimits,
  most: number,
  all: number | string,
): Notice {
  if (cutsLeft === true) return { code: 'cutFromLeft', args: [most, all] };
  if (most === fixedLength) return { code: 'cutToShape', args: [most, all] };
  if (most === contextLength) return { code: 'cutToContext', args: [most, all, modelName] };
  return { code: most === tokenLimit ? 'cutToLimit' : 'cutToMemory', args: [most, all] };
}
