import * as l10n from '@vscode/l10n';
import { methodOf } from '../src/model/methods';
import type { ComparedView, Level, PatternForm, SinkMode } from '../src/model/patternForm';
import type { SurprisalHeat } from '../src/model/predictions';
import { mostRemoved } from '../src/model/patternForm';
import { removedOf, type ShownPattern } from './state/matrixData';
import { formatWeight } from './words';

/** A level's name, as a choice. */
export function levelName(level: Level): string {
  switch (level) {
    case 'token':
      return l10n.t('Tokens');
    case 'word':
      return l10n.t('Words');
    case 'line':
      return l10n.t('Lines');
    case 'symbol':
      return l10n.t('Symbols');
  }
}

/** What becomes of sinks, as a choice. */
export function sinksName(sinks: SinkMode, isRenormalized: boolean): string {
  switch (sinks) {
    case 'show':
      return l10n.t('Sinks shown');
    case 'fade':
      return l10n.t('Sinks faded');
    case 'remove':
      return isRenormalized ? l10n.t('Sinks removed, rows renormalised') : l10n.t('Sinks removed');
  }
}

/** What numbers of a level are; empty for those of tokens. */
function levelSentence(level: Level): string {
  switch (level) {
    case 'token':
      return '';
    case 'word':
      return l10n.t('words: sums over keys, means over queries');
    case 'line':
      return l10n.t('lines: sums over keys, means over queries');
    case 'symbol':
      return l10n.t('symbols: sums over keys, means over queries');
  }
}

/** What is seen of a comparison, in a few words. */
export function comparedName(compared: ComparedView): string {
  switch (compared) {
    case 'other':
      return l10n.t('attention weight of B');
    case 'difference':
      return l10n.t('difference of weights, B − A');
    case 'intervened':
      return l10n.t('attention weight of the intervened run');
  }
}

/** Why no difference is named, of a row whose largest it is. */
export function noDifferenceSentence(maximum: number): string {
  return maximum === 0
    ? l10n.t('A and B do not differ here')
    : l10n.t('A and B differ by less than the threshold here');
}

/** What a pattern's numbers are, where the text beside it is coloured by something else. */
export function besideHeat(heat: SurprisalHeat | undefined): readonly string[] {
  return heat === undefined ? [] : [l10n.t('attention weight')];
}

/** What was done to a pattern's weights before they were shown, each a few words. */
export function formTags(shown: ShownPattern): readonly string[] {
  const { component, form, streams } = shown;
  const level = streams[component.queryStream]?.units?.level ?? 'token';
  const tags = level === 'token' ? [] : [levelSentence(level)];
  if (form.compared !== undefined) tags.unshift(comparedName(form.compared));
  if (form.method !== 'attention') tags.unshift(l10n.t(methodOf(form.method).title));
  if (form.level === 'symbol' && level === 'line') tags.push(l10n.t('no symbols are known'));
  if (form.sinks === 'fade') tags.push(l10n.t('sinks faded'));
  const removed = removedOf(shown);
  if (removed !== undefined) {
    const mean = removed.reduce((sum, share) => sum + share, 0) / Math.max(1, removed.length);
    tags.push(
      shown.sinkMass?.sinks.length === 0
        ? l10n.t('no sinks to remove')
        : form.isRenormalized
          ? l10n.t('sinks removed: {0} of a row, the rest renormalised', formatWeight(mean))
          : l10n.t('sinks removed: {0} of a row', formatWeight(mean)),
    );
  }
  return tags;
}

/** How much of a row was taken out, and what became of the rest. */
export function removedSentence(removed: number, { isRenormalized }: PatternForm): string {
  if (!isRenormalized) return l10n.t('{0} was on sinks, and is removed', formatWeight(removed));
  return removed > mostRemoved
    ? l10n.t('{0} was on sinks, and is removed; too little is left to be renormalised', formatWeight(removed))
    : l10n.t('{0} was on sinks, and is removed; the rest is renormalised', formatWeight(removed));
}
