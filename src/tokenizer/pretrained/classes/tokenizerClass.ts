import type { AddedTokenFlags } from '../../addedTokens';
import type { Backend, Pipeline } from '../backend';
import type { InitArguments, TokenValue } from '../initArguments';
import type { VocabularySource } from '../vocabularySource';

/** The models whose vocabulary a class takes out of a tokenizer.json or a file of SentencePiece. */
type ModelKind = 'BPE' | 'Unigram' | 'WordPiece';

/** One of the reference library's classes of tokenizers. */
export interface TokenizerClass {
  /** The files that the class looks for where there is no tokenizer.json; the first is the vocabulary. */
  readonly files: readonly string[];
  /** What the class makes of a vocabulary, undefined where it takes any. */
  readonly kind?: ModelKind | undefined;
  /** Whether it takes a tokenizer.json as it stands, and only finishes it. */
  readonly takesWhole?: boolean;
  /** Special tokens that the class names where no file does; null is none, and is handed on as that. */
  readonly tokens: Readonly<Record<string, string | null>>;
  /** Flags that the class gives to a token that has none. */
  readonly flags?: Readonly<Record<string, Partial<AddedTokenFlags>>>;
  readonly addsBos?: boolean;
  /** Whether texts are filled up on the left where no file says a side. */
  readonly padsLeft?: boolean;
  /** Special tokens without a name. Throws `ReferenceFailure`. */
  readonly extras?: (init: InitArguments) => readonly TokenValue[] | undefined;
  /** Puts the steps together. Throws `ReferenceFailure` where the class does not take the vocabulary. */
  readonly pipeline: (init: InitArguments, source: VocabularySource) => Pipeline;
  /** Changes a vocabulary that comes from a file of SentencePiece. */
  readonly fromSentencePiece?: (init: InitArguments, source: VocabularySource) => VocabularySource;
  /** What the class does after its tokens were added. */
  readonly finish?: (backend: Backend, init: InitArguments) => void;
}

/** The content of a token that the class is called with, its default where it is not. */
export function named(init: InitArguments, { tokens }: Pick<TokenizerClass, 'tokens'>, name: string): string {
  const value = init.token(name, tokens[name] ?? null);
  return value === null ? 'None' : typeof value === 'string' ? value : value.content;
}
