import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import type { TokenRef } from '../../model/token';
import type { RowReader } from '../editor/rowReader';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import { checkTokenRef } from '../panel/panelMessages';
import type { AttentionFileEditors } from '../attentionFiles/attentionFileEditors';
import type { ExplorerPanels } from '../panel/explorerPanels';
import type { LiveMode } from '../live/liveMode';
import type { Comparisons } from '../compare/comparisons';
import type { ExplainController } from '../run/explainController';
import { activeSource, openDocument, type ExplainSource } from '../run/explainSource';
import { activePicture, choosePicture } from '../run/pictureSource';
import type { ShownRun } from '../run/shownRun';
import { defaultModelName } from '../model/modelLocation';
import { otherModelNotice } from '../run/otherModel';
import { readSettings } from '../readSettings';
import { registerCommand } from '../say/commands';
import type { OutputLog } from '../say/log';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import { settingsSection } from '../settings';
import type { ViewStore } from '../view/viewStore';
import { openCourse, openScene, readStation } from '../course/openScene';
import { modelOfScene } from '../course/scenes';
import type { ChosenLanguages } from '../model/chosenLanguages';
import { saveExplanation } from '../explanations/saveExplanation';
import { exportNumbers } from '../export/exportNumbers';
import { exportFigure } from '../export/exportFigure';
import type { WriteWhole } from '../export/writeFile';
import { chooseLanguages } from './chooseLanguages';
import { commands } from './commandIds';
import { findReadingHead } from './findReadingHead';
import { nextHead } from './nextHead';
import type { ModelDocuments } from './modelDocuments';
import { copyWeights, pinHere } from './panelMenu';
import { explainFromStart, readSelection } from './readSelection';
import { revealToken } from './revealToken';
import { openSample } from './sample';
import { selectHead } from './selectHead';
import { chooseModelFile, chooseTokenizerOfModel, selectModel, type SelectModelDependencies } from './selectModel';
import { showMenu } from './showMenu';
import { terminalSource } from './terminalSelection';
import type { HeadProfiles } from '../profiles/headProfiles';
import { chooseProfile, compareProfiles, findInProfile } from '../profiles/profileCommands';
import type { WorkspaceProfile } from '../profiles/workspaceProfile';
import { continueText } from './continueText';
import { explainWithTarget, useModelOutput } from './targetText';

/** What the commands act on. */
export interface CommandDependencies extends SelectModelDependencies {
  readonly store: ViewStore;
  readonly controller: ExplainController;
  readonly live: LiveMode;
  readonly supervisor: EngineSupervisor;
  readonly panels: ExplorerPanels;
  readonly attentionFiles: AttentionFileEditors;
  readonly documents: ModelDocuments;
  readonly rows: RowReader;
  readonly languages: ChosenLanguages;
  readonly writeWhole: WriteWhole | undefined;
  readonly comparisons: Comparisons;
  readonly profiles: HeadProfiles;
  readonly workspaceProfile: WorkspaceProfile;
  readonly log: OutputLog;
}

/** Registers every command until the returned disposable is disposed. */
export function registerCommands(deps: CommandDependencies): Disposable {
  const { store, controller, live, supervisor, panels, documents, log } = deps;
  /** What the person looks at: the attention file that is in front of them, else the window's run. */
  const looked = (): ViewStore => deps.attentionFiles.active?.store ?? store;
  const shownIn = () => deps.attentionFiles.active?.panel ?? panels;
  const registrations = new DisposableStore();
  const register = (command: string, run: (...args: unknown[]) => unknown): void =>
    void registrations.add(registerCommand(command, run));
  /** Links carry the run that they were made for: a later run has other tokens. */
  const withToken = (run: (shown: ShownRun, token: TokenRef) => unknown) => (runId: unknown, token: unknown) => {
    const shown = store.run;
    if (shown === undefined || runId !== shown.runId) throw new ExplorerError('unknownRun');
    return run(shown, checkTokenRef(token, shown.info));
  };

  register(commands.explainAttention, async (resource) => {
    await controller.explain(() => sourceFor(resource));
  });
  register(commands.explainAsChatMessage, async (resource) => {
    await controller.explain(async () => ({ ...(await sourceFor(resource)), second: undefined, chat: 'yes' }));
  });
  register(commands.explainAsPair, async () => {
    await controller.explain(async () => {
      const source = await activeSource();
      if (source.second === undefined) throw new ExplorerError('pairNotSelected');
      return { ...source, pair: 'yes' };
    });
  });
  register(commands.explainImage, async (resource) => {
    const picture = resource instanceof vscode.Uri ? resource : (activePicture() ?? (await choosePicture()));
    if (picture !== undefined) await controller.explain(() => ({ picture }));
  });
  register(commands.explainAgain, async () => {
    if (controller.canRerun) await controller.rerun();
    else await controller.explain(activeSource);
  });
  register(commands.explainTerminal, async () => {
    await controller.explain(terminalSource);
  });
  register(commands.explainSample, async () => {
    const sample = await openSample(deps.places);
    await controller.explain(() => sample);
  });
  register(commands.learnAttention, openCourse);
  register(commands.openStation, (name) => openScene(name, controller, panels));
  register(commands.readStation, readStation);
  register(commands.explainFromStart, () => explainFromStart(controller));
  register(commands.readInContext, () => readSelection('inContext', controller));
  register(commands.readAlone, () => readSelection('alone', controller));
  register(commands.explainWithTarget, () => explainWithTarget(store, controller));
  register(commands.useModelOutput, () => useModelOutput(controller));
  register(commands.toggleLiveMode, () => live.toggle());
  register(commands.cancel, () => {
    controller.cancel();
    live.cancel();
  });
  /** What has been chosen is used at once. */
  const thenRerun =
    (choose: (...args: unknown[]) => Promise<boolean>) =>
    async (...args: unknown[]) => {
      if (!(await choose(...args))) return;
      if (live.isOn) live.refresh();
      else if (controller.canRerun) await controller.rerun();
      const { run } = store;
      if (run !== undefined && modelOfScene(run.text.uri) !== undefined) {
        showInformation(
          said('The course reads this with {0}; other texts are read as you chose.', run.info.model.name),
        );
        return;
      }
      // Of other models that read text the run itself says so.
      if (run?.isPicture === true && readSettings(run.text.uri).modelPath === '')
        showInformation(otherModelNotice('image', defaultModelName, run.info.model.name));
    };
  register(
    commands.selectModel,
    thenRerun((wanted) => selectModel(deps, wanted === 'text' || wanted === 'image' ? wanted : undefined)),
  );
  register(
    commands.chooseModelFile,
    thenRerun(() => chooseModelFile(deps)),
  );
  register(
    commands.chooseTokenizer,
    thenRerun(() => chooseTokenizerOfModel(deps)),
  );
  register(
    commands.chooseLanguages,
    thenRerun(() => chooseLanguages(store.run, deps.places, deps.languages)),
  );
  register(commands.selectHead, () => selectHead(looked(), deps.profiles));
  register(commands.chooseProfile, () => chooseProfile(looked(), deps));
  register(commands.profileWorkspace, () => deps.workspaceProfile.begin());
  register(commands.compareProfiles, () => compareProfiles(looked(), deps));
  register(commands.findInProfile, () => findInProfile(looked(), deps));
  register(commands.showHeads, () => shownIn().showView('heads'));
  register(commands.showHow, () => shownIn().showView('how'));
  register(commands.showRelations, () => shownIn().showView('relations'));
  register(commands.continueText, async () => {
    const { active } = deps.attentionFiles;
    if (active !== undefined) throw active.refusal;
    await continueText(store, controller);
    panels.showView('predictions');
  });
  register(commands.showPredictions, () => shownIn().showView('predictions'));
  register(commands.showEffects, () => shownIn().showView('effects'));
  register(commands.blockHere, () => shownIn().showView('effects', 'block'));
  register(commands.silenceHeads, () => shownIn().showView('effects', 'silence'));
  register(
    commands.askEffects,
    withToken((_run, token) => {
      // The card is over the window's own text, whatever stands beside it.
      store.changeView({ pinned: [token] });
      panels.showView('effects', 'ask');
    }),
  );
  register(commands.compareWith, () => (deps.attentionFiles.active?.comparison ?? deps.comparisons).choose());
  register(commands.compareSides, async () => {
    await controller.explain(activeSource);
    if (store.status.kind === 'ready') await deps.comparisons.compare('side');
  });
  register(commands.findReadingHead, () => findReadingHead(looked(), shownIn()));
  register(commands.clearHighlights, () => {
    looked().setHovered(undefined);
    if (!live.isOn) looked().setCaret(undefined);
    looked().changeView({ pinned: [], marked: [] });
  });
  register(commands.showExtractionReport, () => documents.show('report'));
  register(commands.showInput, () => documents.show('input'));
  register(commands.showChatTemplate, () => documents.show('chatTemplate'));
  register(commands.restartEngine, async () => {
    supervisor.restart(readSettings());
    if (live.isOn) return live.refresh();
    const { kind } = store.status;
    const isGone = store.run !== undefined && !store.run.held.isHeld;
    if ((kind === 'engineStopped' || isGone) && controller.canRerun) await controller.rerun();
  });
  register(commands.showLog, () => log.show());
  register(commands.showMenu, () => showMenu(controller.isBusy, store.run !== undefined, live.isOn));
  register(commands.openPanel, () => panels.show(false));
  register(commands.openSettings, () =>
    vscode.commands.executeCommand('workbench.action.openSettings', settingsSection),
  );
  register(commands.pinHere, (context) => pinHere(looked(), context));
  register(commands.copyWeights, (context) => copyWeights(looked(), deps.rows, context));
  register(commands.exportFigure, () => exportFigure(looked(), { panel: shownIn(), writeWhole: deps.writeWhole }));
  register(commands.saveExplanation, () =>
    saveExplanation(looked(), shownIn(), { ...deps, saved: deps.attentionFiles.active?.saved }),
  );
  register(commands.exportNumbers, () => exportNumbers(looked(), deps.writeWhole));
  register(
    commands.pinToken,
    withToken((_run, token) => store.togglePin(token)),
  );
  register(commands.revealToken, withToken(revealToken));
  const goToHead = (step: 1 | -1) =>
    withToken(async (run, token) => {
      store.changeView({ selection: nextHead(store.view.selection, run.info.components, step) });
      store.setHovered({ token, origin: 'editor' });
      await showCardAgain(run, token);
    });
  register(commands.nextHead, goToHead(1));
  register(commands.previousHead, goToHead(-1));
  return registrations;
}

/** A document that a menu names, with its editor's selection; else what the person looks at. */
function sourceFor(resource: unknown): ExplainSource | Promise<ExplainSource> {
  const editor = vscode.window.activeTextEditor;
  if (!(resource instanceof vscode.Uri) || resource.toString() === editor?.document.uri.toString())
    return activeSource();
  return openDocument(resource).then((document) => ({ document, range: undefined }));
}

/** The card that a link was clicked in shows the head before: a new one opens, at the cursor, which has to be in the token. */
async function showCardAgain(run: ShownRun, { position }: TokenRef): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || editor.document.uri.toString() !== run.text.uri.toString()) return;
  const { start, end } = run.source.tokens[position];
  const range = run.text.rangeOf(editor.document, start, end);
  if (range === undefined) return;
  if (
    !editor.selection.isEmpty ||
    !range.contains(editor.selection.active) ||
    editor.selection.active.isEqual(range.end)
  )
    editor.selection = new vscode.Selection(range.start, range.start);
  await vscode.commands.executeCommand('editor.action.showHover', { focus: 'noAutoFocus' });
}
