import { ExplorerError } from '../base/errors';
import { ChatEncoder, type ChatTemplate } from './chatTemplate';
import { readConversation } from './conversation';
import { ConversationEncoder } from './conversationEncoder';
import type { Deadlines } from './deadlines';
import type { ModelTokenizer } from './modelTokenizer';
import { tokenizeText, type TokenizedText, type TokenLimits } from './tokenizeText';

/** What a model cuts its source text with. */
export interface SourceTokenizer {
  readonly tokenizer: ModelTokenizer;
  readonly chatTemplate: ChatTemplate | undefined;
  readonly deadlines: Deadlines;
}

/** Tokenises a source text, inside the model's chat template where that is asked for; see {@link tokenizeText}. Throws also `tookTooLong`, `chatTemplateNotFound` and `chatTemplateFailed`. */
export async function tokenizeSource({ tokenizer, chatTemplate, deadlines }: SourceTokenizer, text: string, isChatMessage: boolean | undefined, limits: TokenLimits): Promise<TokenizedText> {
  await tokenizer.ready();
  if (isChatMessage !== true) return tokenizeText(tokenizer, text, limits);
  if (chatTemplate === undefined) throw new ExplorerError('chatTemplateNotFound', [limits.modelName]);
  const conversation = deadlines.run('chatTemplate', text.length, () => readConversation(text));
  const encoder = conversation === undefined ? new ChatEncoder(tokenizer, chatTemplate, deadlines) : new ConversationEncoder(tokenizer, chatTemplate, conversation, deadlines);
  const { stream, notices } = tokenizeText(encoder, text, limits);
  return { stream, notices: [{ code: conversation === undefined ? 'asChatMessage' : 'asConversation', args: [limits.modelName] }, ...notices] };
}
