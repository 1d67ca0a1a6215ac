import * as l10n from '@vscode/l10n';
import { methodOf, surprisalMethod, type MethodChoiceId, type MethodId } from '../src/model/methods';
import type { SurprisalHeat } from '../src/model/predictions';
import type { Weighing } from '../src/model/weightForm';
import { formatWeight } from './words';

/** A method's name within a sentence. */
export function methodTitle(id: MethodId): string {
  return l10n.t(methodOf(id).title);
}

/** … and as a choice. */
export function methodChoice(id: MethodChoiceId): string {
  return l10n.t((id === surprisalMethod.id ? surprisalMethod : methodOf(id)).shortTitle);
}

/** What a method's numbers mean, how they are computed, and where that comes from. */
export function methodDescription(id: MethodChoiceId): string {
  const { meaning, formula, source } = id === surprisalMethod.id ? surprisalMethod : methodOf(id);
  return `${l10n.t(meaning)} ${formula} (${source})`;
}

/** What a method's numbers are in. */
export function methodUnit(id: MethodId): string {
  return methodOf(id).unit === 'share' ? l10n.t('share') : l10n.t('length in the model’s own units');
}

/** All that is said of a method, of one layer where one is shown, beside the colours; nothing of the weights themselves, which the legend names. */
export function methodNote(id: MethodId, { difference, mixing }: Weighing, layer?: number): string {
  if (id === 'attention') return '';
  const parts = [methodDescription(id), l10n.t('Unit: {0}.', methodUnit(id))];
  if (difference > 0)
    parts.push(
      l10n.t(
        'The model rounds numbers: what its heads write is off by up to {0} of the largest.',
        formatWeight(difference),
      ),
    );
  const ratio = layer === undefined ? undefined : mixing?.[layer];
  if (ratio !== undefined && Number.isFinite(ratio))
    parts.push(
      l10n.t('Of a token of this layer, {0} comes from others in the mean (mixing ratio).', formatWeight(ratio)),
    );
  return parts.join(' ');
}

/** What stands beside the colours of surprisal; undefined heat has not come yet. */
export function surprisalNote(heat: SurprisalHeat | undefined): string {
  const isNone = heat?.numTokens === 0;
  return [
    methodDescription(surprisalMethod.id),
    l10n.t('Unit: {0}.', l10n.t('bits')),
    l10n.t('It is of a token, and of no head: grid, matrix and list show the attention weight.'),
    ...(heat === undefined ? [l10n.t('The model reads the text again for what it predicts…')] : []),
    ...(!isNone
      ? []
      : heat.kind === 'masked'
        ? [l10n.t('No token has one yet: a masked language model tells those that are masked, in Predictions.')]
        : [l10n.t('No token of this text has one: the model tells what comes next alone.')]),
  ].join(' ');
}
