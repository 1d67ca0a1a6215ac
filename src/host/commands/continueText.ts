import { ExplorerError } from '../../base/errors';
import type { Continuation } from '../../model/continuation';
import { writtenIds } from '../../model/writtenTokens';
import type { ExplainController } from '../run/explainController';
import type { ViewStore } from '../view/viewStore';

/** Tokens that are written where nobody says how many. */
const usualTokens = 20;

/** Explains what is shown again, with what its model writes after it. */
export async function continueText(
  store: ViewStore,
  controller: ExplainController,
  continuation?: Continuation,
): Promise<void> {
  const { run } = store;
  const find = controller.lastSource;
  if (run === undefined || find === undefined) return;
  const known = writtenIds(run.info.streams[0]);
  await controller.explain(async () => {
    const source = await find();
    if ('picture' in source) throw new ExplorerError('modelReadsImages', [run.info.model.name]);
    return { ...source, continuation: continuation ?? { written: known, tokens: usualTokens, sampling: undefined } };
  });
}
