import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { entry, failureEntry, entryOf } from '../../base/logText';
import { ExplorerError, isCancelled } from '../../base/errors';
import type { Progress } from '../../protocol';
import { EngineHandle } from '../engine/engineHandle';
import type { EngineLauncher } from '../engine/engineLauncher';
import { everySecond } from '../engine/engineWatch';
import { HeldRun } from '../engine/heldRun';
import { noticeLines, panelError } from '../localize';
import { ExplorerPanel, type PanelDependencies } from '../panel/explorerPanel';
import { readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import { reportFailure } from '../run/reportFailure';
import { ShownRun } from '../run/shownRun';
import { TrackedPicture } from '../run/trackedPicture';
import type { Log } from '../say/log';
import { ViewStore } from '../view/viewStore';

/** The type of the editor in the manifest. */
const editorType = 'attentionExplorer.attentionFile';
/** A file that is being written is read again when it rests. */
const restMilliseconds = 300;

/** What the editors of attention files need of the window. */
export interface AttentionFileDependencies extends Omit<
  PanelDependencies,
  'store' | 'memory' | 'reveal' | 'goOn' | 'comparisons'
> {
  readonly launcher: EngineLauncher;
  readonly log: Log;
  /** Whether the engine reads files by itself. */
  readonly hasFilePaths: boolean;
}

/** An attention file that is open in an editor, as the commands see it. */
export interface OpenAttentionFile {
  readonly store: ViewStore;
  readonly panel: ExplorerPanel;
}

/**
 * Opens attention files in editors of their own, each with a view of its own and an engine of its own, without a model: what becomes of the
 * window's engine has no part in them, and when such an editor closes, all that it held is gone.
 */
export class AttentionFileEditors implements Disposable, vscode.CustomReadonlyEditorProvider {
  readonly #deps: AttentionFileDependencies;
  readonly #store = new DisposableStore();
  readonly #open = new Map<vscode.WebviewPanel, OpenAttentionFile & Disposable>();
  /** Is called when an editor has opened, closed, or shown a file. */
  readonly #onChange: () => void;

  constructor(deps: AttentionFileDependencies, onChange: () => void) {
    this.#deps = deps;
    this.#onChange = onChange;
    this.#store.add(
      vscode.window.registerCustomEditorProvider(editorType, this, { supportsMultipleEditorsPerDocument: true }),
    );
  }

  /** The one that the person looks at. */
  get active(): OpenAttentionFile | undefined {
    return [...this.#open].find(([panel]) => panel.active)?.[1];
  }

  /** Whether any shows something. */
  get hasRun(): boolean {
    return [...this.#open.values()].some(({ store }) => store.run !== undefined);
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => {} };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const editor = new AttentionFileEditor(uri, panel, this.#deps, this.#onChange);
    this.#open.set(panel, editor);
    panel.onDidDispose(() => {
      this.#open.delete(panel);
      editor.dispose();
      this.#onChange();
    });
  }

  dispose(): void {
    for (const editor of this.#open.values()) editor.dispose();
    this.#open.clear();
    this.#store.dispose();
  }
}

/** One editor of one file. */
class AttentionFileEditor implements OpenAttentionFile, Disposable {
  readonly #uri: vscode.Uri;
  readonly #deps: AttentionFileDependencies;
  readonly #onChange: () => void;
  readonly #owned = new DisposableStore();
  readonly #closed = new AbortController();
  readonly store = this.#owned.add(new ViewStore());
  readonly panel: ExplorerPanel;
  #engine: EngineHandle | undefined;
  #numRuns = 0;
  #resting: number | undefined;

  constructor(uri: vscode.Uri, panel: vscode.WebviewPanel, deps: AttentionFileDependencies, onChange: () => void) {
    this.#uri = uri;
    this.#deps = deps;
    this.#onChange = onChange;
    this.panel = this.#owned.add(
      new ExplorerPanel(panel, {
        ...deps,
        store: this.store,
        // VS Code itself opens the file again after a reload.
        memory: { kept: { version: 2, key: '' }, remember: () => {} },
        act: (action) => (action === 'rerun' || action === 'restartEngine' ? void this.#load() : deps.act(action)),
        reveal: () => {},
        goOn: () => this.#needsModel(),
        comparisons: () => ({
          shown: null,
          onDidChange: () => ({ dispose: () => {} }),
          want: (wanted) => {
            if (wanted !== null) this.#needsModel();
          },
        }),
      }),
    );
    void this.#load();
  }

  /** Says that what was asked would take the model. */
  #needsModel(): void {
    reportFailure(panelError(new ExplorerError('noModelHere', [documentName(this.#uri)])), false);
  }

  async #load(): Promise<void> {
    const { store } = this;
    const { log } = this.#deps;
    const askedAt = performance.now();
    const tracked = new TrackedPicture(this.#uri);
    const busy: { readonly kind: 'busy' } & Progress = { kind: 'busy', stage: 'readFile' };
    store.setStatus(busy);
    try {
      const engine = this.#takeEngine();
      const name = documentName(this.#uri);
      const isReached = this.#deps.hasFilePaths && this.#uri.scheme === 'file';
      const info = await engine.remote.openAttention(
        isReached
          ? { path: this.#uri.fsPath }
          : { path: this.#uri.path, bytes: await readFileAtMost(this.#uri, 'attention', name) },
        this.#closed.signal,
      );
      const held = new HeldRun(engine, info, { windowRunId: ++this.#numRuns });
      const run = new ShownRun(held, tracked, {
        isWholeDocument: true,
        notices: noticeLines(info.notices).map((sentence) => ({ sentence })),
      });
      run.askedAt = askedAt;
      if (this.#closed.signal.aborted) {
        run.dispose();
        return;
      }
      tracked.onDidChange(() => {
        clearTimeout(this.#resting);
        this.#resting = setTimeout(() => void this.#load(), restMilliseconds);
      });
      const { run: former, view } = store;
      store.setRun(run, former === undefined ? { ...view, scale: readSettings(this.#uri).scale } : view);
      store.setStatus({ kind: 'ready' });
      log.info(entry`${name}: an attention file, read in ${(performance.now() - askedAt).toFixed(0)} ms.`);
      this.#onChange();
    } catch (error) {
      tracked.dispose();
      const failure = ExplorerError.from(error);
      if (this.#closed.signal.aborted || isCancelled(failure)) return;
      log.error(failureEntry(failure));
      store.setStatus({ kind: 'failed', error: panelError(failure) });
    }
  }

  #takeEngine(): EngineHandle {
    if (this.#engine?.isAlive === true) return this.#engine;
    const { launcher, log } = this.#deps;
    const engine = new EngineHandle(launcher.launch(), { backend: 'auto', threads: 0 }, everySecond);
    engine.on('log', ({ level, message }) => log[level](entryOf('', message)));
    void engine.exited.then(({ reason }) => {
      if (engine.isUnwanted || engine !== this.#engine) return;
      const error = panelError(new ExplorerError('engineStopped', [reason]));
      this.store.setStatus({ kind: 'engineStopped', error });
    });
    return (this.#engine = engine);
  }

  dispose(): void {
    clearTimeout(this.#resting);
    this.#closed.abort();
    this.#engine?.dispose();
    this.#owned.dispose();
  }
}
