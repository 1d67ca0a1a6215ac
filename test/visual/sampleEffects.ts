import { plain } from '../../src/base/safeText';
import type { AskedChoice, EffectAnswer, EffectSide, HeadEffects } from '../../src/model/effects/effects';
import type { ComponentInfo } from '../../src/model/head';
import type { EffectParams, HeadEffectsParams } from '../../src/protocol';

const choice = (id: number, probability: number, rank: number): AskedChoice => ({
  id,
  text: plain(`·w${id}`),
  probability,
  rank,
});

const position = (question: EffectParams['question']): number => (question.kind === 'token' ? question.position : 0);

/** A prediction by rule: every intervention halves the probability of the token that is asked about. */
function side(question: EffectParams['question'], numOn: number): EffectSide {
  const share = 0.5 ** (numOn + 1);
  if (question.kind === 'loss') return { value: 3 + numOn, choices: [], alternatives: [] };
  const named = question.kind === 'token' ? question.token : question.label;
  const asked = choice(typeof named === 'number' ? named : 999, share, numOn + 1);
  const against = question.against === undefined ? [] : [choice(888, 0.125, 3)];
  const first = position(question);
  return {
    value: Math.log(share) - (against.length === 0 ? 0 : Math.log(0.125)),
    choices: [asked, ...against],
    alternatives: [asked, choice(first + 1, 0.2, 2), choice(first + 2, 0.1, 3)],
  };
}

function resolved(question: EffectParams['question']): EffectAnswer['question'] {
  return { kind: question.kind, stream: 0, positions: Int32Array.of(position(question)), masked: [] };
}

/** An experiment by rule. */
export function sampleEffect({ question, interventions, path }: EffectParams): EffectAnswer {
  const [before, after] = [side(question, 0), side(question, interventions.length)];
  return {
    path,
    question: resolved(question),
    interventions,
    plain: before,
    intervened: after,
    // The other text comes to a fourth of the probability.
    ...(interventions.some(({ kind }) => kind === 'swap') ? { other: side(question, 2) } : {}),
    effect: after.value - before.value,
  };
}

/** The effect of a head by rule: −0.9 of head 0.1, of the others less, on both sides of zero. */
export function sampleEffectOf(
  layer: number,
  head: number,
  { by, path }: Pick<HeadEffectsParams, 'by' | 'path'>,
): number {
  const scale = (by === 'mean' ? 0.5 : 1) * (path === 'total' ? 1 : 0.25);
  return scale * (layer === 0 && head === 1 ? -0.9 : (((layer * 12 + head) * 29) % 41) / 41 - 0.4);
}

/** All heads of a component by rule. */
export function sampleHeadEffects(params: HeadEffectsParams, { component, layers }: ComponentInfo): HeadEffects {
  return {
    path: params.path,
    by: params.by,
    question: resolved(params.question),
    plain: side(params.question, 0),
    ...(params.by === 'swap' ? { other: side(params.question, 2) } : {}),
    layers: layers.map(({ numHeads }, layer) => {
      const effects = Float32Array.from({ length: numHeads }, (_, head) => sampleEffectOf(layer, head, params));
      const difference = side(params.question, 2).value - side(params.question, 0).value;
      const shares = effects.map((effect) => effect / difference);
      return { component, layer, effects, ...(params.by === 'swap' ? { shares } : {}) };
    }),
    failed: [],
  };
}
