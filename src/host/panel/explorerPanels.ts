import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { isOwnTab } from '../ownTabs';
import type { FigureAnswer, FigureRequest, PanelArrangement, PanelDeed, PanelEvents } from '../../panelProtocol';
import { createPanel } from '../say/panelTab';
import { ExplorerPanel, panelViewType, type PanelDependencies } from './explorerPanel';
import type { PanelMemory, Recalled } from './panelMemory';

/** Keeps the window's one panel: opens it beside the editor, and takes it back after a reload. */
export class ExplorerPanels implements Disposable, vscode.WebviewPanelSerializer {
  readonly #deps: PanelDependencies & { readonly memory: PanelMemory };
  readonly #restore: (recalled: Recalled) => void;
  readonly #store = new DisposableStore();
  #current: ExplorerPanel | undefined;
  #isUncovering = false;

  /** @param restore explains again what the panel showed before the reload. */
  constructor(deps: PanelDependencies & { readonly memory: PanelMemory }, restore: (recalled: Recalled) => void) {
    this.#deps = deps;
    this.#restore = restore;
    this.#store.add(vscode.window.registerWebviewPanelSerializer(panelViewType, this));
  }

  get current(): ExplorerPanel | undefined {
    return this.#current;
  }

  /** Shows the panel; `preserveFocus` leaves the person where they are. */
  show(preserveFocus: boolean): void {
    if (this.#current !== undefined) {
      if (!this.#current.isVisible || !preserveFocus) void this.#uncover(this.#current, preserveFocus);
      return;
    }
    this.#adopt(createPanel(panelViewType, plain('Attention Explorer'), preserveFocus));
  }

  /** Shows the panel with one of its views. */
  showView(view: PanelEvents['show']['view'], does?: PanelDeed): void {
    this.show(false);
    this.#current?.showView(view, does);
  }

  /** Arranges the panel anew, and leaves the keyboard where it is. */
  arrange(arrangement: PanelArrangement): void {
    this.show(true);
    this.#current?.arrange(arrangement);
  }

  /** Whether the person sees the panel, or will in a moment. */
  get isSeen(): boolean {
    return this.#current !== undefined && (this.#current.isVisible || this.#isUncovering);
  }

  /** Where something opens that is not to cover the text in a column: over the panel, else beside. */
  columnBeside(text: vscode.ViewColumn | undefined): vscode.ViewColumn {
    const column = this.#current?.viewColumn;
    return column === undefined || column === text || vscode.window.tabGroups.all.length === 1
      ? vscode.ViewColumn.Beside
      : column;
  }

  /** Asks the page for something that a figure needs. Throws `figureNotDrawn` where it is not in sight. */
  figure(request: FigureRequest): Promise<FigureAnswer> {
    return this.#current?.figure(request) ?? Promise.reject(new ExplorerError('figureNotDrawn'));
  }

  /** How the person has arranged the page; undefined where none answers. */
  arrangement(): ReturnType<ExplorerPanel['arrangement']> {
    return this.#current?.arrangement() ?? Promise.resolve(undefined);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    // There is one panel: a second one, of a workspace that was saved so, closes.
    if (this.#current !== undefined) panel.dispose();
    else {
      this.#adopt(panel);
      this.#restore(this.#deps.memory.recall(state));
    }
    return Promise.resolve();
  }

  /** Lets go of the panel without closing it: at the end of a window it has to be there for the next one. */
  dispose(): void {
    this.#current?.dispose();
    this.#current = undefined;
    this.#store.dispose();
  }

  /** Shows the panel; what the person looks at, where it stands in the panel's own group, moves to the one beside, and is not covered. */
  async #uncover(panel: ExplorerPanel, preserveFocus: boolean): Promise<void> {
    this.#isUncovering = !panel.isVisible;
    const { viewColumn, activeTab } = vscode.window.tabGroups.activeTabGroup;
    const isInTheWay =
      preserveFocus && viewColumn === panel.viewColumn && activeTab !== undefined && !isOwnTab(activeTab);
    if (isInTheWay)
      await vscode.commands.executeCommand(
        viewColumn === vscode.ViewColumn.One
          ? 'workbench.action.moveEditorToNextGroup'
          : 'workbench.action.moveEditorToPreviousGroup',
      );
    if (panel === this.#current) panel.reveal(preserveFocus);
    else this.#isUncovering = false;
  }

  #adopt(panel: vscode.WebviewPanel): void {
    const explorer = new ExplorerPanel(panel, this.#deps);
    this.#current = explorer;
    panel.onDidChangeViewState(() => (this.#isUncovering = false));
    panel.onDidDispose(() => {
      this.#isUncovering = false;
      explorer.dispose();
      if (this.#current === explorer) this.#current = undefined;
    });
  }
}
