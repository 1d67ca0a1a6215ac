import * as l10n from '@vscode/l10n';
import {
  type AskedChoice,
  type EffectPath,
  type EffectQuestion,
  type EffectSide,
  type Replacement,
} from '../src/model/effects/effects';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../src/model/head';
import { visibleText, type TokenStream } from '../src/model/token';
import { signedNumber } from './headWords';
import type { EffectsView } from './state/effectsView';
import type { BlockShape, ListedIntervention } from './state/keptEffects';
import { readerName, tokenName } from './words';

/** What of an experiment is measured, in a word. */
export function pathName(path: EffectPath): string {
  return path === 'total' ? l10n.t('total') : l10n.t('direct');
}

/** … and what that is. */
export function pathMeaning(path: EffectPath): string {
  return path === 'total'
    ? l10n.t('Total effect: everything after the head runs again.')
    : l10n.t(
        'Direct effect: what the head adds to the final sum is taken out, and only the end of the model runs again; everything between stays as it is.',
      );
}

/** What a silent or swapped head hands on, in a word. */
export function replacementName(by: Replacement): string {
  switch (by) {
    case 'zero':
      return l10n.t('zeros');
    case 'mean':
      return l10n.t('its mean');
    case 'swap':
      return l10n.t('swapped');
  }
}

/** … and what that is. */
export function replacementMeaning(by: Replacement): string {
  switch (by) {
    case 'zero':
      return l10n.t('Zeros: the head hands on nothing of what it reads.');
    case 'mean':
      return l10n.t('Its mean: the head hands on the mean of what it reads over all positions, everywhere.');
    case 'swap':
      return l10n.t(
        'Swapped: the head hands on what it reads in another text, or picture, B, at the same places (activation patching).',
      );
  }
}

/** What a share of the difference to the other text means. */
export function shareSentence(): string {
  return l10n.t(
    'Share of the difference between both predictions: 0 leaves the prediction as it is, 1 makes it that of B; below zero it moves away from it.',
  );
}

/** Where there is no difference that a share could be of. */
export function noShareSentence(): string {
  return l10n.t('Both come to the same prediction: there is no difference that the effect could be a share of.');
}

/** Beside effects that are zero in a causal model whatever is done. */
export function causalSentence(): string {
  return l10n.t(
    'The model is causal: what stands at or behind the predicted token cannot act on its prediction, so that no effect of it can be seen here.',
  );
}

/** Beside a blocked weight that was none before. */
export function maskedOutSentence(): string {
  return l10n.t(
    'The causal mask has taken this weight out already: no token reads ahead, so that blocking it changes nothing.',
  );
}

/** The unit of an experiment's numbers. */
export function effectUnit(by: Replacement): string {
  return by === 'swap' ? l10n.t('share') : l10n.t('nats');
}

/** An experiment with single heads: `total, zeros`. */
export function experimentName(path: EffectPath, by: Replacement): string {
  return l10n.t('{0}, {1}', pathName(path), replacementName(by));
}

/** What every effect has to be read with. */
export function backupSentence(): string {
  return l10n.t('Other heads may take over when one is off: this is the effect when only this is off.');
}

/** The measure of a question, which its effects are differences of. */
export function questionMeasure(question: EffectQuestion): string {
  if (question.kind === 'loss') return l10n.t('mean loss');
  return question.against === undefined ? l10n.t('ln p') : l10n.t('difference of logits');
}

/** What an effect above zero and one below it mean. */
export function signSentence(question: EffectQuestion): string {
  if (question.kind === 'loss')
    return l10n.t('Above zero: the text is predicted worse without it. Below zero: better.');
  return question.against === undefined
    ? l10n.t('Below zero: less probable without it. Above zero: more probable.')
    : l10n.t('Below zero: without it the first loses against the second. Above zero: it gains.');
}

/** A token of the vocabulary, or a label, as it is asked about. */
export function choiceText({ text }: Pick<AskedChoice, 'text'>): string {
  return `“${text}”`;
}

/** What is asked: `ln p of “x” after "y" (12)`. */
export function questionName(
  question: EffectQuestion,
  plain: EffectSide | undefined,
  stream: TokenStream | undefined,
): string {
  if (question.kind === 'loss') return l10n.t('mean loss over the text’s own tokens');
  const [asked, against] = plain?.choices ?? [];
  const name = asked === undefined ? '…' : choiceText(asked);
  const what =
    question.against === undefined
      ? l10n.t('ln p of {0}', name)
      : l10n.t('logit of {0} − logit of {1}', name, against === undefined ? '…' : choiceText(against));
  return question.kind === 'label' ? what : `${what}, ${placeName(question.position, stream)}`;
}

/** Where a token is predicted. */
function placeName(position: number, stream: TokenStream | undefined): string {
  return stream === undefined || position >= stream.tokens.length
    ? l10n.t('as what comes next')
    : l10n.t('at token {0}, where “{1}” stands', position, visibleText(stream, position));
}

/** Some heads: `head 0.1`, `4 heads`, `all 32 heads`. */
export function headsName(heads: readonly HeadRef[], component: ComponentInfo | undefined): string {
  if (heads.length === 1) return l10n.t('head {0}', headLabel(heads[0]));
  return component !== undefined && heads.length === headsOf(component).length
    ? l10n.t('all {0} heads', heads.length)
    : l10n.t('{0} heads', heads.length);
}

/** What of a pattern is blocked, in a word. */
export function shapeName(shape: BlockShape): string {
  switch (shape) {
    case 'cell':
      return l10n.t('this weight');
    case 'row':
      return l10n.t('the whole row');
    case 'column':
      return l10n.t('the whole column');
  }
}

/** What an intervention does, with the heads that it does it in. */
export function deedName(
  { deed, heads, component: name }: ListedIntervention,
  components: readonly ComponentInfo[],
  streams: readonly TokenStream[],
): string {
  const component = components.find((each) => each.component === name);
  const where = headsName(heads, component);
  if (deed.kind === 'silence') return l10n.t('{0} silenced ({1})', where, replacementName(deed.by));
  if (deed.kind === 'swap') return l10n.t('{0}: swapped with what it reads in B', where);
  const { query, key, shape, isRenormalized } = deed;
  const rest = isRenormalized ? l10n.t('the rest of the row shares its weight') : l10n.t('its weight is gone');
  const from = readerName(streams, { stream: component?.queryStream ?? 0, position: query });
  const to = tokenName(streams, { stream: component?.keyStream ?? 0, position: key });
  switch (shape) {
    case 'cell':
      return l10n.t('{0}: {1} does not read {2}; {3}', where, from, to, rest);
    case 'row':
      return l10n.t('{0}: {1} reads nothing', where, from);
    case 'column':
      return l10n.t('{0}: nothing reads {1}; {2}', where, to, rest);
  }
}

/** What is known of one head's effect, with the experiment that it is of; undefined where nothing is. */
export function effectDescription({ chosen }: EffectsView, at: number): string | undefined {
  const measured = chosen.peek();
  const value = measured?.values[at];
  return measured === undefined || value === undefined || Number.isNaN(value)
    ? undefined
    : l10n.t(
        'effect ({0}): {1} {2}',
        experimentName(measured.path, measured.by),
        signedNumber(value),
        effectUnit(measured.by),
      );
}
