import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import type { PanelIntents } from '../../panelProtocol';

/** Thirty-two interventions of four thousand heads each take less. */
const maxArrangementUnits = 2 ** 23;

const arrangement = v.object({
  open: v.pipe(v.array(v.pipe(v.string(), v.maxLength(40))), v.maxLength(20)),
  effects: v.unknown(),
});

/** Checks how the page says that it is arranged: of a bounded size; what is in it the page checks when it gets it again. Throws `invalidMessage`. */
export function checkArrangement(value: unknown): PanelIntents['arrangement'] {
  const result = v.safeParse(arrangement, value);
  if (!result.success || JSON.stringify(result.output.effects ?? null).length > maxArrangementUnits)
    throw new ExplorerError('invalidMessage', ['arrangement']);
  return { open: result.output.open, effects: result.output.effects };
}
