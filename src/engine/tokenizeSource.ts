import { ExplorerError } from '../base/errors';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { ChatEncoder, type ChatTemplate } from './chatTemplate';
import { tokenizeText, type TokenizedText, type TokenLimits } from './tokenizeText';

/** What a model cuts its source text with. */
export interface SourceTokenizer {
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate | undefined;
}

/** Tokenises a source text, inside the model's chat template where that is asked for; see {@link tokenizeText}. Throws also `chatTemplateNotFound` and `chatTemplateFailed`. */
export function tokenizeSource({ tokenizer, chatTemplate }: SourceTokenizer, text: string, isChatMessage: boolean | undefined, limits: TokenLimits): TokenizedText {
  if (isChatMessage !== true) return tokenizeText(tokenizer, text, limits);
  if (chatTemplate === undefined) throw new ExplorerError('chatTemplateNotFound', [limits.modelName]);
  const { stream, notices } = tokenizeText(new ChatEncoder(tokenizer, chatTemplate), text, limits);
  return { stream, notices: [{ code: 'asChatMessage', args: [limits.modelName] }, ...notices] };
}
