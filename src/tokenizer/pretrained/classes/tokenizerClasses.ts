import { bertClasses } from './bertClasses';
import { byteLevelClasses } from './byteLevelClasses';
import { sentenceBpeClasses } from './sentenceBpeClasses';
import type { TokenizerClass } from './tokenizerClass';
import { unigramClasses } from './unigramClasses';

/** The reference library's classes that put a tokenizer together themselves, by name. */
export const tokenizerClasses: ReadonlyMap<string, TokenizerClass> = new Map(
  [bertClasses, byteLevelClasses, sentenceBpeClasses, unigramClasses].flatMap((classes) => Object.entries(classes)),
);
