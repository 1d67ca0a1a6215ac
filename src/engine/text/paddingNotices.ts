import type { Notice } from '../../model/modelInfo';
import type { MadeInputs } from '../../onnx/inputs/inputs';
import type { AttentionResult } from '../session/attentionSession';

/** Masks of a large negative number leave less than this. */
const leastShare = 1e-3;

/** What is to be said of a text that was filled up to a length: that it was, and how much of a row is spent on that where no mask keeps it off. */
export function paddingNotices(
  {
    numTokens,
    numPositions,
    firstPosition = 0,
  }: Pick<MadeInputs, 'numTokens' | 'numPositions'> & Partial<Pick<MadeInputs, 'firstPosition'>>,
  results: readonly Pick<AttentionResult, 'layers'>[],
  padsLeft = false,
): Notice[] {
  if (numPositions <= numTokens) return [];
  const share = Math.max(0, ...results.flatMap(({ layers }) => layers.map(({ paddingShare = 0 }) => paddingShare)));
  return [
    { code: 'paddedToShape', args: [numPositions] },
    ...(padsLeft && firstPosition === 0 ? [{ code: 'paddedOnRight', args: [] } as const] : []),
    ...(share > leastShare ? [{ code: 'paddingRead', args: [percent(share)] } as const] : []),
  ];
}

/** What is to be said where tokens of the model's own, beside those of the text, have a share of what is read. */
export function ownTokenNotices(...results: readonly Pick<AttentionResult, 'layers'>[]): Notice[] {
  const share = Math.max(0, ...results.flatMap(({ layers }) => layers.map(({ ownShare = 0 }) => ownShare)));
  return share > leastShare ? [{ code: 'ownTokensRead', args: [percent(share)] }] : [];
}

/** A share as a percentage that is no less than it; what is more than all of a row is rounding. */
function percent(share: number): number {
  return Math.min(100, Math.ceil(share * 100));
}
