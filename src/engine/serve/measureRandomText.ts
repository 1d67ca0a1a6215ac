import { ExplorerError } from '../../base/errors';
import { metricTextOf } from '../../model/metrics/metricText';
import type { RandomParams, RandomTable } from '../../protocol';
import { readHeadTable } from '../weights/readAllHeads';
import type { Explanation, Reading } from '../text/textModel';

/** Metrics of all heads of a component on random tokens that come twice; nothing of the run is kept. Throws `randomTooShort`, and what a run throws. */
export async function measureRandomText(
  explain: (reading: Reading) => Promise<Explanation>,
  { component: name, metrics, random }: Omit<RandomParams, 'runId'>,
  signal?: AbortSignal,
): Promise<RandomTable> {
  const { streams, layers, components } = await explain({ text: '', tokenLimit: 0, random });
  try {
    const component = components.find((candidate) => candidate.component === name);
    if (component === undefined)
      throw new ExplorerError('invalidArgument', ['component', `${name} has no attention here`]);
    const table = await readHeadTable(
      layers.filter((layer) => layer.component === name),
      metrics,
      metricTextOf(component, streams),
      { signal },
    );
    const own = streams[component.queryStream].tokens.filter(({ isSpecial }) => !isSpecial);
    return { table, random: { ...random, numTokens: own.length / 2 } };
  } finally {
    for (const layer of layers) layer.release?.();
  }
}
