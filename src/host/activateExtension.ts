import * as vscode from 'vscode';
import { ExplorerError } from '../base/errors';
import { DisposableStore } from '../base/disposable';
import type { ModelSpec } from '../protocol';
import { Emitter } from '../base/event';
import { entry, entryOf, failureEntry } from '../base/logText';
import { Sparing } from '../base/sparing';
import { AttentionFileEditors } from './attentionFiles/attentionFileEditors';
import { ModelDocuments } from './commands/modelDocuments';
import { registerCommands } from './commands/registerCommands';
import { revealToken } from './commands/revealToken';
import { runAction } from './commands/panelActions';
import { sampleFile } from './commands/sample';
import { SampleFiles } from './commands/sampleFiles';
import { chooseModel } from './commands/selectModel';
import { AttentionHover } from './editor/attentionHover';
import { continueText } from './commands/continueText';
import { Highlighter } from './editor/highlighter';
import { SurprisalColours } from './editor/surprisalColours';
import { RowReader } from './editor/rowReader';
import { visibleEditor } from './editor/visibleEditor';
import { EngineSupervisor } from './engine/engineSupervisor';
import { HostFiles } from './engine/hostFiles';
import { HubModels } from './hub/hubModels';
import { panelError } from './localize';
import { LiveMode } from './live/liveMode';
import { startAhead } from './engine/startAhead';
import type { HostEnvironment } from './hostEnvironment';
import { makeTestApi } from './makeTestApi';
import { bundledModelsUri, readFirstHeads } from './model/bundledModels';
import { ChosenLanguages } from './model/chosenLanguages';
import { ChosenTokenizers } from './model/chosenTokenizers';
import { FirstHeads } from './model/firstHeads';
import { locateModel, settingOf, type ModelPlaces } from './model/modelLocation';
import { ModelsOfKinds } from './model/modelsOfKinds';
import { RecentModels } from './model/recentModels';
import { Comparisons } from './compare/comparisons';
import { dressOutputs } from './notebooks/outputAppearance';
import { HeadProfiles } from './profiles/headProfiles';
import { WorkspaceProfile } from './profiles/workspaceProfile';
import { openExample } from './profiles/openExample';
import { ExplorerPanels } from './panel/explorerPanels';
import { PanelMemory } from './panel/panelMemory';
import { restorePanel } from './panel/restorePanel';
import { ExplainController } from './run/explainController';
import { endFirstLook } from './run/firstLook';
import { reportFailure } from './run/reportFailure';
import { readSettings } from './readSettings';
import { runSettings, settingsSection } from './settings';
import { StatusBar } from './statusBar';
import type { TestApi } from './testApi';
import { ViewStore } from './view/viewStore';
import { OutputLog } from './say/log';
import { said } from './say/said';

/** Builds everything that the window has of us and hands it to `context`; reads no file, and starts no engine but in a workspace where it was used lately. */
export function activateExtension(context: vscode.ExtensionContext, environment: HostEnvironment): TestApi | undefined {
  const started = performance.now();
  const owned = new DisposableStore();
  context.subscriptions.push(owned);
  const { extensionUri } = context;
  const places: ModelPlaces = {
    extensionUri,
    hasFilePaths: environment.hasFilePaths,
    homePath: environment.homePath,
    tokenizers: new ChosenTokenizers(context.globalState),
  };

  const log = owned.add(new OutputLog('Attention Explorer'));
  const settingsEmitter = owned.add(new Emitter<vscode.ConfigurationChangeEvent>());
  const onDidChangeSettings = (listener: () => void) => settingsEmitter.event(() => listener());
  const runSettingsEmitter = owned.add(new Emitter<undefined>());
  const store = owned.add(new ViewStore());
  const files = new HostFiles(bundledModelsUri(extensionUri));
  const output = owned.add(
    new Sparing({
      first: 20,
      milliseconds: 5000,
      tellCount: (count) => log.debug(entry`Engine: … and ${count} more.`),
    }),
  );
  const launcher = environment.createLauncher(files.server, (text) =>
    output.tell(() => log.debug(entryOf('Engine: ', text))),
  );
  const supervisor = owned.add(new EngineSupervisor(launcher, log));
  const recent = new RecentModels(context.globalState);
  const hub =
    environment.hub &&
    owned.add(
      new HubModels({
        access: environment.hub,
        secrets: context.secrets,
        storageUri: context.globalStorageUri,
        homePath: environment.homePath,
        log,
      }),
    );
  const models = new ModelsOfKinds(context.globalState, () => chooseModel({ places, recent, hub }, 'image'));
  const firstHeads = new FirstHeads(() => readFirstHeads(extensionUri, (uri) => settingOf(uri, places.hasFilePaths)));
  const languages = new ChosenLanguages(context.globalState);
  const controller: ExplainController = owned.add(
    new ExplainController({
      store,
      supervisor,
      files,
      places,
      models,
      firstHeads,
      languages,
      log,
      showPanel: () => panels.show(true),
      isPanelVisible: () => panels.isSeen,
    }),
  );
  const comparisons: Comparisons = owned.add(
    new Comparisons({
      store,
      supervisor,
      files,
      places,
      recent,
      hub,
      languages,
      showView: () => panels.showView('compare'),
    }),
  );
  const profiles = owned.add(
    new HeadProfiles({
      places,
      memory: context.workspaceState,
      storageUri: context.storageUri ?? context.globalStorageUri,
    }),
  );
  const memory = new PanelMemory(context.workspaceState, (message) => log.warn(entry`${message}`));
  const panels = owned.add(
    new ExplorerPanels(
      {
        store,
        memory,
        extensionUri,
        log,
        onDidChangeSettings,
        act: (action) =>
          void runAction(action).catch((error: unknown) =>
            log.error(entry`The panel's "${action}" failed: ${String(error)}`),
          ),
        comparisons: () => ({
          get shown() {
            return comparisons.shown;
          },
          onDidChange: (listener) => comparisons.onDidChange(listener),
          want: (wanted) => {
            if (wanted === null) return comparisons.stop();
            comparisons
              .compare(wanted.kind, wanted.text)
              .catch((error: unknown) => log.warn(failureEntry(ExplorerError.from(error))));
          },
        }),
        profiles: {
          shown: async ({ component }) => (store.run === undefined ? null : profiles.shown(store.run, component)),
          onDidChange: (listener) => profiles.onDidChange(listener),
          open: (example) =>
            void openExample(example, { store, profiles, places, controller }).catch((error: unknown) =>
              reportFailure(panelError(ExplorerError.from(error)), false),
            ),
        },
        goOn: (continuation) => void continueText(store, controller, continuation),
        reveal: (token) => {
          if (store.run !== undefined)
            void revealToken(store.run, token).catch((error: unknown) =>
              log.warn(failureEntry(ExplorerError.from(error))),
            );
        },
      },
      (recalled) => void restorePanel(recalled, controller),
    ),
  );
  const noteRuns = (): void =>
    void vscode.commands.executeCommand(
      'setContext',
      'attentionExplorer.hasRun',
      store.run !== undefined || attentionFiles.hasRun,
    );
  const attentionFiles = owned.add(
    new AttentionFileEditors(
      {
        launcher,
        extensionUri,
        log,
        files,
        places,
        onDidChangeSettings,
        act: (action) =>
          void runAction(action).catch((error: unknown) => log.error(entry`"${action}": ${String(error)}`)),
      },
      noteRuns,
    ),
  );
  const live = owned.add(
    new LiveMode({
      store,
      supervisor,
      files,
      places,
      controller,
      firstHeads,
      log,
      showPanel: () => panels.show(true),
      onDidChangeSettings: (listener) => runSettingsEmitter.event(listener),
    }),
  );
  const rows = new RowReader();
  const highlighter = owned.add(new Highlighter(store, rows, log, onDidChangeSettings));
  owned.add(new SurprisalColours(store));
  owned.add(new AttentionHover(store, rows, (run) => profiles.namesOf(run)));
  owned.add(endFirstLook(store));
  const statusBar = owned.add(new StatusBar(store, supervisor));
  /** The model in use, which the engine may read from now on. */
  const modelInUse = (): ModelSpec => {
    const resource = vscode.window.activeTextEditor?.document.uri ?? store.run?.text.uri;
    const { uri, tokenizerUri, spec } = store.run?.model ?? locateModel(readSettings(resource), places, resource);
    files.allowModel(uri, tokenizerUri);
    return spec;
  };
  owned.add(
    startAhead({
      store,
      supervisor,
      memory: context.workspaceState,
      bundledModel: () => {
        const { uri, tokenizerUri, spec } = locateModel(readSettings(), places, undefined);
        if (!uri.toString().startsWith(`${bundledModelsUri(extensionUri).toString()}/`)) return undefined;
        files.allowModel(uri, tokenizerUri);
        return spec;
      },
    }),
  );
  const documents = owned.add(
    new ModelDocuments(
      {
        report: async (signal) => supervisor.inspect(modelInUse, signal),
        input: async (signal) => supervisor.input(signal),
        chatTemplate: async (signal) => supervisor.chatTemplate(modelInUse, signal),
      },
      () => panels.columnBeside(visibleEditor(store.run?.text.uri)?.viewColumn),
    ),
  );
  owned.add(dressOutputs(onDidChangeSettings));
  owned.add(new SampleFiles((path) => sampleFile(extensionUri, path)));
  const workspaceProfile = owned.add(
    new WorkspaceProfile({
      ...{ store, supervisor, launcher, files, places, profiles, log },
      memory: context.workspaceState,
      writeFolder: environment.writeFolder,
      showHeads: () => panels.showView('heads'),
    }),
  );
  owned.add(
    registerCommands({
      store,
      controller,
      live,
      supervisor,
      panels,
      attentionFiles,
      documents,
      rows,
      log,
      places,
      recent,
      hub,
      languages,
      writeWhole: environment.writeWhole,
      comparisons,
      profiles,
      workspaceProfile,
    }),
  );
  owned.add(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration(settingsSection)) return;
      const resource = store.run?.text.uri;
      if (event.affectsConfiguration(`${settingsSection}.scale`, resource))
        store.changeView({ scale: readSettings(resource).scale });
      if (runSettings.some((key) => event.affectsConfiguration(`${settingsSection}.${key}`, resource))) {
        controller.markStale(said('The settings of the model were changed.'));
        runSettingsEmitter.fire(undefined);
      }
      settingsEmitter.fire(event);
    }),
  );
  owned.add(vscode.workspace.onDidGrantWorkspaceTrust(() => runSettingsEmitter.fire(undefined)));
  owned.add(
    store.onDidChangeRun((run) => {
      noteRuns();
      void vscode.commands.executeCommand('setContext', 'attentionExplorer.hasOwnTarget', run?.target !== undefined);
      void vscode.commands.executeCommand(
        'setContext',
        'attentionExplorer.hasLanguages',
        run?.info.languages !== undefined,
      );
    }),
  );
  owned.add(
    store.onDidChangeLive(
      ({ kind }) => void vscode.commands.executeCommand('setContext', 'attentionExplorer.isLive', kind !== 'off'),
    ),
  );
  owned.add(
    store.onDidChangeStatus(({ kind }) => {
      void vscode.commands.executeCommand('setContext', 'attentionExplorer.isBusy', kind === 'busy');
    }),
  );
  const milliseconds = performance.now() - started;
  log.debug(entry`Activated in ${milliseconds.toFixed(1)} ms.`);
  if (context.extensionMode !== vscode.ExtensionMode.Test) return undefined;
  return makeTestApi(
    {
      ...{ store, supervisor, panels, memory, rows, highlighter, statusBar, controller, comparisons, attentionFiles },
      workspaceProfile,
    },
    milliseconds,
  );
}
