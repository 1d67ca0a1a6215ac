import { readFile } from 'node:fs/promises';
import type Axe from 'axe-core';
import type { Page } from 'playwright-core';
import { showTheme, themes, type ThemeName } from './panelPage';

/** The rules whose answer depends on the theme; the others ask about the same elements again. */
export const rulesOfColours = ['color-contrast', 'link-in-text-block'] as const;

/** What axe-core finds wrong with a page, one sentence each; what the page complains of meanwhile on the checker's account is taken out of `complaints`. `rules`: where not all of them. */
export async function violationsOf(page: Page, complaints: string[], rules?: readonly string[]): Promise<string[]> {
  const before = complaints.length;
  if (!(await page.evaluate(() => 'axe' in globalThis)))
    await page.evaluate(await readFile('node_modules/axe-core/axe.min.js', 'utf8'));
  const violations = await page.evaluate(async (only) => {
    const { violations: found } = await (globalThis as unknown as { axe: typeof Axe }).axe.run(document, {
      resultTypes: ['violations'],
      // Every second number above small tiles is left out to be seen, not to be heard: each header has its label.
      rules: { 'empty-table-header': { enabled: false } },
      ...(only === undefined ? {} : { runOnly: [...only] }),
    }); // the script above defines it
    return found.map(
      ({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    );
  }, rules);
  // The checker writes styles into the page for its measurements, which the policy rightly forbids.
  complaints.push(...complaints.splice(before).filter((complaint) => !complaint.startsWith('Applying inline style')));
  return violations;
}

/**
 * The same in one theme after another, as when someone changes it: all rules in the first one, those of colours in each of the others.
 * `isShown` is called when the page stands in a theme, before it is checked there.
 */
export async function violationsInThemes(
  page: Page,
  complaints: string[],
  isShown: (theme: ThemeName) => Promise<unknown>,
): Promise<string[]> {
  const all = Object.keys(themes) as ThemeName[]; // the keys of the table
  const found: string[] = [];
  for (const [i, theme] of all.entries()) {
    await showTheme(page, theme);
    await isShown(theme);
    const violations = await violationsOf(page, complaints, i === 0 ? undefined : rulesOfColours);
    found.push(...violations.map((violation) => `${theme}: ${violation}`));
  }
  return found;
}
