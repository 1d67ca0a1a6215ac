import { plain } from '../../../../src/base/safeText';
import type { LayerInfo } from '../../../../src/model/head';
import type { Numbers } from '../../../../src/model/numbers/numbers';

/** Numbers of a self-attention over a text whose every letter is a token. */
export function sampleNumbers(
  {
    numLayers,
    numHeads,
    numTokens,
  }: { readonly numLayers: number; readonly numHeads: number; readonly numTokens: number },
  held: LayerInfo['held'],
  read: Numbers['read'],
): Numbers {
  return {
    model: { name: plain('tiny'), backend: 'wasm' },
    notices: [],
    streams: [
      {
        role: 'source',
        text: 'x'.repeat(numTokens),
        tokens: Array.from({ length: numTokens }, (_, i) => ({
          id: i,
          piece: 'x',
          start: i,
          end: i + 1,
          isSpecial: false,
        })),
      },
    ],
    components: [
      {
        component: 'self',
        layers: Array.from({ length: numLayers }, (_, i) => ({
          path: plain(`layers.${i}`),
          numHeads,
          numKeyValueHeads: numHeads,
          normalization: 'softmax',
          method: 'exposed',
          held,
        })),
        queryStream: 0,
        keyStream: 0,
        isCausal: false,
      },
    ],
    method: 'attention',
    heads: undefined,
    read,
  };
}
