import { ExplorerError } from '../base/errors';
import type { AttentionFileEditors } from './attentionFiles/attentionFileEditors';
import type { Highlighter } from './editor/highlighter';
import type { RowReader } from './editor/rowReader';
import type { Comparisons } from './compare/comparisons';
import type { EngineSupervisor } from './engine/engineSupervisor';
import type { ExplorerPanels } from './panel/explorerPanels';
import type { PanelMemory } from './panel/panelMemory';
import { checkPersisted } from './panel/panelMessages';
import { persistedPanel } from './panel/panelSnapshots';
import { restorePanel } from './panel/restorePanel';
import type { ExplainController } from './run/explainController';
import type { WorkspaceProfile } from './profiles/workspaceProfile';
import type { StatusBar } from './statusBar';
import type { TestApi } from './testApi';
import type { ViewStore } from './view/viewStore';

/** The parts that tests look into. */
export interface TestedParts {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly panels: ExplorerPanels;
  readonly memory: PanelMemory;
  readonly rows: RowReader;
  readonly highlighter: Highlighter;
  readonly statusBar: StatusBar;
  readonly controller: ExplainController;
  readonly comparisons: Comparisons;
  readonly attentionFiles: AttentionFileEditors;
  readonly workspaceProfile: WorkspaceProfile;
}

/** Makes what tests inside VS Code get. */
export function makeTestApi(
  {
    store,
    supervisor,
    panels,
    memory,
    rows,
    highlighter,
    statusBar,
    controller,
    comparisons,
    attentionFiles,
    workspaceProfile,
  }: TestedParts,
  activationMilliseconds: number,
): TestApi {
  return {
    activationMilliseconds,
    snapshot: () => {
      const { run, view, status, hovered } = store;
      const panel = panels.current;
      const file = attentionFiles.active;
      return {
        status,
        run: run?.info,
        notices: run?.notices.map(({ sentence }) => sentence) ?? [],
        textRange: run?.text.range,
        view,
        hovered: hovered?.token.position,
        caret: store.caret?.position,
        live: store.live,
        highlights: highlighter.highlights,
        engine: supervisor.state,
        enginePid: supervisor.pid,
        hasSpare: supervisor.hasSpare,
        statusBar: statusBar.text,
        statusTooltip: statusBar.tooltip,
        comparison: comparisons.shown,
        file: file && { status: file.store.status, run: file.store.run?.info },
        panel: panel && {
          isVisible: panel.isVisible,
          isReady: panel.isReady,
          postedBytes: panel.postedBytes,
          paintMilliseconds: panel.lastPaint?.milliseconds,
        },
        kept: run && memory.kept,
        remembered: run && persistedPanel(run, view),
      };
    },
    row: async (position) => {
      const { run, view } = store;
      const row = run && (await rows.read(run, view, [{ stream: run.sourceIndex, position }]));
      if (row === undefined) throw new ExplorerError('unknownRun');
      return row.weights;
    },
    crashEngine: () => supervisor.crash(),
    remember: (state) => {
      const persisted = checkPersisted(state);
      if (persisted === undefined) throw new ExplorerError('invalidMessage', ['state']);
      memory.remember(persisted);
    },
    restore: (state) => restorePanel(memory.recall(state), controller),
    changeView: (view) => store.changeView(view),
    profile: async (include, budget = {}, exclude = '', most = 100) => {
      const told = await workspaceProfile.profile({ include, exclude, most, budget });
      return told instanceof ExplorerError ? { code: told.code, sentence: told.sentence } : { sentence: told ?? '' };
    },
    closePanel: () => panels.current?.close(),
  };
}
