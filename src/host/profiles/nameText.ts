import { joinPlain, plain, type PlainText } from '../../base/safeText';
import type { HeadRef, Component } from '../../model/head';
import type { HeadName } from '../../model/profile/headNames';
import { said } from '../say/said';

/** A head's name by a profile, with its numbers: the value, and how many times its baseline that is. */
function nameText({ name, language, value, baseline, ratio }: HeadName): PlainText {
  const own = said(name); // eslint-disable-line no-restricted-syntax -- titles of metrics and relations are ours
  const title = language === '' ? own : said('{0}, in {1}', own, language);
  return said('{0} ({1}; {2} times {3})', title, value.toFixed(2), ratio.toFixed(1), baseline.toFixed(3));
}

/** The names of one head, in a line; empty where it has none. */
export function namesText(names: readonly HeadName[], component: Component, { layer, head }: HeadRef): PlainText {
  const own = names.filter((each) => each.component === component && each.layer === layer && each.head === head);
  return own.length === 0 ? plain('') : joinPlain(own.map(nameText), ' · ');
}
