import { ExplorerError } from '../../base/errors';
import { ChatEncoder, withNamedTokens, type ChatTemplate } from './chatTemplate';
import { readConversation } from './conversation';
import { ConversationEncoder } from './conversationEncoder';
import type { Deadlines } from '../limits/deadlines';
import type { ModelTokenizer } from './modelTokenizer';
import type { Reading } from './textModel';
import type { TokenLimits } from '../limits/tokenLimits';
import { tokenizePair } from './tokenizePair';
import { tokenizeText, type TokenEncoder, type TokenizedText } from './tokenizeText';

/** What a model cuts its source text with. */
export interface SourceTokenizer {
  readonly tokenizer: ModelTokenizer;
  readonly chatTemplate: ChatTemplate | undefined;
  readonly deadlines: Deadlines;
  /** Whether the model is given the types of tokens that the tokenizer makes. */
  readonly givesTypes: boolean;
}

/** Tokenises a source text, with a second one as a pair, inside the model's chat template or without special tokens where that is asked for; see {@link tokenizeText}. Throws also `tookTooLong`, `pairNotRead`, `chatTemplateNotFound` and `chatTemplateFailed`. */
export async function tokenizeSource(
  { tokenizer, chatTemplate, deadlines, givesTypes }: SourceTokenizer,
  {
    text,
    second,
    isChatMessage,
    isBare = false,
  }: Pick<Reading, 'text' | 'second' | 'isChatMessage'> & { readonly isBare?: boolean | undefined },
  ofModel: TokenLimits,
): Promise<TokenizedText> {
  await tokenizer.ready();
  const limits = { ...ofModel, ...(givesTypes ? {} : { numTypes: 0 }), cutsLeft: tokenizer.sides.cutsLeft };
  if (second !== undefined) {
    if (isChatMessage === true)
      throw new ExplorerError('pairNotRead', [limits.modelName, 'a chat message is one text']);
    return tokenizePair(tokenizer, [text, second], limits);
  }
  if (isChatMessage !== true) return tokenizeText(isBare ? bare(tokenizer) : tokenizer, text, limits);
  if (chatTemplate === undefined) throw new ExplorerError('chatTemplateNotFound', [limits.modelName]);
  const template = withNamedTokens(chatTemplate, tokenizer.named);
  const conversation = deadlines.run('chatTemplate', text.length, () => readConversation(text));
  const encoder =
    conversation === undefined
      ? new ChatEncoder(tokenizer, template, deadlines)
      : new ConversationEncoder(tokenizer, template, conversation, deadlines);
  const { stream, notices } = tokenizeText(encoder, text, limits);
  return {
    stream,
    notices: [
      { code: conversation === undefined ? 'asChatMessage' : 'asConversation', args: [limits.modelName] },
      ...notices,
    ],
  };
}

/** A tokenizer that adds no special tokens. */
function bare(tokenizer: ModelTokenizer): TokenEncoder {
  return {
    encode: (text) => tokenizer.encode(text, { addSpecialTokens: false }),
    specialOf: (id) => tokenizer.specialOf(id),
  };
}
