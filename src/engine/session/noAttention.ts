import { ExplorerError } from '../../base/errors';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';

/** The error of a model without any attention that can be drawn: with the reason where some was seen, else that there is none. */
export function noAttention(name: string, ...analyses: readonly Pick<ModelAnalysis, 'missed'>[]): ExplorerError {
  const missed = analyses.flatMap((analysis) => analysis.missed).filter(({ isOther }) => isOther !== true);
  const [first] = missed;
  if (first === undefined) return new ExplorerError('modelNoAttention', [name]);
  return new ExplorerError('attentionRefused', [name, first.reason], {
    details: missed.map(({ path, reason }) => `${path}: ${reason}`).join('\n'),
  });
}
