import type { Notice } from '../../model/modelInfo';
import type { MadeInputs } from '../../onnx/inputs/inputs';
import type { AttentionResult } from '../session/attentionSession';

/** Masks of a large negative number leave less than this. */
const leastShare = 1e-3;

/** What is to be said of a text that was filled up to a length: that it was, and how much of a row is spent on that where no mask keeps it off. */
export function paddingNotices(
  { numTokens, numPositions }: Pick<MadeInputs, 'numTokens' | 'numPositions'>,
  results: readonly Pick<AttentionResult, 'layers'>[],
): Notice[] {
  if (numPositions <= numTokens) return [];
  const share = Math.max(0, ...results.flatMap(({ layers }) => layers.map(({ paddingShare = 0 }) => paddingShare)));
  return [
    { code: 'paddedToShape', args: [numPositions] },
    ...(share > leastShare ? [{ code: 'paddingRead', args: [Math.ceil(share * 100)] } as const] : []),
  ];
}
