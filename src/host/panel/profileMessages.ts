import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { components } from '../../base/component';
import { metricIds } from '../../model/metrics/metrics';
import type { RunInfo } from '../../model/modelInfo';
import type { PanelApi, PanelIntents } from '../../panelProtocol';
import { parse } from './messageShapes';

const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e6));
const stage = v.custom<`stage${number}`>(
  (value) => typeof value === 'string' && /^stage[1-9]\d?$/.test(value),
  'no stage',
);
const component = v.union([v.picklist(components), stage]);
const profile = v.object({ runId: place, component });
const example = v.object({
  ...profile.entries,
  ...{ layer: place, head: place, metric: v.picklist(metricIds), rank: place },
});

/** Checks a request for the profile of a run's model. Throws `invalidMessage` or `unknownRun`. */
export function checkProfileParams(value: unknown, run: RunInfo | undefined): Parameters<PanelApi['profile']>[0] {
  const params = parse('profile', profile, value);
  if (run?.runId !== params.runId) throw new ExplorerError('unknownRun');
  return params;
}

/** Checks which example of the profile is to be opened. Throws `invalidMessage` or `unknownRun`. */
export function checkExample(value: unknown, run: RunInfo | undefined): PanelIntents['openExample'] {
  const params = parse('example', example, value);
  if (run?.runId !== params.runId) throw new ExplorerError('unknownRun');
  return params;
}
