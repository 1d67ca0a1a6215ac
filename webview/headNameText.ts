import * as l10n from '@vscode/l10n';
import type { HeadName } from '../src/model/profile/headNames';

/** A head's name by a profile, with its numbers. */
export function headNameText({ name, language, value, baseline, ratio }: HeadName): string {
  const title = language === '' ? l10n.t(name) : l10n.t('{0}, in {1}', l10n.t(name), language);
  return l10n.t('{0} ({1}; {2} times {3})', title, value.toFixed(2), ratio.toFixed(1), baseline.toFixed(3));
}
