import { plain } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';
import { noticeText, type ModelInfo, type Notice } from '../model/modelInfo';
import type { InputView } from '../protocol';

/** What a model was fed, as Python; where it comes from stands above it as comments. */
export function printedInput(
  model: { readonly info: ModelInfo; input(): InputView },
  notices: readonly Notice[],
): TerminalText {
  const { name, readFiles = [], settings = [], assumptions = [] } = model.info;
  return joinTerminal([
    line`# ${name}`,
    ...readFiles.map((file) => line`# read: ${plain(file)}`),
    ...settings.map((setting) => line`# ${noticeText(setting)}`),
    ...assumptions.map((assumption) => line`# assumed: ${noticeText(assumption)}`),
    ...notices.map((notice) => line`# ${noticeText(notice)}`),
    line`${model.input().python}`,
  ]);
}
