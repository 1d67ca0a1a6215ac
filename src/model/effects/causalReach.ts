import type { ComponentInfo } from '../head';
import { canRead } from '../lighting';
import { isShared, type EffectAnswer, type Intervention, type ResolvedQuestion } from './effects';

/** Whether each token is predicted from those before it alone, so that nothing at or behind it can act on its prediction. */
function isPredictedForwards(
  { kind, stream, masked }: ResolvedQuestion,
  components: readonly ComponentInfo[],
): boolean {
  const own = components.filter(({ queryStream, keyStream }) => queryStream === stream && keyStream === stream);
  return kind !== 'label' && masked.length === 0 && own.length > 0 && own.every(({ isCausal }) => isCausal);
}

/**
 * Whether an experiment can show nothing, as the model is causal: all that is blocked stands at or behind the tokens whose
 * prediction is asked about. A token is predicted at the one before it.
 */
export function standsBehind(
  { question, interventions }: Pick<EffectAnswer, 'question' | 'interventions'>,
  components: readonly ComponentInfo[],
): boolean {
  const { stream, positions } = question;
  if (!isPredictedForwards(question, components) || positions.length === 0) return false;
  const last = positions.reduce((most, position) => Math.max(most, position), 0);
  return (
    interventions.length > 0 &&
    interventions.every((each) => {
      const component = components.find(({ component: name }) => name === each.component);
      if (each.kind !== 'block' || component?.queryStream !== stream) return false;
      // A key of the same text is read by no earlier query.
      const first = Math.max(each.query ?? 0, component.keyStream === stream ? (each.key ?? 0) : 0);
      return first >= last;
    })
  );
}

/** Whether an intervention blocks one weight that a causal mask takes out anyway, of a key behind its query: that changes nothing. */
export function isMaskedOut(intervention: Intervention, components: readonly ComponentInfo[]): boolean {
  if (intervention.kind !== 'block') return false;
  const { query, key } = intervention;
  const component = components.find(({ component: name }) => name === intervention.component);
  return query !== undefined && key !== undefined && component !== undefined && !canRead(component, query, key);
}

/** Whether the other run comes to the same prediction as this one in a model that predicts each token from those before it, perhaps as it differs behind the token alone. */
export function isSameForwards(
  { question, plain, other }: Pick<EffectAnswer, 'question' | 'plain' | 'other'>,
  components: readonly ComponentInfo[],
): boolean {
  return other !== undefined && !isShared(plain, other) && isPredictedForwards(question, components);
}
