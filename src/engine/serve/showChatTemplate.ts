import { ExplorerError } from '../../base/errors';
import type { ChatTemplateView, ModelSpec } from '../../protocol';
import { renderChat, withNamedTokens } from '../text/chatTemplate';
import { ModelTokenizer } from '../text/modelTokenizer';
import type { Deadlines } from '../limits/deadlines';
import type { FileAccess } from '../files/fileAccess';
import { modelAccess } from '../files/modelAccess';
import { resolveModel } from '../folder/modelFolder';

/** The chat template of a model that need not be loaded, with what it says around a message. Throws `chatTemplateNotFound`. */
export async function showChatTemplate(
  files: FileAccess,
  spec: ModelSpec,
  deadlines: Deadlines,
): Promise<ChatTemplateView> {
  const access = await modelAccess(files, spec);
  const { name, chatTemplate, tokenizerPath, config, tokenizerConfig } = await resolveModel(
    access,
    spec.path,
    spec.tokenizerPath,
  );
  if (chatTemplate === undefined) throw new ExplorerError('chatTemplateNotFound', [name]);
  const { fileName, text } = chatTemplate;
  try {
    const tokenizer =
      tokenizerPath === undefined
        ? undefined
        : await ModelTokenizer.open({ path: tokenizerPath, config, tokenizerConfig }, access, deadlines);
    const { prefix, suffix } = renderChat(withNamedTokens(chatTemplate, tokenizer?.named), 'message', deadlines);
    return { modelName: name, fileName, text, prefix, suffix, error: undefined };
  } catch (error) {
    return {
      modelName: name,
      fileName,
      text,
      prefix: undefined,
      suffix: undefined,
      error: ExplorerError.from(error).serialize(),
    };
  }
}
