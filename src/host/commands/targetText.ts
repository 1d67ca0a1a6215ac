import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { ExplainController } from '../run/explainController';
import { activeSource } from '../run/explainSource';
import type { ViewStore } from '../view/viewStore';
import { askForText } from '../say/dialogs';
import { said } from '../say/said';

/** Longer targets than this are no model's output. */
const maxTargetUnits = 20_000;

/** Asks for a target text and explains with it what is selected, or else what is shown; an empty one means the model's own output. */
export async function explainWithTarget(store: ViewStore, controller: ExplainController): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const shown = controller.lastSource;
  // What is looked at is settled before the box takes the focus.
  const find =
    shown === undefined || (editor !== undefined && !editor.selection.isEmpty)
      ? await activeSource().then((source) => () => source)
      : shown;
  const { run } = store;
  const target = run?.info.streams.find(({ role }) => role === 'target');
  const typed = await askForText({
    title: said('Explain with Target Text'),
    prompt: said('What the decoder is to read, as if the model had written it; empty for the model’s own output.'),
    placeholder: said('Target text'),
    value: run?.target ?? target?.text ?? '',
    check: (text) => (text.length > maxTargetUnits ? said('At most {0} characters.', maxTargetUnits) : undefined),
  });
  if (typed === undefined) return;
  await controller.explain(async () => {
    const source = await find();
    if ('picture' in source) throw new ExplorerError('modelReadsImages', [run?.info.model.name ?? '']);
    return { ...source, target: typed === '' ? undefined : typed };
  });
}

/** Explains what is shown again, with the target that the model writes itself. */
export async function useModelOutput(controller: ExplainController): Promise<void> {
  const find = controller.lastSource;
  if (find === undefined) return;
  await controller.explain(async () => {
    const source = await find();
    return 'picture' in source ? source : { ...source, target: undefined };
  });
}
