import { ExplorerError } from '../base/errors';
import type { ComponentInfo } from '../model/head';

/** The components of a name; all where none is named. Throws `invalidArgument` where the model has none of that name. */
export function namedComponents(
  components: readonly ComponentInfo[],
  name: string | undefined,
): readonly ComponentInfo[] {
  const named = components.filter(({ component }) => name === undefined || component === name);
  if (named.length > 0) return named;
  throw new ExplorerError('invalidArgument', [
    '--component',
    `the model has ${components.map(({ component }) => component).join(', ')}`,
  ]);
}
