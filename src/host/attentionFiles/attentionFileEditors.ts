import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { entry, failureEntry, entryOf } from '../../base/logText';
import { ExplorerError, isCancelled } from '../../base/errors';
import type { RunInfo } from '../../model/modelInfo';
import type { ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../panelProtocol';
import type { AttentionFileParams, EngineOptions } from '../../protocol';
import { EngineHandle, isSameEngine } from '../engine/engineHandle';
import type { HostFiles } from '../engine/hostFiles';
import {
  checkModelIsHere,
  checkNamesModel,
  limitOf,
  readExplanation,
  readKeptView,
  type Explanation,
} from '../explanations/explanationFile';
import { locateModel, settingOf, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { parseModelPath } from '../model/modelPath';
import type { PlainText } from '../../base/safeText';
import { said } from '../say/said';
import type { EngineLauncher } from '../engine/engineLauncher';
import { everySecond } from '../engine/engineWatch';
import { HeldRun } from '../engine/heldRun';
import { noticeLines, panelError } from '../localize';
import { ExplorerPanel, type PanelDependencies } from '../panel/explorerPanel';
import { readFileAtMost } from '../readFileAtMost';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import { reportFailure } from '../run/reportFailure';
import { ShownRun, type ShownRunFacts } from '../run/shownRun';
import { TrackedPicture } from '../run/trackedPicture';
import type { Log } from '../say/log';
import { ViewStore } from '../view/viewStore';
import { FileComparison } from './fileComparison';

/** The types of the editors in the manifest. */
const editorTypes = {
  attention: 'attentionExplorer.attentionFile',
  explanation: 'attentionExplorer.explanation',
} as const;
/** A file that is being written is read again when it rests. */
const restMilliseconds = 300;
/** Of a file that is shown and still being read, nothing is said for so long after the command. */
const unsaidMilliseconds = 1000;

/** What the editors of attention files need of the window. */
export interface AttentionFileDependencies extends Omit<
  PanelDependencies,
  'store' | 'memory' | 'reveal' | 'goOn' | 'comparisons'
> {
  readonly launcher: EngineLauncher;
  readonly log: Log;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
}

/** An attention file or a saved explanation that is open in an editor, as the commands see it. */
export interface OpenAttentionFile {
  readonly store: ViewStore;
  readonly panel: ExplorerPanel;
  readonly comparison: FileComparison;
  /** What was saved, of an explanation. */
  readonly saved: Explanation | undefined;
  /** Says that what was asked would take the model, or a text in an editor. */
  readonly refusal: ExplorerError;
}

/**
 * Opens attention files, without a model, and saved explanations, which run theirs again, in editors of their own, each with a view of its own
 * and an engine of its own: what becomes of the window's engine has no part in them, and when such an editor closes, all that it held is gone.
 */
export class AttentionFileEditors implements Disposable {
  readonly #deps: AttentionFileDependencies;
  readonly #store = new DisposableStore();
  readonly #open = new Map<vscode.WebviewPanel, OpenAttentionFile & Disposable>();
  /** Is called when an editor has opened, closed, or shown a file. */
  readonly #onChange: () => void;

  constructor(deps: AttentionFileDependencies, onChange: () => void) {
    this.#deps = deps;
    this.#onChange = onChange;
    for (const [kind, type] of [
      ['attention', editorTypes.attention],
      ['explanation', editorTypes.explanation],
    ] as const)
      this.#store.add(
        vscode.window.registerCustomEditorProvider(
          type,
          {
            openCustomDocument: (uri) => ({ uri, dispose: () => {} }),
            resolveCustomEditor: ({ uri }, panel) => this.#resolve(kind, uri, panel),
          } satisfies vscode.CustomReadonlyEditorProvider,
          { supportsMultipleEditorsPerDocument: true },
        ),
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

  #resolve(kind: keyof typeof editorTypes, uri: vscode.Uri, panel: vscode.WebviewPanel): void {
    const editor = new AttentionFileEditor({ kind, uri }, panel, this.#deps, this.#onChange);
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

/** What a file has become. */
interface Opened {
  readonly engine: EngineHandle;
  readonly info: RunInfo;
  readonly notices: readonly PlainText[];
  readonly kept: { readonly view: ViewState; readonly arrangement: unknown } | undefined;
  readonly model: ModelLocation | undefined;
  readonly saved: Explanation | undefined;
}

/** Is given what has come of a file, as soon as that can be looked at, and how it is to be. */
type Growing = (held: HeldRun, kept: Opened['kept']) => void;

/** What is to be known of what a file has become. */
function factsOf({ info, notices = [], model, saved }: Pick<Opened, 'info'> & Partial<Opened>): ShownRunFacts {
  return {
    isWholeDocument: true,
    notices: [...notices, ...noticeLines(info.notices)].map((sentence) => ({ sentence })),
    model,
    target: saved?.target,
  };
}

/** What is said where reading was cancelled: of what is shown, how much of it was read. */
function statusAfterCancel(run: ShownRun | undefined, failure: ExplorerError): PanelStatus {
  if (run === undefined) return { kind: 'failed', error: panelError(failure) };
  const { done, of } = run.numLayers;
  return done < of
    ? { kind: 'stale', reason: said('Cancelled: {0} of {1} layers were read.', done, of) }
    : { kind: 'ready' };
}

/** The path of a model as a setting has it, where an explanation names it relative to its own file. */
function besideFile(path: string, file: vscode.Uri, { homePath, hasFilePaths }: ModelPlaces): string {
  const parsed = parseModelPath(path, homePath);
  return parsed.kind === 'relative' ? settingOf(vscode.Uri.joinPath(file, '..', parsed.path), hasFilePaths) : path;
}

/** The machines that the person allows VS Code to connect to for files; it knows of them on Windows alone. */
function allowedHosts(): readonly string[] {
  const found: unknown = vscode.workspace.getConfiguration('security').inspect('allowedUNCHosts')?.globalValue;
  return Array.isArray(found) ? found.filter((each) => typeof each === 'string') : [];
}

/** One editor of one file. */
class AttentionFileEditor implements OpenAttentionFile, Disposable {
  readonly #uri: vscode.Uri;
  readonly #kind: keyof typeof editorTypes;
  readonly #deps: AttentionFileDependencies;
  readonly #onChange: () => void;
  readonly #owned = new DisposableStore();
  #isClosed = false;
  readonly store = this.#owned.add(new ViewStore());
  readonly comparison: FileComparison;
  readonly panel: ExplorerPanel;
  #engine: EngineHandle | undefined;
  #numRuns = 0;
  #resting: number | undefined;
  #saved: Explanation | undefined;
  /** The file, where it could not be read. */
  readonly #unread = this.#owned.add(new MutableDisposable<TrackedPicture>());
  /** Ends what is being read or run. */
  #loading = new AbortController();

  constructor(
    { kind, uri }: { readonly kind: keyof typeof editorTypes; readonly uri: vscode.Uri },
    panel: vscode.WebviewPanel,
    deps: AttentionFileDependencies,
    onChange: () => void,
  ) {
    this.#kind = kind;
    this.#uri = uri;
    this.#deps = deps;
    this.#onChange = onChange;
    this.comparison = this.#owned.add(
      new FileComparison({
        uri,
        run: () => this.store.run,
        open: kind === 'attention' ? (other, signal) => this.#openBeside(other, signal) : undefined,
        needsModel: () => this.#needsModel(),
        showView: () => this.panel.showView('compare'),
      }),
    );
    this.panel = this.#owned.add(
      new ExplorerPanel(panel, {
        ...deps,
        store: this.store,
        // VS Code itself opens the file again after a reload.
        memory: { kept: { version: 2, key: '' }, remember: () => {} },
        act: (action) => {
          if (action === 'rerun' || action === 'restartEngine') void this.#load();
          else if (action === 'cancel') this.#loading.abort();
          else deps.act(action);
        },
        reveal: () => {},
        goOn: () => this.#needsModel(),
        comparisons: () => this.comparison,
      }),
    );
    void this.#load();
  }

  get saved(): Explanation | undefined {
    return this.#saved;
  }

  get refusal(): ExplorerError {
    return new ExplorerError(this.#kind === 'attention' ? 'noModelHere' : 'explanationAlone', [
      documentName(this.#uri),
    ]);
  }

  /** Tells of that refusal. */
  #needsModel(): void {
    reportFailure(panelError(this.refusal), false);
  }

  async #load(): Promise<void> {
    const { store } = this;
    const { log } = this.#deps;
    const askedAt = performance.now();
    this.#loading.abort();
    const loading = (this.#loading = new AbortController());
    const { signal } = loading;
    const tracked = new TrackedPicture(this.#uri);
    tracked.onDidChange(() => {
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => void this.#load(), restMilliseconds);
    });
    this.#unread.value = undefined;
    this.comparison.stop();
    store.setStatus({ kind: 'busy', stage: 'readFile' });
    /** What has come of a file that is still being read. */
    let growing: HeldRun | undefined;
    let shown: ShownRun | undefined;
    const show = (held: HeldRun, facts: ShownRunFacts, kept: Opened['kept']): ShownRun => {
      const run = new ShownRun(held, tracked, facts, (grown) => this.#grew(grown, askedAt));
      run.askedAt = askedAt;
      const { run: former, view } = store;
      const first = kept?.view ?? { ...view, scale: readSettings(this.#uri).scale };
      store.setRun(run, former === undefined ? first : view);
      store.setStatus({ kind: 'ready' });
      if (former === undefined && kept?.arrangement !== undefined) this.panel.restore(kept.arrangement);
      this.#onChange();
      return run;
    };
    const onGrowing: Growing = (held, kept) => {
      growing = held;
      // What is read again takes the place of what is shown when all of it is there.
      if (store.run === undefined && !signal.aborted) shown = show(held, factsOf({ info: held.info }), kept);
    };
    try {
      const name = documentName(this.#uri);
      const opened =
        this.#kind === 'attention'
          ? await this.#openAttention(name, signal, onGrowing)
          : await this.#openExplanation(name, signal);
      const held =
        growing?.isOf(opened.info.runId) === true
          ? growing
          : new HeldRun(opened.engine, opened.info, { windowRunId: ++this.#numRuns });
      if (signal.aborted) {
        if (shown === undefined) held.release();
        throw new ExplorerError('cancelled');
      }
      held.complete(opened.info);
      this.#saved = opened.saved;
      if (shown === undefined) show(held, factsOf(opened), opened.kept);
      else {
        shown.complete(factsOf(opened));
        store.runMoved();
        store.setStatus({ kind: 'ready' });
      }
      log.info(entry`${name}: ${this.#kind}, read in ${(performance.now() - askedAt).toFixed(0)} ms.`);
    } catch (error) {
      const failure = ExplorerError.from(error);
      if (shown === undefined) growing?.release();
      else growing?.stop();
      if (this.#isClosed || loading !== this.#loading) {
        if (shown === undefined) tracked.dispose();
        return;
      }
      // What could not be read is read again when it is written again.
      if (shown === undefined) this.#unread.value = tracked;
      if (signal.aborted || isCancelled(failure)) return store.setStatus(statusAfterCancel(store.run, failure));
      log.error(failureEntry(failure));
      store.setStatus({ kind: 'failed', error: panelError(failure) });
    }
  }

  /** More of a file has come; what takes long says how far it is. */
  #grew(run: ShownRun, askedAt: number): void {
    const { store } = this;
    store.runGrew(run);
    if (run === store.run && run.held.isGrowing && performance.now() - askedAt > unsaidMilliseconds)
      store.setStatus({ kind: 'busy', stage: 'readFile', layers: run.numLayers });
  }

  async #openAttention(name: string, signal: AbortSignal, onGrowing: Growing): Promise<Opened> {
    const engine = this.#takeEngine({ backend: 'auto', threads: 0 });
    let held: HeldRun | undefined;
    const listening = engine.on('growing', ({ run, runId, components }) => {
      if (held?.isOf(runId) === true) held.grow(components);
      if (run === undefined || signal.aborted) return;
      const { explanation, ...info } = run;
      held = new HeldRun(engine, info, { windowRunId: ++this.#numRuns, isGrowing: true });
      onGrowing(held, readKeptView(explanation));
    });
    try {
      const { explanation, ...info } = await engine.remote.openAttention(await this.#reached(this.#uri, name), signal);
      return { engine, info, notices: [], kept: readKeptView(explanation), model: undefined, saved: undefined };
    } finally {
      listening.dispose();
    }
  }

  /** A file as the engine gets it: by its path, or where it has no files its bytes. */
  async #reached(uri: vscode.Uri, name: string): Promise<AttentionFileParams> {
    return this.#deps.places.hasFilePaths && uri.scheme === 'file'
      ? { path: uri.fsPath }
      : { path: uri.path, bytes: await readFileAtMost(uri, 'attention', name) };
  }

  /** Holds another file in the engine of this one. */
  async #openBeside(uri: vscode.Uri, signal: AbortSignal): Promise<HeldRun> {
    const engine = this.#takeEngine({ backend: 'auto', threads: 0 });
    const params = { ...(await this.#reached(uri, documentName(uri))), isWhole: true };
    const { explanation: _, ...info } = await engine.remote.openAttention(params, signal);
    return new HeldRun(engine, info, { windowRunId: ++this.#numRuns });
  }

  /** Runs the model that an explanation names, where it may name one. */
  async #openExplanation(name: string, signal: AbortSignal): Promise<Opened> {
    const { files, places } = this.#deps;
    const saved = readExplanation(await readFileAtMost(this.#uri, 'explanation', name), name);
    const { isTrusted } = vscode.workspace;
    checkNamesModel(saved, name, isTrusted);
    const modelPath = besideFile(saved.model.path, this.#uri, places);
    const settings = readSettings(this.#uri);
    const model = locateModel({ ...settings, modelPath }, places, this.#uri);
    const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri);
    checkModelIsHere(saved, name, model.uri, { places: [this.#uri, ...folders], hosts: allowedHosts() });
    files.allowModel(model.uri, model.tokenizerUri);
    const engine = this.#takeEngine(model.spec);
    const progress = engine.on('progress', (told) => this.store.setStatus({ kind: 'busy', ...told }));
    try {
      const { text, second, target, isChatMessage, focus, languages, continuation } = saved;
      const { sha256 } = await engine.remote.modelHash(model.spec, signal);
      const info = await engine.remote.explain(
        {
          model: model.spec,
          text,
          second,
          target,
          languages,
          continuation,
          tokenLimit: limitOf(saved, settings.tokenLimit, isTrusted),
          ...(isChatMessage ? { isChatMessage } : {}),
          ...(focus === undefined ? {} : { isInContext: true }),
        },
        signal,
      );
      const isOther = saved.model.sha256 !== undefined && saved.model.sha256 !== sha256;
      return {
        engine,
        info,
        notices: isOther
          ? [
              said(
                'The model at {0} is not the one that this was saved with (its hash differs): what is shown is of the model that is there now.',
                saved.model.path,
              ),
            ]
          : [],
        kept: saved,
        model,
        saved,
      };
    } finally {
      progress.dispose();
    }
  }

  #takeEngine(options: EngineOptions): EngineHandle {
    if (this.#engine?.isAlive === true && isSameEngine(this.#engine.options, options)) return this.#engine;
    this.#engine?.dispose();
    const { launcher, log } = this.#deps;
    const engine = new EngineHandle(
      launcher.launch(),
      { backend: options.backend, threads: options.threads },
      everySecond,
    );
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
    this.#isClosed = true;
    this.#loading.abort();
    this.#engine?.dispose();
    this.#owned.dispose();
  }
}
