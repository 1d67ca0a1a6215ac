import { plain } from '../../src/base/safeText';
import { headsOf, type ComponentInfo } from '../../src/model/head';
import { headNames } from '../../src/model/profile/headNames';
import type { HeadProfile, ProfileMetric } from '../../src/model/profile/headProfile';
import { profileColumns } from '../../src/model/profile/profileColumns';
import type { RelationRow } from '../../src/model/profile/profileFold';
import type { PanelProfile } from '../../src/model/profile/panelProfile';

/** A profile by rule: head n (in reading order) reads the token before by n of the number of heads; relations in Python fall, and in TypeScript rise with n. */
export function sampleProfile(component: ComponentInfo, isCompared: boolean): PanelProfile {
  const heads = headsOf(component);
  const share = (n: number): number => n / heads.length;
  const metrics = heads.flatMap((head, n): ProfileMetric[] =>
    (['previousToken', 'entropy'] as const).map((metric) => ({
      ...{ component: component.component, ...head, metric, count: 20 + n, mean: share(n), uniform: 0.05 },
      ...{ smallest: 0, largest: 1, deciles: Array.from({ length: 9 }, (_, i) => (i + 1) / 10) },
    })),
  );
  const relations = heads.flatMap((head, n): RelationRow[] =>
    (['python', 'typescript'] as const).map((language) => ({
      ...{ component: component.component, ...head, language, relation: 'definition', queries: 300, pairs: 400 },
      share: language === 'python' ? 1 - share(n) : share(n),
      ...{ baseline: 0.1, ratio: (language === 'python' ? 1 - share(n) : share(n)) / 0.1 },
    })),
  );
  const profile: HeadProfile = {
    about: { model: 'code', modelHash: '', length: 128, numTexts: 12, numChunks: 80, numTokens: 9000 },
    ...{ metrics, relations, examples: [], texts: [] },
  };
  return {
    title: plain('my.profile'),
    about: plain('code: 12 texts, 9000 tokens, in 80 chunks of at most 128 tokens'),
    columns: profileColumns(profile, component),
    names: headNames(metrics, relations),
    examples: heads.flatMap((head) =>
      [1, 2].map((rank) => ({
        ...{ ...head, metric: 'previousToken' as const, rank, value: 0.9 / rank },
        ...{ file: plain(`src/file${rank}.ts`), line: 10 * rank, endLine: 10 * rank + 5 },
      })),
    ),
    other: isCompared
      ? {
          title: plain('checkpoint: other.profile'),
          columns: profileColumns({ ...profile, metrics: metrics.map((each) => ({ ...each, mean: 0.25 })) }, component),
        }
      : undefined,
  };
}
