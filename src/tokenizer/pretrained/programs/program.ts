import type { Model } from '../../models/model';
import type { PostProcessor } from '../../postProcessors/postProcessor';
import type { PreTokenizer } from '../../preTokenizers/preTokenizer';
import { type InitArguments, specialTokenNames, type TokenValue } from '../initArguments';
import type { ReadFile } from '../openVocabulary';
import type { Part } from '../parts';
import type { PythonTokens } from './pythonTokens';

/** What a tokenizer that is a program in the reference library is put together from. */
export interface ProgramParts {
  readonly model: Model;
  readonly added: PythonTokens;
  /** The id of the padding token. */
  readonly padId?: number | undefined;
  readonly cut: PreTokenizer['cut'];
  /** A template, or what it does where no template says it. */
  readonly postProcessor: Part | PostProcessor;
  readonly decoder: Part | ((pieces: readonly string[]) => readonly string[]);
  /** The same for the target of a translation, where that is cut otherwise. */
  readonly target?: SideParts | undefined;
  /** Codes of target languages that may stand before a source, with their ids. */
  readonly targetCodes?: ReadonlyMap<string, number> | undefined;
}

/** What cuts one side of a translation. */
export type SideParts = Omit<ProgramParts, 'target' | 'targetCodes'>;

/** One of the reference library's tokenizers that are programs of their own. */
export interface TokenizerProgram {
  /** The files that it needs. */
  readonly files: (init: (name: string) => unknown) => readonly string[];
  /** Puts it together. Throws `ReferenceFailure` where the reference library would not open it, and what reading its files throws. */
  readonly make: (init: InitArguments, read: ReadFile) => ProgramParts;
}

/** The special tokens that a program is called with, or names itself. */
export function namedTokens(
  init: InitArguments,
  own: Readonly<Record<string, TokenValue>>,
): ReadonlyMap<string, TokenValue | null> {
  return new Map(specialTokenNames.map((name) => [name, init.token(name, own[name] ?? null)]));
}

/** Special tokens without a name. */
export function extraTokens(init: InitArguments): readonly TokenValue[] {
  return init.tokens('extra_special_tokens') ?? init.tokens('additional_special_tokens') ?? [];
}
