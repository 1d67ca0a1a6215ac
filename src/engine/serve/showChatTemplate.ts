import { ExplorerError } from '../../base/errors';
import type { ChatTemplateView, ModelSpec } from '../../protocol';
import { renderChat } from '../text/chatTemplate';
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
  const { name, chatTemplate } = await resolveModel(await modelAccess(files, spec), spec.path, spec.tokenizerPath);
  if (chatTemplate === undefined) throw new ExplorerError('chatTemplateNotFound', [name]);
  const { fileName, text } = chatTemplate;
  try {
    const { prefix, suffix } = renderChat(chatTemplate, 'message', deadlines);
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
